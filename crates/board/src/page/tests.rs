//! What the page says, and that it can be made to say nothing else.

use super::*;
use crate::picture::Picture;
use crate::story::{NOON_MS, afternoon, alert_batch, firing};

pub(super) fn afternoon_snapshot() -> Snapshot {
    let mut picture = Picture::new(1, Zone::utc());
    let (signals, alerts) = afternoon();
    for signal in &signals {
        picture.apply_signal(0, signal);
    }
    for batch in alerts {
        picture.apply_alerts(batch);
    }
    snapshot(picture.view())
}

fn snapshot(view: View) -> Snapshot {
    Snapshot {
        moved_at_ms: view.as_of_ms.map(|_| 0),
        view,
        caught_up: true,
        trouble: None,
    }
}

/// The page `still_for_ms` after the last progress.
fn live(snapshot: &Snapshot, still_for_ms: u64) -> String {
    let status = Status::of(snapshot, NOON_MS + 12_400, still_for_ms);
    Page::new(snapshot, &status, &Zone::utc()).live()
}

#[test]
fn the_afternoon_is_told() {
    let page = live(&afternoon_snapshot(), 500);
    for said in [
        "14:30:12",
        "Sun 22 Nov 2026 UTC",
        "● live · 0.4s behind",
        "▲ CRITICAL",
        "since 13:59 (31m)",
        "nova / refunds: service level 41.2 % over 15m",
        "window <b>15m</b>",
        "<b>1 ticket</b> · breach",
        "<b>✔ Resolved</b> 14:10",
        "▲</span> ALERT",
        "✔</span> OK",
    ] {
        assert!(page.contains(said), "{said:?} is missing in {page}");
    }
    assert!(
        page.contains(r#"<div id="banner" role="alert" hidden>"#),
        "{page}"
    );
}

#[test]
fn names_are_shown_and_never_obeyed() {
    let page = live(&afternoon_snapshot(), 500);
    assert!(page.contains("technical &lt;b&gt;2nd&lt;/b&gt;"), "{page}");
    let mut picture = Picture::new(1, Zone::utc());
    let mut alert = firing("k", "critical", ("\"><script>", "'"), NOON_MS);
    alert.summary = "<img src=x onerror=alert(1)>".to_owned();
    alert.runbook_url = "javascript:alert(1)".to_owned();
    picture.apply_alerts(alert_batch(1, vec![alert]));
    let page = live(&snapshot(picture.view()), 0);
    for evil in ["<img", "<script", "javascript:"] {
        assert!(!page.contains(evil), "{evil} in {page}");
    }
    assert!(page.contains("&lt;img src=x"), "{page}");
}

#[test]
fn whatever_is_wrong_with_the_picture_is_said() {
    let fresh = afternoon_snapshot();
    let stale = live(&fresh, 25_000);
    assert!(
        stale.contains("No progress from the trackers for more than 20s."),
        "{stale}"
    );
    assert!(stale.contains("✕ stale"), "{stale}");
    assert!(!stale.contains(r#"role="alert" hidden"#), "{stale}");

    let mut trouble = fresh.clone();
    trouble.trouble = Some("topic slawatch.signals does not exist".to_owned());
    let page = live(&trouble, 0);
    assert!(page.contains("✕ Cannot read</strong> topic slawatch.signals does not exist"));

    let mut partial = fresh;
    partial
        .view
        .gaps
        .push("too much to hold: 3 alerts are not shown".to_owned());
    let silent_since = NOON_MS - 120_000;
    for (source, clock_ms) in [(3, Some(silent_since)), (5, None)] {
        partial
            .view
            .sources_out
            .push(SourceOut { source, clock_ms });
    }
    let page = live(&partial, 0);
    let said = "Without source 3 (silent since 14:28), source 5 (not heard yet).";
    assert!(page.contains(said), "{page}");
    assert!(page.contains("3 alerts are not shown."), "{page}");
}

#[test]
fn a_board_without_anything_says_why() {
    let nothing = Snapshot::default();
    let page = live(&nothing, 0);
    assert!(
        page.contains("Waiting for the first signals of the trackers."),
        "{page}"
    );
    assert!(page.contains("nothing heard yet"), "{page}");
    let mut reading = snapshot(View {
        as_of_ms: Some(NOON_MS),
        ..View::default()
    });
    reading.caught_up = false;
    let page = live(&reading, 0);
    assert!(page.contains("Reading the last day."), "{page}");
    assert!(page.contains("… catching up"), "{page}");
    assert!(page.contains("✔ No alert is firing"), "{page}");
}

#[test]
fn what_cannot_be_divided_is_a_dash_and_never_a_percentage() {
    let mut picture = Picture::new(1, Zone::utc());
    let mut flush = crate::story::batch(0, 1, NOON_MS);
    flush
        .gauges
        .push(crate::story::gauge(("acme", ""), 7, NOON_MS - 60_000));
    picture.apply_signal(0, &crate::story::signal(flush));
    let page = live(&snapshot(picture.view()), 0);
    assert!(
        page.contains(r#"<td class="first level unknown">–</td>"#),
        "{page}"
    );
    assert!(page.contains("(unnamed)"), "{page}");
    let table = page.split("<tbody>").nth(1).unwrap();
    let table = table.split("</table>").next().unwrap();
    assert!(!table.contains('%'), "{table}");
}

#[test]
fn many_alerts_of_tickets_are_gathered_and_many_cards_cut_short() {
    let mut picture = Picture::new(1, Zone::utc());
    let mut alerts = Vec::new();
    for number in 0..9 {
        let key = format!("k{number}");
        let mut of_ticket = firing(&key, "warning", ("acme", "refunds"), NOON_MS - number);
        of_ticket.ticket_id = format!("T-{number}");
        alerts.push(of_ticket);
        let key = format!("q{number}");
        alerts.push(firing(&key, "critical", ("acme", "refunds"), NOON_MS));
    }
    picture.apply_alerts(alert_batch(1, alerts));
    let page = live(&snapshot(picture.view()), 0);
    assert!(page.contains("<b>9 tickets</b>"), "{page}");
    assert!(page.contains("and 3 alerts more"), "{page}");
    assert_eq!(page.matches("▲ CRITICAL").count(), 6);
}
