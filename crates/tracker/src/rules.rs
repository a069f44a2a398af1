//! The policy sets as the fold asks them: which attributes matter, and which policy holds for given values.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use slawatch_event::{Attribute, MAX_INSTANT_MS, Status};
use slawatch_policy::{
    AttributeTo, DEFAULT_SHORT_ABANDON_MS, Metric, OnReopen, Policy, PolicySets, ReplyBySolving,
    WarnLevel,
};

use crate::symbol::{Symbol, Symbols};
use crate::tally::Owner;

/// Index of a policy set in effect order.
pub(crate) type SetIndex = u16;
/// Index of a policy in its set.
pub(crate) type PolicyIndex = u16;

/// How many matches are remembered before they are forgotten all at once.
const REMEMBERED_MATCHES: usize = 1 << 16;

const VENDOR: usize = 0;
const QUEUE: usize = 1;
pub(crate) const PRIORITY: usize = 2;

/// Policy sets, the attributes worth keeping, and the matches already made.
#[derive(Debug)]
pub(crate) struct Rules {
    sets: PolicySets,
    /// Vendor, queue and priority, then what any policy matches on, then what only alerts show; the status has a place of
    /// its own.
    attributes: Vec<Attribute>,
    /// How many of the attributes matter to policies.
    matched: usize,
    pub(crate) symbols: Symbols,
    /// A buffer.
    kept: Vec<(u16, Symbol)>,
    matches: IndexMap<MatchKey, Option<PolicyIndex>, FxBuildHasher>,
}

/// What a match depends on.
type MatchKey = (SetIndex, Status, Box<[Symbol]>);

/// A [`MatchKey`] to look for, which owns nothing.
#[derive(Hash)]
struct MatchQuery<'a>(SetIndex, Status, &'a [Symbol]);

impl indexmap::Equivalent<MatchKey> for MatchQuery<'_> {
    fn equivalent(&self, key: &MatchKey) -> bool {
        self.0 == key.0 && self.1 == key.1 && *self.2 == *key.2
    }
}

/// The attribute values in force on a ticket, by position in the rules' attributes, as far as these matter to policies.
pub(crate) type Values = Vec<Symbol>;

pub(crate) fn owner(values: &[Symbol]) -> Owner {
    Owner {
        vendor: values[VENDOR],
        queue: values[QUEUE],
    }
}

pub(crate) fn priority(values: &[Symbol]) -> Symbol {
    values[PRIORITY]
}

fn add_new(attributes: &mut Vec<Attribute>, more: &[Attribute]) {
    for attribute in more {
        if *attribute != Attribute::Status && !attributes.contains(attribute) {
            attributes.push(attribute.clone());
        }
    }
}

impl Rules {
    pub(crate) fn new(sets: PolicySets, alert_attributes: &[Attribute]) -> Self {
        let mut attributes = vec![Attribute::Vendor, Attribute::Queue, Attribute::Priority];
        add_new(&mut attributes, sets.attributes());
        let matched = attributes.len();
        add_new(&mut attributes, alert_attributes);
        Self {
            sets,
            attributes,
            matched,
            symbols: Symbols::default(),
            kept: Vec::new(),
            matches: IndexMap::default(),
        }
    }

    pub(crate) fn sets(&self) -> &PolicySets {
        &self.sets
    }

    /// What is kept of events' attributes, by position.
    pub(crate) fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Those of them that matter to policies.
    pub(crate) fn matched_attributes(&self) -> &[Attribute] {
        &self.attributes[..self.matched]
    }

    /// The values of a ticket of which nothing is known.
    pub(crate) fn unset(&self) -> Values {
        vec![Symbol::EMPTY; self.matched]
    }

