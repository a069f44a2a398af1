//! What the picture shows at its clock: the shapes of `/api/v1/board`. Instants are UTC milliseconds, ratios are between
//! 0 and 1, `null` is "cannot be said".

use serde::Serialize;

use crate::alerts::Alert;
use crate::counts::Figures;
use crate::gauges::Standing;
use crate::silences::SilenceView;
use crate::sources::SourceOut;

/// How a queue or a vendor is doing, from the worst. Nothing here is a threshold of the board's own: alerts and breaches
/// say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A critical alert or an error fires for it.
    Critical,
    /// Another alert fires for it, or one of a ticket.
    Warning,
    /// An alert is pending, or a breach is open.
    Watch,
    /// None of these.
    Ok,
    /// None of these, no open ticket, and nothing happened for an hour.
    Idle,
}

/// One queue, or all queues of a vendor together.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Group {
    /// How it is doing.
    pub state: State,
    /// Alerts that fire for it, those of tickets included.
    pub firing: usize,
    /// The last 30 minutes, the current one included.
    pub last_30m: Figures,
    /// The last 60 minutes, the current one included.
    pub last_60m: Figures,
    /// Since the local midnight.
    pub today: Figures,
    /// Service level of the last two hours in steps of five minutes, the newest last.
    pub trend: Vec<Option<f64>>,
    /// What stands now.
    #[serde(flatten)]
    pub standing: Standing,
    /// Age of the oldest open ticket, ms.
    pub oldest_age_ms: Option<i64>,
    /// Clock cycles that are breached and still open.
    pub open_breaches: u64,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct QueueView {
    /// Its name.
    pub queue: String,
    /// How it is doing.
    #[serde(flatten)]
    pub group: Group,
}

/// A vendor.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct VendorView {
    /// Its name.
    pub vendor: String,
    /// All its queues together.
    #[serde(flatten)]
    pub group: Group,
    /// Its queues, by name.
    pub queues: Vec<QueueView>,
}

/// All alerts that matter now.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AlertsView {
    /// What fires: of queues before those of tickets, the gravest first, then the newest.
    pub firing: Vec<Alert>,
    /// What will fire if it stays so.
    pub pending: Vec<Alert>,
    /// What fired and ended within the last hour.
    pub ended: Vec<Alert>,
}

/// The whole picture at its clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct View {
    /// The picture's clock; `null` until enough sources were heard.
    pub as_of_ms: Option<i64>,
    /// Where "today" begins.
    pub day_start_ms: Option<i64>,
    /// The zone of "today".
    pub time_zone: String,
    /// How many sources there are.
    pub sources: u32,
    /// Sources that are behind or silent: their part of the picture is old.
    pub sources_out: Vec<SourceOut>,
    /// Vendors by name.
    pub vendors: Vec<VendorView>,
    /// Alerts.
    #[serde(skip)]
    pub alerts: AlertsView,
    /// What people silenced.
    #[serde(skip)]
    pub silences: Vec<SilenceView>,
    /// What the picture had to leave out, in words.
    pub gaps: Vec<String>,
}
