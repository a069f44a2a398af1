//! Policy sets in force by time, and which policy of a set applies to a ticket's attributes (SEMANTICS 4).

use std::collections::BTreeSet;

use slawatch_event::Attribute;
use xxhash_rust::xxh3::Xxh3;

use crate::policy::Policy;

/// How many policies a set can have: whoever remembers one does so in 16 bits.
pub(crate) const MOST_POLICIES: usize = 1 << 16;

/// One file: the policies that apply to cycles starting from an instant on.
#[derive(Clone, Debug)]
pub struct PolicySet {
    /// From when on cycles start under it.
    pub effective_from_ms: i64,
    /// In file order.
    pub policies: Vec<Policy>,
    attributes: Vec<Attribute>,
    hash: u64,
    file: String,
    text: String,
}

impl PolicySet {
    pub(crate) fn new(
        effective_from_ms: i64,
        policies: Vec<Policy>,
        hash: u64,
        file: &str,
        text: &str,
    ) -> Self {
        let conditions = policies.iter().flat_map(|policy| &policy.conditions);
        let attributes: BTreeSet<Attribute> = conditions
            .map(|condition| condition.attribute.clone())
            .collect();
        Self {
            effective_from_ms,
            policies,
            attributes: attributes.into_iter().collect(),
            hash,
            file: file.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The first policy in file order whose match holds. `get` tells the value in force of an attribute, `""` if unset, and
    /// for the status its canonical name.
    pub fn find<'a>(&self, mut get: impl FnMut(&Attribute) -> &'a str) -> Option<usize> {
        self.policies.iter().position(|policy| {
            policy.conditions.iter().all(|condition| {
                let value = get(&condition.attribute);
                condition.globs.iter().any(|glob| glob.matches(value))
            })
        })
    }

    /// The attributes that any policy of the set matches on, sorted.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The same on every machine for the same content; comments, layout and the order of keys do not count.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The file's text, from which the set can be made again.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// All sets, by the instant from which they are in force.
#[derive(Clone, Debug, Default)]
pub struct PolicySets {
    sets: Vec<PolicySet>,
    attributes: Vec<Attribute>,
    hash: u64,
}

impl PolicySets {
    /// `sets` have different `effective_from_ms`, in any order.
    pub(crate) fn new(mut sets: Vec<PolicySet>) -> Self {
        sets.sort_by_key(|set| set.effective_from_ms);
        let attributes: BTreeSet<Attribute> = sets
            .iter()
            .flat_map(|set| set.attributes.iter().cloned())
            .collect();
        let mut hasher = Xxh3::new();
        for set in &sets {
            hasher.update(&set.effective_from_ms.to_le_bytes());
            hasher.update(&set.hash.to_le_bytes());
        }
        Self {
            sets,
            attributes: attributes.into_iter().collect(),
            hash: hasher.digest(),
        }
    }

    /// The set in force for what starts at this instant: the newest that is not later; `None` before all.
    pub fn set_at(&self, start_ms: i64) -> Option<usize> {
        self.sets
            .partition_point(|set| set.effective_from_ms <= start_ms)
            .checked_sub(1)
    }

    /// Every set, by `effective_from_ms`.
    pub fn sets(&self) -> &[PolicySet] {
        &self.sets
    }

    /// The attributes that any policy of any set matches on, sorted.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Of all sets together; the same on every machine for the same content, whatever the files' order and names.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}
