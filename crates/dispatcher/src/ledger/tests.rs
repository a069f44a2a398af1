//! Stories: what comes in, and word by word what is recorded and delivered.

mod escalating;
mod pacing;
mod quieting;

use super::*;
use slawatch_wire::v1::{Action, AlertBatch, AlertState, NotificationBatch};

const HOUR_MS: i64 = 3_600_000;

const RECEIVERS: &str = r#"
    [[receiver]]
    name = "am"
    type = "alertmanager"
    url = "http://am"
    [[receiver]]
    name = "hook"
    type = "webhook"
    url = "http://hook"
"#;

struct Story {
    ledger: Ledger,
    directory: Arc<Directory>,
    now_ms: i64,
    batch: u64,
    alerts: Vec<AlertBatch>,
    log: Vec<Notification>,
    stale: Vec<String>,
    said: Vec<String>,
    deliveries: Vec<(usize, Delivery)>,
}

fn directory(text: &str) -> Arc<Directory> {
    Arc::new(Directory::new(&toml::from_str(text).unwrap()))
}

fn story() -> Story {
    story_of(RECEIVERS)
}

fn story_of(receivers: &str) -> Story {
    let directory = directory(receivers);
    Story {
        ledger: Ledger::new(LedgerId(1), 0, Arc::clone(&directory)),
        directory,
        now_ms: 10 * HOUR_MS,
        batch: 0,
        alerts: Vec::new(),
        log: Vec::new(),
        stale: Vec::new(),
        said: Vec::new(),
        deliveries: Vec::new(),
    }
}

fn alert(state: AlertState, incident: &str, revision: u64, now_ms: i64) -> AlertTransition {
    let pending = state == Pending;
    let number: i64 = incident.trim_start_matches('i').parse().unwrap_or(0);
    AlertTransition {
        key: "k".into(),
        incident: if pending {
            String::new()
        } else {
            incident.into()
        },
        rule: "slow".into(),
        severity: "critical".into(),
        vendor: "acme".into(),
        queue: "refunds".into(),
        state: state.into(),
        at_ms: now_ms,
        fired_at_ms: (!pending).then_some(number * 1000),
        due_ms: now_ms,
        revision,
        ..AlertTransition::default()
    }
}

/// An alert that is its own key and incident: of a vendor, of `vendor/queue` or of `vendor/queue/ticket`.
fn about(name: &str, place: &str, severity: &str) -> AlertTransition {
    let mut parts = place.split('/').map(str::to_owned);
    AlertTransition {
        key: name.into(),
        incident: name.into(),
        rule: "slow".into(),
        severity: severity.into(),
        vendor: parts.next().unwrap_or_default(),
        queue: parts.next().unwrap_or_default(),
        ticket_id: parts.next().unwrap_or_default(),
        ..AlertTransition::default()
    }
}

fn of_ticket(mut alert: AlertTransition) -> AlertTransition {
    alert.ticket_id = "T1".into();
    alert
}

impl Story {
    fn transition(&mut self, transition: AlertTransition) -> Taken {
        let batch = AlertBatch {
            source: 3,
            epoch: 5,
            batch: 1,
            clock_ms: transition.at_ms,
            alerts: vec![transition],
            ..AlertBatch::default()
        };
        self.alerts.push(batch.clone());
        self.ledger.apply(batch)
    }

    fn comes(&mut self, state: AlertState, incident: &str, revision: u64) -> &mut Self {
        let now_ms = self.now_ms;
        let taken = self.transition(alert(state, incident, revision, now_ms));
        assert_eq!(taken.repeated, 0);
        self
    }

    /// The same, of a ticket.
    fn breach_comes(&mut self, state: AlertState, incident: &str, revision: u64) -> &mut Self {
        let taken = self.transition(of_ticket(alert(state, incident, revision, self.now_ms)));
        assert_eq!(taken.repeated, 0);
        self
    }

    /// Of any alert; its key is its incident's name.
    fn fires(&mut self, alert: &AlertTransition) -> &mut Self {
        self.changes(alert, Firing, 1)
    }

