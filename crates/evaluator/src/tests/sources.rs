//! Several sources: who is waited for, who is out, who is mute.

use super::builders::{Flush, Story, at, evidence, service_level};

#[test]
fn a_source_that_is_out_is_named_and_nothing_resolves() {
    let mut story = Story::under(&service_level(""));
    for source in 0..3 {
        story.hear(Flush::at("10:00").source(source, 3));
    }
    // 2 falls silent; the others go on.
    story.hear(Flush::at("10:01").source(0, 3).contacts("10:01", 20, 0));
    story.hear(Flush::at("10:01").source(1, 3));
    assert_eq!(story.evaluator.sources_out(), [2]);
    assert_eq!(
        story.last().summary,
        "acme / refunds: service level 0.0 % over 5m (target to leave: 85 %), 0 of 20 contacts in target; without \
         partition 2, behind or not seen"
    );
    assert_eq!(evidence(story.last(), "sources_out"), Some(1.0));
    assert_eq!(story.tellings(), ["10:01 firing sl/acme/refunds"]);
    story.hear(Flush::at("10:02").source(0, 3).contacts("10:02", 400, 400));
    story.hear(Flush::at("10:02").source(1, 3));
    assert_eq!(
        story.tellings(),
        Vec::<String>::new(),
        "what 2 would say is not known"
    );
    // Back, but with bad news of its own from meanwhile.
    story.hear(Flush::at("10:01:30").source(2, 3).contacts("10:01", 100, 0));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("10:02").source(2, 3));
    assert_eq!(story.evaluator.sources_out(), [0_u32; 0]);
    assert_eq!(
        story.tellings(),
        Vec::<String>::new(),
        "400 of 520 are 76.9 %"
    );
    story.hear(Flush::at("10:02:10").source(2, 3).contacts("10:01", 0, 0));
    story.hear(Flush::at("10:02:10").source(1, 3));
    story.hear(Flush::at("10:02:10").source(0, 3));
    assert_eq!(story.tellings(), ["10:02:10 resolved sl/acme/refunds"]);
}

#[test]
fn when_the_last_one_returns_the_figures_are_looked_at_again() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:00").source(0, 2));
    story.hear(Flush::at("10:00").source(1, 2));
    story.hear(Flush::at("10:00:20").source(0, 2).contacts("10:00", 20, 0));
    story.hear(Flush::at("10:00:20").source(1, 2));
    assert_eq!(story.tellings(), ["10:00:20 firing sl/acme/refunds"]);
    story.hear(Flush::at("10:01:30").source(0, 2).contacts("10:00", 20, 20));
    assert_eq!(story.evaluator.clock_ms(), Some(at("10:01:30")));
    assert_eq!(story.tellings(), Vec::<String>::new());
    story.hear(Flush::at("10:01:40").source(1, 2));
    assert_eq!(story.tellings(), ["10:01:30 resolved sl/acme/refunds"]);
}

#[test]
fn sources_not_yet_seen_are_named_too() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:00:30").source(1, 6).contacts("10:00", 20, 0));
    let summary = &story.last().summary;
    assert!(
        summary.ends_with("; without partitions 0, 2, 3 and 2 more, behind or not seen"),
        "{summary}"
    );
}

#[test]
fn a_zombie_is_mute_and_counted() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:00:30").epoch(5).contacts("10:00", 20, 20));
    story.hear(Flush::at("10:00:40").epoch(4).contacts("10:00", 20, 0));
    story.hear(Flush::at("10:00:50").epoch(5));
    assert_eq!(story.tellings(), Vec::<String>::new());
    assert_eq!(story.evaluator.stats().fenced_batches, 1);
}

#[test]
fn rows_older_than_every_window_are_counted_and_left_out() {
    let mut story = Story::under(&service_level(""));
    story.hear(Flush::at("10:10"));
    story.hear(Flush::at("10:10:10").contacts("10:05", 20, 0));
    assert_eq!(story.evaluator.stats().late_rows, 1);
    story.hear(Flush::at("10:10:20").contacts("10:06", 20, 0));
    assert_eq!(story.tellings(), ["10:10:20 firing sl/acme/refunds"]);
}

#[test]
fn a_log_played_fast_may_have_a_wider_limit() {
    for (behind_ms, out) in [(30_000, vec![1]), (600_000, vec![])] {
        let mut story = Story::under(&service_level(""));
        story.evaluator = story.evaluator.with_sources_apart_ms(behind_ms);
        story.hear(Flush::at("10:00").source(0, 2));
        story.hear(Flush::at("10:00").source(1, 2));
        story.hear(Flush::at("10:05").source(0, 2));
        assert_eq!(story.evaluator.sources_out(), out);
    }
}
