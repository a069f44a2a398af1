//! One consumer group: who is in it, who shall own what, who owns what, and what was committed.
//!
//! `target` is what the last rebalance decided; `owned` follows it as members poll: the old owner lets go first, then
//! the new one takes. A member that is in the group is taken to have the current generation (real members rejoin in
//! the background); one that is not has an old one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::consumer::{Commit, Committed};
use crate::record::TopicPartition;

pub(super) type MemberId = u64;

#[derive(Debug, Default)]
pub(super) struct Group {
    members: BTreeMap<MemberId, Vec<Arc<str>>>,
    target: BTreeMap<TopicPartition, MemberId>,
    owned: BTreeMap<TopicPartition, MemberId>,
    offsets: BTreeMap<TopicPartition, Committed>,
}

/// What a member learns by polling.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) revoked: Vec<TopicPartition>,
    pub(super) assigned: Vec<TopicPartition>,
}

impl Group {
    pub(super) fn contains(&self, member: MemberId) -> bool {
        self.members.contains_key(&member)
    }

    pub(super) fn add(&mut self, member: MemberId, topics: Vec<Arc<str>>) {
        self.members.insert(member, topics);
    }

    pub(super) fn remove(&mut self, member: MemberId) {
        self.members.remove(&member);
        self.owned.retain(|_, owner| *owner != member);
    }

    /// The topics that anybody reads.
    pub(super) fn topics(&self) -> Vec<Arc<str>> {
        let all: BTreeSet<&Arc<str>> = self.members.values().flatten().collect();
        all.into_iter().cloned().collect()
    }

    /// Shares out `partitions` evenly, moving as little as possible.
    pub(super) fn rebalance(&mut self, partitions: Vec<TopicPartition>) {
        let reads = |member: &MemberId, partition: &TopicPartition| {
            self.members
                .get(member)
                .is_some_and(|topics| topics.contains(&partition.topic))
        };
        let mut target = std::mem::take(&mut self.target);
        target
            .retain(|partition, member| partitions.contains(partition) && reads(member, partition));
        let mut load: BTreeMap<MemberId, usize> =
            self.members.keys().map(|member| (*member, 0)).collect();
        for member in target.values() {
            *load.entry(*member).or_default() += 1;
        }
        let least = |load: &BTreeMap<MemberId, usize>, partition: &TopicPartition| {
            let readers = load.iter().filter(|(member, _)| reads(member, partition));
            readers
                .min_by_key(|(_, count)| **count)
                .map(|(member, count)| (*member, *count))
        };
        for partition in &partitions {
            if target.contains_key(partition) {
                continue;
            }
            if let Some((member, _)) = least(&load, partition) {
                target.insert(partition.clone(), member);
                *load.entry(member).or_default() += 1;
            }
        }
        for (partition, owner) in &mut target {
            let mine = load.get(owner).copied().unwrap_or(0);
            if let Some((member, count)) =
                least(&load, partition).filter(|(_, count)| count + 1 < mine)
            {
                load.insert(*owner, mine - 1);
                load.insert(member, count + 1);
                *owner = member;
            }
        }
        self.target = target;
    }

    /// Brings what `member` owns one step nearer to the target.
    pub(super) fn settle(&mut self, member: MemberId) -> Changes {
        let mut changes = Changes::default();
        let target = &self.target;
        self.owned.retain(|partition, owner| {
            let keep = *owner != member || target.get(partition) == Some(&member);
            if !keep {
                changes.revoked.push(partition.clone());
            }
            keep
        });
        for (partition, owner) in &self.target {
            if *owner == member && !self.owned.contains_key(partition) {
                changes.assigned.push(partition.clone());
            }
        }
        for partition in &changes.assigned {
            self.owned.insert(partition.clone(), member);
        }
        changes
    }

    /// Writes commits down. The caller has checked that the member is in the group; like the broker, nobody checks
    /// that the partitions are its own.
    pub(super) fn commit(&mut self, commits: &[Commit]) {
        for commit in commits {
            let committed = Committed {
                offset: commit.offset,
                metadata: commit.metadata.clone(),
            };
            self.offsets.insert(commit.partition.clone(), committed);
        }
    }

    pub(super) fn committed(&self, partition: &TopicPartition) -> Option<&Committed> {
        self.offsets.get(partition)
    }
}
