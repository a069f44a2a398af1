//! A set of ticket statuses in one byte.

use slawatch_event::Status;

/// Which statuses, of the six.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusSet(u8);

impl StatusSet {
    /// No status.
    pub const EMPTY: Self = Self(0);

    /// Exactly these.
    pub const fn of(statuses: &[Status]) -> Self {
        let mut set = Self::EMPTY;
        let mut at = 0;
        while at < statuses.len() {
            set.insert(statuses[at]);
            at += 1;
        }
        set
    }

    /// Whether it holds this status.
    pub const fn contains(self, status: Status) -> bool {
        self.0 & (1 << status as u8) != 0
    }

    /// Adds a status.
    pub const fn insert(&mut self, status: Status) {
        self.0 |= 1 << status as u8;
    }

    /// Whether it holds none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its statuses, in the order of the specification.
    pub fn iter(self) -> impl Iterator<Item = Status> {
        Status::ALL
            .into_iter()
            .filter(move |status| self.contains(*status))
    }
}

impl FromIterator<Status> for StatusSet {
    fn from_iter<I: IntoIterator<Item = Status>>(statuses: I) -> Self {
        let mut set = Self::EMPTY;
        for status in statuses {
            set.insert(status);
        }
        set
    }
}

/// The names, separated by blanks; `-` for none.
impl std::fmt::Display for StatusSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() {
            return f.write_str("-");
        }
        let names: Vec<&str> = self.iter().map(Status::name).collect();
        f.write_str(&names.join(" "))
    }
}

impl std::fmt::Debug for StatusSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StatusSet({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        for bits in 0_u8..64 {
            let members: Vec<Status> = Status::ALL
                .into_iter()
                .filter(|status| bits & (1 << *status as u8) != 0)
                .collect();
            let set: StatusSet = members.iter().copied().collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), members);
            assert_eq!(set, StatusSet::of(&members));
            assert_eq!(set.is_empty(), members.is_empty());
        }
    }
}
