//! Workers over the log: claims, caught up, refused output, gaps.

use slawatch_stream::PartitionState;

use crate::cast::{Said, Stage};
use crate::place::{PATIENCE, Place};

fn has_said(value: &str) -> impl Fn(&[Said]) -> bool {
    move |said| {
        said.iter()
            .any(|said| said.values.iter().any(|said| said == value))
    }
}

pub(crate) fn a_new_claim_mutes_the_old_owner(place: &dyn Place) {
    let stage = Stage::new(place, 1);
    let (first, second) = (place.process(), place.process());
    let mut audience = stage.audience();
    place.append_all(&stage.source(0), &["a", "b"]);
    let mut zombie = stage.worker(first.as_ref());
    let (epoch, _) = stage.step_until(&mut zombie, 0, PartitionState::Live);
    assert_eq!(epoch, 1);
    stage.step_until_said(&mut zombie, &mut audience, "b", has_said("b"));
    first.silence();
    let mut heir = stage.worker(second.as_ref());
    let (epoch, _) = stage.step_until(&mut heir, 0, PartitionState::Live);
    assert_eq!(epoch, 2);
    place.append_all(&stage.source(0), &["c"]);
    stage.step_until_said(&mut heir, &mut audience, "c", has_said("c"));
    first.wake();
    for _ in 0..PATIENCE {
        if zombie.status().partitions().is_empty() {
            break;
        }
        assert!(stage.step(&mut zombie), "the zombie is to live on");
        stage.step(&mut heir);
    }
    assert!(zombie.status().partitions().is_empty(), "{zombie:?}");
    place.append_all(&stage.source(0), &["d"]);
    stage.step_until_said(&mut heir, &mut audience, "d", has_said("d"));
    let counted = audience.counted(0);
    let times = |value| counted.iter().filter(|said| *said == value).count();
    // The heir may have to say again what the group's offset does not cover yet.
    assert!((1..=2).contains(&times("a")), "{:?}", audience.said);
    assert_eq!((times("c"), times("d")), (1, 1), "{:?}", audience.said);
    let state = heir.status().partitions()[&0].clone();
    assert_eq!((state.state, state.epoch), (PartitionState::Live, 2));
}

pub(crate) fn a_partition_whose_output_is_refused_stops_alone(place: &dyn Place) {
    let stage = Stage::new(place, 2);
    let process = place.process();
    let mut audience = stage.audience();
    let mut worker = stage.worker(process.as_ref());
    for partition in [0, 1] {
        stage.step_until(&mut worker, partition, PartitionState::Live);
    }
    place.append_all(&stage.source(0), &["noise"]);
    let (_, note) = stage.step_until(&mut worker, 0, PartitionState::Stopped);
    assert_eq!(
        note,
        format!(
            "a record of 5000 bytes for {0}/0 is larger than the log takes (2000 bytes): raise max.message.bytes of topic {0}",
            stage.output
        )
    );
    let (epoch, _) = stage.step_until(&mut worker, 1, PartitionState::Live);
    for value in ["a", "b", "c"] {
        place.append_all(&stage.source(0), &["unheard"]);
        place.append_all(&stage.source(1), &[value]);
        stage.step_until_said(&mut worker, &mut audience, value, has_said(value));
    }
    assert_eq!(audience.counted(1), ["a", "b", "c"]);
    assert!(audience.counted(0).is_empty());
    let states = worker.status().partitions();
    assert_eq!(states[&0].state, PartitionState::Stopped);
    assert_eq!(states[&1].epoch, epoch, "taken again once, not for ever");
}

pub(crate) fn an_idle_partition_is_caught_up_behind_a_tail_without_records(place: &dyn Place) {
    let stage = Stage::new(place, 1);
    let process = place.process();
    let mut audience = stage.audience();
    place.append_all(&stage.source(0), &["a"]);
    let mut worker = stage.worker(process.as_ref());
    stage.step_until_said(&mut worker, &mut audience, "a", has_said("a"));
    // While it runs; and for the one that takes over, while it replays.
    for round in 0..2 {
        place.append_aborted(&stage.source(0), 2);
        let since_ms = place.clock().wall_ms();
        if round == 1 {
            let finished = worker.close(std::time::Duration::from_secs(5));
            finished.expect("an orderly end");
            worker = stage.worker(process.as_ref());
        }
        stage.step_until_said(&mut worker, &mut audience, "a clock", |said| {
            said.iter().any(|said| said.clock_ms > since_ms)
        });
    }
    place.append_all(&stage.source(0), &["b"]);
    stage.step_until_said(&mut worker, &mut audience, "b", has_said("b"));
    assert_eq!(audience.counted(0), ["a", "b"]);
}

/// Ten records, of which the first are removed before anybody reads them, or behind the back of the one who does.
fn gap(place: &dyn Place, is_running: bool, is_accepted: bool) {
    let mut stage = Stage::new(place, 1);
    stage.accept_gap = is_accepted;
    let process = place.process();
    let mut audience = stage.audience();
    let source = stage.source(0);
    place.append_all(&source, &["0", "1"]);
    let mut worker = stage.worker(process.as_ref());
    stage.step_until_said(&mut worker, &mut audience, "1", has_said("1"));
    let rest = ["2", "3", "4", "5", "6", "7", "8", "9"];
    if is_running {
        process.behind_its_back(&mut || {
            place.append_all(&source, &rest);
            place.remove_below(&source, 9);
        });
    } else {
        let finished = worker.close(std::time::Duration::from_secs(5));
        finished.expect("an orderly end");
        place.append_all(&source, &rest);
        place.remove_below(&source, 9);
        worker = stage.worker(process.as_ref());
    }
    if !is_accepted {
        let (_, note) = stage.step_until(&mut worker, 0, PartitionState::Stopped);
        for part in [
            &format!("{source} begins at offset 9"),
            "Raise the topic's retention",
            "accept_gap = true for the echo",
        ] {
            assert!(note.contains(part), "{part} is not in {note}");
        }
        return;
    }
    stage.step_until_said(&mut worker, &mut audience, "9", has_said("9"));
    place.append_all(&source, &["10"]);
    stage.step_until_said(&mut worker, &mut audience, "10", has_said("10"));
    assert!(!has_said("8")(&audience.said), "{:?}", audience.said);
    let epochs: Vec<u64> = audience.said.iter().map(|said| said.epoch).collect();
    let expected = if is_running { 1 } else { 2 };
    assert_eq!(epochs.last(), Some(&expected), "no restart on the way");
}

pub(crate) fn a_gap_before_the_start_stops_the_partition(place: &dyn Place) {
    gap(place, false, false);
}

pub(crate) fn a_gap_before_the_start_is_accepted(place: &dyn Place) {
    gap(place, false, true);
}

pub(crate) fn a_gap_while_running_stops_the_partition(place: &dyn Place) {
    gap(place, true, false);
}

pub(crate) fn a_gap_while_running_is_accepted(place: &dyn Place) {
    gap(place, true, true);
}
