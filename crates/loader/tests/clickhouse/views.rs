//! The views against numbers computed by hand, over rows that were corrected, moved and said twice.

use crate::Database;

/// Panes of one vendor: said twice (version 1 is wrong), by two sources, one with a correction.
fn service_level_database() -> Database {
    let database = Database::migrated("service");
    let insert = "INSERT INTO @panes (vendor, queue, pane, source, part, offered, answered, abandoned, answered_in_target, \
                  abandoned_in_target, short_abandoned, version) VALUES ";
    for rows in [
        // Wrong at first, and in a part of its own.
        "('acme','refunds','2026-01-05 10:00:00',0,0, 7,7,7,7,7,7, 1)",
        "('acme','refunds','2026-01-05 10:00:00',0,0, 700,600,50,500,10,4, 2)",
        "('acme','refunds','2026-01-05 10:00:00',1,0, 300,300,10,300,10,6, 1)",
        "('acme','refunds','2026-01-05 10:14:00',1,0, 65,105,-1,62,0,0, 9)",
        // Late events moved something out of an evicted pane; said twice, with two versions.
        "('acme','refunds','2026-01-05 10:14:00',1,4711, -5,-5,1,-2,0,0, 10)",
        "('acme','refunds','2026-01-05 10:14:00',1,4711, -5,-5,1,-2,0,0, 11)",
        // Another bucket, another queue, another generation.
        "('acme','refunds','2026-01-05 10:15:00',1,0, 3,1,2,1,2,0, 9)",
        "('acme','empty','2026-01-05 10:00:00',1,0, 0,0,0,0,0,0, 9)",
    ] {
        database.run(&format!("{insert}{rows}"));
    }
    database.run(
        "INSERT INTO @panes (generation, vendor, queue, pane, offered, answered, version) \
         VALUES (1,'acme','refunds','2026-01-05 10:00:00', 999, 999, 99)",
    );
    database
}

#[test]
fn service_level_by_each_formula_is_the_contracts() {
    let database = service_level_database();
    for (formula, percent) in [
        ("abandons_in_target_met", "83.02"),
        ("answered_only", "86"),
        ("all_abandons_missed", "81.13"),
        ("abandons_in_target_dropped", "82.69"),
        ("short_abandons_met", "82.08"),
        ("short_abandons_dropped", "81.9"),
    ] {
        let rows = database.run(&format!(
            "SELECT toUnixTimestamp(bucket) - toUnixTimestamp(toDateTime('2026-01-05 10:00:00', 'UTC')), offered, answered, \
             abandoned, round(service_level * 100, 2) \
             FROM @service_level(from = '2026-01-05 10:00:00', to = '2026-01-05 10:15:00', bucket_seconds = 900, formula = '{formula}') \
             WHERE queue = 'refunds'"
        ));
        assert_eq!(rows, [format!("0\t1060\t1000\t60\t{percent}")], "{formula}");
    }
}

#[test]
fn service_level_is_null_where_nothing_ended_and_pools_by_its_counts() {
    let database = service_level_database();
    let call = |bucket: u32, columns: &str, rest: &str| {
        database.run(&format!(
            "SELECT {columns} FROM @service_level(from = '2026-01-05', to = '2026-01-06', bucket_seconds = {bucket}, \
             formula = 'all_abandons_missed') {rest}"
        ))
    };
    assert_eq!(
        call(0, "counted, service_level", "WHERE queue = 'empty'"),
        ["0\t\\N"]
    );
    assert_eq!(
        call(
            900,
            "formatDateTime(bucket, '%H:%i'), in_target, counted",
            "WHERE queue = 'refunds' ORDER BY bucket"
        ),
        ["10:00\t860\t1060", "10:15\t1\t3"]
    );
    assert_eq!(
        call(0, "sum(in_target), sum(counted)", "WHERE vendor = 'acme'"),
        ["861\t1063"]
    );
    assert_eq!(call(3600, "count()", "WHERE vendor = 'nobody'"), ["0"]);
}

