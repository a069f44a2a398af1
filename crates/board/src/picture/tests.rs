//! The picture against small worlds whose figures can be counted by hand.

use super::*;
use crate::story::{
    NOON_MS, afternoon, alert_batch, batch, contacts, firing, gauge, open_breach, signal,
};

const ACME: (&str, &str) = ("acme", "refunds");

fn picture() -> Picture {
    Picture::new(1, Zone::utc())
}

fn queue<'a>(view: &'a View, owner: (&str, &str)) -> &'a Group {
    let vendor = view.vendors.iter().find(|vendor| vendor.vendor == owner.0);
    let queues = vendor.into_iter().flat_map(|vendor| &vendor.queues);
    let mut found = queues.filter(|queue| queue.queue == owner.1);
    &found.next().expect("the queue is shown").group
}

fn apply(picture: &mut Picture, batch: SignalBatch) {
    picture.apply_signal(0, &signal(batch));
}

#[test]
fn before_anything_is_heard_nothing_is_said() {
    let view = picture().view();
    assert_eq!(view.as_of_ms, None);
    assert!(view.vendors.is_empty());
    assert!(view.gaps.is_empty());
}

#[test]
fn windows_end_with_the_minute_of_the_pictures_clock() {
    let mut picture = picture();
    let mut flush = batch(0, 1, NOON_MS + 59_999);
    // Minutes before the clock's own, and the contacts answered in them.
    for (ago, answered) in [
        (-1, 1_000),
        (0, 1),
        (29, 2),
        (30, 4),
        (59, 8),
        (60, 16),
        (869, 32),
        (871, 64),
    ] {
        let pane_ms = NOON_MS - ago * MINUTE_MS;
        flush.panes.push(contacts(pane_ms, ACME, (answered, 0, 0)));
    }
    apply(&mut picture, flush);
    let view = picture.view();
    let group = queue(&view, ACME);
    assert_eq!(group.last_30m.answered, 0b11);
    assert_eq!(group.last_60m.answered, 0b1111);
    // 14:30: minute 870 of the day.
    assert_eq!(group.today.answered, 0b11_1111);
    assert_eq!(view.day_start_ms, Some(NOON_MS - 870 * MINUTE_MS));
    assert_eq!(group.trend.len(), 24);
    assert_eq!(group.trend.iter().flatten().count(), 5);
    assert_eq!(group.trend[23], Some(1.0));
}

#[test]
fn vendors_pool_their_queues_and_divide_afterwards() {
    let mut picture = picture();
    let mut flush = batch(0, 1, NOON_MS);
    flush.panes.push(contacts(NOON_MS, ACME, (1, 0, 0)));
    flush
        .panes
        .push(contacts(NOON_MS, ("acme", "billing"), (2, 6, 1)));
    flush.gauges.push(gauge(ACME, 3, NOON_MS - 1_000));
    flush
        .gauges
        .push(gauge(("acme", "billing"), 4, NOON_MS - 9_000));
    flush.outcomes.push(open_breach(("acme", "billing"), "T-1"));
    apply(&mut picture, flush);
    let view = picture.view();
    let [vendor] = view.vendors.as_slice() else {
        panic!("{:?}", view.vendors)
    };
    assert_eq!(vendor.group.last_30m.service_level, Some(0.3));
    assert_eq!(vendor.group.standing.open_tickets, 7);
    assert_eq!(vendor.group.standing.running(), 7);
    assert_eq!(vendor.group.oldest_age_ms, Some(9_000));
    assert_eq!(vendor.group.open_breaches, 1);
    assert_eq!(queue(&view, ACME).open_breaches, 0);
}

#[test]
fn a_queue_without_contacts_has_no_service_level() {
    let mut picture = picture();
    let mut flush = batch(0, 1, NOON_MS);
    flush.gauges.push(gauge(ACME, 3, NOON_MS - 1_000));
    flush.gauges.push(gauge(("acme", "closed"), 0, 0));
    apply(&mut picture, flush);
    let view = picture.view();
    assert_eq!(
        queue(&view, ACME).last_30m,
        crate::counts::Figures::default()
    );
    assert_eq!(
        view.vendors[0].queues.len(),
        1,
        "nothing to say of `closed`"
    );
}

#[test]
fn what_a_later_batch_or_owner_says_replaces_what_was_said() {
    let mut picture = picture();
    // (source, epoch, batch, answered) and what is shown after it.
    for (source, epoch, number, answered, expected) in [
        (0, 1, 2, 10, 10),
        (0, 1, 1, 99, 10),
        (1, 1, 1, 5, 15),
        (0, 2, 1, 11, 16),
        (0, 1, 3, 70, 16),
    ] {
        let mut flush = batch(source, number, NOON_MS);
        flush.epoch = epoch;
        flush.sources = 1 + source;
        flush.panes.push(contacts(NOON_MS, ACME, (answered, 0, 0)));
        apply(&mut picture, flush);
        let shown = queue(&picture.view(), ACME).today.answered;
        assert_eq!(
            shown, expected,
            "source {source} epoch {epoch} batch {number}"
        );
    }
}

