//! End to end: the program's own processes on a real broker and real ClickHouse, killed in the middle, against a plain
//! recomputation of the topic.

#![allow(clippy::unwrap_used)]

mod demo;
mod import;
mod installation;
mod paging;
mod pipeline;
