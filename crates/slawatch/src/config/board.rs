//! `[board]`: where the wallboard is found.

use serde::Deserialize;

/// The wallboard.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Board {
    /// Address and port; loopback unless told otherwise.
    pub listen: String,
    /// The zone of "today" and of the clocks on the page.
    pub time_zone: String,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            time_zone: "UTC".to_owned(),
        }
    }
}
