//! The kinds of rules as a file names them, with the keys and placeholders of each.

use super::section::Section;
use super::{burn, change, open, projection, quiet, threshold, ticket};
use crate::summary::{self, Field};
use crate::watch::Watch;

/// One word that may stand behind `type`.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Beside those that every rule has, and every rule about groups.
    keys: &'static [&'static str],
    pub(super) placeholders: &'static [Field],
    pub(super) read: Read,
}

/// How the rest of such a rule is read.
pub(super) enum Read {
    /// It is about groups: what it watches.
    Group(fn(&mut Section<'_>) -> Option<Watch>),
    Ticket,
}

const OF_ALL: [&str; 10] = [
    "name",
    "type",
    "severity",
    "match",
    "labels",
    "runbook_url",
    "summary",
    "calendar",
    "timezone",
    "worse_by",
];

const OF_GROUPS: [&str; 3] = ["by", "for", "keep_firing_for"];

const KINDS: [Kind; 8] = [
    Kind {
        name: "threshold",
        keys: threshold::KEYS,
        placeholders: summary::OF_THRESHOLDS,
        read: Read::Group(threshold::read),
    },
    Kind {
        name: "backlog",
        keys: open::KEYS,
        placeholders: summary::OF_OPEN,
        read: Read::Group(open::backlog),
    },
    Kind {
        name: "oldest",
        keys: open::KEYS,
        placeholders: summary::OF_OPEN,
        read: Read::Group(open::oldest),
    },
    Kind {
        name: "quiet",
        keys: quiet::KEYS,
        placeholders: summary::OF_QUIET,
        read: Read::Group(quiet::read),
    },
    Kind {
        name: "burn",
        keys: burn::KEYS,
        placeholders: summary::OF_BURNS,
        read: Read::Group(burn::read),
    },
    Kind {
        name: "projection",
        keys: projection::KEYS,
        placeholders: summary::OF_PROJECTIONS,
        read: Read::Group(projection::read),
    },
    Kind {
        name: "change",
        keys: change::KEYS,
        placeholders: summary::OF_CHANGES,
        read: Read::Group(change::read),
    },
    Kind {
        name: "ticket",
        keys: ticket::KEYS,
        placeholders: summary::OF_TICKETS,
        read: Read::Ticket,
    },
];

impl Kind {
    pub(super) fn names() -> [&'static str; KINDS.len()] {
        KINDS.map(|kind| kind.name)
    }

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    pub(super) fn all_keys(&self) -> Vec<&'static str> {
        let of_groups: &[&str] = match self.read {
            Read::Group(_) => &OF_GROUPS,
            Read::Ticket => &[],
        };
        [&OF_ALL, of_groups, self.keys].concat()
    }

    /// Whether any rule may have such a key.
    pub(super) fn any_has(key: &str) -> bool {
        KINDS.iter().any(|kind| kind.all_keys().contains(&key))
    }

    /// Where a key belongs, if any kind has it.
    pub(super) fn owners_of(key: &str) -> Option<String> {
        let owners = KINDS.iter().filter(|kind| kind.all_keys().contains(&key));
        let owners: Vec<String> = owners.map(|kind| format!("\"{}\"", kind.name)).collect();
        let (last, others) = owners.split_last()?;
        let before = match others {
            [] => String::new(),
            others => format!("{} or ", others.join(", ")),
        };
        Some(format!("{key} belongs to rules of type = {before}{last}"))
    }
}