    fn changes(&mut self, alert: &AlertTransition, state: AlertState, revision: u64) -> &mut Self {
        let mut next = alert.clone();
        next.set_state(state);
        (next.revision, next.at_ms) = (revision, self.now_ms);
        if revision == 1 {
            (next.fired_at_ms, next.due_ms) = (Some(self.now_ms), self.now_ms);
        } else {
            let first = self.alerts.iter().flat_map(|batch| &batch.alerts);
            let first = first.rev().find(|told| told.incident == next.incident);
            next.fired_at_ms = first.and_then(|first| first.fired_at_ms);
            next.due_ms = first.map_or(self.now_ms, |first| first.due_ms);
        }
        assert_eq!(self.transition(next).repeated, 0);
        self
    }

    fn acts(&mut self, action: Action) -> Taken {
        let batch = AlertBatch {
            source: 3,
            epoch: 5,
            actions: vec![action],
            ..AlertBatch::default()
        };
        self.alerts.push(batch.clone());
        self.ledger.apply(batch)
    }

    /// Everything that follows at once, all requests taken.
    fn settled(&mut self) -> &mut Self {
        for _ in 0..3 {
            self.decided().acknowledged().answered(DeliveryEnd::Sent);
        }
        self
    }

    /// What was recorded but results.
    #[track_caller]
    fn records(&mut self, expected: &[&str]) -> &mut Self {
        self.said
            .retain(|line| line.starts_with("Intent") || line.starts_with("Suppressed"));
        self.says(expected)
    }

    fn last_detail(&self) -> &str {
        let suppressed = self.log.iter().rev();
        let mut suppressed = suppressed.filter(|one| one.state() == NotificationState::Suppressed);
        suppressed.next().map_or("", |one| &one.detail)
    }

    fn after(&mut self, ms: i64) -> &mut Self {
        self.now_ms += ms;
        self
    }

    fn note(&mut self, outputs: Outputs) {
        let stale = outputs
            .records
            .iter()
            .filter(|record| record.suppression() == Suppression::Stale);
        self.stale
            .extend(stale.map(|record| record.receiver.clone()));
        for notification in outputs.records {
            self.note_record(notification);
        }
        for (number, order) in outputs.orders {
            let (word, delivery) = match &order {
                Order::Deliver(delivery) => ("deliver", delivery),
                Order::Keep(delivery) => ("keep", delivery),
                Order::Refresh(delivery) => ("refresh", delivery),
            };
            let name = &self.directory.receivers[number].name;
            let told = format!(
                "{word} {name} {:?} {} r{}",
                delivery.intent.state, delivery.intent.incident, delivery.intent.revision
            );
            self.said.push(told);
            if let Order::Deliver(delivery) = order {
                self.deliveries.push((number, delivery));
            }
        }
    }

    fn note_record(&mut self, notification: Notification) {
        self.said.push(format!(
            "{:?} {} {:?} {} r{}",
            notification.state(),
            notification.receiver,
            notification.alert_state(),
            notification.incident,
            notification.revision
        ));
        self.log.push(notification);
    }

    fn decided(&mut self) -> &mut Self {
        self.batch += 1;
        let outputs = self.ledger.decide(self.now_ms, self.batch);
        self.note(outputs);
        self
    }

    fn acknowledged(&mut self) -> &mut Self {
        let outputs = self.ledger.durable(self.batch);
        self.note(outputs);
        self
    }

    fn answered(&mut self, end: DeliveryEnd) -> &mut Self {
        for (number, delivery) in std::mem::take(&mut self.deliveries) {
            let report = Report {
                address: delivery.address,
                intent: delivery.intent,
                attempts: 1,
                end,
                detail: "200 OK".into(),
                reference: String::new(),
            };
            let notification = self.ledger.report(number, &report, self.now_ms);
            self.note_record(notification);
        }
        self
    }

    fn told(&mut self, state: AlertState, incident: &str, revision: u64) -> &mut Self {
        self.comes(state, incident, revision)
            .decided()
            .acknowledged();
        self.answered(DeliveryEnd::Sent).decided().silently()
    }

    fn silently(&mut self) -> &mut Self {
        self.said.clear();
        self
    }

    #[track_caller]
    fn says(&mut self, expected: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.said), expected);
        self
    }

    /// Another owner, who has a snapshot of nothing and both logs.
    fn taken_over(&mut self) -> &mut Self {
        self.ledger = Ledger::new(LedgerId(2), 0, Arc::clone(&self.directory));
        for batch in self.alerts.clone() {
            self.ledger.apply(batch);
        }
        self.recall_and_resume()
    }

    fn recall_and_resume(&mut self) -> &mut Self {
        let notifications = self.log.clone();
        let past = NotificationBatch {
            source: 0,
            epoch: 1,
            batch: 1,
            notifications,
        };
        assert!(!self.ledger.recall(&past));
        self.deliveries.clear();
        self.batch += 1;
        let outputs = self.ledger.resume(self.now_ms, self.batch);
        self.note(outputs);
        self
    }
}