#[test]
fn wrong_parameters_are_named() {
    let database = service_level_database();
    let range = "from = '2026-01-05', to = '2026-01-06'";
    let text = database.refusal(&format!(
        "SELECT * FROM @service_level({range}, bucket_seconds = 900, formula = 'best')"
    ));
    assert!(
        text.contains(
            "service_level: unknown formula; write abandons_in_target_met, answered_only, "
        ),
        "{text}"
    );
    for view in ["service_level", "attainment", "handling_time", "backlog"] {
        let formula = if view == "service_level" {
            ", formula = 'answered_only'"
        } else {
            ""
        };
        let text = database.refusal(&format!(
            "SELECT * FROM @{view}({range}, bucket_seconds = 90{formula})"
        ));
        let expected =
            format!("{view}: bucket_seconds must be a multiple of 60, or 0 for one bucket");
        assert!(text.contains(&expected), "{text}");
    }
}

#[test]
fn another_generation_is_shown_once_it_is_activated() {
    let database = service_level_database();
    let offered = "SELECT sum(offered) FROM @measures";
    assert_eq!(database.run(offered), ["1063"]);
    database.run("INSERT INTO @generations VALUES (1, '2026-02-01 00:00:00', 'new policies')");
    assert_eq!(database.run(offered), ["999"]);
    database.run("INSERT INTO @generations VALUES (0, '2026-02-02 00:00:00', 'back again')");
    assert_eq!(database.run(offered), ["1063"]);
}

#[test]
fn handling_time_is_pooled_and_quantiles_are_the_middle_of_their_bucket() {
    let database = Database::migrated("handling");
    // 10 of 600 s and 90 of 200 s: 240 s. Buckets: 1 + floor(16 * log2(ms)) = 308 and 283; a wait of 0 ms is bucket 0.
    for rows in [
        "('acme','q','2026-01-05 10:00:00',0,0, 10, 5000000,400000,600000, map(308,10), 2, 0, map(0,2), 4, 1)",
        "('acme','q','2026-01-05 11:00:00',1,0, 90, 17000000,900000,100000, map(283,90), 2, 2000, map(160,2), 4, 2)",
        "('acme','q','2026-01-05 11:00:00',1,5, 1, 0,0,0, map(283,1), 0, 0, map(), 0, 0)",
        "('acme','q','2026-01-05 11:00:00',1,6, -1, 0,0,0, map(283,-1), 0, 0, map(), 0, 0)",
    ] {
        database.run(&format!(
            "INSERT INTO @panes (vendor, queue, pane, source, part, handled, talk_ms, hold_ms, wrap_ms, handle_histogram, \
             answered, wait_ms, wait_histogram, offered, abandoned) VALUES {rows}"
        ));
    }
    database.run(
        "INSERT INTO @panes (vendor, queue, pane, source, created, solved, reopened, escalated, ratings, satisfied, audits, \
         audits_passed) VALUES ('acme','q','2026-01-05 12:00:00', 0, 8, 4, 1, 2, 5, 4, 3, 3)",
    );
    let columns = "handled, aht_ms, asa_ms, abandon_rate, csat, reopen_rate, escalation_rate, audit_pass_rate, \
                   round(handle_p50_ms), round(handle_p90_ms), round(handle_p95_ms), round(handle_p99_ms), \
                   wait_p50_ms, round(wait_p90_ms)";
    let call = |bucket: u32, rest: &str| {
        database.run(&format!(
            "SELECT {columns} FROM @handling_time(from = '2026-01-05', to = '2026-01-06', bucket_seconds = {bucket}) {rest}"
        ))
    };
    assert_eq!(
        call(0, ""),
        ["100\t240000\t500\t0.375\t0.8\t0.25\t0.25\t1\t206567\t206567\t610127\t610127\t0\t1002"]
    );
    assert_eq!(
        call(3600, "ORDER BY bucket LIMIT 1, 1"),
        ["90\t200000\t1000\t0.5\t\\N\t\\N\t\\N\t\\N\t206567\t206567\t206567\t206567\t1001.5\t1002"]
            .map(|row| row.replace("1001.5", &middle(160)))
    );
    let empty = call(3600, "ORDER BY bucket DESC LIMIT 1");
    assert_eq!(
        empty,
        ["0\t\\N\t\\N\t\\N\t0.8\t0.25\t0.25\t1\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N"]
    );
}

