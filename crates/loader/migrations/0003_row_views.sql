-- Views over open work, tickets' clocks, alerts and dead letters. As in the views over the panes, nobody needs FINAL.

CREATE OR REPLACE VIEW ${database}.gauges_latest${on_cluster} AS
SELECT * EXCEPT (generation)
FROM ${database}.gauges FINAL
WHERE generation = (SELECT generation FROM ${database}.current_generation)
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Last gauge of each minute of the current generation, still by source';

CREATE OR REPLACE VIEW ${database}.outcomes_latest${on_cluster} AS
SELECT
    * EXCEPT (generation, version, is_deleted, has_shares, changed_at, source),
    state IN ('running', 'paused') OR (state = 'breached' AND stopped_at IS NULL) AS is_open
FROM ${database}.outcomes FINAL
WHERE generation = (SELECT generation FROM ${database}.current_generation)
COMMENT 'Every SLA clock cycle as it is known now (SEMANTICS 8)';

CREATE OR REPLACE VIEW ${database}.backlog${on_cluster} AS
WITH
    toUnixTimestamp64Milli({from:DateTime64(3, 'UTC')}) AS from_ms,
    toUnixTimestamp64Milli({to:DateTime64(3, 'UTC')}) AS to_ms,
    if({bucket_seconds:UInt32} = 0, greatest(to_ms - from_ms, 1), toInt64({bucket_seconds:UInt32}) * 1000) AS step_ms,
    -- What lies before `from` is carried into the first bucket.
    instant -> from_ms + intDiv(greatest(toUnixTimestamp64Milli(instant) - from_ms, 0), step_ms) * step_ms AS bucket_of
SELECT
    vendor, queue, fromUnixTimestamp64Milli(bucket_ms, 'UTC') AS bucket,
    open_tickets, gauge_open_tickets, gauge_oldest_created_at
FROM
(
    SELECT
        vendor, queue, bucket_ms,
        sum(sum(net)) OVER (PARTITION BY vendor, queue ORDER BY bucket_ms) AS open_tickets
    FROM
    (
        SELECT vendor, queue, bucket_of(pane) AS bucket_ms, entered - left AS net
        FROM ${database}.panes_latest
        WHERE pane < {to:DateTime64(3, 'UTC')}
        UNION ALL
        SELECT vendor, queue, arrayJoin(range(from_ms, to_ms, step_ms)) AS bucket_ms, 0 AS net
        FROM (SELECT DISTINCT vendor, queue FROM ${database}.panes_latest WHERE pane < {to:DateTime64(3, 'UTC')})
    )
    GROUP BY vendor, queue, bucket_ms
) AS flow
LEFT JOIN
(
    SELECT vendor, queue, bucket_ms, sum(known.2) AS gauge_open_tickets, min(known.3) AS gauge_oldest_created_at
    FROM
    (
        SELECT
            vendor, queue, bucket_ms,
            -- Versions only grow, so the largest so far is the latest so far.
            max(max((version, open_tickets, oldest_created_at)))
                OVER (PARTITION BY vendor, queue, source ORDER BY bucket_ms) AS known
        FROM
        (
            SELECT vendor, queue, source, bucket_of(minute) AS bucket_ms, version, open_tickets, oldest_created_at
            FROM ${database}.gauges_latest
            WHERE minute < {to:DateTime64(3, 'UTC')}
            UNION ALL
            SELECT
                vendor, queue, source, arrayJoin(range(from_ms, to_ms, step_ms)) AS bucket_ms,
                0 AS version, 0 AS open_tickets, NULL AS oldest_created_at
            FROM (SELECT DISTINCT vendor, queue, source FROM ${database}.gauges_latest WHERE minute < {to:DateTime64(3, 'UTC')})
        )
        GROUP BY vendor, queue, source, bucket_ms
    )
    WHERE known.1 > 0
    GROUP BY vendor, queue, bucket_ms
) AS gauge USING (vendor, queue, bucket_ms)
WHERE throwIf({bucket_seconds:UInt32} % 60 != 0, 'backlog: bucket_seconds must be a multiple of 60, or 0 for one bucket') = 0
SETTINGS join_use_nulls = 1
COMMENT 'Open tickets per vendor and queue at the end of each bucket: counted by the panes, and as the gauges last said; parameters from, to, bucket_seconds';

