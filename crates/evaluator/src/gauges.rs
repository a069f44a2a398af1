//! What is open now in one vendor and queue, as its sources last said.

use slawatch_wire::v1::GaugeRow;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gauge {
    pub(crate) source: u32,
    pub(crate) open_tickets: i64,
    pub(crate) oldest_created_at_ms: Option<i64>,
    /// Empty where none is open.
    pub(crate) oldest_ticket_id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gauges(Vec<Gauge>);

impl Gauges {
    pub(crate) fn restore(gauges: Vec<Gauge>) -> Self {
        Self(gauges)
    }

    /// A source's row replaces the one before; true if that changed anything.
    pub(crate) fn set(&mut self, source: u32, row: &GaugeRow) -> bool {
        let gauge = Gauge {
            source,
            open_tickets: row.open_tickets,
            oldest_created_at_ms: row.oldest_created_at_ms,
            oldest_ticket_id: row.oldest_ticket_id.clone(),
        };
        match self.0.iter_mut().find(|known| known.source == source) {
            Some(known) => {
                let changed = *known != gauge;
                *known = gauge;
                changed
            }
            None => {
                self.0.push(gauge);
                true
            }
        }
    }

    pub(crate) fn open_tickets(&self) -> i64 {
        self.0.iter().map(|gauge| gauge.open_tickets).sum()
    }

    pub(crate) fn oldest_created_at_ms(&self) -> Option<i64> {
        let created = self.0.iter().filter_map(|gauge| gauge.oldest_created_at_ms);
        created.min()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Gauge> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_add_up_and_replace_themselves() {
        let mut gauges = Gauges::default();
        let row = |open_tickets, oldest_created_at_ms| GaugeRow {
            open_tickets,
            oldest_created_at_ms,
            ..GaugeRow::default()
        };
        assert!(gauges.set(0, &row(3, Some(50))));
        assert!(gauges.set(1, &row(2, Some(20))));
        assert!(!gauges.set(1, &row(2, Some(20))));
        assert_eq!(
            (gauges.open_tickets(), gauges.oldest_created_at_ms()),
            (5, Some(20))
        );
        assert!(gauges.set(1, &row(0, None)));
        assert_eq!(
            (gauges.open_tickets(), gauges.oldest_created_at_ms()),
            (3, Some(50))
        );
    }
}