use AlertState::{Expired, Firing, Pending, Resolved, Retracted};

#[test]
fn the_intent_is_durable_before_anything_is_delivered() {
    story()
        .comes(Firing, "i1", 1)
        .decided()
        .says(&["Intent am Firing i1 r1", "Intent hook Firing i1 r1"])
        .decided()
        .says(&[])
        .acknowledged()
        .says(&["deliver am Firing i1 r1", "deliver hook Firing i1 r1"])
        .answered(DeliveryEnd::Sent)
        .says(&["Sent am Firing i1 r1", "Sent hook Firing i1 r1"])
        .after(10 * HOUR_MS)
        .comes(Resolved, "i1", 2)
        .decided()
        .says(&["Intent am Resolved i1 r2", "Intent hook Resolved i1 r2"])
        .acknowledged()
        .answered(DeliveryEnd::Sent)
        .silently()
        .decided()
        .says(&[]);
}

#[test]
fn only_the_newest_state_counts() {
    let mut missed = story();
    missed
        .comes(Firing, "i1", 1)
        .comes(Resolved, "i1", 2)
        .decided()
        .says(&["Suppressed am Firing i1 r1", "Suppressed hook Firing i1 r1"])
        .decided()
        .says(&[]);
    assert_eq!(missed.log[0].detail, "it was over before it was told");
    assert_eq!(missed.stale, [""; 0]);
    assert!(missed.ledger.lines.is_empty());
    story()
        .told(Firing, "i1", 1)
        .comes(Resolved, "i1", 2)
        .comes(Firing, "i1", 3)
        .decided()
        .says(&["refresh am Firing i1 r1", "refresh hook Firing i1 r1"]);
}

#[test]
fn what_is_pending_pages_nobody() {
    story().comes(Pending, "", 1).decided().says(&[]);
    story()
        .told(Firing, "i1", 1)
        .comes(Pending, "", 2)
        .decided()
        .says(&[]);
}

#[test]
fn every_way_to_be_over_is_told() {
    for (state, word) in [
        (Resolved, "Resolved"),
        (Retracted, "Retracted"),
        (Expired, "Expired"),
    ] {
        let expected = [
            format!("Intent am {word} i1 r2"),
            format!("Intent hook {word} i1 r2"),
        ];
        story()
            .told(Firing, "i1", 1)
            .comes(state, "i1", 2)
            .decided()
            .says(&[&expected[0], &expected[1]]);
    }
}

#[test]
fn every_incident_that_came_and_went_unseen_is_recorded() {
    story()
        .told(Firing, "i1", 1)
        .comes(Resolved, "i1", 2)
        .comes(Firing, "i2", 3)
        .comes(Resolved, "i2", 4)
        .comes(Firing, "i3", 5)
        .decided()
        .says(&[
            "Suppressed am Firing i2 r3",
            "Intent am Firing i3 r5",
            "Intent hook Resolved i1 r2",
            "Suppressed hook Firing i2 r3",
            "Intent hook Firing i3 r5",
        ])
        .acknowledged()
        .answered(DeliveryEnd::Sent)
        .decided()
        .silently()
        .taken_over()
        .says(&["keep am Firing i3 r5", "keep hook Firing i3 r5"]);
}

/// DESIGN 2.12: after an outage the state reached is told, however long it has held.
#[test]
fn what_still_fires_after_an_outage_is_told() {
    let mut story = story();
    story
        .comes(Firing, "i1", 1)
        .after(60 * HOUR_MS)
        .taken_over()
        .says(&["Intent am Firing i1 r1", "Intent hook Firing i1 r1"]);
    assert_eq!(story.stale, [""; 0]);
}

/// Whether a verdict is too old is asked when its page is promised, not again while the promise is kept.
#[test]
fn what_was_promised_in_time_is_told_late() {
    let mut story = story();
    story
        .breach_comes(Firing, "i1", 1)
        .decided()
        .acknowledged()
        .silently()
        .after(5 * HOUR_MS)
        .taken_over()
        .says(&["deliver am Firing i1 r1", "deliver hook Firing i1 r1"]);
    assert_eq!(story.stale, [""; 0]);
}

