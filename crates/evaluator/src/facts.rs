//! What a rule is about, for those who judge what its alerts were worth over a history. Nothing here decides an alert.

use slawatch_wire::v1::{Measures, OutcomeRow, Warning};

use crate::counters::{Totals, metric_of_wire};
use crate::measure::{Measure, Unit};
use crate::minute::PANE_MS;
use crate::rule::{Group, GroupRule, RuleSet, Ticket, TicketRule};

/// One rule, looked at from outside.
#[derive(Clone, Copy, Debug)]
pub struct RuleFacts<'a>(Kind<'a>);

#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    Group(&'a GroupRule),
    Ticket(&'a TicketRule),
}

/// On which side of its target a measure is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSide {
    /// A service level below it.
    Below,
    /// An abandon rate above it.
    Above,
}

/// What a rule about a measure wants of it over a contract's period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// A fraction; for a mean, milliseconds.
    pub level: f64,
    /// Where it is missed.
    pub bad: BadSide,
    /// A share of something counted, so that it can be said when it is out of reach. A mean always comes back.
    pub is_share: bool,
    /// Fewer than that say nothing.
    pub min_samples: i64,
}

/// A measure that is added up, and what is wanted of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Objective<'a> {
    pub(crate) measure: &'a Measure,
    pub(crate) target: Target,
}

impl<'a> Objective<'a> {
    /// `None` for a measure that is no quotient: there is more of it the longer one counts.
    pub(crate) fn of(
        measure: &'a Measure,
        level: f64,
        bad: BadSide,
        min_samples: i64,
    ) -> Option<Self> {
        measure.is_quotient().then_some(Self {
            measure,
            target: Target {
                level,
                bad,
                is_share: measure.unit == Unit::Rate,
                min_samples,
            },
        })
    }
}

impl RuleSet {
    /// Every rule: those over groups first, then those over tickets, each in the order of the file.
    pub fn facts(&self) -> impl Iterator<Item = RuleFacts<'_>> {
        let groups = self.groups.iter().map(Kind::Group);
        let tickets = self.tickets.iter().map(Kind::Ticket);
        groups.chain(tickets).map(RuleFacts)
    }
}

impl<'a> RuleFacts<'a> {
    /// Its name.
    pub fn name(self) -> &'a str {
        match self.0 {
            Kind::Group(rule) => &rule.about.name,
            Kind::Ticket(rule) => &rule.about.name,
        }
    }

    /// As written in its `type`.
    pub fn kind(self) -> &'static str {
        match self.0 {
            Kind::Group(rule) => rule.watch.kind(),
            Kind::Ticket(_) => TicketRule::KIND,
        }
    }

    /// How far it looks back; 0 for one that looks at what is.
    pub fn window_ms(self) -> i64 {
        match self.0 {
            Kind::Group(rule) => rule.watch.windows().into_iter().max().unwrap_or(0) * PANE_MS,
            Kind::Ticket(_) => 0,
        }
    }

    /// How long it waits before it calls an alert over.
    pub fn keep_firing_for_ms(self) -> i64 {
        match self.0 {
            Kind::Group(rule) => rule.keep_firing_for_ms,
            Kind::Ticket(_) => 0,
        }
    }

    /// Whether its alerts name a queue.
    pub fn has_queues(self) -> bool {
        match self.0 {
            Kind::Group(rule) => rule.group == Group::VendorQueue,
            Kind::Ticket(_) => true,
        }
    }

    /// Whether the figures of this vendor and queue count for it.
    pub fn is_about(self, vendor: &str, queue: &str) -> bool {
        match self.0 {
            Kind::Group(rule) => rule.about.scope.has(vendor, queue),
            Kind::Ticket(rule) => rule.about.scope.has(vendor, queue),
        }
    }

    /// What it wants of its measure; `None` where no sum over a period says whether that was kept.
    pub fn target(self) -> Option<Target> {
        self.objective().map(|objective| objective.target)
    }

    /// Numerator and denominator of its measure in these counts; `None` where [`RuleFacts::target`] is.
    pub fn reading(self, measures: &Measures) -> Option<(i64, i64)> {
        let objective = self.objective()?;
        let reading = objective.measure.read(&Totals::from_wire(measures), 0);
        Some((reading.numerator, reading.denominator))
    }

    fn objective(self) -> Option<Objective<'a>> {
        match self.0 {
            Kind::Group(rule) => rule.watch.objective(),
            Kind::Ticket(_) => None,
        }
    }

    /// Whether it warns of clocks before they are due.
    pub fn warns(self) -> bool {
        match self.0 {
            Kind::Group(_) => false,
            Kind::Ticket(rule) => rule.on_warning,
        }
    }

    /// Whether it tells of this warning.
    pub fn tells_of(self, warning: &Warning) -> bool {
        match self.0 {
            Kind::Group(_) => false,
            Kind::Ticket(rule) => {
                let ticket = Ticket::of_warning(warning);
                rule.on_warning
                    && rule.warns_at(&warning.level)
                    && metric_of_wire(warning.metric)
                        .is_some_and(|metric| rule.covers(metric, ticket))
            }
        }
    }

    /// Whether the clock of this row is its business.
    pub fn covers(self, row: &OutcomeRow) -> bool {
        match self.0 {
            Kind::Group(_) => false,
            Kind::Ticket(rule) => metric_of_wire(row.metric)
                .is_some_and(|metric| rule.covers(metric, Ticket::of_row(row))),
        }
    }
}
