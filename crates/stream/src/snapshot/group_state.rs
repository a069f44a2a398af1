//! What a worker keeps beside the group's offset: the text in the commit's metadata.
//!
//! It is the one thing that survives every crash and is fenced by the coordinator, so it holds exactly what a new owner
//! must not get wrong: who speaks for the source (epoch), up to which clock somebody may already have spoken, and from
//! where the state can be had again.

use std::fmt;
use std::str::FromStr;

use super::SnapshotId;

/// The metadata of a committed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupState {
    /// The owner's epoch; grows by one with every takeover.
    pub(crate) epoch: u64,
    /// Nothing was published at a later clock that no record vouches for.
    pub(crate) clock_ms: i64,
    /// The offset at which an empty state begins.
    pub(crate) base: i64,
    /// How many partitions the source topic had.
    pub(crate) partitions: u32,
    /// The newest snapshot known to be in the store.
    pub(crate) snapshot: Option<SnapshotId>,
}

const VERSION: &str = "slawatch/1";

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            epoch,
            clock_ms,
            base,
            partitions,
            snapshot,
        } = self;
        write!(
            f,
            "{VERSION} epoch={epoch} clock={clock_ms} base={base} partitions={partitions}"
        )?;
        match snapshot {
            Some(id) => write!(f, " snapshot={id}"),
            None => Ok(()),
        }
    }
}

impl FromStr for GroupState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        if words.next() != Some(VERSION) {
            return Err(());
        }
        let mut value = |name: &str| {
            let (key, value) = words.next()?.split_once('=')?;
            (key == name).then_some(value)
        };
        Ok(Self {
            epoch: number(value("epoch"))?,
            clock_ms: number(value("clock"))?,
            base: number(value("base"))?,
            partitions: number(value("partitions"))?,
            snapshot: value("snapshot").map(str::parse).transpose()?,
        })
    }
}

fn number<T: FromStr>(text: Option<&str>) -> Result<T, ()> {
    text.ok_or(())?.parse().map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_in_few_bytes() {
        let id = SnapshotId {
            offset: i64::MAX,
            epoch: u64::from(u32::MAX),
            batch: (1 << 40) - 1,
        };
        for snapshot in [None, Some(id)] {
            let state = GroupState {
                epoch: 3,
                clock_ms: i64::MIN,
                base: 0,
                partitions: 12,
                snapshot,
            };
            let text = state.to_string();
            assert_eq!(text.parse(), Ok(state), "{text}");
            assert!(text.len() < 256, "{text}");
        }
    }

    #[test]
    fn anything_else_is_foreign() {
        for text in [
            "",
            "hello",
            "slawatch/2 epoch=1",
            "slawatch/1 epoch=x clock=0 base=0 partitions=1",
        ] {
            assert_eq!(text.parse::<GroupState>(), Err(()), "{text}");
        }
    }
}
