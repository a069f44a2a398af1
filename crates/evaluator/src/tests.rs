//! Whole stories: signals in, alert transitions out.

mod acknowledge;
mod builders;
mod burn;
mod change;
mod confidence;
mod contracts;
mod crowds;
mod episodes;
mod evidence;
mod hours;
mod kinds;
mod lifecycle;
mod open;
mod past;
mod projection;
mod properties;
mod restart;
mod rules;
mod sources;
mod tickets;
mod unmet;
