//! A cycle's time line as lines of text: what happened, and the segments between.

use slawatch_policy::PolicySets;
use slawatch_tracker::{CycleStory, Explanation, Happened, Moment, Segment, SegmentKind};

use super::times::{calendar, length, local, utc};
use super::words;

/// Wider descriptions do not move the columns behind them.
const WIDEST: usize = 60;

/// The time line of a cycle.
pub(super) fn table(
    explanation: &Explanation,
    cycle: &CycleStory,
    sets: &PolicySets,
) -> Vec<String> {
    let mut rows = Rows {
        explanation,
        cycle,
        sets,
        rows: Vec::new(),
    };
    rows.fill();
    print(&rows.rows)
}

struct Row {
    local: String,
    utc: String,
    what: String,
    /// How long it lasts, and the elapsed time at its end; what merely happens has neither.
    numbers: Option<(String, String)>,
}

struct Rows<'a> {
    explanation: &'a Explanation,
    cycle: &'a CycleStory,
    sets: &'a PolicySets,
    rows: Vec<Row>,
}

impl Rows<'_> {
    fn fill(&mut self) {
        let cycle = self.cycle;
        let mut moments = cycle.moments.as_slice();
        let mut segments = cycle.segments.as_slice();
        let mut over_ms = 0;
        while let Some(first) = segments.first() {
            let now = moments.partition_point(|moment| moment.at_ms <= first.from_ms);
            let (told, rest) = moments.split_at(now);
            moments = rest;
            let mut pauses = None;
            for moment in told {
                if matches!(moment.happened, Happened::Paused(_) | Happened::Unpaused(_)) {
                    pauses = Some(moment);
                } else {
                    self.moment(moment, over_ms);
                }
            }
            self.now_before(first);
            let together = self.together(segments, moments);
            over_ms = if first.kind == SegmentKind::Over {
                over_ms + first.to_ms - first.from_ms
            } else {
                0
            };
            self.segments(&segments[..together], pauses);
            segments = &segments[together..];
        }
        for moment in moments {
            self.moment(moment, over_ms);
        }
        if cycle.row.stopped_at_ms.is_none()
            && let Some(last) = cycle.segments.last()
        {
            let what = if last.to_ms > self.explanation.now_ms {
                "the last event known"
            } else {
                "now"
            };
            self.push(
                last.to_ms,
                last.holding.policy.as_deref(),
                what.to_owned(),
                None,
            );
        }
    }

    /// Where the clock stands before events that are known already.
    fn now_before(&mut self, segment: &Segment) {
        let is_now = segment.from_ms == self.explanation.now_ms
            && segment.from_ms > self.cycle.row.started_at_ms;
        if is_now && self.cycle.row.decided_at_ms.is_none() {
            let what = "NOW: what follows is known, and lies ahead of the clock".to_owned();
            self.push(
                segment.from_ms,
                segment.holding.policy.as_deref(),
                what,
                None,
            );
        }
    }

    /// How many segments are told in one line: of what comes after a breach, all openings and closings in a row.
    fn together(&self, segments: &[Segment], moments: &[Moment]) -> usize {
        let by_calendar =
            |segment: &Segment| matches!(segment.kind, SegmentKind::Running | SegmentKind::Closed);
        let is_late = segments.first().is_some_and(|first| {
            let due_ms = self.cycle.row.breached_at_ms;
            due_ms.is_some_and(|due_ms| first.from_ms >= due_ms) && by_calendar(first)
        });
        if !is_late {
            return 1;
        }
        let until_ms = moments.first().map_or(i64::MAX, |moment| moment.at_ms);
        let same = segments
            .iter()
            .take_while(|segment| segment.to_ms <= until_ms && by_calendar(segment));
        same.count().max(1)
    }

    fn segments(&mut self, segments: &[Segment], pauses: Option<&Moment>) {
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
            return;
        };
        let calendar = first.holding.calendar.as_deref();
        let mut what = if segments.len() > 1 {
            let hours = calendar.unwrap_or("(none)");
            format!("late: runs in the business hours of {hours}")
        } else {
            words::segment(first.kind, calendar)
        };
        if let Some(event) = pauses.and_then(|pauses| pauses.event) {
            let event = &self.explanation.events[event];
            let event = words::event(event);
            what += &if matches!(first.kind, SegmentKind::Paused(_)) {
                format!(", {event}")
            } else {
                format!("; paused no more, {event}")
            };
        }
        let numbers = (length(last.to_ms - first.from_ms), length(last.elapsed_ms));
        self.push(
            first.from_ms,
            first.holding.policy.as_deref(),
            what,
            Some(numbers),
        );
    }

    fn moment(&mut self, moment: &Moment, over_ms: i64) {
        let what = words::moment(self.cycle.metric, moment, &self.explanation.events, over_ms);
        // The times of what changes the calendar are those of the new one.
        let here = self
            .cycle
            .segments
            .iter()
            .rev()
            .find(|segment| segment.from_ms <= moment.at_ms);
        let policy = match (&moment.happened, here) {
            (Happened::Started(under), _) => under.policy.clone(),
            (_, Some(segment)) => segment.holding.policy.clone(),
            (_, None) => None,
        };
        self.push(moment.at_ms, policy.as_deref(), what, None);
    }

    fn push(
        &mut self,
        at_ms: i64,
        policy: Option<&str>,
        what: String,
        numbers: Option<(String, String)>,
    ) {
        let zone = calendar(self.sets, self.cycle.row.policy_set_ms, policy);
        self.rows.push(Row {
            local: local(at_ms, zone),
            utc: utc(at_ms),
            what,
            numbers,
        });
    }
}

fn print(rows: &[Row]) -> Vec<String> {
    // A cycle without any calendar is told in UTC alone.
    let has_local = rows.iter().any(|row| !row.local.ends_with(" +00:00"));
    let width = |text: &dyn Fn(&Row) -> usize| rows.iter().map(text).max().unwrap_or(0);
    let local_width = width(&|row| row.local.len());
    let utc_width = width(&|row| row.utc.len());
    let what_width = width(&|row| match row.numbers {
        Some(_) => row.what.chars().count().min(WIDEST),
        None => 0,
    });
    let line = |local: &str, utc: &str, what: &str, numbers: Option<(&str, &str)>| {
        let when = if has_local {
            format!("{local:local_width$}  {utc:utc_width$}")
        } else {
            // The weekday is all that the local time has to add.
            let weekday = local.split(' ').next().unwrap_or_default();
            format!("{weekday:3} {utc:utc_width$}")
        };
        match numbers {
            Some((lasts, elapsed)) => {
                format!("{when}  {what:what_width$}  {lasts:>10}  {elapsed:>10}")
            }
            None => format!("{when}  {what}"),
        }
    };
    let heading = if has_local { "calendar's time" } else { "" };
    let mut lines = vec![line(heading, "UTC", "", Some(("lasts", "elapsed")))];
    lines.extend(rows.iter().map(|row| {
        let numbers = row.numbers.as_ref();
        let numbers = numbers.map(|(lasts, elapsed)| (lasts.as_str(), elapsed.as_str()));
        line(&row.local, &row.utc, &row.what, numbers)
    }));
    lines
}
