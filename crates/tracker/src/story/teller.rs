//! Builds a story, has the tracker live through it, and asks what came of it.

use std::collections::BTreeMap;

use slawatch_event::{DecodeOptions, Encoding, parse};
use slawatch_policy::PolicySets;
use slawatch_wire::v1;

use super::describe::{self, Panes, merge_pane, metric_name};
use super::when::Week;
use crate::tracker::{Options, Tracker};

/// A story that begins. Events come in the order in which they are written down.
pub(super) fn ticket() -> Story {
    Story::default()
}

/// A calendar `desk` that is open Monday to Friday, in UTC, and a policy `desk` on it.
pub(super) fn desk(spans: &str, targets: &str) -> String {
    format!(
        "[[calendar]]\nname = 'desk'\ntimezone = 'UTC'\nhours = {{ mon-fri = [{spans}] }}\n{}",
        policy(&format!("calendar = 'desk'\n[policy.targets]\n{targets}"))
    )
}

/// A policy for everything, always open, with these targets.
pub(super) fn always(targets: &str) -> String {
    policy(&format!("[policy.targets]\n{targets}"))
}

/// A policy for everything.
pub(super) fn policy(body: &str) -> String {
    format!("[[policy]]\nname = 'only'\n{body}\n")
}

#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    week: Week,
    sets: Vec<String>,
    events: Vec<BTreeMap<&'static str, String>>,
    allowed_delay_ms: i64,
}

impl Story {
    /// A policy set in force from long ago on.
    pub(super) fn policies(self, body: &str) -> Self {
        self.policies_from("2020-01-01T00:00:00Z", body)
    }

    pub(super) fn policies_from(mut self, effective_from: &str, body: &str) -> Self {
        self.sets
            .push(format!("effective_from = '{effective_from}'\n{body}"));
        self
    }

    pub(super) fn allowed_delay(mut self, ms: i64) -> Self {
        self.allowed_delay_ms = ms;
        self
    }

    /// An event; its sequence counts up, so that events of one instant are in the order of the story.
    pub(super) fn event(mut self, event_type: &str, at: &str) -> Self {
        let at_ms = self.week.instant(at);
        let number = self.events.len();
        self.events.push(BTreeMap::from([
            ("event_id", format!("'e{number}'")),
            ("ticket_id", "'T'".into()),
            ("type", format!("'{event_type}'")),
            ("occurred_at", at_ms.to_string()),
            ("sequence", number.to_string()),
        ]));
        self
    }

    pub(super) fn created(self, at: &str) -> Self {
        self.event("created", at)
    }

    pub(super) fn updated(self, at: &str) -> Self {
        self.event("updated", at)
    }

    pub(super) fn customer_replied(self, at: &str) -> Self {
        self.event("customer_replied", at)
    }

    pub(super) fn agent_replied(self, at: &str) -> Self {
        self.event("agent_replied", at)
    }

    pub(super) fn offered(self, at: &str) -> Self {
        self.event("contact_offered", at)
    }

    pub(super) fn answered(self, at: &str) -> Self {
        self.event("contact_answered", at)
    }

    pub(super) fn abandoned(self, at: &str) -> Self {
        self.event("contact_abandoned", at)
    }

    pub(super) fn merged(self, at: &str) -> Self {
        self.event("merged", at)
    }

    pub(super) fn solved(self, at: &str) -> Self {
        self.updated(at).status("solved")
    }

    /// A field of the event last told, as JSON with single quotes.
    pub(super) fn field(mut self, name: &'static str, json: &str) -> Self {
        self.events.last_mut().unwrap().insert(name, json.into());
        self
    }

    pub(super) fn status(self, status: &str) -> Self {
        self.field("status", &format!("'{status}'"))
    }

    pub(super) fn priority(self, priority: &str) -> Self {
        self.field("priority", &format!("'{priority}'"))
    }

    pub(super) fn queue(self, queue: &str) -> Self {
        self.field("queue", &format!("'{queue}'"))
    }

    pub(super) fn vendor(self, vendor: &str) -> Self {
        self.field("vendor", &format!("'{vendor}'"))
    }

    pub(super) fn contact(self, contact: &str) -> Self {
        self.field("contact_id", &format!("'{contact}'"))
    }

