//! What people do to alerts: asked for in words, checked here, and written onto `slawatch.signals` as actions.
//!
//! Nothing takes effect here. The evaluator acknowledges, the dispatcher keeps silent; both read it from the log.

mod ask;
mod mistake;
mod moment;
mod writer;

pub use ask::{Acknowledge, Change, EndSilence, Silence, Who};
pub use mistake::{Mistake, Mistakes};
pub use moment::Moment;
pub(crate) use writer::KnownActions;
pub use writer::{ActionWriter, Receipt, WriteError};

use slawatch_wire::v1::Action;

/// The longest that a silence may last or lie ahead: the board and the dispatcher learn of it from topics that keep 30 days.
pub const SILENCE_MOST_MS: i64 = 30 * 86_400_000;

/// The vendor in whose partition an action travels; `None`: in every one, since it names none or many.
pub(crate) fn plain_vendor(action: &Action) -> Option<&str> {
    let vendor = action.vendor.as_str();
    (!vendor.is_empty() && !vendor.contains('*')).then_some(vendor)
}
