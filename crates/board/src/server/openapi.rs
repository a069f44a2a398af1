//! The description of the API that programs are made from.

use serde_json::{Value, json};

/// OpenAPI 3.1.
pub(super) fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "slawatch",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The live picture of the wallboard, and what people do about alerts. Instants are UTC milliseconds \
                since 1970 where a name ends with _ms; null is \"cannot be said\". What is done is answered once Kafka has \
                acknowledged it, and takes effect when the evaluator and the dispatcher have read it, usually within a second.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "A token of board.access.tokens; role act to act" },
            },
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key", "in": "header", "required": false, "schema": action_id(),
                    "description": "Stands for action_id where the body has none",
                },
                "Vendor": {
                    "name": "vendor", "in": "query", "required": false, "schema": { "type": "string" },
                    "description": "Only alerts of this vendor",
                },
            },
            "schemas": schemas(),
            "responses": responses(),
        },
    })
}

fn paths() -> Value {
    json!({
        "/api/v1/board": { "get": seen("board", "Every vendor and queue as it stands", "Board", &json!([])) },
        "/api/v1/alerts": {
            "get": seen(
                "alerts",
                "Alerts that fire, are pending, or ended within the last hour",
                "Alerts",
                &json!([{ "$ref": "#/components/parameters/Vendor" }]),
            ),
        },
        "/api/v1/alerts/acknowledge": {
            "post": done("acknowledge", "See to an alert: its escalation stops unless it gets worse", "Acknowledge", &json!([])),
        },
        "/api/v1/silences": {
            "get": seen("silences", "Silences that are active, planned, or ended within the last hour", "Silences", &json!([])),
            "post": done("silence", "Tell nobody of alerts that match, from then until then", "Silence", &json!([])),
        },
        "/api/v1/silences/{id}": {
            "delete": done(
                "endSilence",
                "End a silence now; the body may be left out where a token says who it is",
                "EndSilence",
                &json!([{
                    "name": "id", "in": "path", "required": true, "schema": { "type": "string" },
                    "description": "Its id, as in the list",
                }]),
            ),
        },
        "/api/v1/changes": {
            "post": done("markChange", "Mark a change of SOP or product, for rules that compare before and after", "Change", &json!([])),
        },
        "/api/v1/openapi.json": {
            "get": {
                "operationId": "openapi", "summary": "This document",
                "responses": { "200": { "description": "OpenAPI 3.1", "content": { "application/json": {} } } },
            },
        },
    })
}

fn seen(id: &str, summary: &str, schema: &str, parameters: &Value) -> Value {
    json!({
        "operationId": id,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": { "description": "As of the newest snapshot", "content": content(schema) },
            "401": { "$ref": "#/components/responses/NoToken" },
            "429": { "$ref": "#/components/responses/TooMany" },
        },
    })
}

fn done(id: &str, summary: &str, schema: &str, parameters: &Value) -> Value {
    let mut parameters = parameters.as_array().cloned().unwrap_or_default();
    parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    json!({
        "operationId": id,
        "summary": summary,
        "parameters": parameters,
        "requestBody": { "required": schema != "EndSilence", "content": content(schema) },
        "responses": {
            "200": { "description": "Kafka has it", "content": content("Done") },
            "400": { "$ref": "#/components/responses/Refused" },
            "401": { "$ref": "#/components/responses/NoToken" },
            "403": { "$ref": "#/components/responses/Refused" },
            "404": { "$ref": "#/components/responses/Refused" },
            "409": { "$ref": "#/components/responses/Refused" },
            "413": { "description": "The body is larger than 64 KiB" },
            "415": { "$ref": "#/components/responses/Refused" },
            "422": { "$ref": "#/components/responses/Refused" },
            "429": { "$ref": "#/components/responses/TooMany" },
            "503": { "$ref": "#/components/responses/Refused" },
        },
    })
}

fn content(schema: &str) -> Value {
    json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } })
}

