//! The measures a rule can watch and how each is derived from counts (SEMANTICS 5). Nothing here knows levels or windows.

use slawatch_policy::Metric;

use crate::counters::{Counter, Totals};
use crate::formula::Formula;

/// How a value is written and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A fraction, 0 to 1.
    Rate,
    /// Milliseconds.
    Duration,
    /// Pieces.
    Count,
}

/// On which side of a level trouble lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Below,
    Above,
    /// Either may be watched for.
    Both,
}

/// A count and its factor.
pub(crate) type Term = (Counter, i64);

/// A linear combination of counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms(Vec<Term>);

impl Terms {
    pub(crate) fn new(terms: &[Term]) -> Self {
        Self(terms.to_vec())
    }

    fn of(&self, totals: &Totals) -> i64 {
        self.0.iter().fold(0, |sum: i64, (counter, factor)| {
            sum.wrapping_add(totals.get(*counter).wrapping_mul(*factor))
        })
    }

    fn counters(&self) -> impl Iterator<Item = Counter> {
        self.0.iter().map(|(counter, _)| *counter)
    }
}

/// Where a measure's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A quotient of sums over the window.
    Quotient {
        numerator: Terms,
        denominator: Terms,
    },
    /// A sum over the window.
    Sum(Terms),
    /// Tickets open now, whatever the window.
    OpenTickets,
}

/// A measure as rules name it, with the words that alerts use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    /// As in the rules file, with the formula where one counts: measures of one identity are computed alike.
    pub(crate) identity: String,
    /// For people: "service level".
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) trouble: Trouble,
    pub(crate) source: Source,
    /// What the denominator counts: "contacts".
    pub(crate) samples: String,
    /// What the numerator's share of them did: "in target"; empty where the numerator is a sum of time.
    pub(crate) did: &'static str,
}

/// The value of a measure and what it was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) numerator: i64,
    /// 1 for a measure that is a plain count.
    pub(crate) denominator: i64,
}

impl Reading {
    /// `None` for an empty denominator: no value is neither 0 nor 100 %.
    pub(crate) fn value(self) -> Option<f64> {
        (self.denominator > 0).then(|| self.numerator as f64 / self.denominator as f64)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            numerator: self.numerator.wrapping_add(other.numerator),
            denominator: self.denominator.wrapping_add(other.denominator),
        }
    }
}

impl Measure {
    /// The measure of that name; the formula counts for `service_level` only.
    pub(crate) fn named(name: &str, formula: Formula) -> Option<Self> {
        if let Some(metric) = name.strip_prefix("attainment.") {
            return attainment(name, metric);
        }
        quotient(name, formula)
            .or_else(|| (name == "backlog").then(Self::backlog))
            .or_else(|| count(name))
    }

    /// How many tickets are open.
    pub(crate) fn backlog() -> Self {
        Self {
            identity: "backlog".to_owned(),
            title: "backlog".to_owned(),
            unit: Unit::Count,
            trouble: Trouble::Above,
            source: Source::OpenTickets,
            samples: "open tickets".to_owned(),
            did: "",
        }
    }

    /// Every name that [`Measure::named`] knows.
    pub(crate) fn names() -> Vec<String> {
        let derived = QUOTIENTS.iter().map(|name| (*name).to_owned());
        let attainments = Metric::ALL.map(|metric| format!("attainment.{metric}"));
        let counts = Counter::all()
            .filter(|counter| !counter.is_duration())
            .map(Counter::name);
        derived
            .chain(attainments)
            .chain(["backlog".to_owned()])
            .chain(counts)
            .collect()
    }

    /// The counts that it is made of, in the order of the specification.
    pub(crate) fn counters(&self) -> Vec<Counter> {
        let mut counters: Vec<Counter> = match &self.source {
            Source::Quotient {
                numerator,
                denominator,
            } => numerator.counters().chain(denominator.counters()).collect(),
            Source::Sum(terms) => terms.counters().collect(),
            Source::OpenTickets => Vec::new(),
        };
        counters.sort_unstable();
        counters.dedup();
        counters
    }

    /// What it is over these sums; `open_tickets` for the measure that is not summed.
    pub(crate) fn read(&self, totals: &Totals, open_tickets: i64) -> Reading {
        match &self.source {
            Source::Quotient {
                numerator,
                denominator,
            } => Reading {
                numerator: numerator.of(totals),
                denominator: denominator.of(totals),
            },
            Source::Sum(terms) => Reading {
                numerator: terms.of(totals),
                denominator: 1,
            },
            Source::OpenTickets => Reading {
                numerator: open_tickets,
                denominator: 1,
            },
        }
    }

