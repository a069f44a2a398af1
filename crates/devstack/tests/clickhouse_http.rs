//! The embedded server as bytes on a connection: statuses, headers and where a statement may stand.

use slawatch_devstack::clickhouse::ClickHouse;

/// A request as bytes, and its answer as status line, headers in lower case, and body.
fn raw(request: &str) -> (String, String, String) {
    use std::io::{Read, Write};
    let server = ClickHouse::shared_for_tests();
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", server.port())).expect("connected");
    socket.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("read");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    let (status, headers) = head.split_once("\r\n").expect("headers");
    (status.to_owned(), headers.to_lowercase(), body.to_owned())
}

#[test]
fn statuses_and_headers_are_those_of_the_server() {
    let database = ClickHouse::shared_for_tests()
        .create_database("statuses")
        .expect("a database");
    let get = |query: &str| format!("GET /?{query} HTTP/1.0\r\n\r\n");
    let post = |query: &str, body: &str| {
        format!(
            "POST /?{query} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let in_database = format!("database={database}");
    let table = post(
        &in_database,
        "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a",
    );
    let cases = [
        (get(""), "200", "", "Ok.\n"),
        ("GET /ping HTTP/1.0\r\n\r\n".to_owned(), "200", "", "Ok.\n"),
        (
            get("query=SELECT%201"),
            "200",
            "x-clickhouse-format: tabseparated",
            "1\n",
        ),
        (
            get("query=SELECT%201%20AS%20a&default_format=JSONEachRow"),
            "200",
            "application/x-ndjson",
            "{\"a\":1}\n",
        ),
        (
            get("query=SELECT%20{x:UInt8}%20%2B%201&param_x=41"),
            "200",
            "",
            "42\n",
        ),
        (
            get("query=SELECT%201&query_id=mine"),
            "200",
            "x-clickhouse-query-id: mine",
            "1\n",
        ),
        (table, "200", "", ""),
        (
            get(&format!("{in_database}&query=DROP%20TABLE%20t")),
            "500",
            "x-clickhouse-exception-code: 164",
            "Code: 164.",
        ),
        (
            post(
                &format!("{in_database}&query=INSERT%20INTO%20t%20FORMAT%20TSV"),
                "1\n2\n",
            ),
            "200",
            "\"written_rows\":\"2\"",
            "",
        ),
        (post(&in_database, "SELECT sum(a) FROM t"), "200", "", "3\n"),
        // A statement may begin in the address and end in the body.
        (post("query=SELECT", " 7"), "200", "", "7\n"),
        (
            post(&in_database, "SELECT * FROM missing"),
            "404",
            "x-clickhouse-exception-code: 60",
            "Code: 60.",
        ),
        (
            post("", "SELEC"),
            "400",
            "x-clickhouse-exception-code: 62",
            "Code: 62.",
        ),
        (
            post("max_rows_to_read=oops", "SELECT 1"),
            "400",
            "x-clickhouse-exception-code: 27",
            "Code: 27.",
        ),
        (
            post("x-y=1", "SELECT 1"),
            "404",
            "x-clickhouse-exception-code: 115",
            "Code: 115.",
        ),
        (
            post(
                &format!("{in_database}&decompress=1&query=INSERT%20INTO%20t%20FORMAT%20TSV"),
                &"x".repeat(50),
            ),
            "500",
            "x-clickhouse-exception-code: 39",
            "Code: 39.",
        ),
    ];
    for (request, status, header, start) in cases {
        let (line, headers, body) = raw(&request);
        assert_eq!(line.split(' ').nth(1), Some(status), "{request}\n{body}");
        assert!(headers.contains(header), "{request}\n{headers}");
        assert!(body.starts_with(start), "{request}\n{body}");
    }
}
