//! The panes of the last day: what each source said last about each minute of each owner, and the sums of it.
//!
//! Rows are absolute and newer versions win, so records may be read twice and in any order across sources.

use std::collections::BTreeMap;

use crate::counts::Counts;
use crate::owners::Owner;

/// One minute.
pub(crate) const MINUTE_MS: i64 = 60_000;

/// Which row of a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowKey {
    pub(crate) owner: Owner,
    pub(crate) source: u32,
    /// 0: everything the source has counted; else a correction.
    pub(crate) part: u64,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    version: u64,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Minute {
    rows: BTreeMap<RowKey, Row>,
    totals: BTreeMap<Owner, Counts>,
}

/// The minutes that are kept.
#[derive(Debug)]
pub(crate) struct Minutes {
    by_start: BTreeMap<i64, Minute>,
    rows: usize,
    max_rows: usize,
    /// Minutes before this one are not kept.
    from_ms: i64,
    /// Minutes before this one had to go for want of room.
    dropped_before_ms: Option<i64>,
}

impl Minutes {
    pub(crate) fn new(max_rows: usize) -> Self {
        Self {
            by_start: BTreeMap::new(),
            rows: 0,
            max_rows,
            from_ms: i64::MIN,
            dropped_before_ms: None,
        }
    }

    /// Takes a row in unless a newer version of it is known.
    pub(crate) fn put(&mut self, pane_ms: i64, key: RowKey, version: u64, counts: Counts) {
        if pane_ms < self.from_ms {
            return;
        }
        let minute = self.by_start.entry(pane_ms).or_default();
        let before = match minute.rows.get_mut(&key) {
            Some(row) if row.version > version => return,
            Some(row) => std::mem::replace(row, Row { version, counts }).counts,
            None => {
                minute.rows.insert(key, Row { version, counts });
                self.rows += 1;
                Counts::default()
            }
        };
        let total = minute.totals.entry(key.owner).or_default();
        *total = total.plus(&counts).minus(&before);
        if total.is_zero() {
            minute.totals.remove(&key.owner);
        }
        while self.rows > self.max_rows {
            self.drop_oldest();
        }
    }

    /// Forgets the minutes before `from_ms`, for good.
    pub(crate) fn keep_from(&mut self, from_ms: i64) {
        if from_ms <= self.from_ms {
            return;
        }
        self.from_ms = from_ms;
        let kept = self.by_start.split_off(&from_ms);
        let gone: usize = self.by_start.values().map(|minute| minute.rows.len()).sum();
        self.rows -= gone;
        self.by_start = kept;
    }

    fn drop_oldest(&mut self) {
        if let Some((start_ms, minute)) = self.by_start.pop_first() {
            self.rows -= minute.rows.len();
            let from_ms = start_ms.saturating_add(MINUTE_MS);
            self.from_ms = self.from_ms.max(from_ms);
            self.dropped_before_ms = Some(from_ms);
        }
    }

    /// If minutes had to go for want of room: the first that was kept.
    pub(crate) fn dropped_before_ms(&self) -> Option<i64> {
        self.dropped_before_ms
    }

    /// Calls `each` for what every owner has in every minute from `from_ms` to before `to_ms`, in the order of time.
    pub(crate) fn for_each(
        &self,
        from_ms: i64,
        to_ms: i64,
        mut each: impl FnMut(i64, Owner, &Counts),
    ) {
        if from_ms >= to_ms {
            return;
        }
        for (start_ms, minute) in self.by_start.range(from_ms..to_ms) {
            for (owner, counts) in &minute.totals {
                each(*start_ms, *owner, counts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: Owner = Owner(0);

    fn key(source: u32, part: u64) -> RowKey {
        RowKey {
            owner: ACME,
            source,
            part,
        }
    }

    fn offered(offered: i64) -> Counts {
        Counts {
            offered,
            ..Counts::default()
        }
    }

    fn sum(minutes: &Minutes, from_ms: i64, to_ms: i64) -> i64 {
        let mut total = 0;
        minutes.for_each(from_ms, to_ms, |_, _, counts| total += counts.offered);
        total
    }

    #[test]
    fn the_newest_version_of_each_row_counts_once() {
        let mut minutes = Minutes::new(100);
        // (source, part, version, offered) and the sum after it.
        for (source, part, version, count, expected) in [
            (0, 0, 5, 10, 10),
            (0, 0, 5, 10, 10),
            (0, 0, 4, 99, 10),
            (0, 0, 6, 7, 7),
            (1, 0, 1, 3, 10),
            (0, 41, 7, -2, 8),
            (0, 41, 7, -2, 8),
            (0, 0, (1 << 40) | 1, 8, 9),
            (0, 0, 7, 50, 9),
        ] {
            minutes.put(0, key(source, part), version, offered(count));
            assert_eq!(
                sum(&minutes, 0, MINUTE_MS),
                expected,
                "{source} {part} {version}"
            );
        }
    }

    #[test]
    fn windows_are_half_open() {
        let mut minutes = Minutes::new(100);
        for minute in 0..5 {
            minutes.put(minute * MINUTE_MS, key(0, 0), 1, offered(1 << minute));
        }
        assert_eq!(sum(&minutes, MINUTE_MS, 3 * MINUTE_MS), 0b110);
        assert_eq!(sum(&minutes, 3 * MINUTE_MS, MINUTE_MS), 0);
        assert_eq!(sum(&minutes, i64::MIN, i64::MAX), 0b11111);
    }

    #[test]
    fn what_is_forgotten_does_not_come_back() {
        let mut minutes = Minutes::new(100);
        minutes.put(0, key(0, 0), 1, offered(1));
        minutes.put(MINUTE_MS, key(0, 0), 1, offered(2));
        minutes.keep_from(MINUTE_MS);
        minutes.put(0, key(0, 0), 2, offered(4));
        minutes.keep_from(0);
        assert_eq!(sum(&minutes, 0, i64::MAX), 2);
        assert_eq!(minutes.rows, 1);
        assert_eq!(minutes.dropped_before_ms(), None);
    }

    #[test]
    fn memory_is_bounded_and_says_what_it_cost() {
        let mut minutes = Minutes::new(3);
        for minute in 0..10 {
            minutes.put(minute * MINUTE_MS, key(0, 0), 1, offered(1));
        }
        assert_eq!(sum(&minutes, 0, i64::MAX), 3);
        assert_eq!(minutes.dropped_before_ms(), Some(7 * MINUTE_MS));
    }

    #[test]
    fn an_owner_without_anything_left_is_not_there() {
        let mut minutes = Minutes::new(3);
        minutes.put(0, key(0, 0), 1, offered(1));
        minutes.put(0, key(0, 0), 2, Counts::default());
        minutes.for_each(0, MINUTE_MS, |_, owner, _| panic!("{owner:?}"));
    }
}
