//! Who is told when, under the same disturbances: greater alerts, silences, acknowledgements, steps, repetitions and limits.

use std::collections::{BTreeMap, BTreeSet};

use slawatch_wire::v1::{
    AlertState, AlertTransition, Notification, NotificationState, Suppression,
};

use crate::evaluator::{Cast, Evaluator, is_on};
use crate::{Cluster, is_stale};

const STEP_MS: i64 = 60_000;
const WAIT_MS: i64 = 5_000;
const REPEAT_MS: i64 = 90_000;
const LIMIT: usize = 4;
const HOUR_MS: i64 = 3_600_000;
/// While all is calm, what was written is known to the dispatcher after this long.
const LAG_MS: i64 = 5_000;
const CONFIG: &str = r#"
    [[receiver]]
    name = "am"
    type = "alertmanager"
    url = "http://unused"
    [[receiver]]
    name = "plain"
    type = "webhook"
    url = "http://unused"
    repeat_interval = "90s"
    [[receiver]]
    name = "oncall"
    type = "webhook"
    url = "http://unused"
    [[receiver]]
    name = "lead"
    type = "webhook"
    url = "http://unused"
    [[receiver]]
    name = "few"
    type = "webhook"
    url = "http://unused"
    max_per_hour = 4
    group_wait = "5s"
    group_by = "none"
    [[escalation]]
    name = "people"
    steps = [{ after = "0s", receivers = ["oncall"] }, { after = "60s", receivers = ["lead"] }]
"#;
const PLAIN: usize = 1;

/// What the runs were about, all together.
#[derive(Default)]
struct Tally {
    by_reason: BTreeMap<Suppression, usize>,
    steps: usize,
    again: usize,
    worse: usize,
    summaries: usize,
    held_back: usize,
    calm: usize,
}

fn page<'c>(cluster: &'c Cluster, receiver: &'c str) -> impl Iterator<Item = &'c Notification> {
    let recorded = cluster.world.recorded.all.iter();
    recorded.filter(move |one| {
        one.receiver == receiver
            && one.state() == NotificationState::Intent
            && one.alert_state() == AlertState::Firing
    })
}

fn is_summary(one: &Notification) -> bool {
    one.key.starts_with("slawatch|limit|")
}

/// The state of an alert as it was said last before an instant.
fn state_at<'e>(evaluator: &'e Evaluator, key: &str, at_ms: i64) -> Option<&'e AlertTransition> {
    let said = evaluator.said.iter().rev();
    said.into_iter()
        .find(|said| said.key == key && said.at_ms <= at_ms)
}

/// The alert that stands for that one.
fn greater(key: &str) -> Option<String> {
    let number: usize = key.trim_start_matches('k').parse().unwrap();
    number.checked_sub(2).map(|greater| format!("k{greater}"))
}

/// Between two instants somebody acknowledged.
fn was_acknowledged(evaluator: &Evaluator, one: &Notification, after: u64, before: u64) -> bool {
    evaluator.said.iter().any(|said| {
        said.key == one.key
            && said.incident == one.incident
            && said.state() == AlertState::Acknowledged
            && (after..before).contains(&said.revision)
    })
}

impl Cluster {
    /// Nobody is told the same twice but on purpose: after the interval, or since it got worse.
    fn check_repetitions(&self, seed: u64, tally: &mut Tally) {
        for name in ["plain", "oncall", "lead", "few"] {
            let mut told: BTreeMap<(&str, &str), &Notification> = BTreeMap::new();
            for one in page(self, name).filter(|one| !is_summary(one)) {
                let Some(before) = told.insert((&one.key, &one.incident), one) else {
                    continue;
                };
                let context = format!("seed {seed}: {name} {} {one:?} after {before:?}", one.key);
                if was_acknowledged(&self.evaluator, one, before.revision, one.revision) {
                    tally.worse += 1;
                    continue;
                }
                assert!(name == "plain", "{context}: told twice");
                assert!(one.at_ms - before.at_ms >= REPEAT_MS, "{context}: too soon");
                assert_eq!(one.repeat, before.repeat + 1, "{context}");
                tally.again += 1;
            }
        }
    }

