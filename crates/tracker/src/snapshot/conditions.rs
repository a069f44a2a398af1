//! What a snapshot was taken under, and whether what is configured now may go on from it (DESIGN 2.11).

use slawatch_event::format_instant;
use slawatch_policy::PolicySet;

use super::SnapshotError;
use crate::codec::{Damaged, Reader, Writer};
use crate::tracker::Tracker;

/// The conditions of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conditions {
    /// (`effective_from`, hash of the content), by the former.
    sets: Vec<(i64, u64)>,
    /// The attributes that histories keep, by their names in policies.
    attributes: Vec<String>,
    /// How many of them, the first ones, policies matched on.
    matched: u64,
    pub(super) allowed_delay_ms: i64,
    forget_after_ms: Option<i64>,
    pane_horizon_ms: Option<i64>,
    /// The instant up to which verdicts were given.
    pub(super) settled_ms: i64,
}

/// What becomes of the attributes in a snapshot's histories.
#[derive(Debug)]
pub(super) struct Kept {
    /// By position then: the position now.
    pub(super) positions: Vec<Option<u16>>,
    /// Nothing has changed.
    pub(super) is_same: bool,
}

pub(super) fn write(tracker: &Tracker, writer: &mut Writer<'_>) {
    let sets = tracker.rules.sets().sets();
    writer.unsigned(sets.len() as u64);
    for set in sets {
        writer.signed(set.effective_from_ms);
        writer.unsigned(set.hash());
    }
    let attributes = tracker.rules.attributes();
    writer.unsigned(attributes.len() as u64);
    for attribute in attributes {
        writer.text(&attribute.to_string());
    }
    writer.unsigned(tracker.rules.matched_attributes().len() as u64);
    writer.signed(tracker.options.allowed_delay_ms);
    writer.option(tracker.options.forget_after_ms, Writer::signed);
    writer.option(tracker.options.pane_horizon_ms, Writer::signed);
    writer.signed(tracker.now_ms());
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Conditions, Damaged> {
    Ok(Conditions {
        sets: (0..reader.count()?)
            .map(|_| Ok((reader.signed()?, reader.unsigned()?)))
            .collect::<Result<_, Damaged>>()?,
        attributes: (0..reader.count()?)
            .map(|_| Ok(reader.text()?.to_owned()))
            .collect::<Result<_, Damaged>>()?,
        matched: reader.unsigned()?,
        allowed_delay_ms: reader.signed()?,
        forget_after_ms: reader.option(Reader::signed)?,
        pane_horizon_ms: reader.option(Reader::signed)?,
        settled_ms: reader.signed()?,
    })
}

impl Conditions {
    /// Whether a tracker that knows no ticket yet may take them up.
    pub(super) fn check(&self, tracker: &Tracker) -> Result<(), SnapshotError> {
        self.check_sets(tracker.rules.sets().sets())?;
        for (name, was_ms, is_ms) in [
            (
                "forget_after",
                self.forget_after_ms,
                tracker.options.forget_after_ms,
            ),
            (
                "pane_horizon",
                self.pane_horizon_ms,
                tracker.options.pane_horizon_ms,
            ),
        ] {
            if was_ms != is_ms {
                let ms = |value: Option<i64>| {
                    value.map_or("none".to_owned(), |value| format!("{value}ms"))
                };
                return Err(SnapshotError::Contradicted(format!(
                    "it was taken under {name} = {}, and {} is configured: what was told under the one would be told \
                     twice or never under the other. Set {name} as it was",
                    ms(was_ms),
                    ms(is_ms)
                )));
            }
        }
        let (matched, _) = self
            .attributes
            .split_at_checked(self.matched as usize)
            .ok_or(Damaged("more attributes are matched than there are"))?;
        let asked: Vec<String> = tracker
            .rules
            .matched_attributes()
            .iter()
            .map(ToString::to_string)
            .filter(|name| !matched.contains(name))
            .collect();
        if !asked.is_empty() {
            return Err(SnapshotError::Unusable(format!(
                "no policy that it was taken under matches on {}, so that its tickets' histories do not hold that",
                asked.join(", ")
            )));
        }
        Ok(())
    }

    /// Where the attributes that were kept are kept now. Those that only alerts show may have changed: what was said of
    /// them stays as it was, and what was not kept then is not known of the tickets from then.
    pub(super) fn kept(&self, tracker: &Tracker) -> Kept {
        let attributes = tracker.rules.attributes().iter();
        let now: Vec<String> = attributes.map(ToString::to_string).collect();
        let positions = self.attributes.iter().map(|name| {
            let position = now.iter().position(|known| known == name)?;
            Some(position as u16)
        });
        Kept {
            positions: positions.collect(),
            is_same: now == self.attributes,
        }
    }

    fn check_sets(&self, configured: &[PolicySet]) -> Result<(), SnapshotError> {
        for (effective_from_ms, hash) in &self.sets {
            let at = format_instant(*effective_from_ms);
            let set = configured
                .iter()
                .find(|set| set.effective_from_ms == *effective_from_ms)
                .ok_or_else(|| {
                    SnapshotError::Contradicted(format!(
                        "it was taken under a policy set effective from {at}, which is not configured any more. A set \
                         stays, since what was decided under it stays so: configure it again"
                    ))
                })?;
            if set.hash() != *hash {
                return Err(SnapshotError::Contradicted(format!(
                    "{}, effective from {at}, says something else than when it was accepted. What was decided under a \
                     set stays so: put the file back as it was, and write the change into a set of its own with a later \
                     effective_from",
                    set.file()
                )));
            }
        }
        Ok(())
    }

    /// Whether nothing known began under a set that has been added since.
    pub(super) fn check_starts(&self, tracker: &Tracker) -> Result<(), SnapshotError> {
        let added = tracker.rules.sets().sets().iter().find(|set| {
            let at_ms = set.effective_from_ms;
            !self.sets.iter().any(|(known_ms, _)| *known_ms == at_ms)
        });
        let Some(added) = added else {
            return Ok(());
        };
        let last_ms = tracker
            .slots
            .iter()
            .flatten()
            .filter_map(|ticket| ticket.history.last())
            .map(|event| event.at_ms)
            .max()
            .unwrap_or(i64::MIN)
            .max(tracker.log_clock_ms);
        if added.effective_from_ms > last_ms {
            return Ok(());
        }
        Err(SnapshotError::Contradicted(format!(
            "{} takes effect at {}, but events up to {} were read without it. A set is added before it takes effect: \
             give it a later effective_from",
            added.file(),
            format_instant(added.effective_from_ms),
            format_instant(last_ms)
        )))
    }
}

#[cfg(test)]
mod tests {
    use slawatch_event::{DecodeOptions, Encoding, parse};
    use slawatch_policy::PolicySets;

    use crate::tracker::{Options, Tracker};

    const JANUARY: &str = r#"
effective_from = "2026-01-01T00:00:00Z"
[[policy]]
name = "all"
targets = { first_reply = "1h" }
"#;

    fn sets(texts: &[&str]) -> PolicySets {
        let files: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(number, text)| (format!("{number}.toml"), (*text).to_owned()))
            .collect();
        PolicySets::parse(&files).unwrap()
    }

    /// A tracker that has seen a ticket on the second of January.
    fn snapshot() -> Vec<u8> {
        let mut tracker = Tracker::new(sets(&[JANUARY]), Options::default());
        let text = br#"{"event_id":"1","ticket_id":"T","type":"created","occurred_at":"2026-01-02T00:00:00Z"}"#;
        let options = DecodeOptions::default();
        let event = parse(text, Encoding::Json, &options).unwrap();
        tracker.apply(&event, event.occurred_at_ms, 0);
        tracker.advance_clock(event.occurred_at_ms);
        tracker.advance_log_clock(event.occurred_at_ms);
        tracker.conclude();
        let mut bytes = Vec::new();
        tracker.snapshot(&mut bytes);
        bytes
    }

    #[test]
    fn what_contradicts_a_snapshot_is_named() {
        let effective = |from: &str| JANUARY.replace("2026-01-01", from);
        let matching = format!(
            "{}\nmatch = {{ channel = [\"phone\"] }}",
            effective("2026-02-01")
        );
        let horizon = Options {
            pane_horizon_ms: Some(7_200_000),
            ..Options::default()
        };
        let cases: [(&[&str], Options, &str); 6] = [
            (
                &[&effective("2026-02-01")],
                Options::default(),
                "it was taken under a policy set effective from 2026-01-01T00:00:00.000Z, which is not configured any \
                 more. A set stays, since what was decided under it stays so: configure it again",
            ),
            (
                &[&JANUARY.replace("1h", "2h")],
                Options::default(),
                "0.toml, effective from 2026-01-01T00:00:00.000Z, says something else than when it was accepted. What was \
                 decided under a set stays so: put the file back as it was, and write the change into a set of its own \
                 with a later effective_from",
            ),
            (
                &[JANUARY, &effective("2026-01-02")],
                Options::default(),
                "1.toml takes effect at 2026-01-02T00:00:00.000Z, but events up to 2026-01-02T00:00:00.000Z were read \
                 without it. A set is added before it takes effect: give it a later effective_from",
            ),
            (
                &[JANUARY],
                horizon,
                "it was taken under pane_horizon = 93600000ms, and 7200000ms is configured: what was told under the one \
                 would be told twice or never under the other. Set pane_horizon as it was",
            ),
            (
                &[JANUARY],
                Options {
                    forget_after_ms: None,
                    ..Options::default()
                },
                "it was taken under forget_after = 2592000000ms, and none is configured: what was told under the one \
                 would be told twice or never under the other. Set forget_after as it was",
            ),
            (
                &[JANUARY, &matching],
                Options::default(),
                "no policy that it was taken under matches on channel, so that its tickets' histories do not hold that",
            ),
        ];
        let bytes = snapshot();
        for (texts, options, expected) in cases {
            let error = Tracker::restore(sets(texts), options, &bytes).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let later = effective("2026-01-03");
        Tracker::restore(sets(&[JANUARY, &later]), Options::default(), &bytes).unwrap();
    }
}
