//! One group as a rule sees it at an instant: a queue, or a vendor's matching queues taken together.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use slawatch_calendar::Period;
use slawatch_policy::Metric;
use slawatch_wire::v1::WorstTicket;

use crate::breaches::{Breach, Breaches};
use crate::counters::Totals;
use crate::gauges::Gauges;
use crate::groups::Queue;
use crate::history::{History, Past};
use crate::rule::{About, Scope};
use crate::windows::Windows;

/// What is known of one vendor and queue.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) windows: Windows,
    pub(crate) history: History,
    pub(crate) gauges: Gauges,
    /// When something was last heard of it, by the clock of the source that told.
    pub(crate) heard_ms: Option<i64>,
    pub(crate) breaches: Breaches,
}

impl Figures {
    /// Something was heard of it.
    pub(crate) fn hear(&mut self, source_clock_ms: i64) {
        self.heard_ms = self.heard_ms.max(Some(source_clock_ms));
    }
}

/// How many of the oldest tickets an alert names.
const OLDEST_TICKETS: usize = 5;

#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) vendor: &'a str,
    pub(crate) group: Seen<'a>,
    pub(crate) past: &'a Past,
    pub(crate) now_ms: i64,
    /// A source is out: what it would say is not known.
    pub(crate) incomplete: bool,
    /// Of the rule that looks.
    pub(crate) about: &'a About,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Seen<'a> {
    Queue(&'a str, &'a Figures),
    Vendor(&'a BTreeMap<String, Queue>, &'a Scope),
}

impl<'a> View<'a> {
    /// `None` where it is the whole vendor.
    pub(crate) fn queue(&self) -> Option<&'a str> {
        match self.group {
            Seen::Queue(name, _) => Some(name),
            Seen::Vendor(..) => None,
        }
    }

    /// "acme / refunds", or "acme".
    pub(crate) fn title(&self) -> String {
        match self.queue() {
            Some(queue) => format!("{} / {queue}", self.vendor),
            None => self.vendor.to_owned(),
        }
    }

    /// What is known of each of its queues, by name.
    pub(crate) fn queues(&self) -> impl Iterator<Item = (&'a str, &'a Figures)> {
        let (one, many) = match self.group {
            Seen::Queue(name, figures) => (Some((name, figures)), None),
            Seen::Vendor(queues, scope) => {
                let matching = queues.iter().filter(move |(name, _)| scope.has_queue(name));
                (None, Some(matching))
            }
        };
        let many = many.into_iter().flatten();
        one.into_iter()
            .chain(many.map(|(name, queue)| (name.as_str(), &queue.figures)))
    }

    /// The sums over the window at that place.
    pub(crate) fn sum(&self, place: usize) -> Cow<'a, Totals> {
        if let Seen::Queue(_, figures) = self.group {
            return Cow::Borrowed(figures.windows.sum(place));
        }
        let mut totals = Totals::ZERO;
        for (_, figures) in self.queues() {
            totals.add(figures.windows.sum(place));
        }
        Cow::Owned(totals)
    }

    /// The sums of a period that the plan has at that place.
    pub(crate) fn period_sum(&self, place: usize, period: Period) -> Totals {
        let mut totals = Totals::ZERO;
        for (_, figures) in self.queues() {
            figures.history.sum_period(place, period, &mut totals);
        }
        totals
    }

    /// The sums of these hours.
    pub(crate) fn hours_sum(&self, hours: Range<i64>) -> Totals {
        let mut totals = Totals::ZERO;
        for (_, figures) in self.queues() {
            figures.history.sum_hours(hours.clone(), &mut totals);
        }
        totals
    }

    pub(crate) fn open_tickets(&self) -> i64 {
        let open = self
            .queues()
            .map(|(_, figures)| figures.gauges.open_tickets());
        open.sum()
    }

    pub(crate) fn oldest_created_at_ms(&self) -> Option<i64> {
        let oldest = self.queues();
        let oldest = oldest.filter_map(|(_, figures)| figures.gauges.oldest_created_at_ms());
        oldest.min()
    }

    pub(crate) fn oldest_age_ms(&self) -> Option<i64> {
        let created_at_ms = self.oldest_created_at_ms()?;
        Some(self.now_ms.saturating_sub(created_at_ms).max(0))
    }

    /// The oldest open ticket of each source and queue, oldest first, as far as an alert names them.
    pub(crate) fn oldest_tickets(&self) -> Vec<WorstTicket> {
        let gauges = self.queues().flat_map(|(_, figures)| figures.gauges.iter());
        let mut oldest: Vec<(i64, &str)> = gauges
            .filter_map(|gauge| {
                Some((gauge.oldest_created_at_ms?, gauge.oldest_ticket_id.as_str()))
            })
            .collect();
        oldest.sort_unstable();
        oldest.truncate(OLDEST_TICKETS);
        let ticket = |(created_at_ms, ticket_id): (i64, &str)| WorstTicket {
            ticket_id: ticket_id.to_owned(),
            due_ms: Some(created_at_ms),
            elapsed_ms: Some(self.now_ms.saturating_sub(created_at_ms).max(0)),
            ..WorstTicket::default()
        };
        oldest.into_iter().map(ticket).collect()
    }

    /// The clocks of a metric that fell due since then, as far as they are remembered.
    pub(crate) fn breaches(
        &self,
        metric: Metric,
        since_ms: i64,
    ) -> impl Iterator<Item = &'a Breach> {
        let all = self
            .queues()
            .flat_map(|(_, figures)| figures.breaches.iter());
        all.filter(move |breach| breach.metric == metric && breach.due_ms >= since_ms)
    }

    pub(crate) fn last_heard_ms(&self) -> Option<i64> {
        let heard = self.queues().filter_map(|(_, figures)| figures.heard_ms);
        heard.max()
    }
}
