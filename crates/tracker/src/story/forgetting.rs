//! SEMANTICS 2, "Forgotten": tickets that are over or ended leave no trace once nothing was heard of them for long.

use slawatch_event::{DecodeOptions, Encoding, Reason, parse};
use slawatch_policy::PolicySets;

use crate::tracker::{Applied, Options, Tracker};

const HOUR_MS: i64 = 3_600_000;
/// Events lie after this instant.
const START_MS: i64 = 1_767_571_200_000;
const FORGET_AFTER_HOURS: i64 = 10;

struct Desk {
    tracker: Tracker,
    events: u64,
}

impl Desk {
    fn open() -> Self {
        let text = "effective_from = '2020-01-01T00:00:00Z'\n[[policy]]\nname = 'all'\ntargets = { resolution = '2h' }";
        let sets = PolicySets::parse(&[("p.toml".to_owned(), text.to_owned())]).unwrap();
        let options = Options {
            allowed_delay_ms: 0,
            forget_after_ms: Some(FORGET_AFTER_HOURS * HOUR_MS),
            pane_horizon_ms: None,
            ..Options::default()
        };
        Self {
            tracker: Tracker::new(sets, options),
            events: 0,
        }
    }

    /// A record that arrives at `hour`, of something that happened `late` hours before.
    fn late(&mut self, ticket: &str, what: &str, hour: i64, late: i64) -> Applied {
        self.events += 1;
        let timestamp_ms = START_MS + hour * HOUR_MS;
        let text = format!(
            r#"{{"event_id":"{}","ticket_id":"{ticket}","occurred_at":{},"vendor":"acme",{what}}}"#,
            self.events,
            timestamp_ms - late * HOUR_MS
        );
        let options = DecodeOptions::default();
        let event = parse(text.as_bytes(), Encoding::Json, &options).unwrap();
        let applied = self.tracker.apply(&event, timestamp_ms, self.events);
        self.tracker.advance_clock(timestamp_ms);
        self.tracker.advance_log_clock(timestamp_ms);
        applied
    }

    fn hears(&mut self, ticket: &str, what: &str, hour: i64) -> Applied {
        self.late(ticket, what, hour, 0)
    }
}

const CREATED: &str = r#""type":"created""#;
const UPDATED: &str = r#""type":"updated""#;
const SOLVED: &str = r#""type":"updated","status":"solved""#;
const REOPENED: &str = r#""type":"updated","status":"open""#;
const MERGED: &str = r#""type":"merged","into":"other""#;

#[test]
fn what_is_over_or_ended_is_forgotten_and_what_is_open_is_not() {
    let mut desk = Desk::open();
    for ticket in ["solved", "merged", "open", "reopened"] {
        desk.hears(ticket, CREATED, 0);
    }
    desk.hears("solved", SOLVED, 1);
    desk.hears("merged", MERGED, 1);
    desk.hears("reopened", SOLVED, 1);
    desk.hears("reopened", REOPENED, 1);
    // Exactly forget_after behind is not yet behind it.
    desk.hears("open", UPDATED, 1 + FORGET_AFTER_HOURS);
    assert_eq!(desk.tracker.tickets(), 4);
    desk.hears("open", UPDATED, 2 + FORGET_AFTER_HOURS);
    assert_eq!(desk.tracker.tickets(), 2);
    // What was said of it stands, and nothing is left that could still fire.
    let told = desk.tracker.conclude();
    let rows: Vec<_> = told
        .outcomes
        .iter()
        .map(|outcome| (outcome.row.ticket_id.as_str(), outcome.row.deleted))
        .collect();
    for ticket in ["solved", "open", "reopened"] {
        assert!(rows.contains(&(ticket, false)), "{rows:?}");
    }
    let open: i64 = told.gauges.iter().map(|gauge| gauge.open_tickets).sum();
    assert_eq!(open, 2);
}

#[test]
fn an_old_event_of_an_unknown_ticket_counts_nowhere_and_a_new_one_begins_it() {
    let mut desk = Desk::open();
    desk.hears("solved", CREATED, 0);
    desk.hears("solved", SOLVED, 1);
    desk.hears("other", CREATED, 20);
    assert_eq!(desk.tracker.tickets(), 1);
    let late = FORGET_AFTER_HOURS + 1;
    assert_eq!(
        desk.late("solved", UPDATED, 20, late),
        Applied::Rejected(Reason::TicketForgotten)
    );
    assert_eq!(
        desk.late("never heard of", CREATED, 20, late),
        Applied::Rejected(Reason::TicketForgotten)
    );
    // A ticket that is known takes it.
    assert_eq!(desk.late("other", UPDATED, 20, late), Applied::Counted);
    assert_eq!(
        desk.late("solved", CREATED, 20, FORGET_AFTER_HOURS),
        Applied::Counted
    );
    assert_eq!(desk.tracker.tickets(), 2);
}

#[test]
fn a_ticket_that_a_late_event_finishes_is_forgotten_whether_or_not_conclusions_were_taken() {
    for concludes in [false, true] {
        let mut desk = Desk::open();
        desk.hears("late", CREATED, 0);
        desk.hears("late", r#""type":"agent_replied""#, 2);
        desk.hears("other", CREATED, 11);
        // Solved before the reply that was its last event; the next record is more than forget_after behind that.
        assert_eq!(desk.late("late", SOLVED, 11, 10), Applied::Counted);
        if concludes {
            desk.tracker.conclude();
        }
        assert_eq!(desk.tracker.tickets(), 2, "{concludes}");
        desk.hears("other", UPDATED, 13);
        assert_eq!(desk.tracker.tickets(), 1, "{concludes}");
        assert_eq!(
            desk.late("late", UPDATED, 13, FORGET_AFTER_HOURS + 1),
            Applied::Rejected(Reason::TicketForgotten),
            "{concludes}"
        );
    }
}

#[test]
fn a_snapshot_forgets_as_its_tracker_does() {
    let mut desk = Desk::open();
    desk.hears("solved", CREATED, 0);
    desk.hears("solved", SOLVED, 1);
    desk.hears("open", CREATED, 1);
    desk.tracker.conclude();
    let mut bytes = Vec::new();
    desk.tracker.snapshot(&mut bytes);
    let (sets, options) = (desk.tracker.rules.sets().clone(), desk.tracker.options);
    desk.tracker = Tracker::restore(sets, options, &bytes).unwrap();
    desk.hears("open", UPDATED, 2 + FORGET_AFTER_HOURS);
    assert_eq!(desk.tracker.tickets(), 1);
}
