-- The transitions of an alert follow each other by (version, revision). `at` is the instant that a transition is about: a
-- breach that is proved after a retraction fires at its due, which lies before it. And revisions begin anew with an alert
-- that the evaluator had forgotten.

CREATE OR REPLACE VIEW ${database}.alert_history${on_cluster} AS
SELECT
    at, state, previous_state, severity, rule, vendor, queue, ticket_id, summary, reason, evidence, labels,
    incident, fired_at, if(state IN ('resolved', 'retracted', 'expired'), dateDiff('millisecond', fired_at, at), NULL) AS fired_for_ms,
    sent_to, refused_by, suppressed_for, runbook_url, alert_key, revision, version
FROM
(
    SELECT
        *,
        any(state) OVER (PARTITION BY alert_key ORDER BY version, revision ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING) AS previous_state
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
