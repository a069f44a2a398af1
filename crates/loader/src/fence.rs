//! Which epochs a partition of one of our own topics has seen, so that a writer that was replaced is not believed.
//!
//! The order of the log decides: a batch counts unless a higher epoch of its source stands before it in the same
//! partition. The map is kept in the metadata of the partition's committed offset, as it was *at that offset*: one from
//! further on would drop records that are read a second time after a restart.

use std::collections::{BTreeMap, VecDeque};

use crate::LoaderError;

/// What a committed offset's metadata may hold, by the brokers' default (`offset.metadata.max.bytes`).
pub const MAX_METADATA_BYTES: usize = 4096;

/// Marks the metadata's form, so that another one can be told.
const PREFIX: &str = "f1:";

/// Digits of the metadata: 64 of them, 6 bits each.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The highest epoch of each source seen in one partition, at its committed offset and after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fence {
    /// Seen by the records below the committed offset.
    committed: BTreeMap<u32, u64>,
    /// Seen so far.
    current: BTreeMap<u32, u64>,
    /// What made the difference: offset, source, epoch; by offset.
    since: VecDeque<(i64, u32, u64)>,
}

impl Fence {
    /// Whether a batch of this source and epoch counts, which then is remembered.
    pub(crate) fn admit(&mut self, offset: i64, source: u32, epoch: u64) -> bool {
        match self.current.get(&source) {
            Some(highest) if epoch < *highest => false,
            Some(highest) if epoch == *highest => true,
            Some(_) | None => {
                self.current.insert(source, epoch);
                self.since.push_back((offset, source, epoch));
                true
            }
        }
    }

    /// The metadata for committing `offset`.
    pub(crate) fn metadata_at(&mut self, offset: i64) -> String {
        while let Some((_, source, epoch)) = self.since.pop_front_if(|(at, _, _)| *at < offset) {
            self.committed.insert(source, epoch);
        }
        encode(&self.committed)
    }

    /// Reads the metadata of a committed offset; empty metadata is that of a partition never read.
    ///
    /// # Errors
    /// [`LoaderError::Metadata`] if it was not written by this program.
    pub(crate) fn restore(metadata: &str, partition: &str) -> Result<Self, LoaderError> {
        let unreadable = |reason| LoaderError::Metadata {
            partition: partition.to_owned(),
            reason,
        };
        if metadata.is_empty() {
            return Ok(Self::default());
        }
        let digits = metadata
            .strip_prefix(PREFIX)
            .ok_or_else(|| unreadable("it does not begin with f1:"))?;
        let committed = decode(digits).ok_or_else(|| unreadable("it is cut off or garbled"))?;
        Ok(Self {
            current: committed.clone(),
            committed,
            since: VecDeque::new(),
        })
    }
}

/// Differences of sources and of epochs, in groups of five bits of which the sixth says that more follow: neighbouring
/// sources have similar epochs, so most take two digits, and 2,000 sources fit.
fn encode(epochs: &BTreeMap<u32, u64>) -> String {
    let mut text = String::from(PREFIX);
    let (mut source_before, mut epoch_before) = (0_u32, 0_u64);
    for (&source, &epoch) in epochs {
        put_number(&mut text, u64::from(source - source_before));
        let step = epoch.wrapping_sub(epoch_before) as i64;
        // Zigzag: small steps down are small numbers too.
        put_number(&mut text, ((step << 1) ^ (step >> 63)) as u64);
        (source_before, epoch_before) = (source, epoch);
    }
    text
}

fn decode(text: &str) -> Option<BTreeMap<u32, u64>> {
    let mut epochs = BTreeMap::new();
    let (mut source, mut epoch) = (0_u32, 0_u64);
    let mut digits = text.bytes();
    while let Some(source_step) = take_number(&mut digits)? {
        source = source.checked_add(u32::try_from(source_step).ok()?)?;
        let zigzag = take_number(&mut digits)??;
        epoch = epoch.wrapping_add(((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)) as u64);
        epochs.insert(source, epoch);
    }
    Some(epochs)
}

fn put_number(text: &mut String, mut value: u64) {
    loop {
        let more = if value >= 32 { 32 } else { 0 };
        text.push(char::from(DIGITS[(value & 31) as usize | more]));
        value >>= 5;
        if more == 0 {
            return;
        }
    }
}

/// `Some(None)` at the end of the text, `None` if it is garbled.
fn take_number(digits: &mut impl Iterator<Item = u8>) -> Option<Option<u64>> {
    let (mut value, mut shift) = (0_u64, 0_u32);
    loop {
        let Some(digit) = digits.next() else {
            return (shift == 0).then_some(None);
        };
        let bits = DIGITS.iter().position(|known| *known == digit)? as u64;
        value |= (bits & 31).checked_shl(shift)?;
        if bits < 32 {
            return Some(Some(value));
        }
        shift += 5;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_replaced_writer_is_not_believed_and_the_log_decides() {
        let mut fence = Fence::default();
        assert!(fence.admit(0, 3, 1));
        assert!(fence.admit(1, 3, 1));
        assert!(fence.admit(2, 3, 2));
        assert!(!fence.admit(3, 3, 1), "a zombie");
        assert!(fence.admit(4, 4, 1), "another source");
    }

    #[test]
    fn what_is_committed_is_what_was_known_at_that_offset() {
        let mut fence = Fence::default();
        for (offset, epoch) in [(10, 1), (11, 1), (12, 2)] {
            assert!(fence.admit(offset, 0, epoch));
        }
        let mut again = Fence::restore(&fence.metadata_at(12), "t/0").unwrap();
        assert!(
            again.admit(11, 0, 1),
            "read again, it counts as it did before"
        );
        let mut later = Fence::restore(&fence.metadata_at(13), "t/0").unwrap();
        assert!(!later.admit(13, 0, 1));
    }

    #[test]
    fn two_thousand_sources_fit_into_the_metadata() {
        let epochs = (0..2000_u32).map(|source| (source, 40 + u64::from(source % 7)));
        assert!(encode(&epochs.collect()).len() <= MAX_METADATA_BYTES);
    }

    #[test]
    fn foreign_metadata_is_refused_with_advice() {
        for (metadata, reason) in [
            ("other", "it does not begin with f1:"),
            ("f1:A", "it is cut off or garbled"),
            ("f1:A!", "it is cut off or garbled"),
        ] {
            let text = Fence::restore(metadata, "slawatch.signals/3")
                .unwrap_err()
                .to_string();
            assert!(
                text.starts_with("the metadata committed for slawatch.signals/3 cannot be read"),
                "{text}"
            );
            assert!(text.contains(reason), "{text}");
        }
    }

    proptest! {
        #[test]
        fn metadata_is_read_as_it_was_written(epochs in prop::collection::btree_map(any::<u32>(), any::<u64>(), 0..40)) {
            let text = encode(&epochs);
            prop_assert_eq!(decode(&text[PREFIX.len()..]), Some(epochs));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            prop_assert!(decode(&text).is_none_or(|epochs| epochs.len() <= text.len()));
        }
    }
}
