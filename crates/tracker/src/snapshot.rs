//! A tracker's state as bytes, and back (DESIGN 2.6).
//!
//! Written are the conditions it was taken under, the tickets' histories, what was said of each cycle to readers and
//! panes, the panes held and the clocks. Folds, timers, gauges and the policies' matches follow from those and are made
//! again; should they come out otherwise than they did (other time zone data, a corrected fold), that is told as a change.

mod conditions;

use slawatch_event::{EventType, Status};
use slawatch_policy::PolicySets;

use crate::codec::{Damaged, Reader, Writer};
use crate::event::{Effect, Event};
use crate::fold::{Counted, Published};
use crate::measure::Measure;
use crate::panes::Panes;
use crate::symbol::Symbol;
use crate::tally::{Minute, Owner};
use crate::ticket::Ticket;
use crate::tracker::{Options, Tracker};
use conditions::Kept;

/// The form of the bytes. Goes up with every change of what is written, or of what it means.
pub const SNAPSHOT_SCHEMA: u32 = 4;

/// Why a snapshot cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// These bytes are of no use to this program under its policies: an older snapshot may be, or the log.
    Unusable(String),
    /// What it was taken under is contradicted by what is configured, which a person has to decide.
    Contradicted(String),
}

impl std::fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unusable(why) | Self::Contradicted(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for SnapshotError {}

impl From<Damaged> for SnapshotError {
    fn from(damaged: Damaged) -> Self {
        Self::Unusable(format!("the tracker's snapshot is damaged: {}", damaged.0))
    }
}

impl Tracker {
    /// Appends the whole state to `out`. To be called when everything concluded was taken ([`Tracker::conclude`]).
    pub fn snapshot(&self, out: &mut Vec<u8>) {
        let mut writer = Writer(out);
        writer.unsigned(SNAPSHOT_SCHEMA.into());
        conditions::write(self, &mut writer);
        writer.signed(self.clock_ms);
        writer.signed(self.log_clock_ms);
        writer.unsigned(self.panes.offset());
        let texts = self.rules.symbols.texts();
        writer.unsigned(texts.len() as u64);
        for text in texts {
            writer.text(text);
        }
        writer.unsigned(self.by_id.len() as u64);
        for ticket in self.slots.iter().flatten() {
            write_ticket(ticket, &mut writer);
        }
        writer.option(self.panes.held_from(), |writer, minute| {
            writer.signed(minute.0);
        });
        let cells: Vec<_> = self.panes.held().collect();
        writer.unsigned(cells.len() as u64);
        for (minute, owner, cell) in cells {
            writer.signed(minute.0);
            writer.unsigned(owner.vendor.number());
            writer.unsigned(owner.queue.number());
            writer.unsigned(cell.amounts.len() as u64);
            for (measure, amount) in &cell.amounts {
                writer.unsigned(measure.code());
                writer.signed(*amount);
            }
        }
    }

    /// The tracker that a snapshot describes. It goes on with the `allowed_delay` it was taken under until
    /// [`Tracker::allow_delay`], so that what its former owner said after it can be derived again.
    ///
    /// Policy sets may have been added since, if they take effect after everything that is known; none may be missing or
    /// changed, nor may the other options.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn restore(
        sets: PolicySets,
        options: Options,
        bytes: &[u8],
    ) -> Result<Self, SnapshotError> {
        let mut tracker = Self::new(sets, options);
        let mut reader = Reader(bytes);
        let schema = reader.unsigned()?;
        if schema != u64::from(SNAPSHOT_SCHEMA) {
            return Err(SnapshotError::Unusable(format!(
                "the tracker's snapshot is of schema {schema}, this program reads {SNAPSHOT_SCHEMA}"
            )));
        }
        let taken_under = conditions::read(&mut reader)?;
        taken_under.check(&tracker)?;
        tracker.options.allowed_delay_ms = taken_under.allowed_delay_ms;
        tracker.settled_ms = taken_under.settled_ms;
        tracker.clock_ms = reader.signed()?;
        tracker.log_clock_ms = reader.signed()?;
        let offset = reader.unsigned()?;
        let texts = reader.count()?;
        for number in 0..texts as u64 {
            if tracker.rules.symbols.intern(reader.text()?).number() != number {
                return Err(Damaged("an attribute value occurs twice").into());
            }
        }
        let kept = taken_under.kept(&tracker);
        let tickets = reader.count()?;
        for _ in 0..tickets {
            tracker.read_ticket(&mut reader, texts as u64, &kept)?;
        }
        taken_under.check_starts(&tracker)?;
        // What the histories added up to in these is in those that were written.
        tracker.panes = read_panes(&mut reader, texts as u64)?;
        tracker.panes.set_offset(offset);
        if !reader.0.is_empty() {
            return Err(Damaged("something follows its end").into());
        }
        for slot in 0..tracker.slots.len() {
            tracker.settle(slot as u32);
        }
        tracker.gauges.forget_changes();
        Ok(tracker)
    }

    fn read_ticket(
        &mut self,
        reader: &mut Reader<'_>,
        texts: u64,
        kept: &Kept,
    ) -> Result<(), Damaged> {
        let id = reader.text()?;
        if id.is_empty() || self.by_id.contains_key(id) {
            return Err(Damaged("a ticket id is empty or occurs twice"));
        }
        let slot = self.add_ticket(id);
        for _ in 0..reader.count()? {
            let event = read_event(reader, texts, &kept.positions)?;
            if let Some(ticket) = &mut self.slots[slot as usize] {
                let in_order = ticket
                    .history
                    .last()
                    .is_none_or(|last| last.order() < event.order());
                if !in_order {
                    return Err(Damaged("a history is out of order"));
                }
                ticket.append(event, &mut self.rules, &mut self.panes);
            }
        }
        if let Some(ticket) = &mut self.slots[slot as usize] {
            if reader.count()? != ticket.fold.cycles.len() {
                return Err(Damaged("a history gives other cycles than it gave"));
            }
            for cycle in &mut ticket.fold.cycles {
                cycle.published = reader.option(|reader| {
                    Ok(Published {
                        row_hash: reader.unsigned()?,
                        attributes_hash: reader.below(1 << 32)? as u32 * u32::from(kept.is_same),
                        vendor: read_symbol(reader, texts)?,
                    })
                })?;
                cycle.counted = reader.option(|reader| {
                    Ok(Counted {
                        at_ms: reader.signed()?,
                        owner: read_owner(reader, texts)?,
                        breached: reader.below(2)? == 1,
                    })
                })?;
                for _ in 0..reader.count()? {
                    cycle.announced.push(reader.text()?.into());
                }
            }
        }
        Ok(())
    }
}

