//! Random tickets under random policies: the tracker against a reading of SEMANTICS that walks minute by minute, and
//! against itself, however its events come in; and every explanation against the row it explains.

mod agreement;
mod explained;
mod generate;
mod model;
mod order;
mod readers;
mod reference;
mod restarts;
