//! The role's snapshot: the ledger, and how far back its notifications must be read.

use prost::Message;

use crate::error::DispatcherError;
use crate::ledger::Ledger;

/// Changes whenever the bytes below, or those of the ledger, mean something else.
pub(super) const SCHEMA: u64 = 1;

#[derive(Clone, PartialEq, Message)]
struct RoleImage {
    #[prost(int64, optional, tag = "1")]
    history_from: Option<i64>,
    #[prost(bytes = "vec", tag = "2")]
    ledger: Vec<u8>,
}

pub(super) fn write(history_from: Option<i64>, ledger: &Ledger, out: &mut Vec<u8>) {
    let mut image = RoleImage {
        history_from,
        ledger: Vec::new(),
    };
    ledger.write_image(&mut image.ledger);
    out.extend_from_slice(&image.encode_to_vec());
}

pub(super) fn read(bytes: &[u8]) -> Result<(Option<i64>, Vec<u8>), DispatcherError> {
    let image = RoleImage::decode(bytes).map_err(|error| DispatcherError::Snapshot {
        reason: error.to_string(),
    })?;
    Ok((image.history_from, image.ledger))
}
