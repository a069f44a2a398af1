//! Rows of `ticket_events` and `dead_letters`.

use slawatch_event::{Attribute, TicketEvent};
use slawatch_wire::v1;

use super::Place;
use crate::rowbinary::RowWriter;

pub(crate) fn write_event(out: &mut Vec<u8>, place: &Place, event: &TicketEvent<'_>) {
    let attributes = &event.attributes;
    let details = &event.details;
    let mut row = RowWriter(out);
    row.u32(place.generation)
        .u32(place.partition)
        .i64(place.offset)
        .instant_ms(place.timestamp_ms)
        .text(&event.event_id)
        .text(&event.ticket_id)
        .text(event.event_type.name())
        .instant_ms(event.occurred_at_ms)
        .u64(event.sequence);
    for attribute in [
        Attribute::Vendor,
        Attribute::Queue,
        Attribute::Priority,
        Attribute::Status,
        Attribute::Channel,
        Attribute::Category,
        Attribute::AgentId,
        Attribute::RequesterId,
        Attribute::RootCause,
        Attribute::Sop,
    ] {
        row.optional_text(attributes.get(&attribute));
    }
    row.items(attributes.labels.len());
    for (name, value) in &attributes.labels {
        row.text(name).text(value);
    }
    let rating = details.rating.as_ref();
    row.optional_text(event.contact_id.as_deref())
        .u64(details.talk_ms)
        .u64(details.hold_ms)
        .u64(details.wrap_ms)
        .optional_text(rating.map(|rating| &*rating.score))
        .optional_text(rating.map(|rating| &*rating.score_max))
        .optional_bool(rating.map(|rating| rating.is_satisfied()))
        .optional_text(details.level.as_deref())
        .optional_text(details.reason.as_deref())
        .optional_bool(details.passed)
        .optional_text(details.into.as_deref());
}

pub(crate) fn write_dead_letter(out: &mut Vec<u8>, letter: &v1::DeadLetter) {
    RowWriter(out)
        .text(&letter.topic)
        .u32(letter.generation)
        .u32(letter.partition)
        .i64(letter.offset)
        .instant_ms(letter.timestamp_ms)
        .text(&letter.reason)
        .text(&letter.detail)
        .bytes(&letter.payload)
        .u64(letter.payload_bytes)
        .u64(letter.payload_hash);
}
