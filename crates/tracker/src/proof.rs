//! Random tickets under random policies: the tracker against a reading of SEMANTICS that walks minute by minute, and
//! against itself, however its events come in.

mod agreement;
mod generate;
mod model;
mod order;
mod readers;
mod reference;
mod restarts;