    /// A later step comes a step's delay after somebody was told by the first, and not once somebody sees to it.
    fn check_steps(&self, seed: u64, tally: &mut Tally) {
        for one in page(self, "lead") {
            tally.steps += 1;
            assert_eq!(one.step, 2);
            let context = format!("seed {seed}: {one:?}");
            let first = page(self, "oncall").filter(|first| {
                first.key == one.key
                    && first.incident == one.incident
                    && first.revision <= one.revision
                    && !was_acknowledged(&self.evaluator, one, first.revision, one.revision)
            });
            let first_ms = first.map(|first| first.at_ms).min();
            assert!(
                first_ms.is_some_and(|first_ms| one.at_ms - first_ms >= STEP_MS),
                "{context}: too soon"
            );
            let known = state_at(&self.evaluator, &one.key, one.at_ms - LAG_MS).unwrap();
            let acknowledged =
                known.state() == AlertState::Acknowledged && known.incident == one.incident;
            let newest = state_at(&self.evaluator, &one.key, one.at_ms).unwrap();
            let worse = newest.revision > known.revision;
            assert!(
                one.at_ms < self.calm_from_ms || !acknowledged || worse,
                "{context}: somebody saw to it"
            );
        }
        assert!(page(self, "oncall").all(|one| one.step == 1));
    }

    /// In no hour more new incidents than the limit, and each has waited for company.
    fn check_limit(&self, seed: u64, tally: &mut Tally) {
        let mut first: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for one in page(self, "few").filter(|one| !is_summary(one)) {
            first.entry((&one.key, &one.incident)).or_insert(one.at_ms);
            let alert = &self.evaluator.by_incident[&(one.key.clone(), one.incident.clone())];
            assert!(
                one.at_ms - alert.fired_at_ms.unwrap() >= WAIT_MS,
                "seed {seed}: {one:?}"
            );
        }
        // Of each partition by itself.
        for partition in 0..2 {
            let mut times: Vec<i64> = first
                .iter()
                .filter(|((key, _), _)| {
                    key.trim_start_matches('k').parse::<u64>().unwrap() % 2 == partition
                })
                .map(|(_, at_ms)| *at_ms)
                .collect();
            times.sort_unstable();
            for (index, from_ms) in times.iter().enumerate() {
                let within = times[index..]
                    .iter()
                    .filter(|at_ms| **at_ms < from_ms + HOUR_MS);
                assert!(within.count() <= LIMIT, "seed {seed}: {times:?}");
            }
            let key = format!("slawatch|limit|few|{partition}");
            // One that was over before it was sent is none.
            let sent = |intent: &Notification| {
                self.world.recorded.all.iter().any(|one| {
                    one.state() == NotificationState::Sent
                        && one.alert_state() == AlertState::Firing
                        && one.incident == intent.incident
                        && one.revision == intent.revision
                })
            };
            let summaries: Vec<i64> = page(self, "few")
                .filter(|one| one.key == key && sent(one))
                .map(|one| one.at_ms)
                .collect();
            tally.summaries += summaries.len();
            assert!(
                summaries
                    .windows(2)
                    .all(|pair| pair[1] - pair[0] >= 600_000),
                "seed {seed}: {summaries:?}"
            );
        }
    }

    /// While all is calm, nobody is told of what is silenced or what a greater alert tells of already.
    fn check_quiet(&self, seed: u64, tally: &mut Tally) {
        let mut known = BTreeSet::new();
        for one in page(self, "plain") {
            let first = known.insert((&one.key, &one.incident));
            let at_ms = one.at_ms;
            if !first || at_ms < self.calm_from_ms {
                continue;
            }
            tally.calm += 1;
            let context = format!("seed {seed}: {one:?}");
            let silenced = self.evaluator.silences.iter().find(|silence| {
                silence.vendor == one.vendor
                    && silence.said_ms + LAG_MS <= at_ms
                    && at_ms < silence.until_ms
            });
            assert!(silenced.is_none(), "{context}: {silenced:?}");
            let Some(by) =
                greater(&one.key).and_then(|key| state_at(&self.evaluator, &key, at_ms - LAG_MS))
            else {
                continue;
            };
            let newest = state_at(&self.evaluator, &by.key, at_ms).unwrap();
            let told = page(self, "plain").any(|told| {
                told.key == by.key && told.incident == by.incident && told.at_ms + LAG_MS <= at_ms
            });
            let goes_on =
                is_on(by.state()) && is_on(newest.state()) && newest.incident == by.incident;
            assert!(!(goes_on && told), "{context}: {by:?} told of it");
        }
    }

