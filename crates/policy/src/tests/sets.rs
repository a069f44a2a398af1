//! What sample files say, once read.

use std::sync::Arc;

use slawatch_event::{Attribute, Status};

use super::{SAMPLES, files};
use crate::{
    AttributeTo, Metric, OnReopen, PolicySet, PolicySets, ReplyBySolving, StatusSet, check,
};

fn parse(text: &str) -> PolicySets {
    PolicySets::parse(&files(&[("a.toml", text)])).unwrap_or_else(|error| panic!("{error}"))
}

/// The name of the policy for `"vendor=acme queue=refunds"`.
fn found<'a>(set: &'a PolicySet, attributes: &str) -> Option<&'a str> {
    let words: Vec<(&str, &str)> = attributes
        .split(' ')
        .filter_map(|word| word.split_once('='))
        .collect();
    let get = |attribute: &Attribute| -> &str {
        let name = attribute.to_string();
        let unset = if *attribute == Attribute::Status {
            "new"
        } else {
            ""
        };
        words
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(unset, |(_, value)| value)
    };
    let place = set.find(get);
    place.map(|place| &*set.policies[place].name)
}

#[test]
fn the_samples_read_without_an_error() {
    for (file, text) in SAMPLES {
        let report = check(&files(&[(file, text)]));
        assert_eq!(report.diagnostics.errors(), 0, "{report}");
        // Two of them define calendars that none of their policies use.
        assert!(
            report
                .diagnostics
                .iter()
                .all(|found| found.message.starts_with("no policy uses the calendar")),
            "{report}"
        );
    }
    let all = PolicySets::parse(&files(&SAMPLES)).unwrap();
    assert_eq!(
        all.sets().iter().map(PolicySet::file).collect::<Vec<_>>(),
        [
            "incidents.toml",
            "random-a.toml",
            "random-b.toml",
            "random-c.toml"
        ]
    );
}

#[test]
fn all_keys_arrive() {
    let sets = parse(include_str!("../../testdata/all-keys.toml"));
    let [set] = sets.sets() else {
        panic!("one file is one set")
    };
    assert_eq!(set.effective_from_ms, 1_767_222_000_000);
    let [gold, rest] = &*set.policies else {
        panic!("two policies")
    };
    assert_eq!(
        (gold.on_reopen, gold.attribute_to, gold.reply_by_solving),
        (
            OnReopen::Restart,
            AttributeTo::Longest,
            ReplyBySolving::Cancelled
        )
    );
    assert_eq!(
        (gold.short_abandon_ms, gold.calendar_name.as_deref()),
        (0, Some("desk"))
    );
    assert_eq!(
        gold.warn_at
            .iter()
            .map(|level| level.text())
            .collect::<Vec<_>>(),
        ["0.5", "0.8", "15s"]
    );
    let targets = [
        ("urgent", 900_000),
        ("", 28_800_000),
        ("low", 14_400_000),
        ("default", 14_400_000),
    ];
    for (priority, target_ms) in targets {
        assert_eq!(
            gold.target_ms(Metric::FirstReply, priority),
            Some(target_ms),
            "{priority}"
        );
    }
    assert_eq!(
        gold.target_ms(Metric::RequesterWait, "urgent"),
        Some(14_400_000)
    );
    assert_eq!(gold.target_ms(Metric::RequesterWait, "high"), None);
    assert_eq!(gold.target_ms(Metric::Resolution, "any"), Some(5_415_000));
    assert_eq!(
        gold.pause_on(Metric::PeriodicUpdate),
        Status::ALL.into_iter().collect()
    );
    assert_eq!(gold.pause_on(Metric::Answer), StatusSet::EMPTY);

    assert_eq!(
        (rest.on_reopen, rest.attribute_to, rest.reply_by_solving),
        (OnReopen::Resume, AttributeTo::Due, ReplyBySolving::Met)
    );
    assert_eq!((rest.short_abandon_ms, rest.warn_at.len()), (5_000, 0));
    assert!(rest.calendar.is_none() && rest.calendar_name.is_none());
    for metric in Metric::ALL {
        assert!(!rest.has_target(metric) && gold.has_target(metric));
        assert_eq!(rest.target_ms(metric, "urgent"), None);
        assert_eq!(rest.pause_on(metric), metric.default_pause());
    }

    // 2026-12-24, special: 08:00 to 12:00 in Berlin; 25th and 26th are holidays, 31st is special and closed.
    let desk = gold.calendar.as_ref().unwrap();
    let day = |day: i64| 1_767_222_000_000 + (day - 1) * 86_400_000;
    assert_eq!(desk.elapsed(day(358), day(359)), 4 * 3_600_000);
    assert_eq!(desk.elapsed(day(359), day(362)), 0);
    assert_eq!(desk.elapsed(day(362), day(365)), (9 + 9 + 9) * 3_600_000);
    assert_eq!(desk.elapsed(day(365), day(366)), 0);
}

