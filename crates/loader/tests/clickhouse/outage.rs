//! ClickHouse goes away in the middle and comes back: the same batches go in once.

use std::time::Duration;

use slawatch_devstack::clickhouse::{ClickHouse, StartOptions};
use slawatch_loader::{
    Answer, ClickHouseOptions, ClickHouseSink, LoaderCore, MigrateOptions, Sink, migrate,
};
use slawatch_stream::Record;

use crate::loading::{core, drain};
use crate::{block_on, runtime};

fn event(number: i64) -> Vec<u8> {
    format!(r#"{{"event_id":"e{number}","ticket_id":"t","type":"updated","occurred_at":{number}}}"#)
        .into_bytes()
}

fn read(core: &mut LoaderCore, offsets: std::ops::Range<i64>) {
    for offset in offsets {
        core.apply(
            &Record::plain(
                "ticket-events",
                0,
                offset,
                1_767_607_200_000,
                &event(offset),
            ),
            0,
        );
    }
}

#[test]
fn rows_wait_while_the_server_is_gone_and_go_in_once_when_it_is_back() {
    let mut server = ClickHouse::start(StartOptions::default()).expect("a server");
    let clickhouse = ClickHouseOptions {
        url: server.url(),
        ..ClickHouseOptions::default()
    };
    block_on(migrate(&clickhouse, &MigrateOptions::default())).expect("migrated");
    let runtime = runtime();
    let mut sink = ClickHouseSink::new(&clickhouse, runtime.handle().clone()).expect("a sink");
    let mut core = core();
    read(&mut core, 0..1000);
    drain(&mut core, &mut sink, |_| {});

    server.kill();
    read(&mut core, 1000..2000);
    core.hurry();
    let mut failures = 0;
    let mut now_ms = 1_000_000;
    while failures < 3 {
        assert!(now_ms < 20_000_000, "the outage was not noticed");
        now_ms += 100_000;
        for batch in core.due(now_ms) {
            sink.start(batch);
        }
        for (id, answer) in sink.answers(Duration::from_secs(10)) {
            assert!(matches!(answer, Answer::Later(_)), "{answer:?}");
            failures += 1;
            core.answer(id, &answer, now_ms);
        }
    }
    let first_uncommitted = core.commits().expect("commits");
    let events = first_uncommitted
        .iter()
        .find(|commit| &*commit.partition.topic == "ticket-events");
    assert_eq!(events.map(|commit| commit.offset), Some(1000));

    server.restart().expect("back again");
    let mut token = String::new();
    drain(&mut core, &mut sink, |batch| {
        token = batch.token().to_owned()
    });
    assert!(
        token.starts_with("ticket_events ticket-events/0:1000-1999 "),
        "{token}"
    );
    assert_eq!(core.stopped(), []);
    let count = server
        .execute("SELECT count(), uniqExact(offset) FROM slawatch.ticket_events")
        .expect("a count");
    assert_eq!(count.trim(), "2000\t2000");

    // A repetition whose first copy arrived is recognised by its token, before any merge.
    let mut again = crate::loading::core();
    read(&mut again, 0..1000);
    drain(&mut again, &mut sink, |_| {});
    let count = server
        .execute("SELECT count() FROM slawatch.ticket_events")
        .expect("a count");
    assert_eq!(count.trim(), "2000");
}
