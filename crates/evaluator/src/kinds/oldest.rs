//! The age of the oldest open ticket. It rises with the clock, whether or not anything is heard.

use crate::episode::{Assessment, Standing};
use crate::summary::Field;
use crate::view::View;
use crate::watch::Words;
use crate::wording;

/// What an `oldest` rule watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oldest {
    pub(crate) enter_ms: i64,
    /// Less than `enter_ms`.
    pub(crate) exit_ms: i64,
}

impl Oldest {
    pub(crate) fn assess(&self, view: &View<'_>) -> Assessment {
        let age_ms = view.oldest_age_ms();
        let standing = match age_ms {
            None => Standing::Empty,
            Some(age_ms) if age_ms >= self.enter_ms => Standing::Entered,
            Some(age_ms) if age_ms <= self.exit_ms => Standing::Left,
            Some(_) => Standing::Between,
        };
        Assessment {
            standing,
            badness: age_ms.map(|age_ms| age_ms as f64),
            grade: 0,
        }
    }

    pub(crate) fn wakes_ms(&self, view: &View<'_>) -> Option<i64> {
        let created_at_ms = view.oldest_created_at_ms()?;
        let entered_ms = created_at_ms.saturating_add(self.enter_ms);
        (entered_ms > view.now_ms).then_some(entered_ms)
    }

    pub(crate) fn words(&self, view: &View<'_>) -> Words {
        let group = view.title();
        let (enter, exit) = (
            wording::duration(self.enter_ms),
            wording::duration(self.exit_ms),
        );
        let open = view.open_tickets();
        let oldest = view.oldest_tickets();
        let (age, summary) = match (view.oldest_age_ms(), oldest.first()) {
            (Some(age_ms), Some(oldest)) => {
                let age = wording::duration(age_ms);
                let ticket = match oldest.ticket_id.as_str() {
                    "" => String::new(),
                    ticket => format!(" {ticket}"),
                };
                let summary = format!(
                    "{group}: oldest open ticket{ticket} is {age} old, {open} open (target to leave: {exit})"
                );
                (age, summary)
            }
            (None, _) | (_, None) => ("no age".to_owned(), format!("{group}: no ticket is open")),
        };
        let mut words = Words {
            summary,
            trouble: format!("the oldest open ticket is at least {enter} old"),
            over: format!("the oldest open ticket is {age} old, {exit} or less"),
            empty: "no ticket is open any more".to_owned(),
            fields: vec![
                (Field::Value, age),
                (Field::Enter, enter),
                (Field::Exit, exit),
            ],
            worst_tickets: oldest,
            ..Words::default()
        };
        if let Some(age_ms) = view.oldest_age_ms() {
            words.add("value", age_ms as f64);
        }
        words.add("enter", self.enter_ms as f64);
        words.add("exit", self.exit_ms as f64);
        words.add("open_tickets", open as f64);
        words
    }
}
