//! Rules that are in force within the hours of a calendar, and the zone in which their alerts give times.

use super::builders::{Flush, Story, at, service_level};

/// Open from 08:00 to 10:30 and from 12:00 to 20:00 UTC on the stories' day.
const HOURS: &str = r#"timezone = "Europe/Berlin"
[[calendar]]
name = "desk"
timezone = "Africa/Abidjan"
hours = { mon-fri = ["08:00-10:30", "12:00-20:00"] }
"#;

fn within_hours(further: &str) -> Story {
    Story::under(&format!(
        "{HOURS}{}",
        service_level(&format!("calendar = \"desk\"\n{further}"))
    ))
}

#[test]
fn what_fires_ends_when_the_hours_do_and_begins_anew_with_them() {
    let mut story = within_hours("");
    story.hear(Flush::at("10:28").contacts("10:28", 20, 0));
    let first = story.last().clone();
    assert_eq!(first.timezone, "Africa/Abidjan");
    story.hear(Flush::at("10:29:59").contacts("10:29", 20, 0));
    assert_eq!(story.tellings(), ["10:28 firing sl/acme/refunds"]);
    story.hear(Flush::at("10:30"));
    assert_eq!(
        story.last().reason,
        "the hours of the calendar desk are over"
    );
    assert_eq!(story.last().incident, first.incident);
    assert_eq!(story.tellings(), ["10:30 expired sl/acme/refunds"]);
    story.hear(Flush::at("11:30").contacts("11:30", 20, 0));
    story.hear(Flush::at("11:59").contacts("11:59", 20, 0));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("12:00"));
    assert_ne!(story.last().incident, first.incident);
    assert_eq!(story.tellings(), ["12:00 firing sl/acme/refunds"]);
}

#[test]
fn the_time_of_for_stands_still_outside_of_them() {
    let mut story = within_hours("for = \"4m\"");
    story.hear(Flush::at("10:29").contacts("10:29", 20, 0));
    assert_eq!(story.tellings(), ["10:29 pending sl/acme/refunds"]);
    for minute in 31..60 {
        let time = format!("10:{minute}");
        story.hear(Flush::at(&time).contacts(&time, 20, 0));
    }
    for minute in 0..60 {
        let time = format!("11:{minute:02}");
        story.hear(Flush::at(&time).contacts(&time, 20, 0));
    }
    story.restart();
    story.hear(Flush::at("12:01").contacts("12:01", 20, 0));
    story.hear(Flush::at("12:02:59"));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("12:03"));
    assert_eq!(story.tellings(), ["12:03 firing sl/acme/refunds"]);
}

/// However the clock jumps: what begins with the hours begins with them.
#[test]
fn a_clock_that_jumps_stops_where_the_hours_begin_and_end() {
    let rules = format!(
        "{HOURS}[[rule]]\nname = \"old\"\ntype = \"oldest\"\nenter = \"24h\"\nexit = \"1h\"\nseverity = \"error\"\nby = [\"vendor\"]\ncalendar = \"desk\"\n"
    );
    let mut story = Story::under(&rules);
    story.hear(Flush::at("10:00").open("refunds", 3, "09:00"));
    story.hear(Flush::at("82:00"));
    let told = story.tellings();
    // Monday 09:00 and a day is Tuesday 09:00, within the hours; they end and begin to the minute.
    assert_eq!(
        told,
        [
            "33:00:59.999 firing old/acme",
            "34:30:59.999 expired old/acme",
            "36:00:59.999 firing old/acme",
            "44:00:59.999 expired old/acme",
            "56:00:59.999 firing old/acme",
            "58:30:59.999 expired old/acme",
            "60:00:59.999 firing old/acme",
            "68:00:59.999 expired old/acme",
            "80:00:59.999 firing old/acme",
        ]
    );
}

#[test]
fn a_rule_without_calendar_has_the_zone_of_its_own_or_the_file() {
    for (further, zone) in [
        ("timezone = \"Asia/Manila\"", "Asia/Manila"),
        ("", "Europe/Berlin"),
    ] {
        let mut story = Story::under(&format!(
            "timezone = \"Europe/Berlin\"\n{}",
            service_level(further)
        ));
        story.hear(Flush::at("10:00:30").contacts("10:00", 20, 0));
        assert_eq!(story.last().timezone, zone);
        assert_eq!(story.last().at_ms, at("10:00:30"));
    }
}
