//! Membership: who owns what, who may commit, and what was committed.

use std::sync::Arc;

use slawatch_stream::{Commit, CommitOutcome, Committed, TopicPartition};

use crate::place::{PATIENCE, Place};
use crate::seen::{Seen, Told, joined};

fn commit_of(at: &TopicPartition, offset: i64, metadata: &str) -> Commit {
    Commit {
        partition: at.clone(),
        offset,
        metadata: metadata.to_owned(),
    }
}

fn committed(offset: i64, metadata: &str) -> Option<Committed> {
    Some(Committed {
        offset,
        metadata: metadata.to_owned(),
    })
}

pub(crate) fn a_second_member_gets_its_share_and_gives_it_back(place: &dyn Place) {
    let (topic, group) = (place.topic(4), place.fresh("group"));
    let first = place.log().member(&group, &[&topic]).expect("a member");
    let (mut first, mut of_first) = joined(place, first, 4);
    for number in 0..4 {
        let at = TopicPartition::new(Arc::clone(&topic), number);
        first.seek(&at, 0).expect("started");
    }
    let mut second = place.log().member(&group, &[&topic]).expect("a member");
    let mut of_second = Seen::default();
    for _ in 0..PATIENCE {
        of_second.poll(place, second.as_mut(), 10);
        for taken in of_second.owned() {
            assert!(
                of_first.told.contains(&Told::Revoked(taken)),
                "{taken} was given to the second before the first was told: {of_first:?}"
            );
        }
        if of_second.owned().len() == 2 && of_first.owned().len() == 2 {
            break;
        }
        of_first.poll(place, first.as_mut(), 10);
    }
    let moved = of_second.owned();
    assert_eq!(moved.len(), 2, "{of_first:?} {of_second:?}");
    let mut all = of_first.owned();
    all.extend(&moved);
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3]);
    for number in &moved {
        let at = TopicPartition::new(Arc::clone(&topic), *number);
        assert_eq!(first.position(&at), None, "given up");
        second.seek(&at, 0).expect("started");
        place.append_all(&at, &["for the second"]);
    }
    of_second.until_got(place, second.as_mut(), 2);
    second.leave();
    of_first.until(place, first.as_mut(), "what the other left", |seen| {
        seen.owned().len() == 4
    });
    assert!(of_first.got.is_empty(), "nothing comes without a seek");
    let regained = of_first.told.len() - 2;
    assert!(
        of_first.told[regained..]
            .iter()
            .all(|told| matches!(told, Told::Assigned(at) if moved.contains(at))),
        "what stayed was left alone: {of_first:?}"
    );
}

/// The fence that claims rest on, and why a worker drops what it lost before it commits anything else.
pub(crate) fn a_member_that_was_not_heard_of_is_fenced(place: &dyn Place) {
    let (topic, group) = (place.topic(1), place.fresh("group"));
    let at = TopicPartition::new(Arc::clone(&topic), 0);
    let process = place.process();
    let zombie = process.member(&group, &[&topic]);
    let (mut zombie, mut of_zombie) = joined(place, zombie, 1);
    let old = commit_of(&at, 3, "old");
    assert_eq!(
        zombie.commit(std::slice::from_ref(&old)),
        CommitOutcome::Committed
    );
    process.silence();
    let heir = place.log().member(&group, &[&topic]).expect("a member");
    let (mut heir, _) = joined(place, heir, 1);
    assert_eq!(
        heir.commit(&[commit_of(&at, 7, "new")]),
        CommitOutcome::Committed
    );
    process.wake();
    let answer = zombie.commit(std::slice::from_ref(&old));
    assert!(
        matches!(answer, CommitOutcome::Fenced { .. }),
        "the coordinator said: {answer:?}"
    );
    let asked = heir.committed(std::slice::from_ref(&at)).expect("asked");
    assert_eq!(asked, [committed(7, "new")]);

    of_zombie.until(place, zombie.as_mut(), "its loss", |seen| {
        seen.owned().is_empty()
    });
    assert!(of_zombie.told.contains(&Told::Lost(0)), "{of_zombie:?}");
    // Back in the group it could do harm again, owning nothing.
    for _ in 0..PATIENCE {
        let mut of_heir = Seen::default();
        of_heir.poll(place, heir.as_mut(), 10);
        of_zombie.poll(place, zombie.as_mut(), 10);
        match zombie.commit(&[commit_of(&at, 5, "harm")]) {
            CommitOutcome::Committed => {
                let asked = heir.committed(std::slice::from_ref(&at)).expect("asked");
                assert_eq!(asked, [committed(5, "harm")]);
                return;
            }
            CommitOutcome::Fenced { .. } | CommitOutcome::Unknown { .. } => {}
        }
    }
    panic!("the member never came back: {of_zombie:?}");
}