    pub(super) fn sequence(self, sequence: u64) -> Self {
        self.field("sequence", &sequence.to_string())
    }

    /// What the tracker says once the clock stands at `now`; however the events came in.
    pub(super) fn at(mut self, now: &str) -> Ending {
        let now_ms = self.week.instant(now);
        let told: Vec<String> = self.events.iter().map(json).collect();
        let ending = self.live(&told, now_ms);
        let mut twice_backwards: Vec<String> = told.iter().rev().cloned().collect();
        twice_backwards.extend(told);
        assert_eq!(ending, self.live(&twice_backwards, now_ms));
        ending
    }

    pub(super) fn tracker(&self) -> Tracker {
        let files: Vec<(String, String)> = self
            .sets
            .iter()
            .enumerate()
            .map(|(number, text)| (format!("{number}.toml"), text.clone()))
            .collect();
        let sets = PolicySets::parse(&files).unwrap_or_else(|errors| panic!("{errors}"));
        let options = Options {
            allowed_delay_ms: self.allowed_delay_ms,
            forget_after_ms: None,
            pane_horizon_ms: None,
            ..Options::default()
        };
        Tracker::new(sets, options)
    }

    /// The story's events, to be told one by one.
    pub(super) fn told(&self) -> Vec<String> {
        self.events.iter().map(json).collect()
    }

    pub(super) fn instant(&mut self, text: &str) -> i64 {
        self.week.instant(text)
    }

    fn live(&self, told: &[String], now_ms: i64) -> Ending {
        let mut tracker = self.tracker();
        for (offset, line) in told.iter().enumerate() {
            tell(&mut tracker, line, offset as u64);
        }
        tracker.advance_clock(now_ms);
        let mut ending = Ending {
            week: self.week,
            ..Ending::default()
        };
        ending.hear(&mut tracker);
        ending
    }
}

fn json(event: &BTreeMap<&'static str, String>) -> String {
    let fields = event
        .iter()
        .map(|(name, json)| format!("\"{name}\":{}", json.replace('\'', "\"")))
        .collect::<Vec<_>>();
    format!("{{{}}}", fields.join(","))
}

/// Has a tracker take one event.
pub(super) fn tell(tracker: &mut Tracker, line: &str, offset: u64) {
    let options = DecodeOptions::default();
    let event = parse(line.as_bytes(), Encoding::Json, &options)
        .unwrap_or_else(|rejection| panic!("{line}: {rejection}"));
    tracker.apply(&event, event.occurred_at_ms, offset);
}

/// What was concluded, as its readers have it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending {
    week: Week,
    rows: BTreeMap<(String, u32), v1::OutcomeRow>,
    panes: Panes,
    gauges: BTreeMap<String, v1::GaugeRow>,
    pub(super) warnings: Vec<v1::Warning>,
}

impl PartialEq for Ending {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.panes == other.panes && self.gauges == other.gauges
    }
}

impl Ending {
    pub(super) fn hear(&mut self, tracker: &mut Tracker) {
        let conclusions = tracker.conclude();
        for outcome in conclusions.outcomes {
            let row = outcome.row;
            let key = (metric_name(row.metric()).to_owned(), row.cycle);
            if row.deleted {
                assert!(self.rows.remove(&key).is_some(), "{key:?} was never there");
            } else {
                self.rows.insert(key, row);
            }
        }
        for row in conclusions.panes {
            assert_eq!(row.part, 0, "nothing was evicted");
            self.panes
                .remove(&(row.pane_ms, row.vendor.clone(), row.queue.clone()));
            merge_pane(&mut self.panes, &row);
        }
        for gauge in conclusions.gauges {
            let owner = describe::owner(&gauge.vendor, &gauge.queue);
            self.gauges.insert(owner, gauge);
        }
        self.gauges
            .retain(|_, gauge| gauge.open_tickets != 0 || !gauge.running.is_empty());
        self.warnings.extend(conclusions.warnings);
    }

    fn find(&self, cycle: &str) -> Option<&v1::OutcomeRow> {
        let (metric, number) = cycle.split_once('#').unwrap_or((cycle, "1"));
        self.rows.get(&(metric.to_owned(), number.parse().unwrap()))
    }

