//! Messages of slawatch's own topics, generated from `proto/slawatch/v1`, and the links that its messages to people carry.
//!
//! Nothing is decided here: the shapes, their units and the topics they travel on are documented in the `.proto` files.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod link;

/// Protocol version 1.
pub mod v1 {
    #![allow(missing_docs, unreachable_pub, clippy::all)]
    include!(concat!(env!("OUT_DIR"), "/slawatch.v1.rs"));
}

pub use prost::Message;

/// Version of a row in ClickHouse: what a later batch, or a later owner, says wins.
///
/// `epoch` is the writer's epoch for its source, `batch` counts its flushes in that epoch and stays below 2^40.
pub const fn row_version(epoch: u64, batch: u64) -> u64 {
    debug_assert!(batch < 1 << 40);
    epoch << 40 | batch
}

/// The partition of `slawatch.signals`, `slawatch.alerts` and `slawatch.notifications` that a vendor's rows travel on,
/// out of `partitions`.
pub fn vendor_partition(vendor: &str, partitions: u32) -> u32 {
    (xxhash_rust::xxh3::xxh3_64(vendor.as_bytes()) % u64::from(partitions.max(1))) as u32
}
