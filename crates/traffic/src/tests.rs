//! What a generated week must be: the same for the same seed, in order, of all types, ordinary where nothing happens and
//! terrible where the incident is.

use std::collections::BTreeMap;

use super::*;

/// 2026-03-02T00:00:00Z, a Monday.
const MONDAY: i64 = 1_772_409_600_000;

fn fnv(records: impl Iterator<Item = Emission>) -> (u64, u64) {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut count = 0;
    for record in records {
        count += 1;
        for byte in record.timestamp_ms.to_le_bytes().iter().chain(&record.json) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    (count, hash)
}

fn value(record: &Emission) -> Option<serde_json::Value> {
    serde_json::from_slice(&record.json).ok()
}

#[test]
fn a_seed_gives_its_bytes_and_no_other_does() {
    let first = fnv(Traffic::new(TrafficConfig::week(1, MONDAY)));
    assert_eq!(first, fnv(Traffic::new(TrafficConfig::week(1, MONDAY))));
    assert_ne!(first.1, fnv(Traffic::new(TrafficConfig::week(2, MONDAY))).1);
    // Written down, so that a change of the traffic, on this machine or another, is noticed.
    assert_eq!(first, (195_803, 15_264_255_371_919_037_217));
}

#[test]
fn records_arrive_in_order_and_within_the_span() {
    let config = TrafficConfig::week(3, MONDAY);
    let end_ms = MONDAY + config.duration_ms;
    let mut previous = MONDAY;
    for record in Traffic::new(config) {
        assert!((previous..=end_ms).contains(&record.timestamp_ms));
        previous = record.timestamp_ms;
        assert!(!record.json.contains(&b'\n'));
    }
    assert!(
        previous > end_ms - DAY_MS / 24,
        "the last hour has records too"
    );
}

#[test]
fn every_type_and_every_fault_occurs_and_is_counted() {
    let mut traffic = Traffic::new(TrafficConfig::week(4, MONDAY));
    let mut good: BTreeMap<String, u64> = BTreeMap::new();
    let mut ids = std::collections::BTreeSet::new();
    let mut copies = 0;
    let mut records = 0;
    for record in traffic.by_ref() {
        records += 1;
        if record.json.starts_with(b"{\"event_id\":\"x") {
            continue;
        }
        let event = value(&record).expect("JSON");
        assert_eq!(event["ticket_id"], record.ticket_id.as_str());
        if ids.insert(event["event_id"].as_str().expect("text").to_owned()) {
            *good
                .entry(event["type"].as_str().expect("text").to_owned())
                .or_default() += 1;
        } else {
            copies += 1;
        }
    }
    let truth = traffic.truth();
    let told: BTreeMap<String, u64> = truth
        .events
        .iter()
        .map(|(kind, count)| ((*kind).to_owned(), *count))
        .collect();
    assert_eq!(
        (told, truth.duplicates, truth.records),
        (good, copies, records)
    );
    assert_eq!(truth.events.len(), 13, "{:?}", truth.events.keys());
    assert_eq!(truth.malformed.len(), 6, "{:?}", truth.malformed);
    assert_eq!(truth.records, truth.accepted() + truth.dead_letters());
    assert!(truth.late > 0 && truth.duplicates > 0);
}

#[test]
fn without_faults_there_are_none() {
    let config = TrafficConfig {
        faults: Faults::NONE,
        duration_ms: DAY_MS,
        ..TrafficConfig::week(5, MONDAY)
    };
    let mut traffic = Traffic::new(config);
    let count = traffic.by_ref().count() as u64;
    let truth = traffic.truth();
    assert_eq!(
        (
            truth.distinct_events(),
            truth.late,
            truth.duplicates,
            truth.dead_letters()
        ),
        (count, 0, 0, 0)
    );
}

/// Contacts that ended, and of them those answered within 20 s, by the hour of the offer.
#[derive(Debug, Default)]
struct Hour {
    ended: f64,
    in_time: f64,
}

impl Hour {
    fn level<'a>(hours: impl Iterator<Item = &'a Self>) -> (f64, f64) {
        let (ended, in_time) = hours.fold((0.0, 0.0), |sum, hour| {
            (sum.0 + hour.ended, sum.1 + hour.in_time)
        });
        (in_time / ended, ended)
    }
}