#[test]
fn a_stale_page_is_recorded_and_so_is_why() {
    let mut story = story();
    story
        .breach_comes(Firing, "i1", 1)
        .after(HOUR_MS + 1)
        .decided()
        .says(&["Suppressed am Firing i1 r1", "Suppressed hook Firing i1 r1"])
        .breach_comes(Resolved, "i1", 2)
        .decided()
        .says(&[]);
    assert_eq!(
        story.log[0].detail,
        "stale: due at 1970-01-01T10:00:00.000Z and dispatched 3600 s later, more than the 3600 s of stale_after"
    );
    assert_eq!(story.stale, ["am", "hook"]);
}

#[test]
fn what_an_alertmanager_shows_already_is_no_stale_page() {
    let mut story = story();
    story
        .told(Firing, "i1", 1)
        .breach_comes(Resolved, "i1", 2)
        .breach_comes(Firing, "i2", 3)
        .after(2 * HOUR_MS);
    story.decided().says(&[
        "Intent am Firing i2 r3",
        "Intent hook Resolved i1 r2",
        "Suppressed hook Firing i2 r3",
    ]);
    story.acknowledged().answered(DeliveryEnd::Sent).silently();
    story
        .breach_comes(Resolved, "i2", 4)
        .decided()
        .says(&["Intent am Resolved i2 r4"]);
}

#[test]
fn exactly_stale_after_is_not_stale() {
    story()
        .breach_comes(Firing, "i1", 1)
        .after(HOUR_MS)
        .decided()
        .says(&["Intent am Firing i1 r1", "Intent hook Firing i1 r1"]);
}

#[test]
fn an_end_follows_an_intent_even_without_a_result_and_a_refusal_that_is_tried_again() {
    story()
        .comes(Firing, "i1", 1)
        .decided()
        .acknowledged()
        .silently()
        .comes(Resolved, "i1", 2)
        .decided()
        .says(&["Intent am Resolved i1 r2", "Intent hook Resolved i1 r2"]);
    story()
        .comes(Firing, "i1", 1)
        .decided()
        .acknowledged()
        .answered(DeliveryEnd::Rejected)
        .silently()
        .comes(Firing, "i1", 2)
        .decided()
        .says(&["refresh am Firing i1 r1"])
        .comes(Resolved, "i1", 3)
        .decided()
        .says(&["Intent am Resolved i1 r3"]);
}

#[test]
fn a_late_result_of_a_replaced_intent_changes_nothing() {
    let mut story = story_of(
        RECEIVERS
            .split("[[receiver]]\n    name = \"hook\"")
            .next()
            .unwrap(),
    );
    story
        .comes(Firing, "i1", 1)
        .decided()
        .acknowledged()
        .comes(Resolved, "i1", 2)
        .decided();
    story
        .silently()
        .answered(DeliveryEnd::Rejected)
        .says(&["Rejected am Firing i1 r1"]);
    story
        .decided()
        .acknowledged()
        .says(&["deliver am Resolved i1 r2"]);
}

#[test]
fn a_second_incident_is_a_second_thing_for_a_webhook_and_the_same_for_an_alertmanager() {
    story()
        .told(Firing, "i1", 1)
        .comes(Resolved, "i1", 2)
        .comes(Firing, "i2", 3)
        .decided()
        .says(&[
            "Intent am Firing i2 r3",
            "Intent hook Resolved i1 r2",
            "Intent hook Firing i2 r3",
        ]);
    // Even if the end of the first was never written.
    story()
        .told(Firing, "i1", 1)
        .comes(Firing, "i2", 3)
        .decided()
        .says(&[
            "Intent am Firing i2 r3",
            "Intent hook Resolved i1 r3",
            "Intent hook Firing i2 r3",
        ]);
}

#[test]
fn a_retraction_after_the_end_is_news_for_a_webhook() {
    story()
        .told(Firing, "i1", 1)
        .told(Resolved, "i1", 2)
        .comes(Retracted, "i1", 3)
        .decided()
        .says(&["Intent hook Retracted i1 r3"]);
}

