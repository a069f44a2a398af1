//! A flush as records: none larger than the log takes.

use slawatch_stream::processor::MAX_RECORD_BYTES;
use slawatch_wire::{Message, v1};

/// Cuts a batch so that each part fits into a record. All but the last say that there is `more`, so that rules run on
/// nothing but the whole; a warning lies before the outcome of its cycle.
pub(super) fn split(batch: v1::SignalBatch) -> Vec<v1::SignalBatch> {
    if batch.encoded_len() <= MAX_RECORD_BYTES {
        return vec![batch];
    }
    let head = v1::SignalBatch {
        panes: Vec::new(),
        outcomes: Vec::new(),
        gauges: Vec::new(),
        warnings: Vec::new(),
        ..batch
    };
    let mut parts = Parts {
        head,
        done: Vec::new(),
        bytes: usize::MAX,
    };
    for row in batch.panes {
        parts.room_for(row.encoded_len()).panes.push(row);
    }
    for row in batch.gauges {
        parts.room_for(row.encoded_len()).gauges.push(row);
    }
    for warning in batch.warnings {
        let bytes = warning.encoded_len();
        parts.room_for(bytes).warnings.push(warning);
    }
    for row in batch.outcomes {
        parts.room_for(row.encoded_len()).outcomes.push(row);
    }
    parts.done
}

struct Parts {
    head: v1::SignalBatch,
    done: Vec<v1::SignalBatch>,
    bytes: usize,
}

impl Parts {
    /// Tag and length before each row, and the batch's own head.
    const OVERHEAD_BYTES: usize = 16;

    fn room_for(&mut self, row_bytes: usize) -> &mut v1::SignalBatch {
        let needed = row_bytes + Self::OVERHEAD_BYTES;
        if self.done.is_empty() || self.bytes + needed > MAX_RECORD_BYTES {
            if let Some(full) = self.done.last_mut() {
                full.more = true;
            }
            self.done.push(self.head.clone());
            self.bytes = self.head.encoded_len() + Self::OVERHEAD_BYTES;
        }
        self.bytes += needed;
        let last = self.done.len() - 1;
        &mut self.done[last]
    }
}

pub(super) fn split_dead_letters(letters: Vec<v1::DeadLetter>) -> Vec<Vec<v1::DeadLetter>> {
    let mut parts: Vec<Vec<v1::DeadLetter>> = Vec::new();
    let mut bytes = usize::MAX / 2;
    for letter in letters {
        let needed = letter.encoded_len() + Parts::OVERHEAD_BYTES;
        if bytes + needed > MAX_RECORD_BYTES {
            parts.push(Vec::new());
            bytes = 64;
        }
        bytes += needed;
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text that takes room.
    fn long(number: usize) -> String {
        format!("{number:0>1000}")
    }

    #[test]
    fn a_flush_that_fits_is_one_record() {
        let batch = v1::SignalBatch {
            batch: 7,
            outcomes: vec![v1::OutcomeRow::default(); 3],
            ..v1::SignalBatch::default()
        };
        assert_eq!(split(batch.clone()), [batch]);
    }

    #[test]
    fn only_the_last_record_of_a_large_flush_speaks_for_the_whole() {
        let rows = 2_500;
        let batch = v1::SignalBatch {
            source: 1,
            epoch: 2,
            batch: 3,
            clock_ms: 4,
            panes: (0..rows)
                .map(|number| v1::PaneRow {
                    vendor: long(number),
                    ..v1::PaneRow::default()
                })
                .collect(),
            gauges: vec![v1::GaugeRow::default()],
            warnings: vec![v1::Warning::default()],
            outcomes: (0..rows)
                .map(|number| v1::OutcomeRow {
                    ticket_id: long(number),
                    ..v1::OutcomeRow::default()
                })
                .collect(),
            ..v1::SignalBatch::default()
        };
        let parts = split(batch.clone());
        assert!(parts.len() > 4, "{}", parts.len());
        let (last, before) = parts.split_last().unwrap();
        assert!(before.iter().all(|part| part.more) && !last.more);
        let mut joined = v1::SignalBatch {
            panes: Vec::new(),
            gauges: Vec::new(),
            warnings: Vec::new(),
            outcomes: Vec::new(),
            ..batch
        };
        for part in parts {
            assert!(part.encoded_len() <= MAX_RECORD_BYTES);
            assert_eq!(
                (part.source, part.epoch, part.batch, part.clock_ms),
                (1, 2, 3, 4)
            );
            // Numbers before warnings, warnings before verdicts.
            assert!(joined.outcomes.is_empty() || part.warnings.is_empty());
            assert!(joined.outcomes.is_empty() || part.panes.is_empty());
            joined.panes.extend(part.panes);
            joined.gauges.extend(part.gauges);
            joined.warnings.extend(part.warnings);
            joined.outcomes.extend(part.outcomes);
        }
        assert!(joined == batch, "rows were lost, doubled or reordered");
    }
}