    fn row(&self, cycle: &str) -> &v1::OutcomeRow {
        let found = self.find(cycle);
        found.unwrap_or_else(|| panic!("no row {cycle} in {:?}", self.rows.keys()))
    }

    /// The row of `resolution` (cycle 1) or `resolution#2`, in words.
    #[track_caller]
    pub(super) fn says(self, cycle: &str, expected: &str) -> Self {
        assert_eq!(
            describe::row(self.row(cycle), self.week),
            expected,
            "{cycle}"
        );
        self
    }

    #[track_caller]
    pub(super) fn assert_due(mut self, cycle: &str, expected: &str) -> Self {
        let expected_ms = self.week.instant(expected);
        let due = self.row(cycle).due_at_ms.map(|at_ms| self.week.text(at_ms));
        assert_eq!(due, Some(self.week.text(expected_ms)), "{cycle}");
        self
    }

    pub(super) fn has(&self, cycle: &str) -> bool {
        self.find(cycle).is_some()
    }

    pub(super) fn row_of(self, cycle: &str) -> v1::OutcomeRow {
        self.row(cycle).clone()
    }

    #[track_caller]
    pub(super) fn has_no(self, cycle: &str) -> Self {
        assert_eq!(self.find(cycle), None);
        self
    }

    /// `vendor/queue, policy, priority` of a row.
    #[track_caller]
    pub(super) fn stands(self, cycle: &str, expected: &str) -> Self {
        let row = self.row(cycle);
        let owner = describe::owner(&row.vendor, &row.queue);
        let policy = row.policy.as_deref().unwrap_or("-");
        assert_eq!(
            format!("{owner}, {policy}, {}", row.priority),
            expected,
            "{cycle}"
        );
        self
    }

    #[track_caller]
    pub(super) fn shared(self, cycle: &str, expected: &str) -> Self {
        assert_eq!(describe::shares(self.row(cycle)), expected, "{cycle}");
        self
    }

    /// Any other field of a row.
    #[track_caller]
    pub(super) fn check<T: PartialEq + std::fmt::Debug>(
        self,
        cycle: &str,
        get: impl Fn(&v1::OutcomeRow) -> T,
        expected: T,
    ) -> Self {
        assert_eq!(get(self.row(cycle)), expected, "{cycle}");
        self
    }

    /// All measures of a pane but histograms: `created 1, entered 1`.
    #[track_caller]
    pub(super) fn counted(mut self, pane: &str, owner: &str, expected: &str) -> Self {
        let (vendor, queue) = owner.split_once('/').unwrap();
        let key = (self.week.instant(pane), vendor.into(), queue.into());
        let counted: Vec<String> = self
            .panes
            .get(&key)
            .into_iter()
            .flatten()
            .filter(|(name, _)| !name.contains("histogram"))
            .map(|(name, amount)| format!("{name} {amount}"))
            .collect();
        assert_eq!(counted.join(", "), expected, "{pane} {owner}");
        self
    }

    /// The sum of a measure over all panes and owners.
    #[track_caller]
    pub(super) fn in_all(self, measure: &str, expected: i64) -> Self {
        let all = self.panes.values();
        let sum: i64 = all.filter_map(|pane| pane.get(measure)).sum();
        assert_eq!(sum, expected, "{measure}");
        self
    }

    /// `open 1 (T), first_reply 1` of an owner, the oldest ticket in brackets.
    #[track_caller]
    pub(super) fn gauges(self, owner: &str, expected: &str) -> Self {
        let gauge = self.gauges.get(owner);
        let mut words = vec![match gauge {
            Some(gauge) if gauge.open_tickets != 0 => {
                format!("open {} ({})", gauge.open_tickets, gauge.oldest_ticket_id)
            }
            _ => "open 0".to_owned(),
        }];
        let running = gauge.into_iter().flat_map(|gauge| &gauge.running);
        words.extend(running.map(|clocks| {
            let metric = v1::Metric::try_from(clocks.metric).unwrap();
            format!("{} {}", metric_name(metric), clocks.clocks)
        }));
        assert_eq!(words.join(", "), expected, "{owner}");
        self
    }
}
