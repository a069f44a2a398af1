//! Where batches go: begun here, answered later, so that reading never waits for an insert.

use std::fmt;
use std::time::Duration;

use crate::batch::{Batch, BatchId};
use crate::core::Answer;

/// Tables that take batches. The real one is [`crate::ClickHouseSink`], the one for tests and simulations
/// [`crate::model::MemoryTables`].
pub trait Sink: Send + fmt::Debug {
    /// Begins one attempt to insert a batch. A batch may come again at any time, also after it was acknowledged.
    fn start(&mut self, batch: Batch);

    /// What became of attempts since the last call; waits at most `max_wait` for the first if some are under way.
    fn answers(&mut self, max_wait: Duration) -> Vec<(BatchId, Answer)>;
}
