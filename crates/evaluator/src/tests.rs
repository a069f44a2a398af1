//! Whole stories: signals in, alert transitions out.

mod acknowledge;
mod builders;
mod confidence;
mod crowds;
mod episodes;
mod evidence;
mod hours;
mod kinds;
mod lifecycle;
mod open;
mod properties;
mod restart;
mod rules;
mod sources;
mod tickets;
