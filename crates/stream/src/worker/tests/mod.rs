//! Workers over the memory log: single scenarios, what operators are told, and a disturbed cluster by seed.

mod cluster;
mod messages;
mod toy;
