//! How fresh the picture is at the moment of a request. Staleness is measured on the steady clock between two moves of
//! the picture's clock, so a simulated or replayed log is as live as a real one.

use serde::Serialize;

use crate::feed::Snapshot;

/// Progress comes ten times a second; nothing for so long means that something is wrong.
const STALE_AFTER_MS: u64 = 10_000;

/// How fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Freshness {
    /// Nothing was heard yet.
    Starting,
    /// The last day is being read.
    CatchingUp,
    /// Nothing new has come for a while.
    Stale,
    /// As fresh as the trackers.
    Live,
}

/// What a request is told beside the picture itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Status {
    pub(crate) freshness: Freshness,
    /// This machine's wall clock.
    pub(crate) now_ms: i64,
    /// Wall clock less the picture's.
    pub(crate) lag_ms: Option<i64>,
    /// For how long the picture's clock has not moved.
    pub(crate) still_for_ms: Option<u64>,
    /// Why nothing can be read at the moment.
    pub(crate) trouble: Option<String>,
}

impl Status {
    pub(crate) fn of(snapshot: &Snapshot, now_ms: i64, steady_ms: u64) -> Self {
        let still_for_ms = snapshot
            .moved_at_ms
            .map(|at_ms| steady_ms.saturating_sub(at_ms));
        let freshness = match still_for_ms {
            None => Freshness::Starting,
            Some(still_for_ms) if still_for_ms > STALE_AFTER_MS => Freshness::Stale,
            Some(_) if !snapshot.caught_up => Freshness::CatchingUp,
            Some(_) => Freshness::Live,
        };
        Self {
            freshness,
            now_ms,
            lag_ms: snapshot
                .view
                .as_of_ms
                .map(|as_of_ms| now_ms.saturating_sub(as_of_ms)),
            still_for_ms,
            trouble: snapshot.trouble.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::View;

    #[test]
    fn freshness_is_measured_between_moves_of_the_pictures_clock() {
        // (moved at, caught up, now) on the steady clock.
        for (moved_at_ms, caught_up, steady_ms, expected) in [
            (None, false, 99_000, Freshness::Starting),
            (Some(1_000), false, 2_000, Freshness::CatchingUp),
            (Some(1_000), true, 11_000, Freshness::Live),
            (Some(1_000), true, 11_001, Freshness::Stale),
            (Some(1_000), false, 11_001, Freshness::Stale),
        ] {
            let snapshot = Snapshot {
                view: View {
                    as_of_ms: moved_at_ms.map(|_| 5_000),
                    ..View::default()
                },
                moved_at_ms,
                caught_up,
                trouble: None,
            };
            let status = Status::of(&snapshot, 5_400, steady_ms);
            assert_eq!(
                status.freshness, expected,
                "{moved_at_ms:?} {caught_up} {steady_ms}"
            );
            assert_eq!(status.lag_ms, moved_at_ms.map(|_| 400));
        }
    }
}