/// By vendor, queue and hour since the start.
type Hours = BTreeMap<(String, String, i64), Hour>;

fn service(config: TrafficConfig) -> Hours {
    let mut offers: BTreeMap<(String, String), (i64, String, String)> = BTreeMap::new();
    let mut hours = Hours::new();
    for record in Traffic::new(TrafficConfig {
        faults: Faults::NONE,
        ..config
    }) {
        let event = value(&record).expect("JSON");
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let at: jiff::Timestamp = text("occurred_at").parse().expect("an instant");
        let key = (text("ticket_id"), text("contact_id"));
        match text("type").as_str() {
            "contact_offered" => {
                offers.insert(key, (at.as_millisecond(), text("vendor"), text("queue")));
            }
            end @ ("contact_answered" | "contact_abandoned") => {
                let (offered, vendor, queue) = offers.remove(&key).expect("offered before");
                let hour = hours
                    .entry((vendor, queue, (offered - MONDAY) / 3_600_000))
                    .or_default();
                hour.ended += 1.0;
                let in_time = end == "contact_answered" && at.as_millisecond() - offered <= 20_000;
                hour.in_time += f64::from(u8::from(in_time));
            }
            _ => {}
        }
    }
    hours
}

#[test]
fn ordinary_service_is_good_and_the_incident_is_not() {
    let config = TrafficConfig::week(6, MONDAY);
    let incident = config.incident.clone().expect("staged");
    let hour_of = |at_ms: i64| (at_ms - MONDAY) / 3_600_000;
    let hours = service(config);
    let drowning = |key: &(String, String, i64)| {
        key.0 == incident.vendor
            && key.1 == incident.queue
            && (hour_of(incident.start_ms)..hour_of(incident.end_ms())).contains(&key.2)
    };
    let (ordinary, _) = Hour::level(
        hours
            .iter()
            .filter(|(key, _)| !drowning(key))
            .map(|(_, hour)| hour),
    );
    assert!((0.85..0.97).contains(&ordinary), "{ordinary}");
    let (worst, contacts) = Hour::level(
        hours
            .iter()
            .filter(|(key, _)| drowning(key))
            .map(|(_, hour)| hour),
    );
    assert!(worst < 0.35 && contacts > 100.0, "{worst} of {contacts}");
    let after = hour_of(incident.end_ms()) + 1;
    let recovered = hours.iter().filter(|(key, _)| {
        key.0 == incident.vendor && key.1 == incident.queue && (after..after + 6).contains(&key.2)
    });
    let (recovered, _) = Hour::level(recovered.map(|(_, hour)| hour));
    assert!(recovered > 0.75, "{recovered}");
}

#[test]
fn days_have_their_shape_and_weekends_are_quiet() {
    let mut created = [0_u32; 7];
    let config = TrafficConfig {
        incident: None,
        faults: Faults::NONE,
        ..TrafficConfig::week(7, MONDAY)
    };
    for record in Traffic::new(config) {
        if record
            .json
            .windows(16)
            .any(|part| part == b"\"type\":\"created\"")
        {
            created[((record.timestamp_ms - MONDAY) / DAY_MS).min(6) as usize] += 1;
        }
    }
    assert!((5_000..7_200).contains(&created[2]), "{created:?}");
    assert!(created[6] * 2 < created[2], "{created:?}");
}

#[test]
fn an_incident_fits_into_any_span() {
    for hours in [1, 6, 24, 100, 24 * 7, 24 * 14] {
        let span = hours * DAY_MS / 24;
        let incident = Incident::mid_week(MONDAY + 1, span, 6_000.0);
        assert!(
            incident.start_ms > MONDAY && incident.end_ms() <= MONDAY + 1 + span,
            "{hours} h: {incident:?}"
        );
        assert!(incident.duration_ms >= 15 * 60_000, "{hours} h");
    }
}

