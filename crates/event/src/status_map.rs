//! The configured map from a source's own status names to the six.

use std::collections::BTreeMap;

use crate::json::quoted;
use crate::{Reason, Rejection, Status};

/// Source names beside the canonical ones. A name given here goes before the canonical meaning of the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusMap(BTreeMap<String, Status>);

impl StatusMap {
    /// A map of these names.
    pub fn new(names: impl IntoIterator<Item = (String, Status)>) -> Self {
        Self(names.into_iter().collect())
    }

    /// The status of a source's name.
    ///
    /// # Errors
    /// `unknown_status` if it is neither in the map nor one of the six.
    pub fn status(&self, name: &str) -> Result<Status, Rejection> {
        self.0
            .get(name)
            .copied()
            .or_else(|| Status::from_name(name))
            .ok_or_else(|| {
                let known = Status::ALL.map(Status::name).join(", ");
                Rejection::new(
                    Reason::UnknownStatus,
                    format!(
                        "status {} is neither in the configured map nor one of {known}",
                        quoted(name)
                    ),
                )
            })
    }
}