    /// What a change of the counts does to the reading.
    pub(crate) fn difference(&self, change: &Totals) -> Reading {
        match &self.source {
            Source::Quotient { .. } => self.read(change, 0),
            Source::Sum(terms) => Reading {
                numerator: terms.of(change),
                denominator: 0,
            },
            Source::OpenTickets => Reading::default(),
        }
    }

    /// The metric whose breaches make it bad, if it is one of verdicts.
    pub(crate) fn verdicts_of(&self) -> Option<Metric> {
        let counters = self.counters();
        let has = |counter: Counter| counters.contains(&counter);
        let judged =
            |metric: &Metric| has(Counter::met(*metric)) || has(Counter::breached(*metric));
        let metric = Metric::ALL.into_iter().find(judged);
        metric.or_else(|| has(Counter::ANSWERED).then_some(Metric::Answer))
    }

    /// Of a mean: the sum of the squares of what it is the mean of.
    pub(crate) fn squares(&self) -> Option<Counter> {
        let counters = self.counters();
        let has = |counter: Counter| counters.contains(&counter);
        if has(Counter::WAIT_MS) {
            Some(Counter::WAIT_SQUARES)
        } else {
            has(Counter::TALK_MS).then_some(Counter::HANDLE_SQUARES)
        }
    }

    pub(crate) fn counts_open_tickets(&self) -> bool {
        matches!(self.source, Source::OpenTickets)
    }

    pub(crate) fn is_quotient(&self) -> bool {
        matches!(self.source, Source::Quotient { .. })
    }
}

const QUOTIENTS: [&str; 8] = [
    "service_level",
    "aht",
    "asa",
    "abandon_rate",
    "csat",
    "reopen_rate",
    "escalation_rate",
    "audit_pass_rate",
];

fn quotient(name: &str, formula: Formula) -> Option<Measure> {
    let one = |counter| Terms::new(&[(counter, 1)]);
    let handle_time = || {
        Terms::new(&[
            (Counter::TALK_MS, 1),
            (Counter::HOLD_MS, 1),
            (Counter::WRAP_MS, 1),
        ])
    };
    let rate = Unit::Rate;
    let (title, unit, trouble, (numerator, denominator), samples, did) = match name {
        "service_level" => {
            let (numerator, denominator) = formula.terms();
            let terms = (numerator, denominator);
            (
                "service level",
                rate,
                Trouble::Below,
                terms,
                "contacts",
                "in target",
            )
        }
        "aht" => {
            let terms = (handle_time(), one(Counter::HANDLED));
            (
                "average handling time",
                Unit::Duration,
                Trouble::Both,
                terms,
                "handled contacts",
                "",
            )
        }
        "asa" => {
            let terms = (one(Counter::WAIT_MS), one(Counter::ANSWERED));
            (
                "average speed of answer",
                Unit::Duration,
                Trouble::Above,
                terms,
                "answered contacts",
                "",
            )
        }
        "abandon_rate" => {
            let terms = (one(Counter::ABANDONED), one(Counter::OFFERED));
            (
                "abandon rate",
                rate,
                Trouble::Above,
                terms,
                "offered contacts",
                "abandoned",
            )
        }
        "csat" => {
            let terms = (one(Counter::SATISFIED), one(Counter::RATINGS));
            (
                "customer satisfaction",
                rate,
                Trouble::Below,
                terms,
                "ratings",
                "satisfied",
            )
        }
        "reopen_rate" => {
            let terms = (one(Counter::REOPENED), one(Counter::SOLVED));
            (
                "reopen rate",
                rate,
                Trouble::Above,
                terms,
                "solved tickets",
                "reopened",
            )
        }
        "escalation_rate" => {
            let terms = (one(Counter::ESCALATED), one(Counter::CREATED));
            (
                "escalation rate",
                rate,
                Trouble::Above,
                terms,
                "created tickets",
                "escalated",
            )
        }
        "audit_pass_rate" => {
            let terms = (one(Counter::AUDITS_PASSED), one(Counter::AUDITS));
            (
                "audit pass rate",
                rate,
                Trouble::Below,
                terms,
                "audits",
                "passed",
            )
        }
        _ => return None,
    };
    let identity = match name {
        "service_level" => format!("{name}:{}", formula.name()),
        _ => name.to_owned(),
    };
    Some(Measure {
        identity,
        title: title.to_owned(),
        unit,
        trouble,
        source: Source::Quotient {
            numerator,
            denominator,
        },
        samples: samples.to_owned(),
        did,
    })
}