#[test]
fn the_first_policy_that_matches_applies() {
    let sets = PolicySets::parse(&files(&SAMPLES)).unwrap();
    let [_, a, b, _] = sets.sets() else {
        panic!("four files are four sets")
    };
    let cases = [
        (
            "vendor=acme-manila queue=refunds labels.tier=platinum",
            Some("vip"),
        ),
        ("queue=spam", Some("spam")),
        ("vendor=acme-manila queue=billing", Some("acme-refunds")),
        ("vendor=acme-manila queue=orders", Some("manila")),
        (
            "vendor=globex queue=tech.l1 status=on_hold",
            Some("on-hold-tech"),
        ),
        ("vendor=globex queue=tech.l1", Some("tech")),
        ("vendor=initech sop=sop-1", Some("initech-sop")),
        ("queue=orders", Some("unset-vendor")),
        ("vendor=globex", Some("rest")),
    ];
    for (attributes, expected) in cases {
        assert_eq!(found(a, attributes), expected, "{attributes}");
    }
    assert_eq!(found(b, "vendor=globex channel=chat"), Some("globex-phone"));
    assert_eq!(found(b, "vendor=globex"), Some("globex"));
    let only_acme = parse(
        "effective_from = 2026-01-01T00:00:00Z\n[[policy]]\nname = \"acme\"\nmatch = { vendor = [\"acme\"] }",
    );
    assert_eq!(found(&only_acme.sets()[0], "vendor=globex"), None);
}

#[test]
fn attributes_are_those_that_any_policy_matches_on() {
    let sets = PolicySets::parse(&files(&SAMPLES)).unwrap();
    let names = |attributes: &[Attribute]| {
        attributes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(names(sets.sets()[0].attributes()), "vendor queue channel");
    assert_eq!(
        names(sets.sets()[1].attributes()),
        "vendor queue status category sop labels.tier"
    );
    assert_eq!(
        names(sets.attributes()),
        "vendor queue status channel category sop labels.tier"
    );
}

#[test]
fn the_newest_set_not_later_is_in_force() {
    let sets = PolicySets::parse(&files(&[SAMPLES[3], SAMPLES[1], SAMPLES[2]])).unwrap();
    let cases = [
        ("2024-12-31T23:59:59.999Z", None),
        ("2025-01-01T00:00:00Z", Some("random-a.toml")),
        ("2025-03-28T11:59:59.999Z", Some("random-a.toml")),
        ("2025-03-28T12:00:00Z", Some("random-b.toml")),
        ("2025-04-14T00:00:00Z", Some("random-c.toml")),
        ("9999-12-31T00:00:00Z", Some("random-c.toml")),
    ];
    for (instant, file) in cases {
        let at = sets.set_at(slawatch_event::parse_instant(instant).unwrap());
        assert_eq!(at.map(|at| sets.sets()[at].file()), file, "{instant}");
    }
    assert_eq!(PolicySets::default().set_at(i64::MAX), None);
}

#[test]
fn the_hash_is_of_the_content_alone() {
    let hash = |texts: &[(&str, &str)]| PolicySets::parse(&files(texts)).unwrap().hash();
    let text = "effective_from = \"2026-01-01T00:00:00Z\"\n[[policy]]\nname = \"a\"\non_reopen = \"ignore\"\nmatch = { queue = [\"a\", \"b\"] }\n";
    let laid_out_otherwise = "# comment\neffective_from='2026-01-01T00:00:00Z'\n[[policy]]\n\nmatch.queue = [\n  'a', # one\n  'b' ]\non_reopen = 'ignore'\nname = 'a'\n";
    assert_eq!(
        hash(&[("a.toml", text)]),
        hash(&[("b.toml", laid_out_otherwise)])
    );
    assert_eq!(
        hash(&[SAMPLES[1], SAMPLES[2]]),
        hash(&[SAMPLES[2], SAMPLES[1]])
    );
    // Written down in snapshots: it must not change between versions of the program.
    assert_eq!(
        format!("{:016x}", hash(&[("a.toml", text)])),
        "3caa3cd452f36a6b"
    );
    for change in [
        ("ignore", "resume"),
        ("\"a\", \"b\"", "\"ab\""),
        ("name = \"a\"", "name = \"b\""),
        ("01T", "02T"),
        ("[\"a\", \"b\"]", "[\"b\", \"a\"]"),
    ] {
        assert_ne!(
            hash(&[("a.toml", text)]),
            hash(&[("a.toml", &text.replace(change.0, change.1))]),
            "{change:?}"
        );
    }
}

#[test]
fn equal_calendars_of_several_files_are_one() {
    let sets = PolicySets::parse(&files(&SAMPLES)).unwrap();
    let calendar = |set: usize, policy: &str| {
        let policy = sets.sets()[set]
            .policies
            .iter()
            .find(|known| known.name == policy)
            .unwrap();
        Arc::clone(policy.calendar.as_ref().unwrap())
    };
    assert!(Arc::ptr_eq(
        &calendar(1, "acme-refunds"),
        &calendar(2, "acme-refunds")
    ));
    assert!(!Arc::ptr_eq(
        &calendar(1, "acme-refunds"),
        &calendar(1, "manila")
    ));
}

#[test]
fn a_set_can_be_made_again_from_its_text() {
    let sets = PolicySets::parse(&files(&SAMPLES)).unwrap();
    let texts: Vec<(String, String)> = sets
        .sets()
        .iter()
        .map(|set| (set.file().to_owned(), set.text().to_owned()))
        .collect();
    assert_eq!(PolicySets::parse(&texts).unwrap().hash(), sets.hash());
}