/// 2^((bucket - 0.5) / 16), as ClickHouse writes it.
fn middle(bucket: u32) -> String {
    format!("{}", 2_f64.powf((f64::from(bucket) - 0.5) / 16.0))
}

#[test]
fn attainment_is_told_by_metric() {
    let database = Database::migrated("attainment");
    database.run(
        "INSERT INTO @panes (vendor, queue, pane, source, met_resolution, breached_resolution, met_answer, version) VALUES \
         ('a','q','2026-01-05 10:00:00', 0, 5, 5, 5, 1)",
    );
    database.run(
        "INSERT INTO @panes (vendor, queue, pane, source, met_resolution, breached_resolution, met_answer, version) VALUES \
         ('a','q','2026-01-05 10:00:00', 0, 3, 1, 2, 2), ('a','q','2026-01-05 10:59:00', 1, 0, 1, 0, 1)",
    );
    let rows = database.run(
        "SELECT metric, met, breached, attainment FROM @attainment(from = '2026-01-05', to = '2026-01-06', bucket_seconds = 3600) \
         ORDER BY metric",
    );
    assert_eq!(
        rows,
        [
            "agent_work\t0\t0\t\\N",
            "answer\t2\t0\t1",
            "first_reply\t0\t0\t\\N",
            "next_reply\t0\t0\t\\N",
            "periodic_update\t0\t0\t\\N",
            "requester_wait\t0\t0\t\\N",
            "resolution\t3\t2\t0.6"
        ]
    );
}

#[test]
fn backlog_is_all_that_entered_less_all_that_left_and_what_the_gauges_said() {
    let database = Database::migrated("backlog");
    database.run(
        "INSERT INTO @panes (vendor, queue, pane, source, part, entered, left, version) VALUES \
         ('b','q','2025-12-31 10:00:00', 0, 0, 9, 9, 1), ('b','q','2026-01-05 12:01:00', 0, 0, 1, 0, 1)",
    );
    database.run(
        "INSERT INTO @panes (vendor, queue, pane, source, part, entered, left, version) VALUES \
         ('b','q','2025-12-31 10:00:00', 0, 0, 7, 2, 2), ('b','q','2025-12-31 10:00:00', 0, 77, -1, 0, 5), \
         ('b','q','2026-01-05 10:59:00', 1, 0, 2, 0, 1)",
    );
    database.run(
        "INSERT INTO @gauges (vendor, queue, minute, source, open_tickets, oldest_created_at, running_answer, version) VALUES \
         ('b','q','2026-01-05 10:01:00', 0, 4, '2025-12-31 10:00:00', 1, 1), \
         ('b','q','2026-01-05 11:01:00', 1, 2, '2025-01-01 00:00:00', 2, 1), \
         ('b','q','2026-01-05 12:01:00', 0, 5, '2026-01-02 00:00:00', 3, 9), \
         ('b','q','2026-01-05 12:02:00', 0, 99, '2024-01-02 00:00:00', 99, 8), \
         ('b','q','2026-01-05 13:00:00', 1, 0, NULL, 0, 2)",
    );
    let rows = database.run(
        "SELECT formatDateTime(bucket, '%H:%i'), open_tickets, gauge_open_tickets, toDate(gauge_oldest_created_at) \
         FROM @backlog(from = '2026-01-05 09:00:00', to = '2026-01-05 14:00:00', bucket_seconds = 3600) ORDER BY bucket",
    );
    assert_eq!(
        rows,
        [
            "09:00\t4\t\\N\t\\N",
            "10:00\t6\t4\t2025-12-31",
            "11:00\t6\t6\t2025-01-01",
            "12:00\t7\t7\t2025-01-01",
            "13:00\t7\t5\t2026-01-02"
        ]
    );
    let whole = database.run(
        "SELECT open_tickets, gauge_open_tickets FROM @backlog(from = '2026-01-05 09:00:00', to = '2026-01-05 12:00:00', bucket_seconds = 0)",
    );
    assert_eq!(whole, ["6\t6"]);
    let now = database
        .run("SELECT open_tickets, toDate(oldest_created_at), running_answer FROM @backlog_now");
    assert_eq!(now, ["5\t2026-01-02\t3"]);
}

