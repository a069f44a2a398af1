//! The same event as the message `slawatch.v1.TicketEvent`, judged by the same rules in the same order.

use std::borrow::Cow;

use slawatch_wire::Message;
use slawatch_wire::v1::TicketEvent as TicketEventMessage;

use crate::envelope::{Envelope, bad_time};
use crate::json::bad_field;
use crate::ticket_event::{Attributes, Details, TicketEvent};
use crate::words::unknown_type;
use crate::{EventType, Rating, Reason, Rejection, Words, in_years, parse_instant};

/// Decodes one record's value; the check against the record's timestamp is the caller's.
pub(crate) fn parse(
    value: &[u8],
    words: &Words,
    envelope: &Envelope<'_>,
) -> Result<TicketEvent<'static>, Rejection> {
    let mut message = TicketEventMessage::decode(value).map_err(|error| {
        Rejection::new(
            Reason::BadJson,
            format!("not a slawatch.v1.TicketEvent: {error}"),
        )
    })?;
    let is_typed = !message.r#type.is_empty();
    let event_type = if is_typed {
        words.event_type(&message.r#type)
    } else {
        envelope.event_type(words)
    };
    fill(&mut message, envelope)?;
    check_present(&message, event_type)?;
    let occurred_at_ms = message.occurred_at.unwrap_or_default();
    if !in_years(occurred_at_ms) {
        return Err(bad_field(
            "occurred_at",
            "a number out of range",
            "milliseconds since 1970, in the years 1 to 9999",
        ));
    }
    let rating = rating(message.score, message.score_max)?;
    let event_type = event_type.ok_or_else(|| unknown_type(&message.r#type))?;
    let status = message
        .status
        .as_deref()
        .map(|name| words.status(name))
        .transpose()?;
    let owned = |text: Option<String>| text.map(Cow::Owned);
    Ok(TicketEvent {
        event_id: message.event_id.into(),
        ticket_id: message.ticket_id.into(),
        event_type,
        occurred_at_ms,
        sequence: message.sequence,
        attributes: Attributes {
            status,
            text: [
                message.vendor,
                message.queue,
                message.priority,
                message.channel,
                message.category,
                message.agent_id,
                message.requester_id,
                message.root_cause,
                message.sop,
            ]
            .map(owned),
            labels: message
                .labels
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        },
        contact_id: owned(message.contact_id.filter(|id| !id.is_empty())),
        details: Details {
            talk_ms: message.talk_ms,
            hold_ms: message.hold_ms,
            wrap_ms: message.wrap_ms,
            rating,
            level: owned(message.level),
            reason: owned(message.reason),
            passed: message.passed,
            into: owned(message.into),
        },
    })
}

/// Puts in what the envelope says of fields that the message leaves out.
fn fill(message: &mut TicketEventMessage, envelope: &Envelope<'_>) -> Result<(), Rejection> {
    for (field, of_envelope) in [
        (&mut message.event_id, &envelope.id),
        (&mut message.ticket_id, &envelope.subject),
        (&mut message.r#type, &envelope.event_type),
    ] {
        if let (true, Some(text)) = (field.is_empty(), of_envelope) {
            *field = text.to_string();
        }
    }
    if let (None, Some(time)) = (message.occurred_at, &envelope.time) {
        message.occurred_at = Some(parse_instant(time).ok_or_else(bad_time)?);
    }
    Ok(())
}

fn check_present(
    message: &TicketEventMessage,
    event_type: Option<EventType>,
) -> Result<(), Rejection> {
    let missing = [
        ("event_id", message.event_id.is_empty()),
        ("ticket_id", message.ticket_id.is_empty()),
        ("type", message.r#type.is_empty()),
        ("occurred_at", message.occurred_at.is_none()),
        (
            "score",
            event_type == Some(EventType::Rated) && message.score.is_none(),
        ),
    ];
    missing
        .into_iter()
        .find(|(_, is_missing)| *is_missing)
        .map_or(Ok(()), |(name, _)| {
            Err(Rejection::new(
                Reason::MissingField,
                format!("{name} is required: it is absent or empty"),
            ))
        })
}

/// The shortest decimal text of each double stands for it.
fn rating(
    score: Option<f64>,
    score_max: Option<f64>,
) -> Result<Option<Rating<'static>>, Rejection> {
    let number = |name: &str, value: f64, is_good: bool, expected: &str| {
        is_good
            .then(|| Cow::Owned(value.to_string()))
            .ok_or_else(|| bad_field(name, "a number out of range", expected))
    };
    let score = score
        .map(|score| number("score", score, score.is_finite(), "a finite number"))
        .transpose()?;
    let score_max = score_max
        .map(|max| {
            let is_good = max.is_finite() && max > 0.0;
            number("score_max", max, is_good, "a number greater than 0")
        })
        .transpose()?;
    Ok(score.map(|score| Rating {
        score,
        score_max: score_max.unwrap_or(Cow::Borrowed("5")),
    }))
}
