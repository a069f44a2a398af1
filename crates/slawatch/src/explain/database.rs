//! The events of one ticket as they stand in ClickHouse, in the order of the log.

use clickhouse::Client;
use serde_json::{Map, Value};
use slawatch_event::{DecodeOptions, Encoding, Reason, parse};
use slawatch_loader::ClickHouseOptions;
use slawatch_policy::PolicySets;
use slawatch_tracker::Explainer;

use super::{Amount, Explained};

/// Why a ticket could not be read from ClickHouse.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address or the name of the database.
    #[error(transparent)]
    Options(#[from] slawatch_loader::LoaderError),
    /// Nothing answers, or not as ClickHouse does.
    #[error(
        "cannot read {database}.ticket_events from ClickHouse at {url}: {reason}; is it running, and is the address in [clickhouse] right? With --events FILE the events come from files instead"
    )]
    Unreachable {
        /// Its address.
        url: String,
        /// The database.
        database: String,
        /// Why.
        reason: String,
    },
    /// There are no tables.
    #[error(
        "ClickHouse at {url} has no table {database}.ticket_events; `slawatch migrate --config FILE` makes it, and the loader fills it"
    )]
    NoTable {
        /// Its address.
        url: String,
        /// The database.
        database: String,
    },
    /// The ticket is not there.
    #[error(
        "no event of ticket {ticket} is among the {rows} of {database}.ticket_events at {url} (generation {generation}); has the loader caught up?"
    )]
    UnknownTicket {
        /// The ticket.
        ticket: String,
        /// How many there are of others.
        rows: String,
        /// The database.
        database: String,
        /// Its address.
        url: String,
        /// The generation asked for.
        generation: u32,
    },
    /// A row is no event.
    #[error(
        "a row of ticket_events cannot be read: {detail}; was the table written by another version of slawatch?"
    )]
    Row {
        /// Why.
        detail: String,
    },
}

/// What is asked of ClickHouse.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The ticket.
    pub ticket_id: &'a str,
    /// Of which recomputation.
    pub generation: u32,
    /// The clock less `allowed_delay`, UTC ms.
    pub now_ms: i64,
}

/// Reads a ticket's events and explains it.
///
/// # Errors
/// [`DatabaseError`].
pub async fn read_ticket(
    options: &ClickHouseOptions,
    sets: PolicySets,
    question: Question<'_>,
) -> Result<Explained, DatabaseError> {
    let source = Source {
        client: options.client()?,
        options,
        question,
    };
    let mut explainer = Explainer::new(question.ticket_id, &sets);
    let rows = source.events().await?;
    for row in &rows {
        take(&mut explainer, row)?;
    }
    if explainer.events() == 0 {
        return Err(source.unknown_ticket().await?);
    }
    Ok(Explained {
        explanation: explainer.explain(question.now_ms),
        sets,
        source: format!(
            "{} of {}.ticket_events at {}",
            Amount(rows.len() as u64, "row"),
            options.database,
            options.url
        ),
        dead_letters: Vec::new(),
    })
}

struct Source<'a> {
    client: Client,
    options: &'a ClickHouseOptions,
    question: Question<'a>,
}

impl Source<'_> {
    /// The rows, each an event's fields; `left_out` names the reason of one that the tracker rejected.
    async fn events(&self) -> Result<Vec<Map<String, Value>>, DatabaseError> {
        let database = &self.options.database;
        // A record can stand there twice until its parts are merged, hence LIMIT 1 BY.
        let sql = format!(
            "SELECT partition, offset, event_id, ticket_id, type, toUnixTimestamp64Milli(occurred_at) AS occurred_at,
                sequence, vendor, queue, priority, status, channel, category, agent_id, requester_id, root_cause, sop,
                labels, contact_id, talk_ms, hold_ms, wrap_ms, score, score_max, level, reason, passed,
                merged_into AS into,
                (SELECT groupArray((partition, offset, reason)) FROM {database}.dead_letters
                 WHERE generation = ? AND reason IN ('ticket_forgotten', 'ticket_too_long')) AS rejected,
                arrayFirst(one -> one.1 = partition AND one.2 = offset, rejected).3 AS left_out
            FROM {database}.ticket_events
            WHERE ticket_id = ? AND generation = ?
            ORDER BY partition, offset
            LIMIT 1 BY partition, offset"
        );
        let query = self
            .client
            .query(&sql)
            .with_setting("output_format_json_quote_64bit_integers", "0")
            .bind(self.question.generation)
            .bind(self.question.ticket_id)
            .bind(self.question.generation);
        let answer = match query.fetch_bytes("JSONEachRow") {
            Ok(mut cursor) => cursor.collect().await,
            Err(error) => Err(error),
        };
        let answer = answer.map_err(|error| self.refused(&error))?;
        let lines = answer.split(|byte| *byte == b'\n');
        lines
            .filter(|line| !line.is_empty())
            .map(|line| {
                serde_json::from_slice(line).map_err(|error| DatabaseError::Row {
                    detail: error.to_string(),
                })
            })
            .collect()
    }

    async fn unknown_ticket(&self) -> Result<DatabaseError, DatabaseError> {
        let database = &self.options.database;
        let sql = format!("SELECT count() FROM {database}.ticket_events WHERE generation = ?");
        let count = self.client.query(&sql).bind(self.question.generation);
        let rows: u64 = count
            .fetch_one()
            .await
            .map_err(|error| self.refused(&error))?;
        Ok(DatabaseError::UnknownTicket {
            ticket: self.question.ticket_id.to_owned(),
            rows: Amount(rows, "row").to_string(),
            database: database.clone(),
            url: self.options.url.clone(),
            generation: self.question.generation,
        })
    }

    fn refused(&self, error: &clickhouse::error::Error) -> DatabaseError {
        let (url, database) = (self.options.url.clone(), self.options.database.clone());
        let answer = error.to_string();
        if answer.contains("UNKNOWN_TABLE") || answer.contains("UNKNOWN_DATABASE") {
            DatabaseError::NoTable { url, database }
        } else {
            DatabaseError::Unreachable {
                url,
                database,
                reason: answer,
            }
        }
    }
}

/// Tells a row's event, through the same decoding as a record's.
fn take(explainer: &mut Explainer, row: &Map<String, Value>) -> Result<(), DatabaseError> {
    let line = event_line(row);
    let options = DecodeOptions::default();
    let event = parse(line.as_bytes(), Encoding::Json, &options);
    let event = event.map_err(|rejection| DatabaseError::Row {
        detail: rejection.to_string(),
    })?;
    let left_out = row.get("left_out").and_then(Value::as_str);
    match Reason::ALL
        .into_iter()
        .find(|reason| Some(reason.name()) == left_out)
    {
        Some(reason) => explainer.leave_out(&event, reason),
        None => {
            explainer.tell(&event);
        }
    }
    Ok(())
}

/// A row as the JSON of an event. Scores are kept as the text of the number that they are.
fn event_line(row: &Map<String, Value>) -> String {
    const NUMBERS: [&str; 2] = ["score", "score_max"];
    let mut fields: Vec<String> = Vec::new();
    for (name, value) in row {
        if ["partition", "offset", "rejected", "left_out"].contains(&name.as_str()) {
            continue;
        }
        let text = match value.as_str().filter(|_| NUMBERS.contains(&name.as_str())) {
            Some(number) => number.to_owned(),
            None => value.to_string(),
        };
        fields.push(format!("\"{name}\":{text}"));
    }
    format!("{{{}}}", fields.join(","))
}