#[test]
fn breaches_and_open_clocks_show_what_stands() {
    let database = Database::migrated("outcomes");
    let columns = "(ticket_id, metric, cycle, vendor, queue, started_at, due_at, breached_at, stopped_at, state, target_ms, \
                   elapsed_ms, shares, version, is_deleted)";
    for rows in [
        "('kept','answer',1,'v','q','2026-01-05 12:00:00',NULL,'2026-01-05 12:00:10',NULL,'breached',10000,NULL,[('v','q',10000)],1,0)",
        "('kept','answer',1,'v','q','2026-01-05 12:00:00',NULL,'2026-01-05 12:00:10','2026-01-05 12:00:25','breached',10000,25000,[('v','q',10000)],2,0)",
        "('forgotten','answer',1,'v','q','2026-01-05 12:00:00',NULL,now64(3) - INTERVAL 32 DAY,NULL,'breached',10000,NULL,[],1,0)",
        "('open','answer',1,'v','q','2026-01-05 12:00:00',NULL,now64(3) - INTERVAL 30 DAY,NULL,'breached',10000,NULL,[],1,0)",
        "('retracted','resolution',1,'v','q','2026-01-05 12:00:00',NULL,'2026-01-05 12:00:10',NULL,'breached',10000,NULL,[],1,0)",
        "('retracted','resolution',1,'v','q','2026-01-05 12:00:00',NULL,NULL,NULL,'paused',10000,NULL,[],2,0)",
        "('undone','resolution',1,'v','q','2026-01-05 12:00:00',NULL,'2026-01-05 12:00:10',NULL,'breached',10000,NULL,[],1,0)",
        "('undone','resolution',1,'v','q','2026-01-05 12:00:00',NULL,NULL,NULL,'',NULL,NULL,[],2,1)",
        "('runs','resolution',1,'v','q','2026-01-05 12:00:00',now() + 100,NULL,NULL,'running',10000,NULL,[],2,0)",
    ] {
        database.run(&format!("INSERT INTO @outcomes {columns} VALUES {rows}"));
    }
    assert_eq!(
        database.run("SELECT ticket_id, elapsed_ms, over_ms, is_open, shares.ms FROM @breaches ORDER BY ticket_id"),
        ["forgotten\t\\N\t\\N\tfalse\t[]", "kept\t25000\t15000\tfalse\t[10000]", "open\t\\N\t\\N\ttrue\t[]"].map(|row| row.replace("false", "0").replace("true", "1"))
    );
    assert_eq!(
        database.run("SELECT ticket_id, state, due_at IS NULL, due_in_ms > 0 FROM @open_clocks ORDER BY ticket_id"),
        ["open\tbreached\t0\t0", "retracted\tpaused\t1\t\\N", "runs\trunning\t0\t1"]
    );
}

