//! The parts that a process can play.

use serde::Deserialize;

/// What a process can do.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Events to signals: clocks, panes, verdicts.
    Tracker,
    /// Signals to alerts: windows, rules.
    Evaluator,
    /// Alerts to receivers.
    Dispatcher,
    /// Everything to ClickHouse.
    Loader,
    /// The wallboard.
    Board,
}

impl Role {
    /// Every role.
    pub fn all() -> Vec<Self> {
        vec![
            Self::Tracker,
            Self::Evaluator,
            Self::Dispatcher,
            Self::Loader,
            Self::Board,
        ]
    }

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tracker => "tracker",
            Self::Evaluator => "evaluator",
            Self::Dispatcher => "dispatcher",
            Self::Loader => "loader",
            Self::Board => "board",
        }
    }
}
