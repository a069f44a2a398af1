//! What comes in: ticket events, their decoding from JSON and protobuf, the mapping of a source's own records to them, and
//! the reasons for which a record cannot count
//! (SEMANTICS 1). It keeps no state and knows no ticket's history.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attribute;
mod confluent;
mod decode;
mod encoding;
mod envelope;
mod field;
mod instant;
mod json;
mod kind;
mod mapping;
mod protobuf;
mod reason;
mod score;
mod status;
mod ticket_event;
mod words;

pub use attribute::Attribute;
pub use decode::{DecodeOptions, Incoming, check_future, decode, parse};
pub use encoding::Encoding;
pub use field::Field;
pub use instant::{MAX_INSTANT_MS, MIN_INSTANT_MS, format_instant, in_years, parse_instant};
pub use kind::EventType;
pub use mapping::{FieldSource, Mapping, Path, Program, ProgramMistake, Table};
pub use reason::{Reason, Rejection};
pub use score::Rating;
pub use status::Status;
pub use ticket_event::{Attributes, Details, Label, TEXT_ATTRIBUTES, TicketEvent};
pub use words::Words;
