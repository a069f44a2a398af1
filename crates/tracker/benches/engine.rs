//! How many decoded events a core takes in a second, clocks moved and conclusions drawn: one item is one event.

use divan::Bencher;
use divan::counter::ItemsCount;
use mimalloc::MiMalloc;
use slawatch_event::{DecodeOptions, Encoding, TicketEvent, parse};
use slawatch_policy::PolicySets;
use slawatch_tracker::{MAX_HISTORY, Options, Tracker};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const TICKETS: u64 = 25_000;
/// A new ticket every quarter of a second, so that some 7,000 are open at a time.
const BETWEEN_TICKETS_MS: u64 = 250;
/// Monday, 2025-06-02 08:00 UTC.
const FIRST_MS: u64 = 1_748_851_200_000;
/// What a tenth of a second brings at full speed.
const EVENTS_PER_FLUSH: usize = 50_000;
/// Of one ticket alone.
const EVENTS_OF_ONE_PER_FLUSH: usize = 1_000;

fn main() {
    divan::main();
}

const POLICIES: &str = r#"
effective_from = "2025-01-01T00:00:00Z"
[[calendar]]
name = "manila"
timezone = "Asia/Manila"
hours = { mon-fri = ["09:00-13:00", "14:00-18:00"], sat = ["10:00-14:00"] }
[[calendar]]
name = "berlin"
timezone = "Europe/Berlin"
hours = { mon-fri = ["08:00-18:00"] }
[[policy]]
name = "refunds"
match = { vendor = ["vendor-1*"], queue = ["refunds"] }
calendar = "manila"
warn_at = [0.8]
[policy.targets]
first_reply = { urgent = "15m", high = "1h", default = "4h" }
next_reply = "4h"
requester_wait = "16h"
resolution = "24h"
answer = "20s"
[[policy]]
name = "berlin"
match = { vendor = ["vendor-2", "vendor-3"] }
calendar = "berlin"
[policy.targets]
first_reply = { high = "2h", default = "8h" }
agent_work = "16h"
resolution = "24h"
answer = "30s"
[[policy]]
name = "rest"
[policy.targets]
first_reply = "1h"
next_reply = "2h"
resolution = "48h"
answer = "20s"
"#;

fn tracker() -> Tracker {
    let files = [("bench.toml".to_owned(), POLICIES.to_owned())];
    let sets = PolicySets::parse(&files).unwrap_or_else(|errors| panic!("{errors}"));
    Tracker::new(sets, Options::default())
}

/// A ticket's life: (ms after its first event, the event's own fields).
const LIFE: [(u64, &str); 8] = [
    (0, r#""type":"created","status":"new","channel":"mail""#),
    (
        20_000,
        r#""type":"updated","status":"open","agent_id":"agent-7""#,
    ),
    (300_000, r#""type":"agent_replied","status":"pending""#),
    (900_000, r#""type":"customer_replied","status":"open""#),
    (1_200_000, r#""type":"updated","priority":"high""#),
    (1_500_000, r#""type":"agent_replied","status":"solved""#),
    (
        1_500_500,
        r#""type":"handled","talk_ms":240000,"wrap_ms":30000"#,
    ),
    (1_800_000, r#""type":"rated","score":4"#),
];

const CALL: [(u64, &str); 3] = [
    (0, r#""type":"contact_offered","channel":"phone""#),
    (12_000, r#""type":"contact_answered","agent_id":"agent-7""#),
    (
        312_000,
        r#""type":"handled","talk_ms":300000,"wrap_ms":12000"#,
    ),
];

/// Records of many tickets that live side by side, in log order. A few come in late.
fn log(life: &[(u64, &str)], late_every: u64) -> Vec<(u64, String)> {
    let mut records = Vec::new();
    for ticket in 0..TICKETS {
        for (step, (after_ms, fields)) in life.iter().enumerate() {
            let jitter_ms = (ticket * 7919 + step as u64 * 104_729) % 4_000;
            let occurred_at_ms = FIRST_MS + ticket * BETWEEN_TICKETS_MS + after_ms + jitter_ms;
            let late_ms =
                if late_every != 0 && (ticket * 8 + step as u64).is_multiple_of(late_every) {
                    600_000
                } else {
                    0
                };
            let owner = if step == 0 {
                format!(
                    r#","vendor":"vendor-{}","queue":"{}","priority":"normal""#,
                    ticket % 12,
                    ["refunds", "billing", "tech"][ticket as usize % 3]
                )
            } else {
                String::new()
            };
            let record = format!(
                r#"{{"event_id":"{ticket}-{step}","ticket_id":"ticket-{ticket:08}","occurred_at":{occurred_at_ms},{fields}{owner}}}"#
            );
            records.push((occurred_at_ms + late_ms, record));
        }
    }
    records.sort();
    records
}

fn decoded(records: &[(u64, String)]) -> Vec<(i64, TicketEvent<'static>)> {
    let options = DecodeOptions::default();
    records
        .iter()
        .map(|(timestamp_ms, record)| {
            let event = parse(record.as_bytes(), Encoding::Json, &options);
            let event = event.unwrap_or_else(|rejection| panic!("{record}: {rejection}"));
            (*timestamp_ms as i64, event.into_owned())
        })
        .collect()
}

fn live(bencher: Bencher<'_, '_>, records: &[(u64, String)], per_flush: usize) {
    let events = decoded(records);
    bencher
        .counter(ItemsCount::new(events.len()))
        .with_inputs(tracker)
        .bench_local_values(|mut tracker| {
            for (offset, (timestamp_ms, event)) in events.iter().enumerate() {
                tracker.apply(event, *timestamp_ms, offset as u64);
                tracker.advance_clock(*timestamp_ms);
                tracker.advance_log_clock(*timestamp_ms);
                if offset % per_flush == 0 {
                    divan::black_box(tracker.conclude());
                }
            }
            divan::black_box(tracker.conclude());
            tracker
        });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn full_mix(bencher: Bencher<'_, '_>) {
    live(bencher, &log(&LIFE, 0), EVENTS_PER_FLUSH);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn full_mix_one_in_fifty_late(bencher: Bencher<'_, '_>) {
    live(bencher, &log(&LIFE, 50), EVENTS_PER_FLUSH);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn contacts(bencher: Bencher<'_, '_>) {
    live(bencher, &log(&CALL, 0), EVENTS_PER_FLUSH);
}

/// One ticket, its newest event first, all of it within `late_ms` of the records' timestamps.
fn newest_first(bencher: Bencher<'_, '_>, late_ms: u64) {
    let types = ["updated", "customer_replied", "agent_replied", "escalated"];
    let records: Vec<_> = (0..MAX_HISTORY as u64)
        .rev()
        .map(|number| {
            let occurred_at_ms = FIRST_MS + number * 1_000;
            let record = format!(
                r#"{{"event_id":"{number}","ticket_id":"T","occurred_at":{occurred_at_ms},"type":"{}"}}"#,
                if number == 0 { "created" } else { types[number as usize % 4] }
            );
            (FIRST_MS + late_ms - number, record)
        })
        .collect();
    live(bencher, &records, EVENTS_OF_ONE_PER_FLUSH);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn newest_first_today(bencher: Bencher<'_, '_>) {
    newest_first(bencher, 4 * 3_600_000);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn newest_first_of_long_ago(bencher: Bencher<'_, '_>) {
    newest_first(bencher, 7 * 86_400_000);
}
