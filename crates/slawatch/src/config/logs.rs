//! `[logs]`: what the process says about itself, and how.

use serde::Deserialize;

/// What the process says about itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Logs {
    /// JSON lines, or for people.
    pub format: LogFormat,
    /// Filter directives, as in `info,slawatch_stream=debug`.
    pub level: String,
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            format: LogFormat::Pretty,
            level: "info".to_owned(),
        }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}
