//! Rows of `alerts`, `notifications` and `actions`.

use slawatch_wire::v1;

use super::{BatchStamp, Senseless};
use crate::rowbinary::RowWriter;

fn alert_state_name(state: i32) -> Result<&'static str, Senseless> {
    let senseless = || Senseless::new("state of an alert", state);
    Ok(
        match v1::AlertState::try_from(state).map_err(|_| senseless())? {
            v1::AlertState::Unspecified => return Err(senseless()),
            v1::AlertState::Pending => "pending",
            v1::AlertState::Firing => "firing",
            v1::AlertState::Resolved => "resolved",
            v1::AlertState::Retracted => "retracted",
            v1::AlertState::Expired => "expired",
            v1::AlertState::Acknowledged => "acknowledged",
        },
    )
}

/// `None` for what is a mark of the dispatcher to itself and no notification.
fn notification_state_name(state: i32) -> Result<Option<&'static str>, Senseless> {
    let senseless = || Senseless::new("state of a notification", state);
    Ok(Some(
        match v1::NotificationState::try_from(state).map_err(|_| senseless())? {
            v1::NotificationState::Unspecified => return Err(senseless()),
            v1::NotificationState::Intent => "intent",
            v1::NotificationState::Sent => "sent",
            v1::NotificationState::Rejected => "rejected",
            v1::NotificationState::Suppressed => "suppressed",
            v1::NotificationState::Takeover => return Ok(None),
        },
    ))
}

fn action_kind_name(kind: i32) -> Result<&'static str, Senseless> {
    let senseless = || Senseless::new("kind of an action", kind);
    Ok(
        match v1::ActionKind::try_from(kind).map_err(|_| senseless())? {
            v1::ActionKind::Unspecified => return Err(senseless()),
            v1::ActionKind::Acknowledge => "acknowledge",
            v1::ActionKind::Silence => "silence",
            v1::ActionKind::ExpireSilence => "expire_silence",
            v1::ActionKind::MarkChange => "mark_change",
        },
    )
}

pub(crate) fn write_alert(
    out: &mut Vec<u8>,
    stamp: &BatchStamp,
    alert: &v1::AlertTransition,
) -> Result<(), Senseless> {
    let state = alert_state_name(alert.state)?;
    let mut row = RowWriter(out);
    row.text(&alert.key)
        .instant_ms(alert.at_ms)
        .u64(alert.revision)
        .text(state)
        .text(&alert.incident)
        .text(&alert.rule)
        .text(&alert.kind)
        .text(&alert.severity)
        .text(&alert.vendor)
        .text(&alert.queue)
        .text(&alert.ticket_id)
        .optional_instant_ms(alert.fired_at_ms)
        .instant_ms(alert.due_ms)
        .text(&alert.summary)
        .text(&alert.reason)
        .items(alert.evidence.len());
    for evidence in &alert.evidence {
        row.text(&evidence.name);
        row.0.extend_from_slice(&evidence.value.to_le_bytes());
    }
    write_grounds(&mut row, alert);
    row.items(alert.labels.len());
    for (name, value) in &alert.labels {
        row.text(name).text(value);
    }
    row.text(&alert.runbook_url)
        .text(&alert.author)
        .text(&alert.timezone)
        .u32(stamp.source)
        .u64(stamp.version);
    Ok(())
}

/// What an alert over many tickets rests on.
fn write_grounds(row: &mut RowWriter<'_>, alert: &v1::AlertTransition) {
    row.items(alert.worst_tickets.len());
    for ticket in &alert.worst_tickets {
        row.text(&ticket.ticket_id)
            .text(&ticket.metric)
            .optional_instant_ms(ticket.due_ms)
            .optional_i64(ticket.elapsed_ms)
            .optional_i64(ticket.target_ms);
    }
    row.items(alert.contributions.len());
    for part in &alert.contributions {
        row.text(&part.attribute)
            .text(&part.value)
            .i64(part.tickets);
    }
}

/// Returns whether a row was written.
pub(crate) fn write_notification(
    out: &mut Vec<u8>,
    stamp: &BatchStamp,
    notification: &v1::Notification,
) -> Result<bool, Senseless> {
    let Some(state) = notification_state_name(notification.state)? else {
        return Ok(false);
    };
    let alert_state = alert_state_name(notification.alert_state)?;
    RowWriter(out)
        .text(&notification.key)
        .text(&notification.incident)
        .text(&notification.receiver)
        .u64(notification.revision)
        .text(alert_state)
        .text(state)
        .instant_ms(notification.at_ms)
        .u32(notification.attempts)
        .text(&notification.detail)
        .text(&notification.vendor)
        .text(&notification.queue)
        .text(&notification.reference)
        .u32(notification.step)
        .u32(stamp.source)
        .u64(stamp.version);
    Ok(true)
}

pub(crate) fn write_action(out: &mut Vec<u8>, action: &v1::Action) -> Result<(), Senseless> {
    let kind = action_kind_name(action.kind)?;
    RowWriter(out)
        .text(&action.action_id)
        .instant_ms(action.at_ms)
        .text(kind)
        .text(&action.author)
        .text(&action.reason)
        .text(&action.alert_key)
        .text(&action.vendor)
        .text(&action.queue)
        .text(&action.rule)
        .optional_instant_ms(action.starts_ms)
        .optional_instant_ms(action.until_ms)
        .text(&action.incident)
        .text(&action.silence_id)
        .text(&action.ticket_id);
    Ok(())
}