fn write_ticket(ticket: &Ticket, writer: &mut Writer<'_>) {
    writer.text(&ticket.id);
    writer.unsigned(ticket.history.len() as u64);
    for event in &ticket.history {
        write_event(event, writer);
    }
    writer.unsigned(ticket.fold.cycles.len() as u64);
    for cycle in &ticket.fold.cycles {
        writer.option(cycle.published, |writer, published| {
            writer.unsigned(published.row_hash);
            writer.unsigned(published.attributes_hash.into());
            writer.unsigned(published.vendor.number());
        });
        writer.option(cycle.counted, |writer, counted| {
            writer.signed(counted.at_ms);
            writer.unsigned(counted.owner.vendor.number());
            writer.unsigned(counted.owner.queue.number());
            writer.unsigned(counted.breached.into());
        });
        writer.unsigned(cycle.announced.len() as u64);
        for level in &cycle.announced {
            writer.text(level);
        }
    }
}

fn write_event(event: &Event, writer: &mut Writer<'_>) {
    writer.signed(event.at_ms);
    writer.unsigned(event.sequence);
    writer.unsigned(event.event_type.rank().into());
    writer.unsigned(event.key);
    writer.unsigned(event.content.into());
    writer.option(event.status, |writer, status| {
        writer.unsigned(status as u64);
    });
    writer.unsigned(event.attributes.len() as u64);
    for (position, value) in &event.attributes {
        writer.unsigned((*position).into());
        writer.unsigned(value.number());
    }
    writer.option(event.contact.as_deref(), Writer::text);
    match event.effect {
        Effect::None => writer.unsigned(0),
        Effect::Handled {
            talk_ms,
            hold_ms,
            wrap_ms,
        } => {
            for number in [1, talk_ms, hold_ms, wrap_ms] {
                writer.unsigned(number);
            }
        }
        Effect::Rated { satisfied } => writer.unsigned(2 + u64::from(satisfied)),
        Effect::Audited { passed } => writer.unsigned(4 + u64::from(passed)),
    }
}