#[test]
fn each_trouble_is_of_its_kind_and_ends() {
    let begin_ms = MONDAY + 9 * 3_600_000;
    let duration_ms = 3 * 3_600_000;
    let calm = Incident::nothing("initech", "tech.l1", begin_ms, duration_ms);
    let records = |trouble: Incident| -> Vec<Emission> {
        Traffic::new(TrafficConfig {
            duration_ms: DAY_MS,
            incident: None,
            further: vec![trouble],
            faults: Faults::NONE,
            ..TrafficConfig::week(8, MONDAY)
        })
        .collect()
    };
    let usual = records(calm.clone());
    let without = TrafficConfig {
        duration_ms: DAY_MS,
        incident: None,
        faults: Faults::NONE,
        ..TrafficConfig::week(8, MONDAY)
    };
    assert!(
        Traffic::new(without).eq(usual.iter().cloned()),
        "calm is no trouble"
    );
    let inside = |record: &&Emission| {
        let queue = b"\"vendor\":\"initech\",\"queue\":\"tech.l1\"";
        let at_ms = record.timestamp_ms;
        record.json.windows(queue.len()).any(|part| part == queue)
            && (begin_ms + 1_000..begin_ms + duration_ms).contains(&at_ms)
    };
    let count = |records: &[Emission], kind: &str| {
        let found = records.iter().filter(inside).filter_map(value);
        found.filter(|event| event["type"] == kind).count()
    };
    let talk_ms = |records: &[Emission]| {
        let handled = records.iter().filter(inside).filter_map(value);
        let talks: Vec<u64> = handled
            .filter_map(|event| event["talk_ms"].as_u64())
            .collect();
        talks.iter().sum::<u64>() / talks.len() as u64
    };
    let cut_off = records(Incident {
        cut_off_share: 0.5,
        ..calm.clone()
    });
    assert!(count(&cut_off, "contact_abandoned") > 5 * count(&usual, "contact_abandoned").max(4));
    let slow = records(Incident {
        handling_factor: 2.0,
        ..calm.clone()
    });
    assert!(talk_ms(&slow) * 2 > 3 * talk_ms(&usual));
    let silent = records(Incident {
        is_silent: true,
        queue: String::new(),
        ..calm
    });
    assert_eq!(silent.iter().filter(inside).count(), 0);
    assert_eq!(silent.len(), usual.len(), "what was held back comes later");
}

#[test]
fn an_incident_is_large_enough_to_be_told_however_little_traffic_there_is() {
    for tickets_per_day in [200.0, 1_000.0, 4_000.0, 6_000.0] {
        let incident = Incident::mid_week(MONDAY, DAY_MS, tickets_per_day);
        let (start_ms, end_ms) = (incident.start_ms, incident.end_ms());
        let half_hour_ms = 30 * 60_000;
        let mut contacts = vec![0; ((end_ms - start_ms) / half_hour_ms) as usize];
        let config = TrafficConfig {
            duration_ms: DAY_MS,
            tickets_per_day,
            incident: Some(incident.clone()),
            faults: Faults::NONE,
            ..TrafficConfig::week(1, MONDAY)
        };
        for record in Traffic::new(config) {
            let Some(event) = value(&record) else {
                continue;
            };
            if event["type"] == "contact_offered"
                && event["vendor"] == incident.vendor.as_str()
                && event["queue"] == incident.queue.as_str()
                && incident.covers(record.timestamp_ms)
            {
                contacts[((record.timestamp_ms - start_ms) / half_hour_ms) as usize] += 1;
            }
        }
        // The demo's rule on the service level asks for 30 contacts.
        let measurable = contacts.iter().filter(|count| **count > 35).count();
        assert!(measurable >= 2, "{tickets_per_day}: {contacts:?}");
    }
}
