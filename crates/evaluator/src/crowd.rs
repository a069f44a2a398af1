//! Many clocks of one rule that breach together in one vendor and queue: one alert stands for those beyond the first few.
//!
//! More than `over` breaches within `within` make a crowd. While it gathers, further clocks are held back; it gathers until
//! no more than half of `over` have breached within that time. The alert goes on until none of those held back is open.

use std::collections::BTreeSet;
use std::sync::Arc;

use slawatch_policy::Metric;

use crate::clock_alert::ClockAlert;
use crate::rule::Badge;

/// From when on clocks are told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrowdLimits {
    pub(crate) over: usize,
    pub(crate) within_ms: i64,
    /// So many more after an acknowledgement, and it fires again.
    pub(crate) worse_by: Option<i64>,
}

impl CrowdLimits {
    /// No more than so many are no crowd any more.
    pub(crate) fn calm(self) -> usize {
        self.over / 2
    }
}

/// Whose clocks they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CrowdKey {
    /// The rule's place among the ticket rules.
    pub(crate) rule: usize,
    pub(crate) vendor: String,
    pub(crate) queue: String,
}

impl CrowdKey {
    pub(crate) fn of(alert: &ClockAlert) -> Self {
        Self {
            rule: alert.rule,
            vendor: alert.vendor.clone(),
            queue: alert.queue.clone(),
        }
    }
}

/// One clock: ticket, metric, cycle.
pub(crate) type ClockName = (String, Metric, u32);

/// What is remembered of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Crowd {
    /// The newest instants of breaching, ascending: one more than there may be.
    pub(crate) recent_ms: Vec<i64>,
    /// Transitions so far.
    pub(crate) revision: u64,
    /// When the last firing began: no two begin at one instant.
    pub(crate) last_fired_ms: Option<i64>,
    pub(crate) firing: Option<CrowdFiring>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CrowdFiring {
    /// When it was told; `None` before.
    pub(crate) since_ms: Option<i64>,
    /// The first breach that counts for it.
    pub(crate) first_ms: i64,
    /// Further clocks are held back.
    pub(crate) gathering: bool,
    /// How many breached, those that made it a crowd among them.
    pub(crate) breached: i64,
    /// How many of them late events have shown not to be breached.
    pub(crate) taken_back: i64,
    /// Those that it stands for and that are still open.
    pub(crate) held: BTreeSet<ClockName>,
    /// How many had breached when somebody said that they see to it.
    pub(crate) acknowledged: Option<i64>,
    /// The acknowledgements so far.
    pub(crate) actions: Vec<String>,
    /// Of its firing, where the rule has another by now.
    pub(crate) badge: Option<Arc<Badge>>,
}

impl CrowdFiring {
    /// How many breached as far as is known.
    pub(crate) fn count(&self) -> i64 {
        self.breached - self.taken_back
    }

    /// How many there were when it was acknowledged, if there are so many more now.
    pub(crate) fn worse_than(&self, limits: CrowdLimits) -> Option<i64> {
        let before = self.acknowledged?;
        (self.count() - before >= limits.worse_by?).then_some(before)
    }
}

impl Crowd {
    /// A clock has breached.
    pub(crate) fn breach(&mut self, limits: CrowdLimits, at_ms: i64, now_ms: i64) {
        let place = self.recent_ms.partition_point(|known| *known <= at_ms);
        self.recent_ms.insert(place, at_ms);
        let since_ms = now_ms.saturating_sub(limits.within_ms);
        let keep = self.count_since(since_ms).min(limits.over + 1);
        self.recent_ms.drain(..self.recent_ms.len() - keep);
        let is_crowd = keep > limits.over;
        if let Some(firing) = &mut self.firing {
            firing.breached += 1;
            firing.gathering |= is_crowd;
        } else if is_crowd {
            self.firing = Some(CrowdFiring {
                since_ms: None,
                first_ms: self.recent_ms[0],
                gathering: true,
                // No list of clocks is long.
                breached: keep as i64,
                taken_back: 0,
                held: BTreeSet::new(),
                acknowledged: None,
                actions: Vec::new(),
                badge: None,
            });
        }
    }

    fn count_since(&self, since_ms: i64) -> usize {
        let before = self.recent_ms.partition_point(|at_ms| *at_ms <= since_ms);
        self.recent_ms.len() - before
    }

    pub(crate) fn holds_back(&self) -> bool {
        self.firing.as_ref().is_some_and(|firing| firing.gathering)
    }

    pub(crate) fn hold(&mut self, ticket: &str, alert: &ClockAlert) {
        if let Some(firing) = &mut self.firing {
            firing.held.insert(name(ticket, alert));
        }
    }

    /// A clock has come to its end, or never was breached.
    pub(crate) fn lose(&mut self, ticket: &str, alert: &ClockAlert, false_alarm: bool) {
        if let Some(firing) = &mut self.firing {
            firing.held.remove(&name(ticket, alert));
            firing.taken_back += i64::from(false_alarm && alert.fired_at_ms >= firing.first_ms);
        }
        let same = |at_ms: &i64| *at_ms == alert.fired_at_ms;
        if let Some(place) = self.recent_ms.iter().position(same)
            && false_alarm
        {
            self.recent_ms.remove(place);
        }
    }

    /// When a firing that is told now begins.
    pub(crate) fn fires_at_ms(&mut self, now_ms: i64) -> i64 {
        let after = self.last_fired_ms.map_or(now_ms, |last| last + 1);
        let at_ms = now_ms.max(after);
        self.last_fired_ms = Some(at_ms);
        at_ms
    }

    /// Whether it still gathers at an instant.
    pub(crate) fn settle(&mut self, limits: CrowdLimits, now_ms: i64) {
        let count = self.count_since(now_ms.saturating_sub(limits.within_ms));
        if let Some(firing) = &mut self.firing {
            firing.gathering &= count > limits.calm();
        }
    }

    /// When so many breaches lie far enough back that it gathers no longer.
    pub(crate) fn calms_at_ms(&self, limits: Option<CrowdLimits>) -> Option<i64> {
        let limits = limits.filter(|_| self.holds_back())?;
        let last = self.recent_ms.len().checked_sub(limits.calm() + 1)?;
        Some(self.recent_ms[last].saturating_add(limits.within_ms))
    }

    /// Nothing is told and nothing remembered that could still make a crowd.
    pub(crate) fn is_idle(&self, limits: Option<CrowdLimits>, now_ms: i64) -> bool {
        let within_ms = limits.map_or(0, |limits| limits.within_ms);
        self.revision == 0 && self.count_since(now_ms.saturating_sub(within_ms)) == 0
    }
}

fn name(ticket: &str, alert: &ClockAlert) -> ClockName {
    (ticket.to_owned(), alert.metric, alert.cycle)
}
