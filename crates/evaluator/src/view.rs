//! One group as a rule sees it at an instant: a queue, or a vendor's matching queues taken together.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::counters::Totals;
use crate::gauges::Gauges;
use crate::groups::Queue;
use crate::rule::Scope;
use crate::windows::Windows;

/// What is known of one vendor and queue.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) windows: Windows,
    pub(crate) gauges: Gauges,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) vendor: &'a str,
    pub(crate) group: Seen<'a>,
    pub(crate) now_ms: i64,
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
}