    fn is_inhibited(&self, alert: &AlertTransition) -> bool {
        greater(&alert.key)
            .and_then(|key| self.evaluator.newest.get(&key))
            .is_some_and(|by| is_on(by.state()))
    }

    /// In the end everybody believes what is true, as far as it is theirs to hear.
    fn check_beliefs(&self, seed: u64, tally: &mut Tally) {
        for (number, name) in self.world.names.iter().enumerate().skip(1) {
            for ((of, key, incident), told) in &self.world.incidents {
                let context = format!("seed {seed}: {name} {key} {incident}");
                assert_ne!(incident, "zombie", "{context}");
                let id = (key.clone(), incident.clone());
                let Some(alert) = self
                    .evaluator
                    .by_incident
                    .get(&id)
                    .filter(|_| *of == number)
                else {
                    continue;
                };
                assert_eq!(told.firing, is_on(alert.state()), "{context}: {alert:?}");
                // That it got worse is not told under a greater alert.
                let acknowledged = alert.state() == AlertState::Acknowledged;
                assert!(
                    !told.firing || told.acknowledged == acknowledged || self.is_inhibited(alert),
                    "{context}: {alert:?}"
                );
            }
        }
        for alert in self
            .evaluator
            .newest
            .values()
            .filter(|alert| is_on(alert.state()))
        {
            // What is not told under a greater alert may have been told before it.
            if is_stale(alert) || self.is_inhibited(alert) {
                continue;
            }
            let context = format!("seed {seed}: {alert:?}");
            let knows = |number: usize| {
                let id = (number, alert.key.clone(), alert.incident.clone());
                self.world
                    .incidents
                    .get(&id)
                    .is_some_and(|told| told.firing)
            };
            assert!(knows(PLAIN), "{context}: plain was not told");
            if alert.state() == AlertState::Firing {
                assert!(knows(2), "{context}: oncall was not told");
                assert!(knows(3), "{context}: lead was not told");
            }
            let held = !knows(4);
            tally.held_back += usize::from(held);
            let vendor = self.world.incidents.iter().any(|((number, key, _), told)| {
                *number == 4
                    && key.ends_with(if alert.vendor == "acme" {
                        "few|0"
                    } else {
                        "few|1"
                    })
                    && told.firing
            });
            assert!(
                !held || vendor,
                "{context}: nothing says that it was held back"
            );
        }
    }

    fn count_reasons(&self, tally: &mut Tally) {
        for one in &self.world.recorded.all {
            if one.state() == NotificationState::Suppressed {
                *tally.by_reason.entry(one.suppression()).or_default() += 1;
            }
        }
    }
}

#[test]
fn whatever_happens_the_right_people_are_told_in_time() {
    let mut tally = Tally::default();
    for seed in 0..40 {
        let mut cluster = Cluster::new(seed, CONFIG, Cast::Families);
        cluster.run();
        cluster.world.read_intents();
        cluster.check_repetitions(seed, &mut tally);
        cluster.check_steps(seed, &mut tally);
        cluster.check_limit(seed, &mut tally);
        cluster.check_quiet(seed, &mut tally);
        cluster.check_beliefs(seed, &mut tally);
        cluster.count_reasons(&mut tally);
    }
    // Every rule was at work.
    for why in [
        Suppression::Silenced,
        Suppression::Inhibited,
        Suppression::Limited,
        Suppression::Missed,
        Suppression::Stale,
    ] {
        let count = tally.by_reason.get(&why).copied().unwrap_or(0);
        assert!(count > 50, "{why:?}: {count} of {:?}", tally.by_reason);
    }
    let Tally {
        steps,
        again,
        worse,
        summaries,
        held_back,
        calm,
        ..
    } = tally;
    assert!(
        steps > 100 && again > 50 && worse > 100,
        "{steps} steps, {again} again, {worse} worse"
    );
    assert!(
        summaries > 40 && calm > 100,
        "{summaries} summaries, {calm} calm"
    );
    assert!(held_back > 5, "{held_back} held back at the end");
}
