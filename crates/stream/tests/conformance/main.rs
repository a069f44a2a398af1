//! One suite for every log: what workers rest on, tried on the in-memory log and on a real Kafka broker.
//!
//! A case is a function over a [`place::Place`]: a log, and what lets a test do to it that the log's own traits do not
//! offer (retention, aborted transactions, lost answers, members that are not heard of). Every case runs on both; where
//! the two would have to differ, the in-memory log is wrong. Nothing sleeps: a case polls until it has seen what it waits
//! for, or gives up and says what it has seen instead.
//!
//! - [`reading`], [`ends`], [`retention`], [`producing`], [`group`]: the traits themselves.
//! - [`roles`]: a [`slawatch_stream::Worker`] over them.
#![allow(clippy::unwrap_used)]

mod cast;
mod detour;
mod ends;
mod group;
mod kafka;
mod memory;
mod place;
mod producing;
mod reading;
mod retention;
mod roles;
mod seen;

macro_rules! on_every_log {
    ($($module:ident::$case:ident,)*) => {
        mod on_memory {
            $(#[test]
            fn $case() {
                crate::$module::$case(&crate::memory::MemoryPlace::new());
            })*
        }
        mod on_kafka {
            $(#[test]
            fn $case() {
                crate::$module::$case(crate::kafka::KafkaPlace::shared());
            })*
        }
    };
}

on_every_log! {
    reading::gaps_between_offsets_are_passed_over,
    reading::an_assigned_partition_waits_for_its_seek,
    reading::a_seek_goes_back_and_forth,
    reading::a_pause_holds_back_and_a_resume_goes_on,
    reading::a_seek_while_paused_stays_paused,
    reading::a_reader_begins_where_it_is_told,
    reading::a_record_arrives_as_it_was_sent,
    reading::timestamps_are_the_producers_or_the_logs,
    reading::a_record_larger_than_a_fetch_arrives,
    reading::what_does_not_exist_is_named,
    ends::an_end_is_asked_for_at_an_instant,
    ends::a_tail_without_records_is_told_of,
    ends::an_end_is_not_told_of_to_a_paused_reader,
    ends::a_seek_behind_an_end_reads_again,
    retention::offsets_removed_before_the_start_are_told_of,
    retention::offsets_removed_while_running_are_told_of,
    retention::an_offset_beyond_the_end_is_told_of,
    retention::a_partition_that_begins_late_can_be_taken,
    producing::sends_are_acknowledged_in_order,
    producing::a_lost_answer_doubles_nothing,
    producing::a_record_that_is_too_large_is_named,
    producing::a_record_too_large_for_any_topic_is_not_sent,
    producing::small_records_fit_a_topic_with_a_small_limit,
    group::a_second_member_gets_its_share_and_gives_it_back,
    group::a_member_that_was_not_heard_of_is_fenced,
    group::what_was_committed_can_be_asked_for,
    group::a_member_that_joins_again_starts_anew,
    roles::a_new_claim_mutes_the_old_owner,
    roles::a_partition_whose_output_is_refused_stops_alone,
    roles::an_idle_partition_is_caught_up_behind_a_tail_without_records,
    roles::a_gap_before_the_start_stops_the_partition,
    roles::a_gap_before_the_start_is_accepted,
    roles::a_gap_while_running_stops_the_partition,
    roles::a_gap_while_running_is_accepted,
}
