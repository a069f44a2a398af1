//! The fence, written once more and by itself, so that a reader's own can be held against it.

use std::collections::BTreeMap;

/// The highest epoch of each (topic, partition, source): a batch counts unless a higher one stands before it.
#[derive(Debug, Default)]
pub struct Fence(BTreeMap<(&'static str, u32, u32), u64>);

impl Fence {
    pub fn admits(&mut self, topic: &'static str, (at, source): (u32, u32), epoch: u64) -> bool {
        let highest = self.0.entry((topic, at, source)).or_default();
        let counts = epoch >= *highest;
        *highest = epoch.max(*highest);
        counts
    }
}
