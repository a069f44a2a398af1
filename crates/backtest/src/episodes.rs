//! From transitions to episodes: when an alert began, fired and ended, and whether it was true.

use std::collections::BTreeMap;

use slawatch_wire::v1::{AlertState, AlertTransition};

/// One time that an alert was on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Of (rule, group).
    pub key: String,
    /// The rule.
    pub rule: String,
    /// Whose.
    pub vendor: String,
    /// Which queue's; empty for an alert of the vendor.
    pub queue: String,
    /// When what the rule watches for began: pending, or firing where nothing is waited for.
    pub began_ms: i64,
    /// `None` for one that was withdrawn before it fired.
    pub fired_ms: Option<i64>,
    /// `None` while it lasts.
    pub ended_ms: Option<i64>,
    /// Late events proved it false, and it was taken back.
    pub is_retracted: bool,
}

impl Episode {
    fn begun_by(transition: &AlertTransition) -> Self {
        Self {
            key: transition.key.clone(),
            rule: transition.rule.clone(),
            vendor: transition.vendor.clone(),
            queue: transition.queue.clone(),
            began_ms: transition.at_ms,
            fired_ms: None,
            ended_ms: None,
            is_retracted: false,
        }
    }

    /// How long it fired, up to `end_ms` if it still does.
    pub fn firing_ms(&self, end_ms: i64) -> i64 {
        let until_ms = self.ended_ms.unwrap_or(end_ms);
        self.fired_ms
            .map_or(0, |fired_ms| (until_ms - fired_ms).max(0))
    }
}

/// The episodes of sorted transitions, those that never fired included, in the order in which they began.
pub fn episodes(told: &[AlertTransition]) -> Vec<Episode> {
    let mut by_key: BTreeMap<&str, Vec<&AlertTransition>> = BTreeMap::new();
    for transition in told {
        by_key.entry(&transition.key).or_default().push(transition);
    }
    let mut all: Vec<Episode> = by_key
        .into_values()
        .flat_map(|mut own| {
            // A verdict known late may lie before what was told meanwhile: the revision is the order of telling.
            own.sort_by_key(|transition| transition.revision);
            of_one_key(&own)
        })
        .collect();
    all.sort_by(|a, b| (a.began_ms, &a.key).cmp(&(b.began_ms, &b.key)));
    all
}

fn of_one_key(told: &[&AlertTransition]) -> Vec<Episode> {
    let mut done: Vec<Episode> = Vec::new();
    let mut open: Option<Episode> = None;
    for transition in told {
        match transition.state() {
            AlertState::Pending => open = Some(Episode::begun_by(transition)),
            // Said again of one that fires, it has only got worse.
            AlertState::Firing => {
                let episode = open.get_or_insert_with(|| Episode::begun_by(transition));
                episode.fired_ms.get_or_insert(transition.at_ms);
            }
            AlertState::Resolved | AlertState::Expired | AlertState::Retracted => {
                let is_retracted = transition.state() == AlertState::Retracted;
                if let Some(mut episode) = open.take() {
                    episode.ended_ms = Some(transition.at_ms);
                    episode.is_retracted = is_retracted;
                    done.push(episode);
                } else if let Some(last) = done.last_mut().filter(|_| is_retracted) {
                    last.is_retracted = true;
                }
            }
            AlertState::Acknowledged | AlertState::Unspecified => {}
        }
    }
    done.extend(open);
    done
}

/// Episodes of the history as it turned out to be, by key.
#[derive(Debug, Default)]
pub struct Hindsight(BTreeMap<String, Vec<(i64, i64)>>);

impl Hindsight {
    /// What the same rules tell when every event arrives the moment it happens.
    pub fn new(told: &[AlertTransition]) -> Self {
        let mut spans: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
        for episode in episodes(told)
            .into_iter()
            .filter(|episode| !episode.is_retracted)
        {
            let ended_ms = episode.ended_ms.unwrap_or(i64::MAX);
            spans
                .entry(episode.key)
                .or_default()
                .push((episode.began_ms, ended_ms));
        }
        Self(spans)
    }

    /// Whether there is nothing of that key from `from_ms` to `to_ms`.
    pub fn is_silent(&self, key: &str, from_ms: i64, to_ms: i64) -> bool {
        let spans = self.0.get(key).map_or(&[][..], Vec::as_slice);
        !spans
            .iter()
            .any(|(began_ms, ended_ms)| *began_ms <= to_ms && *ended_ms >= from_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(key: &str, revision: u64, state: AlertState, at_ms: i64) -> AlertTransition {
        AlertTransition {
            key: key.to_owned(),
            revision,
            state: state as i32,
            at_ms,
            ..AlertTransition::default()
        }
    }

    /// States told one after the other, each with its instant.
    type Story = &'static [(AlertState, i64)];
    /// Began, fired, ended, retracted.
    type Shape = (i64, Option<i64>, Option<i64>, bool);

    fn shapes(told: &[AlertTransition]) -> Vec<Shape> {
        let shape = |one: Episode| -> Shape {
            (one.began_ms, one.fired_ms, one.ended_ms, one.is_retracted)
        };
        episodes(told).into_iter().map(shape).collect()
    }

    #[test]
    fn an_episode_runs_from_its_begin_to_its_end() {
        use AlertState::{Acknowledged, Expired, Firing, Pending, Resolved, Retracted};
        let cases: &[(Story, &[Shape])] = &[
            (
                &[(Pending, 1), (Firing, 2), (Resolved, 5)],
                &[(1, Some(2), Some(5), false)],
            ),
            (&[(Pending, 1), (Resolved, 2)], &[(1, None, Some(2), false)]),
            (&[(Firing, 2)], &[(2, Some(2), None, false)]),
            (
                &[(Firing, 2), (Acknowledged, 3), (Firing, 4), (Expired, 9)],
                &[(2, Some(2), Some(9), false)],
            ),
            (
                &[(Firing, 2), (Resolved, 3), (Firing, 4), (Retracted, 5)],
                &[(2, Some(2), Some(3), false), (4, Some(4), Some(5), true)],
            ),
            (
                &[(Firing, 2), (Resolved, 3), (Retracted, 9)],
                &[(2, Some(2), Some(3), true)],
            ),
        ];
        for (states, expected) in cases {
            let told: Vec<_> = (1..)
                .zip(*states)
                .map(|(revision, (state, at_ms))| told("k", revision, *state, *at_ms))
                .collect();
            assert_eq!(shapes(&told), *expected, "{states:?}");
        }
    }

    #[test]
    fn keys_do_not_mix() {
        let told = [
            told("a", 1, AlertState::Firing, 1),
            told("b", 1, AlertState::Firing, 2),
            told("a", 2, AlertState::Resolved, 3),
        ];
        assert_eq!(
            shapes(&told),
            [(1, Some(1), Some(3), false), (2, Some(2), None, false)]
        );
    }

    #[test]
    fn hindsight_is_silent_where_nothing_is() {
        let told = [
            told("a", 1, AlertState::Pending, 10),
            told("a", 2, AlertState::Resolved, 20),
            told("a", 3, AlertState::Firing, 40),
        ];
        let hindsight = Hindsight::new(&told);
        for (from_ms, to_ms, silent) in [
            (0, 9, true),
            (0, 10, false),
            (20, 30, false),
            (21, 39, true),
            (90, 99, false),
        ] {
            assert_eq!(
                hindsight.is_silent("a", from_ms, to_ms),
                silent,
                "{from_ms} {to_ms}"
            );
        }
        assert!(hindsight.is_silent("b", 0, 99));
    }
}