CREATE OR REPLACE VIEW ${database}.backlog_now${on_cluster} AS
SELECT
    vendor, queue,
    sum(gauge.2) AS open_tickets,
    min(gauge.3) AS oldest_created_at,
    sum(gauge.4) AS running_first_reply,
    sum(gauge.5) AS running_next_reply,
    sum(gauge.6) AS running_periodic_update,
    sum(gauge.7) AS running_requester_wait,
    sum(gauge.8) AS running_agent_work,
    sum(gauge.9) AS running_resolution,
    sum(gauge.10) AS running_answer,
    max(minute) AS said_at
FROM
(
    SELECT
        vendor, queue, source, max(gauges.minute) AS minute,
        max((version, open_tickets, oldest_created_at, running_first_reply, running_next_reply, running_periodic_update,
            running_requester_wait, running_agent_work, running_resolution, running_answer)) AS gauge
    FROM ${database}.gauges_latest AS gauges
    GROUP BY vendor, queue, source
)
GROUP BY vendor, queue
COMMENT 'Open tickets, the oldest of them and the running clocks per vendor and queue, as the gauges last said';

CREATE OR REPLACE VIEW ${database}.breaches${on_cluster} AS
SELECT
    breached_at, vendor, queue, priority, ticket_id, metric, cycle, contact_id, policy, policy_set, target_ms,
    started_at, stopped_at, elapsed_ms,
    elapsed_ms - target_ms AS over_ms,
    is_open, shares
FROM ${database}.outcomes_latest
WHERE state = 'breached'
COMMENT 'Every breach that stands: who answers for it, when it was due, and by how much business time it was missed (NULL until stopped)';

CREATE OR REPLACE VIEW ${database}.open_clocks${on_cluster} AS
SELECT
    vendor, queue, priority, ticket_id, metric, cycle, contact_id, state, started_at,
    coalesce(due_at, breached_at) AS due_at,
    toInt64(dateDiff('millisecond', now64(3, 'UTC'), coalesce(outcomes.due_at, breached_at))) AS due_in_ms,
    target_ms, policy, policy_set
FROM ${database}.outcomes_latest AS outcomes
WHERE is_open
COMMENT 'SLA clocks that have not stopped: running, paused (no due), or breached and still open (due_in_ms negative)';

CREATE OR REPLACE VIEW ${database}.alert_history${on_cluster} AS
SELECT
    at, state, previous_state, severity, rule, vendor, queue, ticket_id, summary, reason, evidence, labels,
    incident, fired_at, if(state IN ('resolved', 'retracted', 'expired'), dateDiff('millisecond', fired_at, at), NULL) AS fired_for_ms,
    sent_to, refused_by, suppressed_for, runbook_url, alert_key, revision
FROM
(
    SELECT
        *,
        any(state) OVER (PARTITION BY alert_key ORDER BY at, revision ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS previous_state
    FROM ${database}.alerts FINAL
) AS alerts
LEFT JOIN
(
    SELECT
        alert_key, incident, revision,
        arraySort(groupArrayIf(receiver, state = 'sent')) AS sent_to,
        arraySort(groupArrayIf((receiver, detail), state = 'rejected')) AS refused_by,
        arraySort(groupArrayIf((receiver, detail), state = 'suppressed')) AS suppressed_for
    FROM ${database}.notifications FINAL
    GROUP BY alert_key, incident, revision
) AS notifications USING (alert_key, incident, revision)
COMMENT 'Every transition of every alert with its reason and evidence, and which receivers were told';

CREATE OR REPLACE VIEW ${database}.dead_letter_reasons${on_cluster} AS
SELECT
    toStartOfHour(record_at) AS hour, topic, reason,
    count() AS records,
    sum(payload_bytes) AS bytes,
    argMax(detail, (partition, offset)) AS example,
    argMax((partition, offset), (partition, offset)) AS example_at
FROM ${database}.dead_letters FINAL
WHERE generation = (SELECT generation FROM ${database}.current_generation)
GROUP BY hour, topic, reason
COMMENT 'Records that cannot count, per hour, topic and reason, with an example of each';