#[test]
fn alert_history_tells_each_transition_and_who_was_told() {
    let database = Database::migrated("alerts");
    database.run(
        "INSERT INTO @alerts (alert_key, at, revision, state, incident, rule, fired_at, evidence, version) VALUES \
         ('k','2026-01-05 01:00:00',1,'pending','','low',NULL,map('n',5),1), \
         ('k','2026-01-05 01:05:00',2,'firing','i','low','2026-01-05 01:05:00',map('n',9),2), \
         ('k','2026-01-05 02:05:00',3,'resolved','i','low','2026-01-05 01:05:00',map('n',0),3)",
    );
    // What came after its snapshot once more, from a new owner.
    database.run(
        "INSERT INTO @alerts (alert_key, at, revision, state, incident, rule, fired_at, evidence, version) VALUES \
         ('k','2026-01-05 01:05:00',2,'firing','i','low','2026-01-05 01:05:00',map('n',9),1099511627777), \
         ('k','2026-01-05 02:05:00',3,'resolved','i','low','2026-01-05 01:05:00',map('n',0),1099511627777)",
    );
    database.run(
        "INSERT INTO @notifications (alert_key, incident, receiver, revision, alert_state, state, detail, version) VALUES \
         ('k','i','am',2,'firing','intent','',1), ('k','i','am',2,'firing','sent','200',2), ('k','i','am',2,'firing','sent','200',3), \
         ('k','i','hook',2,'firing','rejected','410 Gone',2), ('k','i','mail',2,'firing','suppressed','stale',2)",
    );
    assert_eq!(
        database.run(
            "SELECT state, previous_state, evidence['n'], fired_for_ms, sent_to, refused_by, suppressed_for FROM @alert_history ORDER BY at"
        ),
        [
            "pending\t\t5\t\\N\t[]\t[]\t[]",
            "firing\tpending\t9\t\\N\t['am']\t[('hook','410 Gone')]\t[('mail','stale')]",
            "resolved\tfiring\t0\t3600000\t[]\t[]\t[]"
        ]
    );
}

#[test]
fn the_last_transition_of_an_alert_is_the_last_one_told() {
    let database = Database::migrated("alert_order");
    // Fired, taken back, and proved after all: at its due, which lies before both. Forgotten then, and back again.
    database.run(
        "INSERT INTO @alerts (alert_key, at, revision, state, incident, rule, fired_at, version) VALUES \
         ('k','2026-01-05 10:15:00',1,'firing','i','low','2026-01-05 10:15:00',1), \
         ('k','2026-01-05 10:20:00',2,'retracted','i','low','2026-01-05 10:15:00',2), \
         ('k','2026-01-05 10:10:00',3,'firing','j','low','2026-01-05 10:10:00',3), \
         ('k','2026-01-05 10:30:00',4,'resolved','j','low','2026-01-05 10:10:00',3), \
         ('k','2026-01-05 10:05:00',1,'firing','k','low','2026-01-05 10:05:00',1099511627777)",
    );
    assert_eq!(
        database.run("SELECT state, previous_state FROM @alert_history ORDER BY version, revision"),
        [
            "firing\t",
            "retracted\tfiring",
            "firing\tretracted",
            "resolved\tfiring",
            "firing\tresolved"
        ]
    );
}

#[test]
fn the_history_of_an_alert_says_who_sees_to_it() {
    let database = Database::migrated("acknowledged");
    database.run(
        "INSERT INTO @alerts (alert_key, at, revision, state, incident, author, fired_at, version) VALUES \
         ('k','2026-01-05 10:00:00',1,'firing','i','','2026-01-05 10:00:00',1), \
         ('k','2026-01-05 10:01:00',2,'acknowledged','i','ann','2026-01-05 10:00:00',2), \
         ('k','2026-01-05 10:05:00',3,'firing','i','','2026-01-05 10:00:00',3), \
         ('k','2026-01-05 10:06:00',4,'acknowledged','i','bob','2026-01-05 10:00:00',4), \
         ('k','2026-01-05 10:09:00',5,'resolved','i','','2026-01-05 10:00:00',5), \
         ('k','2026-01-05 11:00:00',6,'firing','j','','2026-01-05 11:00:00',6)",
    );
    assert_eq!(
        database.run(
            "SELECT state, acknowledged_by, acknowledged_at, fired_for_ms FROM @alert_history ORDER BY version, revision"
        ),
        [
            "firing\t\t\\N\t\\N",
            "acknowledged\tann\t2026-01-05 10:01:00.000\t\\N",
            "firing\tann\t2026-01-05 10:01:00.000\t\\N",
            "acknowledged\tbob\t2026-01-05 10:06:00.000\t\\N",
            "resolved\tbob\t2026-01-05 10:06:00.000\t540000",
            "firing\t\t\\N\t\\N"
        ]
    );
}

