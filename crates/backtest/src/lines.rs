//! `alerts.jsonl`: one transition a line, as SEMANTICS 8 and 9 name its fields.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use slawatch_event::format_instant;
use slawatch_wire::v1::{AlertState, AlertTransition};

/// The name of a state in rows.
pub fn alert_state_name(state: AlertState) -> &'static str {
    match state {
        AlertState::Unspecified => "",
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Resolved => "resolved",
        AlertState::Retracted => "retracted",
        AlertState::Expired => "expired",
        AlertState::Acknowledged => "acknowledged",
    }
}

/// Writes transitions, sorted as a course gives them.
///
/// # Errors
/// The writer's.
pub fn write_alerts(told: &[AlertTransition], out: &mut impl Write) -> io::Result<()> {
    for transition in told {
        serde_json::to_writer(&mut *out, &Value::Object(line(transition)))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn line(transition: &AlertTransition) -> Map<String, Value> {
    let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let fields = [
        ("at", json!(format_instant(transition.at_ms))),
        ("key", json!(transition.key)),
        ("incident", json!(present(&transition.incident))),
        ("rule", json!(transition.rule)),
        ("severity", json!(transition.severity)),
        ("vendor", json!(transition.vendor)),
        ("queue", json!(transition.queue)),
        ("ticket_id", json!(present(&transition.ticket_id))),
        ("state", json!(alert_state_name(transition.state()))),
        ("reason", json!(transition.reason)),
        ("evidence", Value::Object(evidence(transition))),
    ];
    object(fields)
}

/// The figures by name, then the worst tickets and the largest contributions where there are any.
fn evidence(transition: &AlertTransition) -> Map<String, Value> {
    let mut object: Map<String, Value> = transition
        .evidence
        .iter()
        .map(|evidence| (evidence.name.clone(), number(evidence.value)))
        .collect();
    let tickets = transition.worst_tickets.iter().map(|worst| {
        Value::Object(self::object([
            ("ticket_id", json!(worst.ticket_id)),
            (
                "metric",
                json!((!worst.metric.is_empty()).then_some(&worst.metric)),
            ),
            ("due_at", json!(worst.due_ms.map(format_instant))),
            ("elapsed_ms", json!(worst.elapsed_ms)),
            ("target_ms", json!(worst.target_ms)),
        ]))
    });
    let shares = transition.contributions.iter().map(|share| {
        Value::Object(self::object([
            ("attribute", json!(share.attribute)),
            ("value", json!(share.value)),
            ("tickets", json!(share.tickets)),
        ]))
    });
    let lists: [(&str, Vec<Value>); 2] = [
        ("worst_tickets", tickets.collect()),
        ("contributions", shares.collect()),
    ];
    for (name, list) in lists {
        if !list.is_empty() {
            object.insert(name.to_owned(), Value::Array(list));
        }
    }
    object
}

/// Whole numbers without ".0": most of them count something.
fn number(value: f64) -> Value {
    /// From here on not every whole number is one of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        json!(value as i64)
    } else {
        json!(value)
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use slawatch_wire::v1::{Contribution, Evidence, WorstTicket};

    #[test]
    fn a_line_has_its_keys_in_their_order() {
        let transition = AlertTransition {
            key: "sl/acme/refunds".to_owned(),
            rule: "sl".to_owned(),
            severity: "critical".to_owned(),
            vendor: "acme".to_owned(),
            queue: "refunds".to_owned(),
            state: AlertState::Pending as i32,
            at_ms: 1_772_409_659_999,
            reason: "below 70 %".to_owned(),
            evidence: [("value", 0.625), ("answered", 40.0)]
                .map(|(name, value)| Evidence {
                    name: name.to_owned(),
                    value,
                })
                .to_vec(),
            ..AlertTransition::default()
        };
        let mut out = Vec::new();
        write_alerts(std::slice::from_ref(&transition), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"{"at":"2026-03-02T00:00:59.999Z","key":"sl/acme/refunds","incident":null,"rule":"sl","severity":"critical","#,
                r#""vendor":"acme","queue":"refunds","ticket_id":null,"state":"pending","reason":"below 70 %","#,
                r#""evidence":{"value":0.625,"answered":40}}"#,
                "\n"
            )
        );
        let found = line(&AlertTransition {
            worst_tickets: vec![WorstTicket {
                ticket_id: "T-1".to_owned(),
                metric: "answer".to_owned(),
                due_ms: Some(0),
                ..WorstTicket::default()
            }],
            contributions: vec![Contribution {
                attribute: "category".to_owned(),
                value: "chargeback".to_owned(),
                tickets: 3,
            }],
            ..transition
        });
        assert_eq!(
            found["evidence"].to_string(),
            concat!(
                r#"{"value":0.625,"answered":40,"#,
                r#""worst_tickets":[{"ticket_id":"T-1","metric":"answer","due_at":"1970-01-01T00:00:00.000Z","elapsed_ms":null,"target_ms":null}],"#,
                r#""contributions":[{"attribute":"category","value":"chargeback","tickets":3}]}"#
            )
        );
    }
}
