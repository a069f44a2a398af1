-- The tables of slawatch. Placeholders (${database}, ${on_cluster}, ${replicated}) are filled in by `slawatch migrate`,
-- which also sets each table's TTL from the configuration.
--
-- A row says the whole truth about its key and repeats are harmless: ReplacingMergeTree keeps the highest `version`
-- (writer's epoch << 40 | batch counter). Neither the storage partition nor the key may depend on a value that a later
-- version can change, or the replaced row would survive elsewhere. Instants before 2000 share one storage partition, so
-- that a source with a broken clock cannot open hundreds of them.

CREATE TABLE IF NOT EXISTS ${database}.ticket_events${on_cluster}
(
    generation   UInt32                           COMMENT 'Generation of the recomputation that this record belongs to',
    partition    UInt32                           COMMENT 'Partition of the input topic'                                   CODEC(T64, LZ4),
    offset       Int64                            COMMENT 'Offset in that partition'                                       CODEC(Delta, ZSTD(1)),
    record_at    DateTime64(3, 'UTC')             COMMENT 'Timestamp of the record in the log'                             CODEC(Delta, ZSTD(1)),
    event_id     String                           COMMENT 'The same id within a ticket is the same event: copies are kept here and counted once in the measures' CODEC(ZSTD(1)),
    ticket_id    String                           COMMENT 'The ticket'                                                     CODEC(ZSTD(1)),
    type         LowCardinality(String)           COMMENT 'created, updated, customer_replied, ...',
    occurred_at  DateTime64(3, 'UTC')             COMMENT 'Event time'                                                     CODEC(Delta, ZSTD(1)),
    sequence     UInt64                           COMMENT 'The source''s own order inside a ticket'                        CODEC(T64, LZ4),
    vendor       LowCardinality(Nullable(String)) COMMENT 'Set by this event; NULL: not touched, empty: cleared. So are all attributes',
    queue        LowCardinality(Nullable(String)) COMMENT 'Attribute, as vendor',
    priority     LowCardinality(Nullable(String)) COMMENT 'Attribute, as vendor',
    status       LowCardinality(Nullable(String)) COMMENT 'Attribute, after the configured map: new, open, pending, on_hold, solved, closed',
    channel      LowCardinality(Nullable(String)) COMMENT 'Attribute, as vendor',
    category     LowCardinality(Nullable(String)) COMMENT 'Attribute, as vendor',
    agent_id     Nullable(String)                 COMMENT 'Attribute, as vendor'                                           CODEC(ZSTD(1)),
    requester_id Nullable(String)                 COMMENT 'Attribute, as vendor'                                           CODEC(ZSTD(1)),
    root_cause   LowCardinality(Nullable(String)) COMMENT 'Attribute, as vendor',
    sop          LowCardinality(Nullable(String)) COMMENT 'Attribute, as vendor',
    labels       Map(LowCardinality(String), String) COMMENT 'Further attributes by name; one not named is not touched',
    contact_id   Nullable(String)                 COMMENT 'Contact of a contact event; NULL: the ticket''s one contact'   CODEC(ZSTD(1)),
    talk_ms      UInt64                           COMMENT 'handled: talk time, ms'                                         CODEC(T64, LZ4),
    hold_ms      UInt64                           COMMENT 'handled: hold time, ms'                                         CODEC(T64, LZ4),
    wrap_ms      UInt64                           COMMENT 'handled: wrap-up time, ms'                                      CODEC(T64, LZ4),
    score        Nullable(String)                 COMMENT 'rated: the score as written, a decimal number',
    score_max    Nullable(String)                 COMMENT 'rated: the best score as written, a decimal number',
    satisfied    Nullable(Bool)                   COMMENT 'rated: 5 score >= 4 score_max, in exact decimals',
    level        LowCardinality(Nullable(String)) COMMENT 'escalated: level',
    reason       Nullable(String)                 COMMENT 'escalated: reason'                                              CODEC(ZSTD(1)),
    passed       Nullable(Bool)                   COMMENT 'audited: passed',
    merged_into  Nullable(String)                 COMMENT 'merged: the ticket that this one became part of (field `into`)' CODEC(ZSTD(1)),
    INDEX occurred_range occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY (generation, toYYYYMM(greatest(record_at, toDateTime64('2000-01-01 00:00:00', 3, 'UTC'))))
PRIMARY KEY (ticket_id, occurred_at)
ORDER BY (ticket_id, occurred_at, generation, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Every accepted event of the input topic, as it came (SEMANTICS 1)';

CREATE TABLE IF NOT EXISTS ${database}.panes${on_cluster}
(
    generation               UInt32                 COMMENT 'Generation of the recomputation',
    vendor                   LowCardinality(String) COMMENT 'Owner: vendor',
    queue                    LowCardinality(String) COMMENT 'Owner: queue',
    pane                     DateTime64(3, 'UTC')   COMMENT 'First instant of the UTC minute'                               CODEC(Delta, ZSTD(1)),
    source                   UInt32                 COMMENT 'Partition of the input topic that these counts come from'      CODEC(T64, LZ4),
    part                     UInt64                 COMMENT '0: everything, replaces what was said before; else a correction, offset + 1 of the late event' CODEC(T64, LZ4),
    created                  Int64                  COMMENT 'Tickets created'                                               CODEC(T64, LZ4),
    entered                  Int64                  COMMENT 'Open tickets that came to this owner'                          CODEC(T64, LZ4),
    left                     Int64                  COMMENT 'Open tickets that left this owner'                             CODEC(T64, LZ4),
    solved                   Int64                  COMMENT 'Tickets that became over'                                      CODEC(T64, LZ4),
    reopened                 Int64                  COMMENT 'Tickets reopened'                                              CODEC(T64, LZ4),
    escalated                Int64                  COMMENT 'Escalations'                                                   CODEC(T64, LZ4),
    offered                  Int64                  COMMENT 'Contacts offered'                                              CODEC(T64, LZ4),
    answered                 Int64                  COMMENT 'Contacts answered'                                             CODEC(T64, LZ4),
    abandoned                Int64                  COMMENT 'Contacts abandoned'                                            CODEC(T64, LZ4),
    flowed_out               Int64                  COMMENT 'Contacts offered again before an answer'                       CODEC(T64, LZ4),
    answered_in_target       Int64                  COMMENT 'Answered at or before the due'                                 CODEC(T64, LZ4),
    abandoned_in_target      Int64                  COMMENT 'Abandoned at or before the due'                                CODEC(T64, LZ4),
    short_abandoned          Int64                  COMMENT 'Abandoned within the policy''s short_abandon'                  CODEC(T64, LZ4),
    wait_ms                  Int64                  COMMENT 'Sum over answered contacts: answer - offer, ms'                CODEC(T64, LZ4),
    handled                  Int64                  COMMENT 'Pieces of work finished'                                       CODEC(T64, LZ4),
    talk_ms                  Int64                  COMMENT 'Sum of talk time, ms'                                          CODEC(T64, LZ4),
    hold_ms                  Int64                  COMMENT 'Sum of hold time, ms'                                          CODEC(T64, LZ4),
    wrap_ms                  Int64                  COMMENT 'Sum of wrap-up time, ms'                                       CODEC(T64, LZ4),
    ratings                  Int64                  COMMENT 'Ratings'                                                       CODEC(T64, LZ4),
    satisfied                Int64                  COMMENT 'Ratings of at least four fifths of the maximum'                CODEC(T64, LZ4),
    audits                   Int64                  COMMENT 'Audits'                                                        CODEC(T64, LZ4),
    audits_passed            Int64                  COMMENT 'Audits passed'                                                 CODEC(T64, LZ4),
    met_first_reply          Int64                  COMMENT 'first_reply cycles met'                                        CODEC(T64, LZ4),
    breached_first_reply     Int64                  COMMENT 'first_reply cycles breached'                                   CODEC(T64, LZ4),
    met_next_reply           Int64                  COMMENT 'next_reply cycles met'                                         CODEC(T64, LZ4),
    breached_next_reply      Int64                  COMMENT 'next_reply cycles breached'                                    CODEC(T64, LZ4),
    met_periodic_update      Int64                  COMMENT 'periodic_update cycles met'                                    CODEC(T64, LZ4),
    breached_periodic_update Int64                  COMMENT 'periodic_update cycles breached'                               CODEC(T64, LZ4),
    met_requester_wait       Int64                  COMMENT 'requester_wait cycles met'                                     CODEC(T64, LZ4),
    breached_requester_wait  Int64                  COMMENT 'requester_wait cycles breached'                                CODEC(T64, LZ4),
    met_agent_work           Int64                  COMMENT 'agent_work cycles met'                                         CODEC(T64, LZ4),
    breached_agent_work      Int64                  COMMENT 'agent_work cycles breached'                                    CODEC(T64, LZ4),
    met_resolution           Int64                  COMMENT 'resolution cycles met'                                         CODEC(T64, LZ4),
    breached_resolution      Int64                  COMMENT 'resolution cycles breached'                                    CODEC(T64, LZ4),
    met_answer               Int64                  COMMENT 'answer cycles met'                                             CODEC(T64, LZ4),
    breached_answer          Int64                  COMMENT 'answer cycles breached'                                        CODEC(T64, LZ4),
    wait_histogram           Map(UInt16, Int64)     COMMENT 'Answered contacts by wait; bucket b >= 1 holds 2^((b-1)/16) <= ms < 2^(b/16), bucket 0 holds 0 ms',
    handle_histogram         Map(UInt16, Int64)     COMMENT 'Pieces of work by talk + hold + wrap; buckets as in wait_histogram',
    version                  UInt64                 COMMENT 'The highest counts: writer''s epoch << 40 | batch counter'     CODEC(Delta, ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY (generation, toYYYYMM(greatest(pane, toDateTime64('2000-01-01 00:00:00', 3, 'UTC'))))
ORDER BY (generation, vendor, queue, pane, source, part)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Measures of SEMANTICS 5 per minute and owner. For people: the views measures, service_level, attainment, handling_time, backlog';

CREATE TABLE IF NOT EXISTS ${database}.outcomes${on_cluster}
(
    generation  UInt32                           COMMENT 'Generation of the recomputation',
    ticket_id   String                           COMMENT 'The ticket'                                                       CODEC(ZSTD(1)),
    metric      LowCardinality(String)           COMMENT 'first_reply, next_reply, periodic_update, requester_wait, agent_work, resolution, answer',
    cycle       UInt32                           COMMENT 'Number of the cycle within ticket and metric, from 1',
    contact_id  Nullable(String)                 COMMENT 'answer: the contact'                                              CODEC(ZSTD(1)),
    policy_set  Nullable(DateTime64(3, 'UTC'))   COMMENT 'effective_from of the policy set',
    policy      LowCardinality(Nullable(String)) COMMENT 'Policy in force where it was decided',
    target_ms   Nullable(Int64)                  COMMENT 'Target there, ms',
    vendor      LowCardinality(String)           COMMENT 'Who is answerable: vendor',
    queue       LowCardinality(String)           COMMENT 'Who is answerable: queue',
    priority    LowCardinality(String)           COMMENT 'Priority where it was decided',
    started_at  DateTime64(3, 'UTC')             COMMENT 'Start of the cycle'                                               CODEC(Delta, ZSTD(1)),
    due_at      Nullable(DateTime64(3, 'UTC'))   COMMENT 'Due; while running as projected, NULL while paused',
    state       LowCardinality(String)           COMMENT 'running, paused, met, breached, cancelled, abandoned, flowed_out, untargeted',
    decided_at  Nullable(DateTime64(3, 'UTC'))   COMMENT 'Stop, due or end; NULL while running or paused',
    breached_at Nullable(DateTime64(3, 'UTC'))   COMMENT 'The due, if breached',
    stopped_at  Nullable(DateTime64(3, 'UTC'))   COMMENT 'Stop or end; NULL before',
    elapsed_ms  Nullable(Int64)                  COMMENT 'Business time at the stop or end, pauses taken off, ms',
    shares      Array(Tuple(vendor LowCardinality(String), queue LowCardinality(String), ms Int64)) COMMENT 'met and breached: elapsed time by owner up to the decision, ms',
    has_shares  Bool                             COMMENT 'Whether shares means something (an Array cannot be NULL)',
    changed_at  DateTime64(3, 'UTC')             COMMENT 'Log clock of the source at this version: never earlier than that of the version before, so that the TTL brings no old row back' CODEC(Delta, ZSTD(1)),
    source      UInt32                           COMMENT 'Partition of the input topic'                                     CODEC(T64, LZ4),
    version     UInt64                           COMMENT 'The highest counts: writer''s epoch << 40 | batch counter'        CODEC(Delta, ZSTD(1)),
    is_deleted  UInt8                            COMMENT '1: late events have undone this cycle'
)
ENGINE = ${replicated}ReplacingMergeTree(version, is_deleted)
PARTITION BY generation
ORDER BY (generation, ticket_id, metric, cycle)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'One row per SLA clock cycle (SEMANTICS 8). For people: the views breaches and open_clocks';

CREATE TABLE IF NOT EXISTS ${database}.gauges${on_cluster}
(
    generation              UInt32                         COMMENT 'Generation of the recomputation',
    vendor                  LowCardinality(String)         COMMENT 'Owner: vendor',
    queue                   LowCardinality(String)         COMMENT 'Owner: queue',
    minute                  DateTime64(3, 'UTC')           COMMENT 'Minute of the source''s clock; the last gauge of a minute counts' CODEC(Delta, ZSTD(1)),
    source                  UInt32                         COMMENT 'Partition of the input topic'                           CODEC(T64, LZ4),
    open_tickets            Int64                          COMMENT 'Open tickets'                                           CODEC(T64, LZ4),
    oldest_created_at       Nullable(DateTime64(3, 'UTC')) COMMENT 'Creation of the oldest open ticket',
    running_first_reply     Int64                          COMMENT 'Running first_reply clocks, paused ones not among them' CODEC(T64, LZ4),
    running_next_reply      Int64                          COMMENT 'Running next_reply clocks'                              CODEC(T64, LZ4),
    running_periodic_update Int64                          COMMENT 'Running periodic_update clocks'                         CODEC(T64, LZ4),
    running_requester_wait  Int64                          COMMENT 'Running requester_wait clocks'                          CODEC(T64, LZ4),
    running_agent_work      Int64                          COMMENT 'Running agent_work clocks'                              CODEC(T64, LZ4),
    running_resolution      Int64                          COMMENT 'Running resolution clocks'                              CODEC(T64, LZ4),
    running_answer          Int64                          COMMENT 'Running answer clocks'                                  CODEC(T64, LZ4),
    version                 UInt64                         COMMENT 'The highest counts: writer''s epoch << 40 | batch counter' CODEC(Delta, ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY (generation, toYYYYMM(greatest(minute, toDateTime64('2000-01-01 00:00:00', 3, 'UTC'))))
ORDER BY (generation, vendor, queue, source, minute)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Open tickets and running clocks per owner and source, absolute. For people: the view backlog';

CREATE TABLE IF NOT EXISTS ${database}.alerts${on_cluster}
(
    alert_key   String                               COMMENT 'Stable for (rule, group): the receivers'' deduplication key'  CODEC(ZSTD(1)),
    at          DateTime64(3, 'UTC')                 COMMENT 'Instant of the transition by the evaluator''s clock'          CODEC(Delta, ZSTD(1)),
    revision    UInt64                               COMMENT 'Counts the transitions of this key from 1'                    CODEC(T64, LZ4),
    state       LowCardinality(String)               COMMENT 'pending, firing, resolved, retracted, expired',
    incident    String                               COMMENT 'One episode; empty while pending'                             CODEC(ZSTD(1)),
    rule        LowCardinality(String)               COMMENT 'The rule',
    severity    LowCardinality(String)               COMMENT 'Severity of the rule',
    vendor      LowCardinality(String)               COMMENT 'Whom it concerns: vendor',
    queue       LowCardinality(String)               COMMENT 'Whom it concerns: queue; empty: all of the vendor''s',
    ticket_id   String                               COMMENT 'The ticket, for an alert of one ticket; else empty'           CODEC(ZSTD(1)),
    fired_at    Nullable(DateTime64(3, 'UTC'))       COMMENT 'When this episode began to fire; NULL while pending',
    due_at      DateTime64(3, 'UTC')                 COMMENT 'The instant that staleness is measured from'                  CODEC(Delta, ZSTD(1)),
    summary     String                               COMMENT 'What happened, in words'                                      CODEC(ZSTD(3)),
    reason      String                               COMMENT 'Why this transition came'                                     CODEC(ZSTD(3)),
    evidence    Map(LowCardinality(String), Float64) COMMENT 'The numbers behind it, by name',
    labels      Map(LowCardinality(String), String)  COMMENT 'Labels of the rule and the group',
    runbook_url String                               COMMENT 'What to do'                                                   CODEC(ZSTD(1)),
    source      UInt32                               COMMENT 'Partition of the signals that it was concluded from'          CODEC(T64, LZ4),
    version     UInt64                               COMMENT 'The highest counts: writer''s epoch << 40 | batch counter'    CODEC(Delta, ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(greatest(at, toDateTime64('2000-01-01 00:00:00', 3, 'UTC')))
ORDER BY (alert_key, at, revision)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Every transition of every alert, with reason and evidence. For people: the view alert_history';

CREATE TABLE IF NOT EXISTS ${database}.notifications${on_cluster}
(
    alert_key   String                 COMMENT 'The alert'                                                                  CODEC(ZSTD(1)),
    incident    String                 COMMENT 'The episode'                                                                CODEC(ZSTD(1)),
    receiver    LowCardinality(String) COMMENT 'Who is told',
    revision    UInt64                 COMMENT 'Revision of the alert that is told'                                         CODEC(T64, LZ4),
    alert_state LowCardinality(String) COMMENT 'State that the receiver is told: pending, firing, resolved, retracted, expired',
    state       LowCardinality(String) COMMENT 'intent, sent, rejected (for good), suppressed (stale, superseded)',
    at          DateTime64(3, 'UTC')   COMMENT 'When, by the dispatcher''s clock; a repetition replaces the row'            CODEC(Delta, ZSTD(1)),
    attempts    UInt32                 COMMENT 'Attempts so far'                                                            CODEC(T64, LZ4),
    detail      String                 COMMENT 'The receiver''s answer, or the reason'                                      CODEC(ZSTD(3)),
    vendor      LowCardinality(String) COMMENT 'Vendor of the alert',
    queue       LowCardinality(String) COMMENT 'Queue of the alert',
    source      UInt32                 COMMENT 'Partition of the alerts topic'                                              CODEC(T64, LZ4),
    version     UInt64                 COMMENT 'The highest counts: writer''s epoch << 40 | batch counter'                  CODEC(Delta, ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(version)
ORDER BY (alert_key, incident, receiver, revision, alert_state, state)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'What was sent to whom: one row for the intent and one for each result';

CREATE TABLE IF NOT EXISTS ${database}.actions${on_cluster}
(
    action_id String                         COMMENT 'Identity of the action'                                               CODEC(ZSTD(1)),
    at        DateTime64(3, 'UTC')           COMMENT 'When'                                                                 CODEC(Delta, ZSTD(1)),
    kind      LowCardinality(String)         COMMENT 'acknowledge, silence, expire_silence',
    author    LowCardinality(String)         COMMENT 'Who',
    reason    String                         COMMENT 'Why, in the author''s words'                                          CODEC(ZSTD(3)),
    alert_key String                         COMMENT 'acknowledge: the alert'                                               CODEC(ZSTD(1)),
    vendor    LowCardinality(String)         COMMENT 'Vendor concerned',
    queue     LowCardinality(String)         COMMENT 'Queue concerned; empty: all',
    rule      LowCardinality(String)         COMMENT 'Rule concerned; empty: all',
    until     Nullable(DateTime64(3, 'UTC')) COMMENT 'silence: its end'
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(greatest(at, toDateTime64('2000-01-01 00:00:00', 3, 'UTC')))
ORDER BY (at, action_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'What people did: acknowledgements and silences';

CREATE TABLE IF NOT EXISTS ${database}.dead_letters${on_cluster}
(
    topic         LowCardinality(String) COMMENT 'Topic of the record',
    generation    UInt32                 COMMENT 'Generation of the recomputation',
    partition     UInt32                 COMMENT 'Partition of the record'                                                  CODEC(T64, LZ4),
    offset        Int64                  COMMENT 'Offset of the record'                                                     CODEC(Delta, ZSTD(1)),
    record_at     DateTime64(3, 'UTC')   COMMENT 'Timestamp of the record'                                                  CODEC(Delta, ZSTD(1)),
    reason        LowCardinality(String) COMMENT 'Why it cannot count: bad_json, missing_field, ... (SEMANTICS 1)',
    detail        String                 COMMENT 'Which field, and what is wrong with it'                                   CODEC(ZSTD(3)),
    payload       String                 COMMENT 'The first 64 KiB of the value, as it came'                                CODEC(ZSTD(3)),
    payload_bytes UInt64                 COMMENT 'Length of the whole value'                                                CODEC(T64, LZ4),
    payload_hash  UInt64                 COMMENT 'XXH3-64 of the whole value'                                               CODEC(NONE)
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(greatest(record_at, toDateTime64('2000-01-01 00:00:00', 3, 'UTC')))
ORDER BY (topic, generation, partition, offset)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Records that cannot count, with the reason. For people: the view dead_letter_reasons';

CREATE TABLE IF NOT EXISTS ${database}.generations${on_cluster}
(
    generation   UInt32               COMMENT 'The generation that the views show from activated_at on',
    activated_at DateTime64(3, 'UTC') COMMENT 'When it was activated',
    note         String               COMMENT 'Why'
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (activated_at, generation)
COMMENT 'Which recomputation the views show: the one activated last; none activated: 0';
