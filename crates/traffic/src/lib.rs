//! Generated traffic: a believable stretch of ticket events of four outsourcers, in the order in which they reach the log.
//! Pure and deterministic: a configuration gives the same bytes on every machine. Writing them anywhere is devstack's business.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod chance;
mod contacts;
mod faults;
mod incident;
mod life;
mod pool;
mod record;
mod simulation;
mod truth;
mod world;

pub use faults::Faults;
pub use incident::Incident;
pub use truth::Truth;

use simulation::Simulation;

/// One day.
pub const DAY_MS: i64 = world::DAY_MS;

/// Tickets on an average weekday, unless said otherwise.
const WEEKDAY_TICKETS: f64 = 6_000.0;

/// What to generate.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficConfig {
    /// Everything follows from it and the rest of this.
    pub seed: u64,
    /// The first instant, UTC milliseconds.
    pub start_ms: i64,
    /// How long; nothing is emitted after it.
    pub duration_ms: i64,
    /// Tickets on an average weekday, all vendors together. A ticket has about six events.
    pub tickets_per_day: f64,
    /// The queue that drowns, if any.
    pub incident: Option<Incident>,
    /// Further troubles. Of those of one time and place the first counts.
    pub further: Vec<Incident>,
    /// What goes wrong between the sources and the log.
    pub faults: Faults,
}

impl TrafficConfig {
    /// A week of 6,000 tickets a day from `start_ms`, with ordinary faults and `acme-manila`'s refunds drowning mid-week.
    pub fn week(seed: u64, start_ms: i64) -> Self {
        let duration_ms = 7 * DAY_MS;
        Self {
            seed,
            start_ms,
            duration_ms,
            tickets_per_day: WEEKDAY_TICKETS,
            incident: Some(Incident::mid_week(start_ms, duration_ms, WEEKDAY_TICKETS)),
            further: Vec::new(),
            faults: Faults::default(),
        }
    }
}

/// One record, as it reaches the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    /// When: never before the one before it.
    pub timestamp_ms: i64,
    /// The record's key.
    pub ticket_id: String,
    /// The event; malformed ones may be anything but hold no line end.
    pub json: Vec<u8>,
}

/// The records of a configuration, made one by one: memory grows with the tickets alive at a time, not with their number.
#[derive(Debug)]
pub struct Traffic {
    simulation: Simulation,
}

impl Traffic {
    /// Prepares the traffic; nothing is made until the first record is asked for.
    pub fn new(config: TrafficConfig) -> Self {
        Self {
            simulation: Simulation::new(config),
        }
    }

    /// What has been emitted so far.
    pub const fn truth(&self) -> &Truth {
        self.simulation.truth()
    }
}

impl Iterator for Traffic {
    type Item = Emission;

    fn next(&mut self) -> Option<Emission> {
        self.simulation.next_emission()
    }
}

#[cfg(test)]
mod tests;
