//! The whole state as bytes and back. The format is private to this crate and carries its version; checksums are the
//! business of whoever keeps the bytes.
//!
//! Rules are referred to by what they are, so a state may be taken up under changed rules: alerts of a rule that is the
//! same but for levels, times, words or severity go on; those of a rule that is gone, or no longer about their group,
//! end as expired. A rule whose window reaches back further than panes were kept waits until it is full.

mod format;
mod read;
mod write;

use std::sync::Arc;

use slawatch_wire::Message;

use crate::evaluator::{Evaluator, Home};
use crate::rule::RuleSet;

/// Grows with every change that older bytes would not survive.
pub const SCHEMA: u32 = 1;

/// Why bytes are no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The bytes cannot be read.
    #[error("the evaluator's state cannot be read ({0}): use an earlier snapshot")]
    Damaged(String),
    /// The bytes are of another version of slawatch.
    #[error(
        "the evaluator's state has schema {found}, this version reads {SCHEMA}: start the version that wrote it, or \
         remove the evaluator's snapshots and its group's offsets to begin at the start of the log"
    )]
    Schema {
        /// The version that the bytes carry.
        found: u32,
    },
}

impl Evaluator {
    /// Appends the state; equal states give equal bytes.
    pub fn snapshot(&self, out: &mut Vec<u8>) {
        let state = write::state(self);
        out.reserve(state.encoded_len());
        state.encode_raw(out);
    }

    /// Takes up a state, under the same rules or others.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(rules: Arc<RuleSet>, home: Home, bytes: &[u8]) -> Result<Self, RestoreError> {
        let state =
            format::State::decode(bytes).map_err(|e| RestoreError::Damaged(e.to_string()))?;
        if state.schema != SCHEMA {
            return Err(RestoreError::Schema {
                found: state.schema,
            });
        }
        read::evaluator(rules, home, state)
    }
}
