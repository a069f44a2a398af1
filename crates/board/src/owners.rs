//! Numbers for (vendor, queue), so that a day of minutes does not hold every name a thousand times.

use std::collections::BTreeMap;

/// A (vendor, queue) by its number in [`Owners`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner(pub(crate) u32);

/// Every owner seen so far.
#[derive(Debug)]
pub(crate) struct Owners {
    numbers: BTreeMap<String, BTreeMap<String, Owner>>,
    count: usize,
    max: usize,
    refused: u64,
}

impl Owners {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            numbers: BTreeMap::new(),
            count: 0,
            max,
            refused: 0,
        }
    }

    /// The number of an owner; none if there are too many already.
    pub(crate) fn number(&mut self, vendor: &str, queue: &str) -> Option<Owner> {
        if let Some(known) = self
            .numbers
            .get(vendor)
            .and_then(|queues| queues.get(queue))
        {
            return Some(*known);
        }
        let number = u32::try_from(self.count)
            .ok()
            .filter(|_| self.count < self.max);
        let Some(number) = number.map(Owner) else {
            self.refused += 1;
            return None;
        };
        self.count += 1;
        let queues = self.numbers.entry(vendor.to_owned()).or_default();
        queues.insert(queue.to_owned(), number);
        Some(number)
    }

    /// Rows that were not taken in because there were too many owners.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    /// Vendors with their queues, both by name.
    pub(crate) fn by_name(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Owner>)> {
        self.numbers
            .iter()
            .map(|(vendor, queues)| (vendor.as_str(), queues))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_keeps_its_number_and_there_are_only_so_many() {
        let mut owners = Owners::new(2);
        let first = owners.number("acme", "refunds");
        assert_ne!(first, owners.number("acme", "billing"));
        assert_eq!(first, owners.number("acme", "refunds"));
        assert_eq!(owners.number("zeta", "refunds"), None);
        assert_eq!(owners.refused(), 1);
        assert_eq!(
            owners
                .by_name()
                .map(|(vendor, _)| vendor)
                .collect::<Vec<_>>(),
            ["acme"]
        );
    }
}
