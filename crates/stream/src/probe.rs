//! The question behind "caught up" (SEMANTICS 6): where did the log end at a known instant of the wall clock?
//!
//! The instant is taken *before* the question leaves, so whoever has applied everything below the returned ends has
//! seen all that was in the log at that instant. Cached high-water marks will not do: they carry no date.

use std::fmt;

/// An answer: every record that existed at `asked_at_ms` lies below `ends`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndOffsets {
    /// Wall clock before the question was asked, UTC milliseconds.
    pub asked_at_ms: i64,
    /// The offset of the next record, by partition; `None` where the leader did not answer.
    pub ends: Vec<Option<i64>>,
}

/// Gives the newest answer for one topic.
pub trait EndProbe: Send + fmt::Debug {
    /// The newest answer, if there has been one since the last call. Never blocks.
    fn newest(&mut self) -> Option<EndOffsets>;
}
