//! Which policy sets are in force, decided once for all partitions and processes (DESIGN 2.11).
//!
//! A set is accepted by being written into the store under its `effective_from`, which nobody can do twice. The first
//! start of an installation takes any; a set that comes later must lie ahead, so that no cycle it would rule has begun.

use anyhow::{bail, ensure};
use slawatch_event::format_instant;
use slawatch_policy::{PolicySet, PolicySets};
use slawatch_stream::{PutOutcome, SnapshotStore};

const FOLDER: &str = "policies";
/// Written once the first start has accepted all of its sets.
const BEGUN: &str = "policies/begun";

/// Accepts every set that is configured, or says why one cannot be.
///
/// `notice_ms`: how far ahead of `now_ms` a set must take effect that is added to others.
///
/// # Errors
/// If a set was accepted with other content, is accepted and not configured, or takes effect too soon; or the store's.
pub(crate) fn accept(
    store: &dyn SnapshotStore,
    sets: &PolicySets,
    now_ms: i64,
    notice_ms: i64,
) -> anyhow::Result<()> {
    let mut accepted = store.list(FOLDER)?;
    let has_begun = accepted.iter().any(|key| key == BEGUN);
    accepted.retain(|key| key != BEGUN);
    for set in sets.sets() {
        let key = key(set);
        if has_begun && !accepted.contains(&key) {
            let earliest_ms = now_ms.saturating_add(notice_ms);
            ensure!(
                set.effective_from_ms > earliest_ms,
                "{}: effective_from = {} is too early for a policy set that is added to others, for cycles that it would \
                 rule may have begun. Let it take effect after {}",
                set.file(),
                format_instant(set.effective_from_ms),
                format_instant(earliest_ms)
            );
        }
        let content = content(set);
        match store.put_new(&key, content.clone().into_bytes())? {
            PutOutcome::Created => {
                tracing::info!(file = set.file(), key, "policy set accepted");
            }
            PutOutcome::Exists => {
                let known = store.get(&key)?.unwrap_or_default();
                ensure!(
                    known.starts_with(header(set).as_bytes()),
                    "{}: another policy set was accepted with effective_from = {}; it stays, since what was decided under \
                     it stays so. It is kept as {key} in the snapshots' folder: put the file back as it was, and write \
                     the change into a set of its own with a later effective_from",
                    set.file(),
                    format_instant(set.effective_from_ms)
                );
            }
        }
    }
    let configured: Vec<String> = sets.sets().iter().map(key).collect();
    if let Some(missing) = accepted.iter().find(|known| !configured.contains(known)) {
        bail!(
            "a policy set that was accepted is not configured any more; it stays, since what was decided under it stays \
             so. It is kept as {missing} in the snapshots' folder: configure it again"
        );
    }
    if !has_begun {
        store.put_new(BEGUN, Vec::new())?;
    }
    Ok(())
}

/// Sorts by `effective_from`, years before 1970 apart.
fn key(set: &PolicySet) -> String {
    format!("{FOLDER}/{:020}.toml", set.effective_from_ms)
}

/// A comment in TOML, so that the file can be configured as it stands.
fn header(set: &PolicySet) -> String {
    format!("# content {:016x}\n", set.hash())
}

fn content(set: &PolicySet) -> String {
    format!("{}{}", header(set), set.text())
}

#[cfg(test)]
mod tests {
    use slawatch_stream::MemoryStore;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    const NOTICE_MS: i64 = 6 * 60_000;

    fn sets(texts: &[(&str, &str)]) -> PolicySets {
        let files: Vec<_> = texts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        PolicySets::parse(&files).unwrap()
    }

    const FIRST: (&str, &str) = ("first.toml", "effective_from = 1970-01-01T00:00:00Z\n");
    const NEXT: (&str, &str) = ("next.toml", "effective_from = 1970-01-02T00:00:00Z\n");

    #[test]
    fn the_first_start_takes_any_and_every_start_the_same() {
        let store = MemoryStore::default();
        for _ in 0..2 {
            accept(&store, &sets(&[FIRST, NEXT]), 400 * HOUR_MS, NOTICE_MS).unwrap();
        }
        assert_eq!(
            store.list(FOLDER).unwrap(),
            [
                "policies/00000000000000000000.toml",
                "policies/00000000000086400000.toml",
                BEGUN
            ]
        );
    }

    #[test]
    fn a_first_start_that_was_cut_short_is_taken_up() {
        let store = MemoryStore::default();
        let first = sets(&[FIRST]);
        let set = &first.sets()[0];
        store.put_new(&key(set), content(set).into_bytes()).unwrap();
        accept(&store, &sets(&[FIRST, NEXT]), 400 * HOUR_MS, NOTICE_MS).unwrap();
    }

    #[test]
    fn a_set_is_added_before_it_takes_effect() {
        let store = MemoryStore::default();
        accept(&store, &sets(&[FIRST]), 0, NOTICE_MS).unwrap();
        let both = sets(&[FIRST, NEXT]);
        let late = accept(&store, &both, 24 * HOUR_MS - NOTICE_MS, NOTICE_MS).unwrap_err();
        assert_eq!(
            late.to_string(),
            "next.toml: effective_from = 1970-01-02T00:00:00.000Z is too early for a policy set that is added to others, \
             for cycles that it would rule may have begun. Let it take effect after 1970-01-02T00:00:00.000Z"
        );
        accept(&store, &both, 24 * HOUR_MS - NOTICE_MS - 1, NOTICE_MS).unwrap();
        // Once accepted it is in force whenever it is met again.
        accept(&store, &both, 500 * HOUR_MS, NOTICE_MS).unwrap();
    }

    #[test]
    fn what_was_accepted_stays() {
        let store = MemoryStore::default();
        accept(&store, &sets(&[FIRST, NEXT]), 0, NOTICE_MS).unwrap();
        let gone = accept(&store, &sets(&[FIRST]), 0, NOTICE_MS).unwrap_err();
        assert_eq!(
            gone.to_string(),
            "a policy set that was accepted is not configured any more; it stays, since what was decided under it stays \
             so. It is kept as policies/00000000000086400000.toml in the snapshots' folder: configure it again"
        );
        let text = format!("{}[[policy]]\nname = \"new\"\n", NEXT.1);
        let changed = sets(&[FIRST, ("changed.toml", &text)]);
        let changed = accept(&store, &changed, 0, NOTICE_MS).unwrap_err();
        assert!(
            changed.to_string().starts_with(
                "changed.toml: another policy set was accepted with effective_from = 1970-01-02T00:00:00.000Z; it stays,"
            ),
            "{changed}"
        );
        // Comments and layout are nobody's contract.
        let text = format!("# renamed\n\n{}", NEXT.1);
        accept(&store, &sets(&[FIRST, ("moved.toml", &text)]), 0, NOTICE_MS).unwrap();
    }

    #[test]
    fn what_is_kept_can_be_configured_as_it_stands() {
        let store = MemoryStore::default();
        accept(&store, &sets(&[FIRST]), 0, NOTICE_MS).unwrap();
        let kept = store.get("policies/00000000000000000000.toml").unwrap();
        let text = String::from_utf8(kept.unwrap().to_vec()).unwrap();
        accept(&store, &sets(&[("kept.toml", &text)]), 0, NOTICE_MS).unwrap();
    }
}
