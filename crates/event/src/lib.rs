//! What comes in: ticket events, their decoding from JSON and protobuf, and the reasons for which a record cannot count
//! (SEMANTICS 1). It keeps no state and knows no ticket's history.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attribute;
mod decode;
mod instant;
mod json;
mod kind;
mod protobuf;
mod reason;
mod score;
mod status;
mod status_map;
mod ticket_event;

pub use attribute::Attribute;
pub use decode::{DecodeOptions, Encoding, check_future, decode, parse};
pub use instant::{MAX_INSTANT_MS, MIN_INSTANT_MS, format_instant, in_years, parse_instant};
pub use kind::EventType;
pub use reason::{Reason, Rejection};
pub use score::Rating;
pub use status::Status;
pub use status_map::StatusMap;
pub use ticket_event::{Attributes, Details, Label, TEXT_ATTRIBUTES, TicketEvent};
