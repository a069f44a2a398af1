//! The roles as processors of their source partitions: what connects the pure crates to the streams.

pub mod evaluator;
pub mod tracker;
