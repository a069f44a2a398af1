//! One statement on the engine, on a blocking thread: a result streamed out, a body streamed in, or a plain answer.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::engine::Engine;
use super::failure::Failure;
use super::library::{Connection, Counters};
use super::request::Options;
use super::statement::{Shape, shape};

/// Formats whose pieces, put one after the other, are the format of the whole (a repeated header apart).
const PIECEWISE: [&str; 17] = [
    "RowBinary",
    "RowBinaryWithNames",
    "RowBinaryWithNamesAndTypes",
    "Native",
    "TabSeparated",
    "TSV",
    "TabSeparatedRaw",
    "TSVRaw",
    "CSV",
    "JSONEachRow",
    "JSONLines",
    "NDJSON",
    "JSONStringsEachRow",
    "JSONCompactEachRow",
    "JSONCompactStringsEachRow",
    "LineAsString",
    "RawBLOB",
];

/// The beginning of a good answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) format: String,
    /// Known at the beginning only when the statement is over.
    pub(crate) counters: Option<Counters>,
}

/// Where an answer goes: its beginning (or the failure instead of it), then its pieces; a failure in the middle is last.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub(crate) head: oneshot::Sender<Result<Head, Failure>>,
    pub(crate) pieces: mpsc::Sender<Result<Bytes, Failure>>,
}

impl Outlet {
    fn fail(self, failure: Failure) {
        // A client that went away needs no answer.
        self.head.send(Err(failure)).ok();
    }

    /// The whole answer at once.
    fn whole(self, format: String, counters: Counters, data: Bytes) {
        let head = Head {
            format,
            counters: Some(counters),
        };
        if self.head.send(Ok(head)).is_ok() && !data.is_empty() {
            self.pieces.blocking_send(Ok(data)).ok();
        }
    }
}

/// Runs a statement that takes no data.
pub(crate) fn query(engine: &Engine, options: &Options, tag: &str, sql: &str, outlet: Outlet) {
    let mut connection = match prepared(engine, options, tag, sql) {
        Ok(connection) => connection,
        Err(failure) => return outlet.fail(failure),
    };
    let (named, select) = match shape(sql) {
        Shape::Other { format, select } => (format, select),
        Shape::Insert { format, .. } => (Some(format), false),
    };
    let format = named
        .or_else(|| options.default_format.clone())
        .unwrap_or_else(|| "TabSeparated".to_owned());
    let piecewise = PIECEWISE.contains(&format.as_str());
    if select && piecewise && !options.wait_end_of_query {
        return stream(&mut connection, options, sql, format, outlet);
    }
    match connection.query(sql, &format, &options.parameters) {
        Ok(answer) => {
            let counters = answer.counters();
            outlet.whole(format, counters, answer.into_bytes());
        }
        Err(failure) => outlet.fail(failure),
    }
}

/// A session for a text that is one statement.
fn prepared(
    engine: &Engine,
    options: &Options,
    tag: &str,
    sql: &str,
) -> Result<Connection, Failure> {
    if sql.trim().is_empty() {
        return Err(Failure::new(62, "SYNTAX_ERROR", "Empty query"));
    }
    let mut connection = engine.session(options, tag)?;
    // Arms of PARALLEL WITH count too, and the server takes those.
    if connection.statement_count(sql) > 1 && !sql.to_ascii_uppercase().contains("PARALLEL WITH") {
        return Err(Failure::new(
            62,
            "SYNTAX_ERROR",
            "Multi-statements are not allowed",
        ));
    }
    Ok(connection)
}

fn stream(
    connection: &mut Connection,
    options: &Options,
    sql: &str,
    format: String,
    outlet: Outlet,
) {
    let mut stream = match connection.stream(sql, &format, &options.parameters) {
        Ok(stream) => stream,
        Err(failure) => return outlet.fail(failure),
    };
    let first = match stream.next() {
        Ok(first) => first,
        Err(failure) => return outlet.fail(failure),
    };
    let header_len = first
        .as_ref()
        .map_or(0, |first| row_binary_header_len(&format, first.data()));
    let head = Head {
        format,
        counters: None,
    };
    if outlet.head.send(Ok(head)).is_err() {
        return;
    }
    let Some(first) = first else { return };
    let mut next = Ok(first.into_bytes());
    loop {
        let failed = next.is_err();
        if outlet.pieces.blocking_send(next).is_err() || failed {
            return;
        }
        next = match stream.next() {
            // Every piece begins with the header again.
            Ok(Some(piece)) => Ok(piece.into_bytes().split_off(header_len)),
            Ok(None) => return,
            Err(failure) => Err(failure),
        };
    }
}

/// The length of the header that `RowBinaryWithNames[AndTypes]` puts before the rows.
fn row_binary_header_len(format: &str, data: &[u8]) -> usize {
    let strings_per_column = match format {
        "RowBinaryWithNames" => 1,
        "RowBinaryWithNamesAndTypes" => 2,
        _ => return 0,
    };
    let mut at = 0;
    let Some(columns) = var_uint(data, &mut at) else {
        return 0;
    };
    for _ in 0..columns * strings_per_column {
        let Some(length) = var_uint(data, &mut at) else {
            return 0;
        };
        at += length;
    }
    at.min(data.len())
}

fn var_uint(data: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let byte = *data.get(*at)?;
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Runs an INSERT with the data that arrive on `data`; a failure there is the client's, and writes nothing more.
pub(crate) fn insert(
    engine: &Engine,
    options: &Options,
    tag: &str,
    (sql, format): (&str, &str),
    mut data: mpsc::Receiver<Result<Bytes, Failure>>,
    outlet: Outlet,
) {
    let result = engine.session(options, tag).and_then(|mut connection| {
        let mut insert = connection.insert(sql, format, &options.parameters)?;
        let mut ended = false;
        while let Some(piece) = data.blocking_recv() {
            let piece = piece?;
            // An empty piece is the end; a channel that closes without one means that the client went away.
            ended = piece.is_empty();
            insert.append(&piece)?;
        }
        if !ended {
            return Err(Failure::new(
                210,
                "NETWORK_ERROR",
                "The client went away before the end of the body",
            ));
        }
        insert.finish()
    });
    match result {
        Ok(counters) => outlet.whole("TabSeparated".to_owned(), counters, Bytes::new()),
        Err(failure) => outlet.fail(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_measured() {
        let cases: [(&str, &[u8], usize); 4] = [
            (
                "RowBinaryWithNamesAndTypes",
                b"\x01\x01n\x06UInt64\x05\x00",
                10,
            ),
            ("RowBinaryWithNames", b"\x02\x01a\x01bzz", 5),
            ("RowBinary", b"\x01\x01n", 0),
            ("RowBinaryWithNames", b"", 0),
        ];
        for (format, data, length) in cases {
            assert_eq!(row_binary_header_len(format, data), length, "{format}");
        }
    }
}
