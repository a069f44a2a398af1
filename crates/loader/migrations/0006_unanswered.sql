-- A contact whose end never comes is not open for ever: its ticket is forgotten some day, and says nothing more. It is given
-- up where its alert is.

CREATE OR REPLACE VIEW ${database}.outcomes_latest${on_cluster} AS
SELECT
    * EXCEPT (generation, version, is_deleted, has_shares, changed_at, source),
    state IN ('running', 'paused')
        OR (state = 'breached' AND stopped_at IS NULL
            AND (metric != 'answer' OR breached_at >= now64(3, 'UTC') - INTERVAL 31 DAY)) AS is_open
FROM ${database}.outcomes FINAL
WHERE generation = (SELECT generation FROM ${database}.current_generation)
COMMENT 'Every SLA clock cycle as it is known now (SEMANTICS 8); is_open: not stopped, and no answer 31 days overdue';