#[test]
fn a_new_generation_starts_afresh_and_the_old_one_is_not_heard_any_more() {
    let mut picture = picture();
    for (generation, answered, expected) in [(0, 10, 10), (1, 3, 3), (0, 50, 3)] {
        let mut flush = batch(0, 1, NOON_MS);
        flush.generation = generation;
        flush.panes.push(contacts(NOON_MS, ACME, (answered, 0, 0)));
        apply(&mut picture, flush);
        assert_eq!(queue(&picture.view(), ACME).today.answered, expected);
    }
}

#[test]
fn alerts_and_breaches_say_how_a_queue_is_doing() {
    let quiet = |group: &Group| group.state;
    let mut picture = picture();
    let mut flush = batch(0, 1, NOON_MS);
    flush.gauges.push(gauge(ACME, 0, 0));
    flush
        .panes
        .push(contacts(NOON_MS - 70 * MINUTE_MS, ACME, (5, 5, 0)));
    apply(&mut picture, flush);
    assert_eq!(quiet(queue(&picture.view(), ACME)), State::Idle);

    let mut flush = batch(0, 2, NOON_MS);
    flush.panes.push(contacts(NOON_MS, ACME, (5, 0, 0)));
    apply(&mut picture, flush);
    assert_eq!(quiet(queue(&picture.view(), ACME)), State::Ok);

    let mut flush = batch(0, 3, NOON_MS);
    flush.outcomes.push(open_breach(ACME, "T-1"));
    apply(&mut picture, flush);
    assert_eq!(quiet(queue(&picture.view(), ACME)), State::Watch);

    let mut of_ticket = firing("ticket", "critical", ACME, NOON_MS);
    of_ticket.ticket_id = "T-1".to_owned();
    picture.apply_alerts(alert_batch(1, vec![of_ticket]));
    assert_eq!(quiet(queue(&picture.view(), ACME)), State::Warning);

    picture.apply_alerts(alert_batch(
        2,
        vec![firing("queue", "error", ACME, NOON_MS)],
    ));
    let view = picture.view();
    assert_eq!(quiet(queue(&view, ACME)), State::Critical);
    assert_eq!(view.vendors[0].group.state, State::Critical);
    assert_eq!(view.vendors[0].group.firing, 2);
}

#[test]
fn an_alert_of_the_whole_vendor_marks_the_vendor_and_not_its_queues() {
    let mut picture = picture();
    let mut flush = batch(0, 1, NOON_MS);
    flush.panes.push(contacts(NOON_MS, ACME, (5, 0, 0)));
    apply(&mut picture, flush);
    let alert = firing("vendor", "critical", ("acme", ""), NOON_MS);
    picture.apply_alerts(alert_batch(1, vec![alert]));
    let view = picture.view();
    assert_eq!(view.vendors[0].group.state, State::Critical);
    assert_eq!(queue(&view, ACME).state, State::Ok);
}

#[test]
fn what_lies_a_day_back_is_forgotten() {
    let mut picture = picture();
    let mut flush = batch(0, 1, NOON_MS);
    flush.panes.push(contacts(NOON_MS, ACME, (5, 0, 0)));
    apply(&mut picture, flush);
    apply(&mut picture, batch(0, 2, NOON_MS + KEPT_MS + MINUTE_MS));
    picture.sweep();
    let view = picture.view();
    assert_eq!(view.as_of_ms, Some(NOON_MS + KEPT_MS + MINUTE_MS));
    assert!(view.vendors.is_empty());
}

#[test]
fn what_does_not_fit_is_named() {
    let limits = Limits {
        owners: 1,
        pane_rows: 1,
        alerts: 1,
        breaches: 1,
    };
    let mut picture = Picture::limited(1, Zone::utc(), limits);
    let mut flush = batch(0, 1, NOON_MS);
    for (minute, ticket) in [(-1, "T-1"), (0, "T-2")] {
        let pane_ms = NOON_MS + minute * MINUTE_MS;
        flush.panes.push(contacts(pane_ms, ACME, (1, 0, 0)));
        flush.outcomes.push(open_breach(ACME, ticket));
        flush.outcomes.push(open_breach(("zeta", "q"), ticket));
    }
    apply(&mut picture, flush);
    let alerts = ["a", "b"].map(|key| firing(key, "info", ACME, NOON_MS));
    picture.apply_alerts(alert_batch(1, alerts.into()));
    let expected = [
        "too much to hold: minutes before 14:30:00 are not counted",
        "too much to hold: 2 rows of further queues are not shown",
        "too much to hold: 1 open breaches are not shown",
        "too much to hold: 1 alerts are not shown",
    ];
    assert_eq!(picture.view().gaps, expected);
}

#[test]
fn the_order_of_the_messages_does_not_matter() {
    let (signals, alerts) = afternoon();
    let mut forwards = picture();
    for signal in &signals {
        forwards.apply_signal(0, signal);
    }
    for batch in &alerts {
        forwards.apply_alerts(batch.clone());
    }
    let mut backwards = picture();
    for batch in alerts.iter().rev().chain(&alerts) {
        backwards.apply_alerts(batch.clone());
    }
    for signal in signals.iter().rev().chain(&signals) {
        backwards.apply_signal(0, signal);
    }
    assert_eq!(forwards.view(), backwards.view());
    assert_eq!(forwards.view().vendors.len(), 3);
    assert_eq!(forwards.view().alerts.ended.len(), 1);
}
