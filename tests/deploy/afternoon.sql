-- Six hours of three vendors before @end, as the loader would have written them; nova's refunds drown in the last hour.
-- Statements end with a semicolon at the end of a line; @end is an instant in UTC milliseconds.

INSERT INTO panes
    (generation, vendor, queue, pane, source, part, created, entered, left, solved, offered, answered, abandoned, answered_in_target,
     wait_ms, handled, talk_ms, hold_ms, wrap_ms, met_first_reply, breached_first_reply, met_answer, breached_answer,
     wait_histogram, handle_histogram, version)
WITH
    [('acme', 'refunds'), ('acme', 'billing'), ('brightdesk', 'voice'), ('nova', 'refunds')] AS owners,
    owners[1 + number % 4] AS owner,
    intDiv(number, 4) AS minute,
    owner = ('nova', 'refunds') AND minute >= 300 AS drowns
SELECT
    0, owner.1, owner.2, toDateTime64(intDiv(@end, 60000) * 60 - 21600 + minute * 60, 3, 'UTC'), number % 2, 0,
    2, 2, if(drowns, 0, 2), 2, 10, 9, 1, if(drowns, 3, 8), if(drowns, 540000, 90000), 9, 1800000, 90000, 360000,
    2, toInt64(drowns), if(drowns, 3, 8), if(drowns, 7, 2), map(214, 9), map(287, 9), 1 + number
FROM numbers(1440);

INSERT INTO gauges (generation, vendor, queue, minute, source, open_tickets, oldest_created_at, running_first_reply, running_resolution, version)
SELECT
    0, vendor, queue, toDateTime64(intDiv(@end, 60000) * 60 - 60, 3, 'UTC'), 0, open,
    toDateTime64(intDiv(@end, 1000) - age, 3, 'UTC'), 3, open, 7
FROM values('vendor String, queue String, open Int64, age Int64',
    ('acme', 'refunds', 12, 3600), ('acme', 'billing', 4, 600), ('brightdesk', 'voice', 7, 9000), ('nova', 'refunds', 129, 40000));

INSERT INTO outcomes
    (generation, ticket_id, metric, cycle, policy_set, policy, target_ms, vendor, queue, priority, started_at, due_at, state,
     decided_at, breached_at, stopped_at, elapsed_ms, has_shares, changed_at, source, version, is_deleted)
WITH toDateTime64(intDiv(@end, 1000) - 60 * number, 3, 'UTC') AS due
SELECT
    0, concat('T-', toString(number)), 'first_reply', 1, toDateTime64('2025-01-01 00:00:00', 3, 'UTC'), 'all', 3600000,
    if(number % 3 = 0, 'acme', 'nova'), 'refunds', 'high', due - 3600, due, 'breached', due, due,
    if(number % 2 = 0, due + 90, NULL), if(number % 2 = 0, 3690000, NULL), true, due, 0, 5, 0
FROM numbers(40);

INSERT INTO outcomes
    (generation, ticket_id, metric, cycle, policy_set, policy, target_ms, vendor, queue, priority, started_at, due_at, state, changed_at,
     source, version, is_deleted)
WITH toDateTime64(intDiv(@end, 1000) + 300 + 60 * number, 3, 'UTC') AS due
SELECT
    0, concat('R-', toString(number)), 'resolution', 1, toDateTime64('2025-01-01 00:00:00', 3, 'UTC'), 'all', 86400000,
    'brightdesk', 'voice', 'normal', due - 86400, due, 'running', due - 86400, 0, 5, 0
FROM numbers(10);

INSERT INTO alerts
    (alert_key, at, revision, state, incident, rule, severity, vendor, queue, ticket_id, fired_at, due_at, summary, reason, evidence,
     labels, runbook_url, source, version)
SELECT
    key, toDateTime64(intDiv(@end, 1000) - ago, 3, 'UTC'), revision, state, concat(key, '-1'), 'service-level', 'critical', vendor, queue,
    '', toDateTime64(intDiv(@end, 1000) - fired_ago, 3, 'UTC'), toDateTime64(intDiv(@end, 1000) - ago, 3, 'UTC'),
    concat(vendor, ' / ', queue, ': service level 33.0 % over 30m'), 'below 70 % for 3m', map('value', 0.33), map('team', 'ops'),
    'https://runbooks.example.com/service-level', 0, revision
FROM values('key String, ago Int64, revision UInt64, state String, vendor String, queue String, fired_ago Int64',
    ('k1', 3000, 2, 'firing', 'nova', 'refunds', 3000),
    ('k2', 9000, 2, 'firing', 'acme', 'billing', 9000),
    ('k2', 8000, 3, 'resolved', 'acme', 'billing', 9000));

INSERT INTO notifications
    (alert_key, incident, receiver, revision, alert_state, state, at, attempts, detail, vendor, queue, source, version)
SELECT 'k1', 'k1-1', 'alertmanager', 2, 'firing', 'sent', toDateTime64(intDiv(@end, 1000) - 2999, 3, 'UTC'), 1, '200 OK', 'nova', 'refunds', 0, 1;

INSERT INTO dead_letters (topic, generation, partition, offset, record_at, reason, detail, payload, payload_bytes, payload_hash)
SELECT
    'ticket-events', 0, 0, number, toDateTime64(intDiv(@end, 1000) - 600 * number, 3, 'UTC'), if(number % 2 = 0, 'bad_json', 'bad_field'),
    'expected value at line 1', '{', 1, number
FROM numbers(12);