#[test]
fn repetitions_are_known_and_a_forgetful_evaluator_is_not_mistaken_for_one() {
    let mut story = story();
    story.told(Firing, "i1", 7).told(Resolved, "i1", 8);
    let now_ms = story.now_ms;
    for (state, revision) in [(Firing, 7), (Resolved, 8)] {
        let taken = story.transition(alert(state, "i1", revision, now_ms));
        assert_eq!(
            taken,
            Taken {
                repeated: 1,
                ..Taken::default()
            }
        );
    }
    story.decided().says(&[]);
    story
        .comes(Firing, "i2", 1)
        .decided()
        .says(&["Intent am Firing i2 r1", "Intent hook Firing i2 r1"]);
}

#[test]
fn what_is_withdrawn_while_pending_ends_no_memory() {
    let mut story = story();
    story
        .told(Firing, "i1", 1)
        .comes(Resolved, "i1", 2)
        .comes(Pending, "", 3);
    let mut withdrawn = alert(Resolved, "", 4, story.now_ms);
    withdrawn.fired_at_ms = None;
    story.transition(withdrawn);
    story
        .decided()
        .says(&["Intent am Resolved i1 r4", "Intent hook Resolved i1 r2"]);
    let again = alert(Firing, "i1", 1, story.now_ms);
    assert_eq!(
        story.transition(again),
        Taken {
            repeated: 1,
            ..Taken::default()
        }
    );
}

#[test]
fn a_replaced_evaluator_is_mute() {
    let mut ledger = story().ledger;
    let batch = |source, epoch, revision| AlertBatch {
        source,
        epoch,
        alerts: vec![alert(Firing, "i1", revision, 0)],
        ..AlertBatch::default()
    };
    assert_eq!(ledger.apply(batch(1, 4, 1)).applied, 1);
    assert_eq!(
        ledger.apply(batch(1, 3, 2)),
        Taken {
            fenced: true,
            ..Taken::default()
        }
    );
    assert_eq!(ledger.apply(batch(2, 1, 3)).applied, 1);
    assert_eq!(ledger.apply(batch(1, 4, 4)).applied, 1);
}

#[test]
fn a_receiver_gets_what_it_matches_and_the_end_of_it_in_any_case() {
    let receivers = RECEIVERS.replace(
        "url = \"http://hook\"",
        "url = \"http://hook\"\nmatch = { severity = [\"critical\"] }",
    );
    let mut story = story_of(&receivers);
    story.told(Firing, "i1", 1);
    let mut milder = alert(Resolved, "i1", 2, story.now_ms);
    milder.severity = "warning".into();
    story.transition(milder);
    story
        .decided()
        .says(&["Intent am Resolved i1 r2", "Intent hook Resolved i1 r2"]);
    let mut mild = alert(Firing, "i2", 3, story.now_ms);
    mild.severity = "warning".into();
    story.transition(mild);
    story.decided().says(&["Intent am Firing i2 r3"]);
}

#[test]
fn a_new_owner_sends_again_what_has_no_result_and_nothing_else() {
    story()
        .comes(Firing, "i1", 1)
        .decided()
        .acknowledged()
        .silently()
        .taken_over()
        .says(&["deliver am Firing i1 r1", "deliver hook Firing i1 r1"])
        .answered(DeliveryEnd::Sent)
        .silently()
        .taken_over()
        .says(&["keep am Firing i1 r1", "keep hook Firing i1 r1"])
        .told(Resolved, "i1", 2)
        .taken_over()
        .says(&[]);
}

#[test]
fn a_new_owner_tells_the_state_reached_under_the_key_that_it_has() {
    // The end came while nobody was there: the firing intent may have gone out, so its end is due.
    let mut first = story();
    first
        .comes(Firing, "i1", 1)
        .decided()
        .acknowledged()
        .silently();
    first
        .comes(Resolved, "i1", 2)
        .after(5 * HOUR_MS)
        .taken_over()
        .says(&["Intent am Resolved i1 r2", "Intent hook Resolved i1 r2"]);
    // Fired and over, and nobody was told: nobody need be, and it is said so once.
    story()
        .comes(Firing, "i1", 1)
        .comes(Resolved, "i1", 2)
        .taken_over()
        .says(&["Suppressed am Firing i1 r1", "Suppressed hook Firing i1 r1"])
        .taken_over()
        .says(&[]);
    // Newer evidence, one and the same intent.
    let mut second = story();
    second
        .comes(Firing, "i1", 1)
        .decided()
        .acknowledged()
        .silently()
        .comes(Firing, "i1", 2);
    second
        .taken_over()
        .says(&["deliver am Firing i1 r1", "deliver hook Firing i1 r1"]);
    assert_eq!(second.deliveries[0].1.transition.revision, 2);
}

