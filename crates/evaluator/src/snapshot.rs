//! The whole state as bytes and back. The format is private to this crate and carries its version; checksums are the
//! business of whoever keeps the bytes.
//!
//! A state names the rules that it was reached under, by their text, so that what follows it in the log can be replayed
//! under the same ([`Evaluator::restore`]). Rules are referred to by what they are, so a state may also be taken up under
//! changed ones ([`Evaluator::under`]): alerts of a rule that is the same but for levels, times, words or severity go
//! on; those of a rule that is gone, or no longer about their group, end as expired. A rule whose window reaches back
//! further than panes were kept waits until it is full.

mod format;
mod past;
mod read;
mod write;

use std::sync::Arc;

use slawatch_wire::Message;

use crate::evaluator::{Evaluator, Home};
use crate::rule::RuleSet;

/// Grows with every change that older bytes would not survive.
pub const SCHEMA: u32 = 2;

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

    /// Takes up a state under the rules that it was reached under: `rules` where it names none, or none that this
    /// version can read.
    ///
    /// # Errors
    /// See [`RestoreError`].
    pub fn restore(rules: &Arc<RuleSet>, home: Home, bytes: &[u8]) -> Result<Self, RestoreError> {
        let state =
            format::State::decode(bytes).map_err(|e| RestoreError::Damaged(e.to_string()))?;
        if state.schema != SCHEMA {
            return Err(RestoreError::Schema {
                found: state.schema,
            });
        }
        // An older version named no rules.
        let is_nameless = state.rules_text.is_empty()
            && !(state.group_rules.is_empty() && state.ticket_rules.is_empty());
        let rules = if is_nameless || state.rules_text == rules.text() {
            Arc::clone(rules)
        } else {
            RuleSet::parse(&state.rules_file, &state.rules_text)
                .map_or_else(|_| Arc::clone(rules), Arc::new)
        };
        read::evaluator(rules, home, state)
    }

    /// The same evaluator under other rules from here on.
    ///
    /// # Errors
    /// If its state cannot be read back, which is a defect.
    pub fn under(&self, rules: Arc<RuleSet>) -> Result<Self, RestoreError> {
        let mut changed = read::evaluator(rules, self.tickets.home, write::state(self))?;
        changed.sources.behind_ms = self.sources.behind_ms;
        changed.stats = self.stats;
        Ok(changed)
    }
}
