//! The nights on which clocks change, zone by zone.

use super::MINUTE_MS;
use super::desk::calendar;

#[test]
fn nights_on_which_the_clock_changes() {
    struct Night {
        zone: &'static str,
        rules: &'static str,
        from: &'static str,
        to: &'static str,
        open_min: i64,
        why: &'static str,
    }
    let night = |zone, rules, from, to, open_min, why| Night {
        zone,
        rules,
        from,
        to,
        open_min,
        why,
    };
    let (spring, autumn) = (
        ("2025-03-29T12:00Z", "2025-03-30T12:00Z"),
        ("2025-10-25T12:00Z", "2025-10-26T12:00Z"),
    );
    let nights = [
        night(
            "Europe/Berlin",
            "sun 01:15-02:30",
            autumn.0,
            autumn.1,
            135,
            "both passes of 02:00-02:30 and what lies between",
        ),
        night(
            "Europe/Berlin",
            "sun 02:00-02:30 02:30-03:00",
            autumn.0,
            autumn.1,
            120,
            "02:30-03:00 and 02:00-02:30 overlap: counted once",
        ),
        night(
            "Europe/Berlin",
            "sun 02:45-05:00",
            autumn.0,
            autumn.1,
            195,
            "from the first 02:45",
        ),
        night(
            "Europe/Berlin",
            "sun 01:00-02:00",
            autumn.0,
            autumn.1,
            120,
            "02:00 comes twice, the second one ends",
        ),
        night(
            "Europe/Berlin",
            "sun 01:15-02:30 02:45-05:00",
            spring.0,
            spring.1,
            165,
            "up to the gap, and from its end",
        ),
        night(
            "Europe/Berlin",
            "sun 02:10-02:50",
            spring.0,
            spring.1,
            0,
            "wholly skipped",
        ),
        night(
            "Europe/Berlin",
            "sun 02:00-03:00",
            spring.0,
            spring.1,
            0,
            "exactly the gap",
        ),
        night(
            "America/New_York",
            "sun 02:10-02:50 12:00-18:00",
            "2025-03-09T00:00Z",
            "2025-03-10T00:00Z",
            360,
            "only the afternoon",
        ),
        night(
            "Australia/Lord_Howe",
            "sun 01:40-02:20",
            "2025-04-05T00:00Z",
            "2025-04-06T00:00Z",
            70,
            "01:30-02:00 comes twice",
        ),
        night(
            "Australia/Lord_Howe",
            "sun 01:40-02:20",
            "2025-10-04T00:00Z",
            "2025-10-05T00:00Z",
            20,
            "02:00-02:30 is skipped",
        ),
        night(
            "Africa/Cairo",
            "fri 00:00-00:30",
            "2025-04-24T00:00Z",
            "2025-04-26T00:00Z",
            0,
            "the first hour of Friday is skipped",
        ),
        night(
            "Africa/Cairo",
            "thu 23:00-24:00",
            "2025-04-24T00:00Z",
            "2025-04-26T00:00Z",
            60,
            "24:00 is the first instant after the gap",
        ),
        night(
            "Africa/Cairo",
            "thu 23:00-24:00",
            "2025-10-30T00:00Z",
            "2025-11-01T00:00Z",
            120,
            "the last hour of Thursday comes twice",
        ),
        night(
            "America/Sao_Paulo",
            "sat 23:00-24:00; sun 00:00-01:00",
            "2018-11-03T12:00Z",
            "2018-11-04T12:00Z",
            60,
            "Sunday starts at 01:00",
        ),
        night(
            "America/Sao_Paulo",
            "sat 23:30-24:00",
            "2018-02-17T12:00Z",
            "2018-02-18T12:00Z",
            90,
            "from the first 23:30 over both passes",
        ),
        night(
            "Asia/Beirut",
            "sat 23:00-24:00",
            "2025-10-25T12:00Z",
            "2025-10-26T12:00Z",
            120,
            "the last hour of Saturday comes twice",
        ),
        night(
            "Atlantic/Azores",
            "sat 22:00-24:00",
            "2025-10-25T12:00Z",
            "2025-10-26T12:00Z",
            180,
            "midnight comes twice, the second one ends Saturday",
        ),
        night(
            "Atlantic/Azores",
            "sat 22:00-24:00; sun 00:00-02:00",
            "2025-10-25T12:00Z",
            "2025-10-26T12:00Z",
            300,
            "the days' spans overlap: counted once",
        ),
        night(
            "Pacific/Apia",
            "mon-sun 00:00-24:00",
            "2011-12-29T00:00Z",
            "2012-01-02T00:00Z",
            5_760,
            "no time is lost with the day",
        ),
        night(
            "Pacific/Apia",
            "fri 09:00-17:00",
            "2011-12-25T00:00Z",
            "2012-01-05T00:00Z",
            0,
            "that Friday did not happen",
        ),
        night(
            "Pacific/Apia",
            "thu 23:00-24:00; sat 00:00-01:00",
            "2011-12-29T12:00Z",
            "2011-12-31T12:00Z",
            120,
            "Saturday follows Thursday",
        ),
    ];
    for night in nights {
        let desk = calendar(night.zone, night.rules);
        let open_ms = desk
            .calendar
            .elapsed(desk.at(night.from), desk.at(night.to));
        assert_eq!(
            open_ms,
            night.open_min * MINUTE_MS,
            "{} {}: {}",
            night.zone,
            night.rules,
            night.why
        );
    }
}
