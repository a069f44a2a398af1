//! From local time to instants: a zone's offsets over a stretch of time, and what a local time means there as the start
//! or the end of a span (SEMANTICS 4). Everything here is in seconds, which is how exact time zones are.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A zone's offsets over a stretch of time.
#[derive(Debug)]
pub(crate) struct Offsets {
    /// In force from `since_s` (an instant) to the next one's; the first since ever. Neighbours differ.
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    since_s: i64,
    /// Local time less UTC.
    offset_s: i64,
}

impl Offsets {
    /// The offsets of `zone` that are in force at some instant of `[from_s, to_s)`.
    pub(crate) fn of(zone: &TimeZone, from_s: i64, to_s: i64) -> Self {
        let from = timestamp(from_s);
        let mut pieces = vec![Piece {
            since_s: i64::MIN,
            offset_s: i64::from(zone.to_offset(from).seconds()),
        }];
        for transition in zone.following(from) {
            let since_s = transition.timestamp().as_second();
            if since_s >= to_s {
                break;
            }
            let offset_s = i64::from(transition.offset().seconds());
            // Zones also list transitions that only rename the zone or redefine which half of the year is "summer".
            if pieces.last().is_some_and(|last| last.offset_s != offset_s) {
                pieces.push(Piece { since_s, offset_s });
            }
        }
        Self { pieces }
    }

    /// The instant that a local time means as the start of a span: the first of two, or the first after a gap.
    pub(crate) fn start_of(&self, local_s: i64) -> i64 {
        (0..self.pieces.len())
            .find_map(|at| self.occurrence(at, local_s))
            .unwrap_or_else(|| self.after_gap(local_s))
    }

    /// The instant that a local time means as the end of a span: the second of two, or the first after a gap.
    pub(crate) fn end_of(&self, local_s: i64) -> i64 {
        (0..self.pieces.len())
            .rev()
            .find_map(|at| self.occurrence(at, local_s))
            .unwrap_or_else(|| self.after_gap(local_s))
    }

    /// When, within one piece, the local clock shows `local_s`.
    fn occurrence(&self, at: usize, local_s: i64) -> Option<i64> {
        let piece = self.pieces[at];
        let instant_s = local_s - piece.offset_s;
        let ends_s = self
            .pieces
            .get(at + 1)
            .map_or(i64::MAX, |next| next.since_s);
        (instant_s >= piece.since_s && instant_s < ends_s).then_some(instant_s)
    }

    /// The change at which the local clock jumps over `local_s`, which it never shows.
    fn after_gap(&self, local_s: i64) -> i64 {
        self.pieces
            .iter()
            .map(|piece| piece.since_s)
            .zip(self.pieces.iter().map(|piece| piece.offset_s))
            .skip(1)
            .find(|(since_s, offset_s)| since_s + offset_s > local_s)
            // The last piece has no end, so that it shows every local time after its start.
            .map_or(local_s, |(since_s, _)| since_s)
    }
}

/// The nearest instant that `jiff` can express.
fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(if second < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zones;

    fn local(text: &str) -> i64 {
        text.parse::<jiff::civil::DateTime>()
            .unwrap()
            .to_zoned(TimeZone::UTC)
            .unwrap()
            .timestamp()
            .as_second()
    }

    #[test]
    fn skipped_and_repeated_local_times() {
        let cases = [
            // zone, local time, as a start, as an end
            (
                "Europe/Berlin",
                "2025-03-30T02:30",
                "2025-03-30T01:00:00Z",
                "2025-03-30T01:00:00Z",
            ),
            (
                "Europe/Berlin",
                "2025-03-30T02:00",
                "2025-03-30T01:00:00Z",
                "2025-03-30T01:00:00Z",
            ),
            (
                "Europe/Berlin",
                "2025-03-30T03:00",
                "2025-03-30T01:00:00Z",
                "2025-03-30T01:00:00Z",
            ),
            (
                "Europe/Berlin",
                "2025-10-26T02:30",
                "2025-10-26T00:30:00Z",
                "2025-10-26T01:30:00Z",
            ),
            (
                "Europe/Berlin",
                "2025-10-26T02:00",
                "2025-10-26T00:00:00Z",
                "2025-10-26T01:00:00Z",
            ),
            (
                "Europe/Berlin",
                "2025-10-26T03:00",
                "2025-10-26T02:00:00Z",
                "2025-10-26T02:00:00Z",
            ),
            // Half an hour is skipped and repeated.
            (
                "Australia/Lord_Howe",
                "2025-10-05T02:10",
                "2025-10-04T15:30:00Z",
                "2025-10-04T15:30:00Z",
            ),
            (
                "Australia/Lord_Howe",
                "2025-04-06T01:40",
                "2025-04-05T14:40:00Z",
                "2025-04-05T15:10:00Z",
            ),
            // Midnight is skipped.
            (
                "Africa/Cairo",
                "2025-04-25T00:00",
                "2025-04-24T22:00:00Z",
                "2025-04-24T22:00:00Z",
            ),
            (
                "America/Sao_Paulo",
                "2018-11-04T00:00",
                "2018-11-04T03:00:00Z",
                "2018-11-04T03:00:00Z",
            ),
            (
                "Asia/Beirut",
                "2025-03-30T00:15",
                "2025-03-29T22:00:00Z",
                "2025-03-29T22:00:00Z",
            ),
            // The last hour before midnight is repeated, midnight is not.
            (
                "America/Sao_Paulo",
                "2018-02-17T23:30",
                "2018-02-18T01:30:00Z",
                "2018-02-18T02:30:00Z",
            ),
            (
                "America/Sao_Paulo",
                "2018-02-18T00:00",
                "2018-02-18T03:00:00Z",
                "2018-02-18T03:00:00Z",
            ),
            // Midnight itself is repeated.
            (
                "Atlantic/Azores",
                "2025-10-26T00:00",
                "2025-10-26T00:00:00Z",
                "2025-10-26T01:00:00Z",
            ),
            // A whole day is skipped.
            (
                "Pacific/Apia",
                "2011-12-30T00:00",
                "2011-12-30T10:00:00Z",
                "2011-12-30T10:00:00Z",
            ),
            (
                "Pacific/Apia",
                "2011-12-30T17:00",
                "2011-12-30T10:00:00Z",
                "2011-12-30T10:00:00Z",
            ),
            (
                "Pacific/Apia",
                "2011-12-31T00:00",
                "2011-12-30T10:00:00Z",
                "2011-12-30T10:00:00Z",
            ),
        ];
        for (zone_name, local_text, start, end) in cases {
            let zone = zones::get(zone_name).unwrap();
            let local_s = local(local_text);
            let offsets = Offsets::of(&zone, local_s - 864_000, local_s + 864_000);
            let show = |second| Timestamp::from_second(second).unwrap().to_string();
            assert_eq!(
                show(offsets.start_of(local_s)),
                start,
                "{zone_name} {local_text} start"
            );
            assert_eq!(
                show(offsets.end_of(local_s)),
                end,
                "{zone_name} {local_text} end"
            );
        }
    }

    #[test]
    fn a_stretch_outside_of_all_known_time_has_one_offset() {
        let zone = zones::get("Europe/Berlin").unwrap();
        for from_s in [i64::MIN, i64::MAX - 1] {
            assert_eq!(Offsets::of(&zone, from_s, from_s + 1).pieces.len(), 1);
        }
    }
}
