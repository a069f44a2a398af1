-- What people did, what an alert rests on, and which step of an escalation told whom. New columns stand before those that
-- close a row; rows written before have their defaults.
--
-- `step` joins the key of `notifications`: one receiver may be told of one state at several steps, and each is a row.

ALTER TABLE ${database}.alerts${on_cluster}
    ADD COLUMN IF NOT EXISTS kind LowCardinality(String) COMMENT 'Kind of the rule: threshold, ticket, burn, ...' AFTER rule,
    ADD COLUMN IF NOT EXISTS worst_tickets Array(Tuple(ticket_id String, metric LowCardinality(String), due_at Nullable(DateTime64(3, 'UTC')), elapsed_ms Nullable(Int64), target_ms Nullable(Int64))) COMMENT 'Tickets that an alert over many rests on, the worst first; due_at is the creation where it is about open tickets' CODEC(ZSTD(3)) AFTER evidence,
    ADD COLUMN IF NOT EXISTS contributions Array(Tuple(attribute LowCardinality(String), value String, tickets Int64)) COMMENT 'How many of those tickets have one value of one attribute, the largest first' CODEC(ZSTD(3)) AFTER worst_tickets,
    ADD COLUMN IF NOT EXISTS author LowCardinality(String) COMMENT 'acknowledged: who did; else empty' AFTER runbook_url,
    ADD COLUMN IF NOT EXISTS timezone LowCardinality(String) COMMENT 'Time zone of the contract; empty: UTC' AFTER author,
    COMMENT COLUMN state 'pending, firing, acknowledged (it fires and somebody sees to it), resolved, retracted, expired';

ALTER TABLE ${database}.notifications${on_cluster}
    ADD COLUMN IF NOT EXISTS reference String COMMENT 'What the receiver calls what it was sent' CODEC(ZSTD(1)) AFTER queue,
    ADD COLUMN IF NOT EXISTS step UInt32 COMMENT 'Step of the escalation, from 1; 0 without one' AFTER reference,
    MODIFY ORDER BY (alert_key, incident, receiver, revision, alert_state, state, step),
    COMMENT COLUMN alert_state 'State that the receiver is told: pending, firing, acknowledged, resolved, retracted, expired';

ALTER TABLE ${database}.actions${on_cluster}
    ADD COLUMN IF NOT EXISTS starts Nullable(DateTime64(3, 'UTC')) COMMENT 'silence: its begin, mark_change: when it changed, if that is not at' AFTER rule,
    ADD COLUMN IF NOT EXISTS incident String COMMENT 'acknowledge: the episode; empty: the one that fired' CODEC(ZSTD(1)) AFTER until,
    ADD COLUMN IF NOT EXISTS silence_id String COMMENT 'expire_silence: the silence, by its action_id' CODEC(ZSTD(1)) AFTER incident,
    ADD COLUMN IF NOT EXISTS ticket_id String COMMENT 'silence: tickets by a glob; empty: all' CODEC(ZSTD(1)) AFTER silence_id,
    COMMENT COLUMN kind 'acknowledge, silence, expire_silence, mark_change',
    COMMENT COLUMN vendor 'Vendor concerned; of a silence a glob, empty: all',
    COMMENT COLUMN queue 'Queue concerned; of a silence a glob, empty: all',
    COMMENT COLUMN rule 'Rule concerned; of a silence a glob, empty: all';

CREATE OR REPLACE VIEW ${database}.alert_history${on_cluster} AS
SELECT
    at, state, previous_state, severity, rule, kind, vendor, queue, ticket_id, summary, reason, author, evidence,
    worst_tickets, contributions, labels, incident, fired_at,
    if(state IN ('resolved', 'retracted', 'expired'), dateDiff('millisecond', fired_at, at), NULL) AS fired_for_ms,
    acknowledged_by, acknowledged_at, sent_to, refused_by, suppressed_for, runbook_url, timezone, alert_key, revision, version
FROM
(
    SELECT
        *,
        any(state) OVER (PARTITION BY alert_key ORDER BY version, revision ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS previous_state,
        argMaxIf(author, (version, revision), state = 'acknowledged') OVER so_far AS acknowledged_by,
        argMaxIf(toNullable(at), (version, revision), state = 'acknowledged') OVER so_far AS acknowledged_at
    FROM ${database}.alerts FINAL
    WINDOW so_far AS (PARTITION BY alert_key, incident ORDER BY version, revision ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
) AS alerts
LEFT JOIN
(
    SELECT
        alert_key, incident, revision,
        arraySort(groupUniqArrayIf(receiver, state = 'sent')) AS sent_to,
        arraySort(groupUniqArrayIf((receiver, detail), state = 'rejected')) AS refused_by,
        arraySort(groupUniqArrayIf((receiver, detail), state = 'suppressed')) AS suppressed_for
    FROM ${database}.notifications FINAL
    GROUP BY alert_key, incident, revision
) AS notifications USING (alert_key, incident, revision)
COMMENT 'Every transition of every alert with its reason and evidence, who had acknowledged its episode by then, and which receivers were told';

CREATE OR REPLACE VIEW ${database}.silences${on_cluster} AS
SELECT
    action_id AS silence_id, vendor, queue, rule, ticket_id, coalesce(starts, at) AS starts_at, until AS ends_at, author, reason,
    at AS created_at, if(ended.silence_id = '', NULL, ended.ended_at) AS ended_at, ended.ended_by AS ended_by, ended.why AS ended_why
FROM
(
    -- Two boards that are asked for the same at once write it twice.
    SELECT * FROM ${database}.actions FINAL WHERE kind = 'silence' ORDER BY at LIMIT 1 BY action_id
) AS said
LEFT JOIN
(
    SELECT silence_id, min(at) AS ended_at, argMin(author, at) AS ended_by, argMin(reason, at) AS why
    FROM ${database}.actions FINAL
    WHERE kind = 'expire_silence'
    GROUP BY silence_id
) AS ended ON said.action_id = ended.silence_id
COMMENT 'Every silence with its author and reason, and who ended it early';
