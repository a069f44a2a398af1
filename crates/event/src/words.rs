//! The configured maps from a source's own words, for types and statuses, to slawatch's.

use std::collections::BTreeMap;

use crate::json::quoted;
use crate::{EventType, Reason, Rejection, Status};

/// A source's own words beside the canonical ones. A word given here goes before the canonical meaning of the same word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    types: BTreeMap<String, EventType>,
    statuses: BTreeMap<String, Status>,
}

impl Words {
    /// These words for types and statuses.
    pub fn new(
        types: impl IntoIterator<Item = (String, EventType)>,
        statuses: impl IntoIterator<Item = (String, Status)>,
    ) -> Self {
        Self {
            types: types.into_iter().collect(),
            statuses: statuses.into_iter().collect(),
        }
    }

    /// The type of a source's word, if it has one.
    pub fn event_type(&self, word: &str) -> Option<EventType> {
        let own = self.own_type(word);
        own.or_else(|| EventType::from_name(word))
    }

    /// The type that the source's word was given, canonical names aside.
    pub(crate) fn own_type(&self, word: &str) -> Option<EventType> {
        if self.types.is_empty() {
            return None;
        }
        self.types.get(word).copied()
    }

    /// The status of a source's word.
    ///
    /// # Errors
    /// `unknown_status` if it is neither in the map nor one of the six.
    pub fn status(&self, word: &str) -> Result<Status, Rejection> {
        self.statuses
            .get(word)
            .copied()
            .or_else(|| Status::from_name(word))
            .ok_or_else(|| {
                let known = Status::ALL.map(Status::name).join(", ");
                Rejection::new(
                    Reason::UnknownStatus,
                    format!(
                        "status {} is neither in the mapping's [statuses] nor one of {known}",
                        quoted(word)
                    ),
                )
            })
    }
}

pub(crate) fn unknown_type(word: &str) -> Rejection {
    let known = EventType::ALL.map(EventType::name).join(", ");
    Rejection::new(
        Reason::UnknownType,
        format!("type {} is none of {known}", quoted(word)),
    )
}