#[test]
fn silences_say_who_ended_them_early() {
    let database = Database::migrated("silences");
    // An action without a vendor of its own lies in every partition, and is one row.
    for _ in 0..2 {
        database.run(
            "INSERT INTO @actions (action_id, at, kind, author, reason, vendor, starts, until, silence_id) VALUES \
             ('a','2026-01-05 10:00:00','silence','ann','move','ac*','2026-01-05 12:00:00','2026-01-05 14:00:00',''), \
             ('b','2026-01-05 10:00:00','silence','bob','test','',NULL,'2026-01-05 11:00:00',''), \
             ('b','2026-01-05 10:00:01','silence','bob','test','',NULL,'2026-01-05 11:00:00',''), \
             ('c','2026-01-05 10:30:00','expire_silence','cyd','done','',NULL,NULL,'b')",
        );
    }
    assert_eq!(
        database.run(
            "SELECT silence_id, vendor, starts_at, ends_at, author, reason, ended_at, ended_by, ended_why FROM @silences ORDER BY silence_id"
        ),
        [
            "a\tac*\t2026-01-05 12:00:00.000\t2026-01-05 14:00:00.000\tann\tmove\t\\N\t\t",
            "b\t\t2026-01-05 10:00:00.000\t2026-01-05 11:00:00.000\tbob\ttest\t2026-01-05 10:30:00.000\tcyd\tdone"
        ]
    );
}

#[test]
fn dead_letters_are_counted_by_reason_once() {
    let database = Database::migrated("letters");
    for _ in 0..2 {
        database.run(
            "INSERT INTO @dead_letters (topic, partition, offset, record_at, reason, detail, payload_bytes) VALUES \
             ('ticket-events',0,1,'2026-01-05 10:10:10','bad_json','not JSON',5), \
             ('ticket-events',0,2,'2026-01-05 10:20:10','bad_json','not UTF-8',7), \
             ('ticket-events',1,1,'2026-01-05 11:10:10','future_event','late',5)",
        );
    }
    assert_eq!(
        database.run("SELECT hour, topic, reason, records, bytes, example, example_at FROM @dead_letter_reasons ORDER BY hour"),
        [
            "2026-01-05 10:00:00\tticket-events\tbad_json\t2\t12\tnot UTF-8\t(0,2)",
            "2026-01-05 11:00:00\tticket-events\tfuture_event\t1\t5\tlate\t(1,1)"
        ]
    );
}

#[test]
fn the_weekly_scorecard_has_one_row_per_vendor_and_monday() {
    let database = service_level_database();
    database.run(
        "INSERT INTO @panes (vendor, queue, pane, handled, talk_ms, met_answer, breached_answer, breached_resolution, version) VALUES \
         ('acme','other','2026-01-11 23:59:00', 2, 500, 3, 1, 1, 1), ('acme','other','2026-01-12 00:00:00', 1, 100, 0, 0, 0, 1)",
    );
    assert_eq!(
        database.run(
            "SELECT week, vendor, answered, sl_all_abandons_missed = 861 / 1063, attainment_answer, attainment_first_reply, breached, \
             aht_ms, csat FROM @vendor_scorecard_weekly ORDER BY week"
        ),
        [
            "2026-01-05\tacme\t1001\t1\t0.75\t\\N\t2\t250\t\\N",
            "2026-01-12\tacme\t0\t\\N\t\\N\t\\N\t0\t100\t\\N"
        ]
    );
}

#[test]
fn views_read_only_what_the_filter_needs() {
    let database = service_level_database();
    database.run(
        "INSERT INTO @panes (vendor, queue, pane, version) SELECT 'zeta', 'q', toDateTime64('2026-01-05 00:00:00', 3, 'UTC') + number * 60, 1 \
         FROM numbers(100000)",
    );
    let plan = database
        .run("EXPLAIN indexes = 1 SELECT * FROM @measures WHERE vendor = 'acme' AND pane >= '2026-01-05 10:00:00' AND pane < '2026-01-05 11:00:00'")
        .join("\n");
    assert!(plan.contains("PrimaryKey"), "{plan}");
    assert!(plan.contains("vendor") && plan.contains("pane"), "{plan}");
}