pub(crate) fn what_was_committed_can_be_asked_for(place: &dyn Place) {
    let (topic, group) = (place.topic(2), place.fresh("group"));
    let both = [0, 1].map(|number| TopicPartition::new(Arc::clone(&topic), number));
    let member = place.log().member(&group, &[&topic]).expect("a member");
    let (mut member, _) = joined(place, member, 2);
    assert_eq!(member.committed(&both).expect("asked"), [None, None]);
    let outcome = member.commit(&[
        commit_of(&both[1], 12, "epoch=3 §"),
        commit_of(&both[0], 0, ""),
    ]);
    assert_eq!(outcome, CommitOutcome::Committed);
    let expected = [committed(0, ""), committed(12, "epoch=3 §")];
    assert_eq!(member.committed(&both).expect("asked"), expected);
    let swapped = [both[1].clone(), both[0].clone()];
    let asked = member.committed(&swapped).expect("asked");
    assert_eq!(asked, [expected[1].clone(), expected[0].clone()]);

    let longest = "x".repeat(4096);
    let outcome = member.commit(&[commit_of(&both[0], 1, &longest)]);
    assert_eq!(outcome, CommitOutcome::Committed);
    let outcome = member.commit(&[commit_of(&both[0], 2, &(longest.clone() + "x"))]);
    assert!(
        matches!(outcome, CommitOutcome::Unknown { .. }),
        "{outcome:?}"
    );
    let kept = [committed(1, &longest), expected[1].clone()];
    assert_eq!(member.committed(&both).expect("asked"), kept);

    member.leave();
    let heir = place.log().member(&group, &[&topic]).expect("a member");
    let (mut heir, _) = joined(place, heir, 2);
    assert_eq!(heir.committed(&both).expect("asked"), kept);
    let stranger = place.fresh("group");
    let stranger = place.log().member(&stranger, &[&topic]).expect("a member");
    let (mut stranger, _) = joined(place, stranger, 2);
    assert_eq!(stranger.committed(&both).expect("asked"), [None, None]);
}

pub(crate) fn a_member_that_joins_again_starts_anew(place: &dyn Place) {
    let (topic, group) = (place.topic(1), place.fresh("group"));
    let at = TopicPartition::new(Arc::clone(&topic), 0);
    place.append_all(&at, &["a", "b"]);
    let member = place.log().member(&group, &[&topic]).expect("a member");
    let (mut member, mut seen) = joined(place, member, 1);
    member.seek(&at, 0).expect("started");
    seen.until_got(place, member.as_mut(), 2);
    member.rejoin().expect("joins again");
    let count =
        |seen: &Seen, wanted: Told| seen.told.iter().filter(|told| **told == wanted).count();
    seen.until(place, member.as_mut(), "a second assignment", |seen| {
        count(seen, Told::Assigned(0)) == 2
    });
    assert_eq!(
        count(&seen, Told::Lost(0)) + count(&seen, Told::Revoked(0)),
        1,
        "{seen:?}"
    );
    assert_eq!(member.position(&at), None);
    let outcome = member.commit(&[commit_of(&at, 1, "again")]);
    assert_eq!(outcome, CommitOutcome::Committed);
    member.seek(&at, 1).expect("started");
    seen.until_got(place, member.as_mut(), 3);
    assert_eq!(seen.values(), ["a", "b", "b"]);
}