    pub(crate) fn kept_attributes<'a>(
        &mut self,
        get: impl Fn(&Attribute) -> Option<&'a str>,
    ) -> Box<[(u16, Symbol)]> {
        self.kept.clear();
        for (position, attribute) in self.attributes.iter().enumerate() {
            if let Some(value) = get(attribute) {
                self.kept
                    .push((position as u16, self.symbols.intern(value)));
            }
        }
        self.kept.as_slice().into()
    }

    /// The set that a cycle starting then keeps.
    pub(crate) fn set_at(&self, start_ms: i64) -> Option<SetIndex> {
        self.sets.set_at(start_ms).map(|set| set as SetIndex)
    }

    /// The policy of a set that holds for these values.
    pub(crate) fn find(
        &mut self,
        set: SetIndex,
        values: &[Symbol],
        status: Status,
    ) -> Option<PolicyIndex> {
        if let Some(found) = self.matches.get(&MatchQuery(set, status, values)) {
            return *found;
        }
        let (symbols, attributes) = (&self.symbols, &self.attributes);
        let found = self.sets.sets()[usize::from(set)]
            .find(|attribute| {
                if *attribute == Attribute::Status {
                    return status.name();
                }
                attributes
                    .iter()
                    .position(|known| known == attribute)
                    .map_or("", |position| symbols.text(values[position]))
            })
            .map(|policy| policy as PolicyIndex);
        if self.matches.len() >= REMEMBERED_MATCHES {
            self.matches.clear();
        }
        self.matches.insert((set, status, values.into()), found);
        found
    }
}

/// What a policy, or its absence, says of a clock.
impl Rules {
    pub(crate) fn in_force(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
    ) -> Option<&Policy> {
        let set = &self.sets.sets()[usize::from(set?)];
        set.policies.get(usize::from(policy?))
    }

    pub(crate) fn policy_name(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
    ) -> Option<&str> {
        Some(&self.in_force(set, policy)?.name)
    }

    pub(crate) fn target_ms(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
        metric: Metric,
        priority: Symbol,
    ) -> Option<i64> {
        self.in_force(set, policy)?
            .target_ms(metric, self.symbols.text(priority))
    }

    pub(crate) fn is_paused(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
        metric: Metric,
        status: Status,
    ) -> bool {
        self.in_force(set, policy)
            .is_some_and(|policy| policy.pause_on(metric).contains(status))
    }

    /// Business time in `[from_ms, to_ms)`; with no policy in force the calendar is always open.
    pub(crate) fn elapsed(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
        from_ms: i64,
        to_ms: i64,
    ) -> i64 {
        let calendar = self
            .in_force(set, policy)
            .and_then(|policy| policy.calendar.as_deref());
        match calendar {
            Some(calendar) => calendar.elapsed(from_ms, to_ms),
            None => to_ms - from_ms,
        }
    }

    /// The first instant with `duration_ms` of business time behind it since `start_ms`.
    pub(crate) fn add(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
        start_ms: i64,
        duration_ms: i64,
        latest_ms: i64,
    ) -> Option<i64> {
        let calendar = self
            .in_force(set, policy)
            .and_then(|policy| policy.calendar.as_deref());
        let latest_ms = latest_ms.min(MAX_INSTANT_MS);
        match calendar {
            Some(calendar) => calendar.add_until(start_ms, duration_ms, latest_ms),
            None => Some(start_ms.saturating_add(duration_ms)).filter(|end| *end <= latest_ms),
        }
    }

    pub(crate) fn attribute_to(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
    ) -> AttributeTo {
        self.in_force(set, policy)
            .map_or(AttributeTo::Due, |policy| policy.attribute_to)
    }

    pub(crate) fn on_reopen(&self, set: Option<SetIndex>, policy: Option<PolicyIndex>) -> OnReopen {
        self.in_force(set, policy)
            .map_or(OnReopen::Resume, |policy| policy.on_reopen)
    }

    pub(crate) fn reply_by_solving(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
    ) -> ReplyBySolving {
        self.in_force(set, policy)
            .map_or(ReplyBySolving::Met, |policy| policy.reply_by_solving)
    }

    pub(crate) fn short_abandon_ms(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
    ) -> i64 {
        self.in_force(set, policy)
            .map_or(DEFAULT_SHORT_ABANDON_MS, |policy| policy.short_abandon_ms)
    }

    pub(crate) fn warn_levels(
        &self,
        set: Option<SetIndex>,
        policy: Option<PolicyIndex>,
    ) -> &[WarnLevel] {
        self.in_force(set, policy)
            .map_or(&[], |policy| &policy.warn_at)
    }
}
