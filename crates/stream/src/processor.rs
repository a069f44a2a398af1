//! What a role is to a worker: pure logic over **one** source partition.
//!
//! The worker owns one [`Processor`] per assigned partition and is the only one to call it, from one thread. It never
//! does I/O and reads no clock; everything it needs to know comes in through these methods, so a second processor fed
//! the same records and the same clock says the same. That is what takeover rests on:
//!
//! 1. `factory.restore(..)` from the newest good snapshot (or `factory.create(..)` when there is none yet),
//! 2. `apply` and `advance_clock` for what the log holds since, up to the group's offset and the committed clock,
//! 3. `took_over`, and the first `flush` publishes all that this touched (absolute rows: repeating is harmless),
//! 4. live: `apply`, `advance_clock`, `flush`, now and then `snapshot`.
//!
//! A flush says everything that was concluded since the last one. Rows are absolute and carry
//! `row_version(epoch, batch)`; a key occurs at most once a flush. A worker that is fenced or fails simply drops the
//! processor.

use std::fmt;
use std::sync::Arc;

use crate::record::{Outgoing, Record};

/// Which source partition a processor is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The topic read.
    pub topic: Arc<str>,
    /// The partition read: `source` in every batch published.
    pub partition: u32,
    /// How many partitions the topic has: `sources` in every signal batch.
    pub partitions: u32,
}

/// What every batch of one flush carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The source partition.
    pub source: u32,
    /// How many source partitions there are.
    pub sources: u32,
    /// The writer's epoch for this source: readers drop what carries a lower one than the highest they have seen.
    pub epoch: u64,
    /// Counts the writer's flushes in this epoch from 1.
    pub batch: u64,
    /// The partition's clock (SEMANTICS 6), `allowed_delay` not taken off: at least what `advance_clock` was told, and
    /// later where it is proved that nothing is missing and nothing fell due. 0 for roles whose clock comes out of the
    /// records ([`ProcessorFactory::follows_wall_clock`] is false).
    pub clock_ms: i64,
    /// The largest record timestamp applied, the same for every owner; `i64::MIN` before the first record.
    pub log_clock_ms: i64,
    /// The next offset to be read: everything below it is in this flush or an earlier one.
    pub position: i64,
    /// Progress is due: say so to every output partition, also those that have no row in this flush. Between two such
    /// flushes partitions without rows may be left out.
    pub progress: bool,
}

/// A processor's pure logic. See the module for the order of calls.
pub trait Processor: Send {
    /// Takes in one record: decides, and keeps what is to be published for the next flush.
    fn apply(&mut self, record: &Record<'_>);

    /// Moves the partition's clock to `clock_ms`, concluding what fell due. Never called with less than before. Called
    /// after a record was applied that moves it, and between records with an instant of the wall clock at which nothing
    /// was missing and something fell due ([`Processor::fires_before`]). Roles that do not follow the wall clock are
    /// never called.
    fn advance_clock(&mut self, _clock_ms: i64) {}

    /// Would moving the clock to `clock_ms` conclude anything that is to be published? The worker writes the clock down
    /// (commits it) before it calls [`Processor::advance_clock`] with an instant for which this is true and no record
    /// vouches. A needless `true` costs a commit; a wrong `false` costs correctness after a crash.
    fn fires_before(&self, _clock_ms: i64) -> bool {
        false
    }

    /// Called once a step or so with the wall clock, for a role with business outside the log (the dispatcher takes in
    /// here what its receivers answered). Returns true if there is something to flush. Pure roles leave it alone.
    fn tick(&mut self, _wall_ms: i64) -> bool {
        false
    }

    /// The silent replay is over, from here on this processor speaks for the source. The next flush is to publish every
    /// row that the clock changed during the replay, and what is kept as gauges in full. Rows that only records changed
    /// were acknowledged before the group's offset was committed and may be left out (repeating them is harmless).
    fn took_over(&mut self, _epoch: u64) {}

    /// Appends to `out` everything concluded since the last flush, stamped with `stamp`. No record may be larger than
    /// [`MAX_RECORD_BYTES`]: split the rows over several records of the same batch number.
    fn flush(&mut self, stamp: &Stamp, out: &mut Vec<Outgoing>);

    /// Every record of every flush up to and including number `batch` of this epoch is acknowledged by the log. For a
    /// role that may act on the outside world only once what it intends is durable (the dispatcher, DESIGN 2.12); the
    /// worker calls it as soon as it knows, also when nothing else is to be done. Pure roles leave it alone.
    fn acknowledged(&mut self, _batch: u64) {}

    /// Appends the whole state to `out`. Called right after a flush, so nothing is waiting to be published. Equal
    /// states give equal bytes.
    fn snapshot(&self, out: &mut Vec<u8>);

    /// Names the meaning of the snapshot's bytes: a hash over its schema version, the policy sets or rules in force and
    /// the time zone data. Kept in the snapshot's header for [`ProcessorFactory::restore`] to judge.
    fn fingerprint(&self) -> u64;
}

/// The largest value that a processor puts into one [`Outgoing`]; below the 1 MiB that topics take by default.
pub const MAX_RECORD_BYTES: usize = 900 * 1024;

/// A checked snapshot, its checksum and length found right.
#[derive(Clone, Copy)]
pub struct SnapshotView<'a> {
    /// What [`Processor::fingerprint`] said when it was taken.
    pub fingerprint: u64,
    /// The next offset to apply.
    pub offset: i64,
    /// The partition's clock when it was taken.
    pub clock_ms: i64,
    /// The largest record timestamp applied until then.
    pub log_clock_ms: i64,
    /// What [`Processor::snapshot`] wrote.
    pub state: &'a [u8],
}

impl fmt::Debug for SnapshotView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotView")
            .field("fingerprint", &self.fingerprint)
            .field("offset", &self.offset)
            .field("clock_ms", &self.clock_ms)
            .field("state_bytes", &self.state.len())
            .finish_non_exhaustive()
    }
}

/// Why a snapshot cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// It is of no use to this program; the worker falls back to the one before, and at last to the log's beginning.
    #[error("the state is unusable: {0}")]
    Unusable(String),
    /// It contradicts what is configured; the partition stops and says so, since a person has to decide.
    #[error("the state cannot be used: {0}")]
    Incompatible(String),
}

/// Makes the processors of one role. Shared by all workers of a process.
pub trait ProcessorFactory: Send + Sync {
    /// The role's logic.
    type Processor: Processor;

    /// An empty processor, as at the beginning of the log.
    fn create(&self, source: &Source) -> Self::Processor;

    /// The processor that a snapshot describes.
    ///
    /// # Errors
    /// See [`RestoreError`].
    fn restore(
        &self,
        source: &Source,
        snapshot: &SnapshotView<'_>,
    ) -> Result<Self::Processor, RestoreError>;

    /// Does the clock follow the wall clock where nothing is missing (SEMANTICS 6)? True for the tracker only: every
    /// role behind it takes its clock out of the records and gets no [`Processor::advance_clock`].
    fn follows_wall_clock(&self) -> bool {
        false
    }
}
