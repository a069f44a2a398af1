//! Alerts that do not begin where chance alone would explain them.

use super::builders::{Flush, Story, contacts, evidence, service_level};
use super::kinds::said;
use slawatch_wire::v1::{Bucket, Measures};

/// 16 of 20 are 80 %; what lies below 80 % at 12 of 20 may by chance be up to 75.8 % (one-sided, 95 %).
#[test]
fn a_proportion_begins_where_wilsons_bound_is_bad_too() {
    for (answered, in_target, fires) in [
        (20, 15, false),
        (20, 14, false),
        (20, 13, true),
        // The more is known, the nearer to the level.
        (200, 149, true),
        (200, 152, false),
        (2_000, 1_565, true),
        (2_000, 1_575, false),
    ] {
        let mut story = Story::under(&service_level("confidence = 0.95"));
        story.hear(Flush::at("10:00:30").contacts("10:00", answered, in_target));
        let told = !story.tellings().is_empty();
        assert_eq!(told, fires, "{in_target} of {answered}");
    }
}

#[test]
fn the_bound_is_said() {
    let mut story = Story::under(&service_level("confidence = \"95%\""));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 12));
    let told = story.last();
    let bound = evidence(told, "bound").expect("a bound");
    // (0.6 + z²/40 + z sqrt(0.6 * 0.4 / 20 + z²/1600)) / (1 + z²/20) with z = 1.6449.
    assert!((bound - 0.757_613).abs() < 1e-5, "{bound}");
    assert_eq!(evidence(told, "confidence"), Some(0.95));
    assert_eq!(
        told.summary,
        "acme / refunds: service level 60.0 % over 5m (target to leave: 85 %), 12 of 20 contacts in target, at most \
         75.8 % with 95 % confidence"
    );
}

#[test]
fn doubt_does_not_end_what_fires() {
    let mut story = Story::under(&service_level("confidence = 0.95"));
    story.hear(Flush::at("10:00:30").contacts("10:00", 20, 12));
    assert_eq!(story.tellings(), ["10:00:30 firing sl/acme/refunds"]);
    story.hear(Flush::at("10:00:40").contacts("10:00", 40, 31));
    assert_eq!(
        story.tellings(),
        Vec::<String>::new(),
        "77.5 %: bad, but not surely"
    );
    story.hear(Flush::at("10:00:50").contacts("10:00", 80, 70));
    assert_eq!(story.tellings(), ["10:00:50 resolved sl/acme/refunds"]);
}

const HANDLING: &str = r#"[[rule]]
name = "aht"
type = "threshold"
measure = "aht"
window = "5m"
enter = "5m"
exit = "4m"
confidence = 0.95
severity = "warning"
by = ["vendor", "queue"]
"#;

/// So many contacts of each duration in seconds, with the buckets that they fall into.
fn handled(durations: &[(u64, i64)]) -> Measures {
    let bucket = |(seconds, count): &(u64, i64)| {
        let exponent = 16.0 * (*seconds as f64 * 1000.0).log2();
        Bucket {
            bucket: 1 + exponent.floor() as u32,
            count: *count,
        }
    };
    let sum_ms = |(seconds, count): &(u64, i64)| *seconds as i64 * 1000 * count;
    Measures {
        handled: durations.iter().map(|(_, count)| count).sum(),
        talk_ms: durations.iter().map(sum_ms).sum(),
        handle_histogram: durations.iter().map(bucket).collect(),
        ..Measures::default()
    }
}

#[test]
fn a_mean_begins_where_its_spread_leaves_no_doubt() {
    for (durations, fires) in [
        // All near 330 s: ten of them are enough.
        (&[(320, 5), (340, 5)][..], true),
        // The same mean, but of two long ones among short ones.
        (&[(60, 8), (1_410, 2)][..], false),
        // The same spread four hundred times over is no chance any more.
        (&[(60, 3_200), (1_410, 800)][..], true),
        // Of one nothing is known.
        (&[(3_000, 1)][..], false),
    ] {
        let mut story = Story::under(HANDLING);
        story.hear(Flush::at("10:00:30").row("acme", "chat", "10:00", handled(durations)));
        assert_eq!(!story.told.is_empty(), fires, "{durations:?}");
        if fires {
            let bound = evidence(story.last(), "bound").expect("a bound");
            assert!((300_000.0..330_000.0).contains(&bound), "{bound}");
        }
    }
}

/// More reopened than solved is possible: for the bound that is all of them.
#[test]
fn a_rate_that_passes_all_counts_as_all() {
    let rules = r#"[[rule]]
name = "reopens"
type = "threshold"
measure = "reopen_rate"
window = "5m"
enter = "60%"
exit = "50%"
confidence = 0.95
severity = "warning"
by = ["vendor"]
"#;
    for (solved, reopened, fires) in [(3, 9, false), (10, 30, true)] {
        let mut story = Story::under(rules);
        let row = Measures {
            solved,
            reopened,
            ..contacts(0, 0)
        };
        story.hear(Flush::at("10:00:30").row("acme", "chat", "10:00", row));
        assert_eq!(!story.told.is_empty(), fires, "{reopened} of {solved}");
    }
}

#[test]
fn mistakes_in_confidence() {
    let rule = |line: &str| service_level(line);
    for (text, expected) in [
        (
            rule("confidence = 0.5"),
            "11 | 0.5 | confidence lies above 0.5 and below 1 | write 0.95 for one false alarm by chance in twenty looks, or 0.99",
        ),
        (
            rule("confidence = \"100%\""),
            "11 | \"100%\" | confidence lies above 0.5 and below 1 | write 0.95 for one false alarm by chance in twenty looks, or 0.99",
        ),
        (
            rule("confidence = 95"),
            "11 | 95 | confidence is a share of all, from 0 to 1 or from \"0%\" to \"100%\" | write \"95%\"",
        ),
        (
            rule("confidence = 0.95")
                .replace("service_level", "created")
                .replace("\"80%\"", "8")
                .replace("\"85%\"", "5")
                .replace("min_samples = 10\n", ""),
            "10 | 0.95 | created is a plain count, of which chance says nothing | leave confidence out, or watch a rate or a mean",
        ),
    ] {
        assert_eq!(said(&text), [expected], "{text}");
    }
}
