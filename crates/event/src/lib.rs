//! What comes in: ticket events, their decoding from JSON and protobuf, and the reasons for which a record cannot count
//! (SEMANTICS 1). It keeps no state and knows no ticket's history.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attribute;
mod status;

pub use attribute::Attribute;
pub use status::Status;