fn responses() -> Value {
    let refused = |text: &str| json!({ "description": text, "content": content("Refused") });
    json!({
        "NoToken": refused("No token, or one that nobody has"),
        "Refused": refused("Not done: error says why and what to do, mistakes which fields"),
        "TooMany": {
            "description": "Too many requests",
            "headers": { "Retry-After": { "description": "Seconds to wait", "schema": { "type": "integer" } } },
            "content": content("Refused"),
        },
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn instant(description: &str) -> Value {
    json!({
        "oneOf": [{ "type": "string", "format": "date-time" }, { "type": "integer" }],
        "description": format!("{description}; with an offset, or milliseconds since 1970"),
    })
}

fn action_id() -> Value {
    json!({
        "type": "string", "maxLength": 100, "pattern": "^[A-Za-z0-9._:-]+$",
        "description": "A repeat under the same id is done once; made up where it is missing",
    })
}

/// A body that acts.
fn asked(fields: &[(&str, Value)], required: &[&str]) -> Value {
    let mut properties = serde_json::Map::new();
    for (name, schema) in fields {
        properties.insert((*name).to_owned(), schema.clone());
    }
    properties.insert("action_id".to_owned(), action_id());
    let author = "Who it is; only where board.access.open lets people act without a token";
    properties.insert("author".to_owned(), text(author));
    json!({
        "type": "object", "additionalProperties": false, "required": required, "properties": properties,
    })
}

fn schemas() -> Value {
    let mut all = requests();
    if let (Some(all), Value::Object(answers)) = (all.as_object_mut(), answers()) {
        all.extend(answers);
    }
    all
}

/// What is sent.
fn requests() -> Value {
    let glob = |of: &str| {
        text(&format!(
            "Glob of the {of}, * for any text; empty or missing: every one"
        ))
    };
    let name = |of: &str| text(&format!("Name of the {of}; empty or missing: every one"));
    json!({
        "Acknowledge": asked(
            &[
                ("key", text("The alert's key")),
                ("incident", text("Its episode; missing: the one that fires")),
                ("reason", text("In the author's words")),
                ("vendor", text("Filled in by the board where it knows the alert")),
            ],
            &["key"],
        ),
        "Silence": asked(
            &[
                ("vendor", glob("vendor")),
                ("queue", glob("queue")),
                ("rule", glob("rule")),
                ("ticket_id", glob("ticket")),
                ("starts_at", instant("Its begin; missing: now")),
                ("ends_at", instant("Its end, at most 30 days ahead")),
                ("reason", text("Why")),
            ],
            &["ends_at", "reason"],
        ),
        "EndSilence": asked(
            &[
                ("silence_id", text("Taken from the address")),
                ("vendor", text("Filled in by the board where it knows the silence")),
                ("reason", text("In the author's words")),
            ],
            &[],
        ),
        "Change": asked(
            &[
                ("vendor", name("vendor")),
                ("queue", name("queue")),
                ("at", instant("When it changed; missing: now")),
                ("reason", text("What changed")),
            ],
            &["reason"],
        )
    })
}

/// What is answered.
fn answers() -> Value {
    json!({
        "Done": {
            "type": "object",
            "required": ["action_id", "kind", "author", "at_ms", "repeated"],
            "properties": {
                "action_id": action_id(),
                "kind": { "enum": ["acknowledge", "silence", "expire_silence", "mark_change"] },
                "author": text("Who did it"),
                "at_ms": { "type": "integer" },
                "repeated": { "type": "boolean", "description": "It was done before under this id" },
            },
        },
        "Refused": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": text("Why, and what to do"),
                "mistakes": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "properties": { "field": text("The field"), "message": text("What to write there") },
                    },
                },
            },
        },
        "Board": { "type": "object", "properties": { "freshness": freshness(), "vendors": { "type": "array" } } },
        "Alerts": {
            "type": "object",
            "properties": { "freshness": freshness(), "firing": alerts(), "pending": alerts(), "ended": alerts() },
        },
        "Silences": {
            "type": "object",
            "properties": { "freshness": freshness(), "silences": { "type": "array", "items": silence() } },
        },
    })
}

fn freshness() -> Value {
    json!({ "enum": ["starting", "catching_up", "stale", "live"] })
}

fn alerts() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "key": text("Stable for rule and group"),
                "incident": text("This episode"),
                "state": { "enum": ["pending", "firing", "acknowledged", "resolved", "retracted", "expired"] },
                "severity": { "enum": ["critical", "error", "warning", "info"] },
                "acknowledged": {
                    "type": ["object", "null"],
                    "properties": { "by": text("Who"), "at_ms": { "type": "integer" }, "reason": text("In their words") },
                },
            },
        },
    })
}

fn silence() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": text("For DELETE"),
            "state": { "enum": ["active", "planned", "ended"] },
            "starts_at_ms": { "type": "integer" },
            "ends_at_ms": { "type": "integer" },
            "author": text("Who made it"),
            "reason": text("Why"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::api;

    #[test]
    fn every_address_is_described_and_nothing_else() {
        let document = document();
        let mut described = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.push((path.clone(), method.clone()));
            }
        }
        let mut served: Vec<(String, String)> = Vec::new();
        for (path, methods, _) in api::routes() {
            served.extend(
                methods
                    .iter()
                    .map(|method| (path.to_owned(), (*method).to_owned())),
            );
        }
        described.sort();
        served.sort();
        assert_eq!(described, served);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, document: &Value) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        let place = document.pointer(reference.trim_start_matches('#'));
                        assert!(place.is_some(), "{reference}");
                    }
                    fields.values().for_each(|value| walk(value, document));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, document)),
                _ => {}
            }
        }
        let document = document();
        walk(&document, &document);
    }

    #[test]
    fn the_fields_described_are_those_that_are_read() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        let everything = |schema: &str| -> Value {
            let fields = schemas[schema]["properties"].as_object().unwrap();
            let value = |schema: &Value| match schema.get("oneOf") {
                Some(_) => json!(1_767_607_200_000_i64),
                None => json!("x"),
            };
            fields
                .iter()
                .map(|(name, schema)| (name.clone(), value(schema)))
                .collect()
        };
        serde_json::from_value::<crate::Acknowledge>(everything("Acknowledge")).unwrap();
        serde_json::from_value::<crate::Silence>(everything("Silence")).unwrap();
        serde_json::from_value::<crate::EndSilence>(everything("EndSilence")).unwrap();
        serde_json::from_value::<crate::Change>(everything("Change")).unwrap();
    }
}