fn attainment(name: &str, metric: &str) -> Option<Measure> {
    let metric = Metric::from_name(metric)?;
    let (met, breached) = (Counter::met(metric), Counter::breached(metric));
    Some(Measure {
        identity: name.to_owned(),
        title: format!("attainment of {metric}"),
        unit: Unit::Rate,
        trouble: Trouble::Below,
        source: Source::Quotient {
            numerator: Terms::new(&[(met, 1)]),
            denominator: Terms::new(&[(met, 1), (breached, 1)]),
        },
        samples: "verdicts".to_owned(),
        did: "met",
    })
}

fn count(name: &str) -> Option<Measure> {
    let counter =
        Counter::all().find(|counter| !counter.is_duration() && counter.name() == name)?;
    Some(Measure {
        identity: name.to_owned(),
        title: name.to_owned(),
        unit: Unit::Count,
        trouble: if name.starts_with("breached.") {
            Trouble::Above
        } else {
            Trouble::Both
        },
        source: Source::Sum(Terms::new(&[(counter, 1)])),
        samples: String::new(),
        did: "",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use slawatch_wire::v1::{self, Measures, VerdictCount};

    fn value(name: &str, formula: Formula, row: &Measures) -> Option<f64> {
        let measure = Measure::named(name, formula).expect("a measure");
        measure.read(&Totals::from_wire(row), 0).value()
    }

    /// 10 of 600 s and 90 of 200 s give 240 s.
    #[test]
    fn handling_time_is_pooled() {
        let row = Measures {
            handled: 100,
            talk_ms: 10 * 600_000,
            hold_ms: 90 * 150_000,
            wrap_ms: 90 * 50_000,
            ..Measures::default()
        };
        assert_eq!(value("aht", Formula::default(), &row), Some(240_000.0));
    }

    #[test]
    fn every_other_quotient() {
        let row = Measures {
            created: 50,
            solved: 20,
            reopened: 5,
            escalated: 10,
            offered: 40,
            answered: 30,
            abandoned: 4,
            wait_ms: 600_000,
            ratings: 8,
            satisfied: 6,
            audits: 10,
            audits_passed: 9,
            verdicts: vec![VerdictCount {
                metric: v1::Metric::FirstReply as i32,
                met: 3,
                breached: 1,
            }],
            ..Measures::default()
        };
        for (name, expected) in [
            ("asa", 20_000.0),
            ("abandon_rate", 0.1),
            ("csat", 0.75),
            ("reopen_rate", 0.25),
            ("escalation_rate", 0.2),
            ("audit_pass_rate", 0.9),
            ("attainment.first_reply", 0.75),
            ("created", 50.0),
            ("met.first_reply", 3.0),
        ] {
            assert_eq!(
                value(name, Formula::default(), &row),
                Some(expected),
                "{name}"
            );
        }
    }

    #[test]
    fn an_empty_denominator_gives_no_value() {
        for name in QUOTIENTS {
            assert_eq!(
                value(name, Formula::default(), &Measures::default()),
                None,
                "{name}"
            );
        }
        assert_eq!(
            value("created", Formula::default(), &Measures::default()),
            Some(0.0)
        );
    }

    #[test]
    fn every_name_is_known_and_no_other() {
        for name in Measure::names() {
            assert!(
                Measure::named(&name, Formula::default()).is_some(),
                "{name}"
            );
        }
        for name in ["talk_ms", "service", "attainment.reply", ""] {
            assert!(Measure::named(name, Formula::default()).is_none(), "{name}");
        }
    }

    #[test]
    fn some_measures_are_of_verdicts() {
        for (name, metric) in [
            ("attainment.first_reply", Some(Metric::FirstReply)),
            ("breached.resolution", Some(Metric::Resolution)),
            ("service_level", Some(Metric::Answer)),
            ("asa", Some(Metric::Answer)),
            ("abandon_rate", None),
            ("csat", None),
            ("backlog", None),
        ] {
            let measure = Measure::named(name, Formula::default()).expect("a measure");
            assert_eq!(measure.verdicts_of(), metric, "{name}");
        }
    }

    #[test]
    fn a_backlog_is_what_is_open_now() {
        let measure = Measure::named("backlog", Formula::default()).expect("a measure");
        assert_eq!(measure.read(&Totals::ZERO, 70).value(), Some(70.0));
    }
}