fn read_event(
    reader: &mut Reader<'_>,
    texts: u64,
    positions: &[Option<u16>],
) -> Result<Event, Damaged> {
    let at_ms = reader.signed()?;
    if !slawatch_event::in_years(at_ms) {
        return Err(Damaged("an instant is out of its range"));
    }
    Ok(Event {
        at_ms,
        sequence: reader.unsigned()?,
        event_type: EventType::ALL[reader.below(EventType::ALL.len() as u64)? as usize],
        key: reader.unsigned()?,
        content: reader.below(1 << 32)? as u32,
        status: reader
            .option(|reader| Ok(Status::ALL[reader.below(Status::ALL.len() as u64)? as usize]))?,
        attributes: read_attributes(reader, texts, positions)?,
        contact: reader.option(|reader| Ok(reader.text()?.into()))?,
        effect: match reader.below(6)? {
            0 => Effect::None,
            1 => Effect::Handled {
                talk_ms: reader.unsigned()?,
                hold_ms: reader.unsigned()?,
                wrap_ms: reader.unsigned()?,
            },
            code @ (2 | 3) => Effect::Rated {
                satisfied: code == 3,
            },
            code => Effect::Audited { passed: code == 5 },
        },
    })
}

fn read_attributes(
    reader: &mut Reader<'_>,
    texts: u64,
    positions: &[Option<u16>],
) -> Result<Box<[(u16, Symbol)]>, Damaged> {
    let mut attributes = Vec::new();
    for _ in 0..reader.count()? {
        let position = positions[reader.below(positions.len() as u64)? as usize];
        let value = read_symbol(reader, texts)?;
        attributes.extend(position.map(|position| (position, value)));
    }
    Ok(attributes.into())
}

fn read_panes(reader: &mut Reader<'_>, texts: u64) -> Result<Panes, Damaged> {
    let held_from = reader.option(|reader| Ok(Minute(reader.signed()?)))?;
    let mut cells = Vec::new();
    for _ in 0..reader.count()? {
        let minute = Minute(reader.signed()?);
        let owner = read_owner(reader, texts)?;
        let mut amounts = Vec::new();
        for _ in 0..reader.count()? {
            let measure =
                Measure::from_code(reader.unsigned()?).ok_or(Damaged("a measure is unknown"))?;
            amounts.push((measure, reader.signed()?));
        }
        if !amounts.is_sorted_by(|a: &(Measure, i64), b| a.0 < b.0) {
            return Err(Damaged("a pane's measures are out of order"));
        }
        cells.push((minute, owner, amounts));
    }
    Ok(Panes::restored(held_from, cells))
}

fn read_owner(reader: &mut Reader<'_>, texts: u64) -> Result<Owner, Damaged> {
    Ok(Owner {
        vendor: read_symbol(reader, texts)?,
        queue: read_symbol(reader, texts)?,
    })
}

fn read_symbol(reader: &mut Reader<'_>, texts: u64) -> Result<Symbol, Damaged> {
    Ok(Symbol::from_number(reader.below(texts)?))
}
