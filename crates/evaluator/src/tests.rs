//! Whole stories: signals in, alert transitions out.

mod builders;
mod lifecycle;
mod properties;
mod restart;
mod rules;
mod sources;
mod tickets;
