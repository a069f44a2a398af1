//! Seeds, one after the other or on as many threads as there are processors; each run is a thread's own.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use slawatch_stream::faults::Dice;

use crate::cluster::{Cluster, Episodes, Plan, Tally, is_open};
use crate::contract::INCIDENT_RULE;
use crate::tables;
use crate::trace::Trace;

/// A run as it came out well.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    pub hash: u64,
    pub tally: Tally,
}

/// Plays a seed in full; panics where a promise is broken.
fn play(seed: u64, trace: &Arc<Mutex<Trace>>) -> Passed {
    let mut dice = Dice::new(seed);
    let plan = Plan::draw(&mut dice);
    let mut quiet = Cluster::new(&plan, dice.clone(), Arc::default());
    let undisturbed = quiet.play(false);
    check_end(&quiet);
    let mut cluster = Cluster::new(&plan, dice, Arc::clone(trace));
    let episodes = cluster.play(true);
    check_end(&cluster);
    // What is forgotten depends on the wall clock by which sources stamp, and that was stepped.
    if cluster.observer.gapped.is_empty() && cluster.site.options.forget_after_ms.is_none() {
        compare(&episodes, &undisturbed);
    }
    let hash = trace.lock().unwrap().hash();
    Passed {
        hash,
        tally: cluster.tally,
    }
}

fn check_end(cluster: &Cluster<'_>) {
    let stopped = cluster.stopped();
    assert!(stopped.is_empty(), "STOPPED: {stopped:?}");
    let behind = cluster.behind();
    assert!(behind.is_empty(), "BEHIND: {behind:?}");
    for alerting in &cluster.observer.alerting {
        let missing = alerting.missing();
        assert!(missing.is_empty(), "ALERTS: never said: {missing:?}");
    }
    tables::check(&cluster.site, &cluster.observer);
    check_receivers(cluster);
}

/// Receivers believe what is true, and heard of each incident under one name.
fn check_receivers(cluster: &Cluster<'_>) {
    let all = cluster
        .observer
        .alerting
        .iter()
        .flat_map(|alerting| alerting.all());
    let mut incidents = std::collections::BTreeMap::new();
    for alert in all.filter(|alert| !alert.incident.is_empty()) {
        incidents.insert((alert.key.clone(), alert.incident.clone()), alert);
    }
    let told = &cluster.receivers.incidents;
    for ((_, key, incident), known) in told {
        let name = (key.clone(), incident.clone());
        let truth = incidents.get(&name);
        let open = truth.is_some_and(|alert| is_open(alert.state()));
        assert!(
            truth.is_some(),
            "RECEIVERS: told of {name:?}, which never was"
        );
        assert!(
            open || !known.firing,
            "RECEIVERS: the end of {name:?} was lost"
        );
        assert!(
            known.pages <= 1,
            "RECEIVERS: {name:?} was paged {} times",
            known.pages
        );
    }
    let now_ms = cluster.receivers.clock.clone();
    let now_ms = slawatch_stream::Clock::wall_ms(now_ms.as_ref());
    for ((key, incident), alert) in incidents {
        let shown = cluster
            .receivers
            .shown_until_ms
            .get(&key)
            .is_some_and(|until| *until > now_ms);
        let newest = cluster.observer.states()[&key].incident == incident;
        if newest {
            assert_eq!(
                shown,
                is_open(alert.state()),
                "RECEIVERS: {key} at the Alertmanager: {alert:?}"
            );
        }
        let firing = told
            .get(&(1, key.clone(), incident))
            .is_some_and(|told| told.firing);
        assert_eq!(
            firing,
            is_open(alert.state()),
            "RECEIVERS: {key} at the webhook: {alert:?}"
        );
    }
}

/// What fires after all in a quiet run fires here too, and nothing else does.
fn compare(here: &Episodes, quiet: &Episodes) {
    let of_incident = |key: &String| key.starts_with(INCIDENT_RULE);
    let of_tickets = |key: &String| key.starts_with("breached") || key.starts_with("second");
    for (when, here, quiet) in [
        (
            "when the sources end",
            &here.when_sources_end,
            &quiet.when_sources_end,
        ),
        ("at the end", &here.at_the_end, &quiet.at_the_end),
    ] {
        let names = |firing: &std::collections::BTreeMap<String, _>| -> Vec<String> {
            let keys = firing
                .keys()
                .filter(|key| of_incident(key) || of_tickets(key));
            keys.cloned().collect()
        };
        assert_eq!(names(here), names(quiet), "EPISODES: {when}");
    }
}

/// Plays a seed; gives the words of the promise that it broke.
pub fn attempt(seed: u64) -> Result<Passed, String> {
    let trace: Arc<Mutex<Trace>> = Arc::default();
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| play(seed, &trace)));
    played.map_err(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let tail = trace.lock().map(|trace| trace.tail()).unwrap_or_default();
        format!("{}\n{tail}", words.unwrap_or_default())
    })
}

/// Plays `count` seeds from `from` on; the total, or the failures in order of their seeds.
pub fn attempt_all(from: u64, count: u64) -> Result<Tally, Vec<(u64, String)>> {
    let next = AtomicU64::new(from);
    let total = Mutex::new(Tally::default());
    let failed = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    match attempt(seed) {
                        Ok(passed) => *total.lock().unwrap() += passed.tally,
                        Err(words) => failed.lock().unwrap().push((seed, words)),
                    }
                    let done = seed + 1 - from;
                    if done.is_multiple_of(100) {
                        eprintln!("{done} of {count} seeds");
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort();
    if failed.is_empty() {
        Ok(total.into_inner().unwrap())
    } else {
        Err(failed)
    }
}

/// Seeds that `cargo test` plays.
const IN_EVERY_TEST: u64 = 80;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn whatever_happens_every_promise_is_kept() {
    let from = from_environment("SIMULATE_FROM").unwrap_or(0);
    let count = from_environment("SIMULATE_SEEDS").unwrap_or(IN_EVERY_TEST);
    match attempt_all(from, count) {
        Ok(tally) => {
            eprintln!("{count} seeds from {from}: {tally:?}");
            let enough = tally.crashes > 10 * count && tally.zombies > 5 * count;
            let enough = enough && tally.fenced > count && tally.transitions > 40 * count;
            assert!(count < 100 || enough, "too quiet to prove anything");
        }
        Err(failed) => {
            for (seed, words) in failed.iter().take(3) {
                eprintln!(
                    "seed {seed}:\n{words}\nagain: cargo xtask simulate --seeds 1 --from {seed}"
                );
            }
            let seeds: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
            panic!("{} of {count} seeds failed: {seeds:?}", failed.len());
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let hash = |seed| attempt(seed).unwrap().hash;
    assert_eq!(hash(7), hash(7));
    assert_ne!(hash(7), hash(8));
}
