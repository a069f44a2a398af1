//! Nothing is heard of a vendor or queue within the hours of the rule. What only the clock brings about (a breach) is no
//! sign of life; one that was never heard of is not missed, and while a source is out nobody can tell.

use crate::episode::{Assessment, Standing};
use crate::summary::Field;
use crate::view::View;
use crate::watch::Words;
use crate::wording;

/// After so long nobody waits for it any more, and it is heard of anew when it comes back.
pub(crate) const FORGOTTEN_MS: i64 = 7 * 24 * 3_600_000;

/// How many panes back news can be told from a repetition; what lies further back is no sign of life.
pub(crate) const REACH: i64 = 120;

/// What a `quiet` rule watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quiet {
    /// Of the rule's hours.
    pub(crate) after_ms: i64,
}

impl Quiet {
    pub(crate) fn assess(&self, view: &View<'_>) -> Assessment {
        let quiet_ms = self.quiet_ms(view);
        let standing = match (view.last_heard_ms(), quiet_ms) {
            (Some(heard_ms), _) if view.now_ms.saturating_sub(heard_ms) >= FORGOTTEN_MS => {
                Standing::Gone("nothing was heard for 7 days")
            }
            (_, Some(quiet_ms)) if quiet_ms < self.after_ms => Standing::Left,
            (_, Some(_)) if view.incomplete => Standing::Between,
            (_, Some(_)) => Standing::Entered,
            (_, None) => Standing::Empty,
        };
        Assessment {
            standing,
            badness: quiet_ms.map(|quiet_ms| quiet_ms as f64),
            grade: 0,
        }
    }

    fn quiet_ms(&self, view: &View<'_>) -> Option<i64> {
        let heard_ms = view.last_heard_ms()?;
        Some(view.about.elapsed_ms(heard_ms, view.now_ms))
    }

    pub(crate) fn wakes_ms(&self, view: &View<'_>) -> Option<i64> {
        let heard_ms = view.last_heard_ms()?;
        let gone_ms = heard_ms.saturating_add(FORGOTTEN_MS);
        let times = [view.about.after(heard_ms, self.after_ms), Some(gone_ms)];
        let ahead = times.into_iter().flatten().filter(|at| *at > view.now_ms);
        ahead.min()
    }

    pub(crate) fn words(&self, view: &View<'_>) -> Words {
        let group = view.title();
        let after = wording::duration(self.after_ms);
        let hours = match &view.about.hours {
            Some(hours) => format!(" within the hours of {}", hours.name),
            None => String::new(),
        };
        let quiet_ms = self.quiet_ms(view).unwrap_or(0);
        let quiet = wording::duration(quiet_ms);
        let mut words = Words {
            summary: format!("{group}: nothing heard for {quiet}{hours}"),
            trouble: format!("nothing heard for {after}{hours}"),
            over: "heard of again".to_owned(),
            empty: "never heard of".to_owned(),
            fields: vec![(Field::Value, quiet), (Field::After, after)],
            ..Words::default()
        };
        words.add("value", quiet_ms as f64);
        words.add("after_ms", self.after_ms as f64);
        if let Some(heard_ms) = view.last_heard_ms() {
            words.add("last_heard_ms", heard_ms as f64);
        }
        words
    }
}