#[test]
fn a_new_owner_keeps_refusals_and_suppressions() {
    story()
        .comes(Firing, "i1", 1)
        .decided()
        .acknowledged()
        .answered(DeliveryEnd::Rejected)
        .silently()
        .taken_over()
        .says(&["deliver am Firing i1 r1"])
        .comes(Resolved, "i1", 2)
        .decided()
        .says(&["Intent am Resolved i1 r2"]);
    story()
        .breach_comes(Firing, "i1", 1)
        .after(2 * HOUR_MS)
        .decided()
        .silently()
        .taken_over()
        .says(&[]);
}

#[test]
fn an_intent_whose_alert_is_gone_is_closed_with_the_reason() {
    let mut story = story();
    story
        .comes(Firing, "i1", 1)
        .decided()
        .acknowledged()
        .silently();
    story.alerts.clear();
    story
        .taken_over()
        .says(&["Suppressed am Firing i1 r1", "Suppressed hook Firing i1 r1"]);
    assert_eq!(
        story.log.last().unwrap().detail,
        "the alert is no longer in slawatch.alerts, so it cannot be sent again; its topic needs a longer retention"
    );
}

#[test]
fn a_replaced_dispatcher_is_not_remembered() {
    let mut story = story();
    let past = |epoch, state: NotificationState| NotificationBatch {
        epoch,
        notifications: vec![Notification {
            key: "k".into(),
            incident: "i1".into(),
            receiver: "hook".into(),
            alert_state: Firing.into(),
            revision: 1,
            state: state.into(),
            ..Notification::default()
        }],
        ..NotificationBatch::default()
    };
    assert!(!story.ledger.recall(&past(4, NotificationState::Intent)));
    assert!(story.ledger.recall(&past(3, NotificationState::Sent)));
    let id = (
        1,
        Subject {
            key: "k".into(),
            incident: "i1".into(),
        },
    );
    assert!(matches!(
        story.ledger.lines[&id].told,
        Told::Intent {
            phase: Phase::Inherited,
            ..
        }
    ));
}

#[test]
fn a_snapshot_holds_everything() {
    let mut story = story();
    story
        .told(Firing, "i1", 1)
        .comes(Resolved, "i1", 2)
        .comes(Firing, "i2", 3)
        .decided();
    let mut bytes = Vec::new();
    story.ledger.write_image(&mut bytes);
    let restored =
        Ledger::from_image(LedgerId(2), 0, Arc::clone(&story.directory), &bytes).unwrap();
    let mut again = Vec::new();
    restored.write_image(&mut again);
    assert_eq!(bytes, again);
    // What the snapshot says beside the log is the same as what the log says alone.
    story.acknowledged().silently();
    story.ledger = restored;
    story.recall_and_resume();
    let with_snapshot = std::mem::take(&mut story.said);
    story.taken_over();
    assert_eq!(with_snapshot, story.said);
    assert_eq!(
        with_snapshot,
        [
            "deliver am Firing i2 r3",
            "deliver hook Resolved i1 r2",
            "deliver hook Firing i2 r3"
        ]
    );
}

#[test]
fn a_snapshot_of_something_else_says_so() {
    let damaged = Ledger::from_image(LedgerId(1), 0, story().directory, b"\xff\xff").unwrap_err();
    let message = damaged.to_string();
    assert!(
        message.starts_with("the dispatcher's snapshot cannot be read: ")
            && message.ends_with("; remove it to start from the one before"),
        "{message}"
    );
}

#[test]
fn what_is_over_is_forgotten_in_time() {
    let mut story = story();
    story.told(Firing, "i1", 1).told(Resolved, "i1", 2);
    assert_eq!((story.ledger.lines.len(), story.ledger.seen.len()), (2, 1));
    let mut other = alert(Firing, "i9", 1, story.now_ms + 49 * HOUR_MS);
    other.key = "other".into();
    story.transition(other);
    story.decided();
    assert_eq!((story.ledger.lines.len(), story.ledger.seen.len()), (2, 1));
    assert!(story.ledger.seen.contains_key("other"));
}
