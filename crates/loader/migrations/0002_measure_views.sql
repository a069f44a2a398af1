-- Views over the panes. Nobody who reads them needs FINAL, parts, sources, versions or generations: the value of a pane
-- is the sum, over the sources, of the latest absolute row and the corrections (SEMANTICS 5).
--
-- Parameterised views are called like functions:
--   SELECT * FROM service_level(from = '2026-01-01', to = '2026-01-02', bucket_seconds = 900, formula = 'answered_only')
-- `from` is included, `to` is not; `bucket_seconds` is a multiple of 60, or 0 for one bucket from `from` to `to`.
-- Every ratio is NULL where its denominator is 0. To pool rows, add up the counts and divide afterwards.

CREATE OR REPLACE VIEW ${database}.current_generation${on_cluster} AS
SELECT argMax(generation, activated_at) AS generation
FROM ${database}.generations
COMMENT 'The generation that the views show; 0 as long as none was activated';

CREATE OR REPLACE VIEW ${database}.panes_latest${on_cluster} AS
SELECT * EXCEPT (generation, version)
FROM ${database}.panes FINAL
WHERE generation = (SELECT generation FROM ${database}.current_generation)
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Valid pane rows of the current generation, still by source and part: add them up';

CREATE OR REPLACE VIEW ${database}.measures${on_cluster} AS
SELECT
    vendor, queue, pane,
    sum(created) AS created, sum(entered) AS entered, sum(left) AS left, sum(solved) AS solved, sum(reopened) AS reopened,
    sum(escalated) AS escalated, sum(offered) AS offered, sum(answered) AS answered, sum(abandoned) AS abandoned,
    sum(flowed_out) AS flowed_out, sum(answered_in_target) AS answered_in_target, sum(abandoned_in_target) AS abandoned_in_target,
    sum(short_abandoned) AS short_abandoned, sum(wait_ms) AS wait_ms, sum(handled) AS handled, sum(talk_ms) AS talk_ms,
    sum(hold_ms) AS hold_ms, sum(wrap_ms) AS wrap_ms, sum(ratings) AS ratings, sum(satisfied) AS satisfied, sum(audits) AS audits,
    sum(audits_passed) AS audits_passed, sum(met_first_reply) AS met_first_reply,
    sum(breached_first_reply) AS breached_first_reply, sum(met_next_reply) AS met_next_reply,
    sum(breached_next_reply) AS breached_next_reply, sum(met_periodic_update) AS met_periodic_update,
    sum(breached_periodic_update) AS breached_periodic_update, sum(met_requester_wait) AS met_requester_wait,
    sum(breached_requester_wait) AS breached_requester_wait, sum(met_agent_work) AS met_agent_work,
    sum(breached_agent_work) AS breached_agent_work, sum(met_resolution) AS met_resolution,
    sum(breached_resolution) AS breached_resolution, sum(met_answer) AS met_answer, sum(breached_answer) AS breached_answer,
    sumMap(wait_histogram) AS wait_histogram,
    sumMap(handle_histogram) AS handle_histogram
FROM ${database}.panes_latest
GROUP BY vendor, queue, pane
COMMENT 'All measures of SEMANTICS 5 per UTC minute, vendor and queue';

CREATE OR REPLACE VIEW ${database}.service_level${on_cluster} AS
WITH
    pane -> if({bucket_seconds:UInt32} = 0, {from:DateTime64(3, 'UTC')}, fromUnixTimestamp64Milli(
        toUnixTimestamp64Milli(pane) - positiveModulo(toUnixTimestamp64Milli(pane), 1000 * greatest({bucket_seconds:UInt32}, 1)), 'UTC')) AS bucket_of
SELECT
    vendor, queue, bucket, offered, answered, abandoned, answered_in_target, abandoned_in_target, short_abandoned,
    multiIf(
        {formula:String} = 'abandons_in_target_met', answered_in_target + abandoned_in_target,
        {formula:String} = 'short_abandons_met', answered_in_target + short_abandoned,
        answered_in_target) AS in_target,
    multiIf(
        {formula:String} = 'answered_only', answered,
        {formula:String} = 'abandons_in_target_dropped', answered + abandoned - abandoned_in_target,
        {formula:String} = 'short_abandons_dropped', answered + abandoned - short_abandoned,
        answered + abandoned) AS counted,
    in_target / nullIf(counted, 0) AS service_level
FROM
(
    SELECT
        vendor, queue, bucket_of(pane) AS bucket,
        sum(offered) AS offered, sum(answered) AS answered, sum(abandoned) AS abandoned,
        sum(answered_in_target) AS answered_in_target, sum(abandoned_in_target) AS abandoned_in_target,
        sum(short_abandoned) AS short_abandoned
    FROM ${database}.panes_latest
    WHERE pane >= {from:DateTime64(3, 'UTC')} AND pane < {to:DateTime64(3, 'UTC')}
    GROUP BY vendor, queue, bucket
)
WHERE throwIf({bucket_seconds:UInt32} % 60 != 0, 'service_level: bucket_seconds must be a multiple of 60, or 0 for one bucket') = 0
  AND throwIf({formula:String} NOT IN (
        'abandons_in_target_met', 'answered_only', 'all_abandons_missed',
        'abandons_in_target_dropped', 'short_abandons_met', 'short_abandons_dropped'),
        'service_level: unknown formula; write abandons_in_target_met, answered_only, all_abandons_missed, abandons_in_target_dropped, short_abandons_met or short_abandons_dropped') = 0
COMMENT 'Share of contacts served in target per vendor, queue and bucket; parameters from, to, bucket_seconds, formula. Pooled: sum(in_target) / sum(counted)';

CREATE OR REPLACE VIEW ${database}.attainment${on_cluster} AS
WITH
    pane -> if({bucket_seconds:UInt32} = 0, {from:DateTime64(3, 'UTC')}, fromUnixTimestamp64Milli(
        toUnixTimestamp64Milli(pane) - positiveModulo(toUnixTimestamp64Milli(pane), 1000 * greatest({bucket_seconds:UInt32}, 1)), 'UTC')) AS bucket_of
SELECT
    vendor, queue, bucket,
    verdict.1 AS metric,
    verdict.2 AS met,
    verdict.3 AS breached,
    met / nullIf(met + breached, 0) AS attainment
FROM
(
    SELECT
        vendor, queue, bucket_of(pane) AS bucket,
        [
            ('first_reply', sum(met_first_reply), sum(breached_first_reply)),
            ('next_reply', sum(met_next_reply), sum(breached_next_reply)),
            ('periodic_update', sum(met_periodic_update), sum(breached_periodic_update)),
            ('requester_wait', sum(met_requester_wait), sum(breached_requester_wait)),
            ('agent_work', sum(met_agent_work), sum(breached_agent_work)),
            ('resolution', sum(met_resolution), sum(breached_resolution)),
            ('answer', sum(met_answer), sum(breached_answer))
        ] AS verdicts
    FROM ${database}.panes_latest
    WHERE pane >= {from:DateTime64(3, 'UTC')} AND pane < {to:DateTime64(3, 'UTC')}
    GROUP BY vendor, queue, bucket
)
ARRAY JOIN verdicts AS verdict
WHERE throwIf({bucket_seconds:UInt32} % 60 != 0, 'attainment: bucket_seconds must be a multiple of 60, or 0 for one bucket') = 0
COMMENT 'Share of SLA clock cycles met per vendor, queue, bucket and metric; parameters from, to, bucket_seconds. Pooled: sum(met) / sum(met + breached)';

CREATE OR REPLACE VIEW ${database}.handling_time${on_cluster} AS
WITH
    pane -> if({bucket_seconds:UInt32} = 0, {from:DateTime64(3, 'UTC')}, fromUnixTimestamp64Milli(
        toUnixTimestamp64Milli(pane) - positiveModulo(toUnixTimestamp64Milli(pane), 1000 * greatest({bucket_seconds:UInt32}, 1)), 'UTC')) AS bucket_of,
    -- Nearest rank, reported as the geometric middle of its bucket: off by at most 2.2 %. Bucket 0 is 0 ms.
    (percent, buckets, running_totals) ->
        buckets[arrayFirstIndex(total -> total * 100 >= running_totals[-1] * percent, running_totals)] AS quantile_bucket,
    (percent, buckets, running_totals) -> if(running_totals[-1] <= 0, NULL,
        exp2((quantile_bucket(percent, buckets, running_totals) - 0.5) / 16)
            * (quantile_bucket(percent, buckets, running_totals) > 0)) AS quantile_ms
SELECT
    vendor, queue, bucket, created, solved, reopened, escalated, offered, answered, abandoned, flowed_out, handled,
    handle_ms / nullIf(handled, 0) AS aht_ms,
    wait_ms / nullIf(answered, 0) AS asa_ms,
    abandoned / nullIf(offered, 0) AS abandon_rate,
    satisfied / nullIf(ratings, 0) AS csat,
    reopened / nullIf(solved, 0) AS reopen_rate,
    escalated / nullIf(created, 0) AS escalation_rate,
    audits_passed / nullIf(audits, 0) AS audit_pass_rate,
    quantile_ms(50, wait_buckets, wait_totals) AS wait_p50_ms,
    quantile_ms(90, wait_buckets, wait_totals) AS wait_p90_ms,
    quantile_ms(95, wait_buckets, wait_totals) AS wait_p95_ms,
    quantile_ms(99, wait_buckets, wait_totals) AS wait_p99_ms,
    quantile_ms(50, handle_buckets, handle_totals) AS handle_p50_ms,
    quantile_ms(90, handle_buckets, handle_totals) AS handle_p90_ms,
    quantile_ms(95, handle_buckets, handle_totals) AS handle_p95_ms,
    quantile_ms(99, handle_buckets, handle_totals) AS handle_p99_ms,
    handle_ms, wait_ms, ratings, satisfied, audits, audits_passed
FROM
(
    SELECT
        vendor, queue, bucket_of(pane) AS bucket,
        sum(created) AS created, sum(solved) AS solved, sum(reopened) AS reopened, sum(escalated) AS escalated,
        sum(offered) AS offered, sum(answered) AS answered, sum(abandoned) AS abandoned, sum(flowed_out) AS flowed_out,
        sum(handled) AS handled, sum(talk_ms + hold_ms + wrap_ms) AS handle_ms, sum(wait_ms) AS wait_ms,
        sum(ratings) AS ratings, sum(satisfied) AS satisfied, sum(audits) AS audits, sum(audits_passed) AS audits_passed,
        sumMap(wait_histogram) AS waits, sumMap(handle_histogram) AS handles,
        mapKeys(waits) AS wait_buckets, arrayCumSum(mapValues(waits)) AS wait_totals,
        mapKeys(handles) AS handle_buckets, arrayCumSum(mapValues(handles)) AS handle_totals
    FROM ${database}.panes_latest
    WHERE pane >= {from:DateTime64(3, 'UTC')} AND pane < {to:DateTime64(3, 'UTC')}
    GROUP BY vendor, queue, bucket
)
WHERE throwIf({bucket_seconds:UInt32} % 60 != 0, 'handling_time: bucket_seconds must be a multiple of 60, or 0 for one bucket') = 0
COMMENT 'Handling and waiting times, their quantiles and the quality rates per vendor, queue and bucket; parameters from, to, bucket_seconds. Pooled AHT: sum(handle_ms) / sum(handled)';

CREATE OR REPLACE VIEW ${database}.vendor_scorecard_weekly${on_cluster} AS
WITH
    -- Nearest rank, reported as the geometric middle of its bucket: off by at most 2.2 %. Bucket 0 is 0 ms.
    (percent, buckets, running_totals) ->
        buckets[arrayFirstIndex(total -> total * 100 >= running_totals[-1] * percent, running_totals)] AS quantile_bucket,
    (percent, buckets, running_totals) -> if(running_totals[-1] <= 0, NULL,
        exp2((quantile_bucket(percent, buckets, running_totals) - 0.5) / 16)
            * (quantile_bucket(percent, buckets, running_totals) > 0)) AS quantile_ms
SELECT
    toDate(week) AS week, vendor, created, solved, reopened, escalated, offered, answered, abandoned, handled,
    (answered_in_target + abandoned_in_target) / nullIf(answered + abandoned, 0) AS sl_abandons_in_target_met,
    answered_in_target / nullIf(answered, 0) AS sl_answered_only,
    answered_in_target / nullIf(answered + abandoned, 0) AS sl_all_abandons_missed,
    answered_in_target / nullIf(answered + abandoned - abandoned_in_target, 0) AS sl_abandons_in_target_dropped,
    (answered_in_target + short_abandoned) / nullIf(answered + abandoned, 0) AS sl_short_abandons_met,
    answered_in_target / nullIf(answered + abandoned - short_abandoned, 0) AS sl_short_abandons_dropped,
    met_first_reply / nullIf(met_first_reply + breached_first_reply, 0) AS attainment_first_reply,
    met_next_reply / nullIf(met_next_reply + breached_next_reply, 0) AS attainment_next_reply,
    met_periodic_update / nullIf(met_periodic_update + breached_periodic_update, 0) AS attainment_periodic_update,
    met_requester_wait / nullIf(met_requester_wait + breached_requester_wait, 0) AS attainment_requester_wait,
    met_agent_work / nullIf(met_agent_work + breached_agent_work, 0) AS attainment_agent_work,
    met_resolution / nullIf(met_resolution + breached_resolution, 0) AS attainment_resolution,
    met_answer / nullIf(met_answer + breached_answer, 0) AS attainment_answer,
    handle_ms / nullIf(handled, 0) AS aht_ms,
    wait_ms / nullIf(answered, 0) AS asa_ms,
    abandoned / nullIf(offered, 0) AS abandon_rate,
    satisfied / nullIf(ratings, 0) AS csat,
    reopened / nullIf(solved, 0) AS reopen_rate,
    escalated / nullIf(created, 0) AS escalation_rate,
    audits_passed / nullIf(audits, 0) AS audit_pass_rate,
    quantile_ms(90, wait_buckets, wait_totals) AS wait_p90_ms,
    quantile_ms(90, handle_buckets, handle_totals) AS handle_p90_ms,
    breached_first_reply + breached_next_reply + breached_periodic_update + breached_requester_wait + breached_agent_work
        + breached_resolution + breached_answer AS breached
FROM
(
    SELECT
        vendor,
        toStartOfWeek(pane, 1) AS week,
        sum(talk_ms + hold_ms + wrap_ms) AS handle_ms,
        sumMap(wait_histogram) AS waits, sumMap(handle_histogram) AS handles,
        mapKeys(waits) AS wait_buckets, arrayCumSum(mapValues(waits)) AS wait_totals,
        mapKeys(handles) AS handle_buckets, arrayCumSum(mapValues(handles)) AS handle_totals,
        sum(created) AS created, sum(entered) AS entered, sum(left) AS left, sum(solved) AS solved, sum(reopened) AS reopened,
        sum(escalated) AS escalated, sum(offered) AS offered, sum(answered) AS answered, sum(abandoned) AS abandoned,
        sum(flowed_out) AS flowed_out, sum(answered_in_target) AS answered_in_target, sum(abandoned_in_target) AS abandoned_in_target,
        sum(short_abandoned) AS short_abandoned, sum(wait_ms) AS wait_ms, sum(handled) AS handled,
        sum(ratings) AS ratings, sum(satisfied) AS satisfied, sum(audits) AS audits,
        sum(audits_passed) AS audits_passed, sum(met_first_reply) AS met_first_reply,
        sum(breached_first_reply) AS breached_first_reply, sum(met_next_reply) AS met_next_reply,
        sum(breached_next_reply) AS breached_next_reply, sum(met_periodic_update) AS met_periodic_update,
        sum(breached_periodic_update) AS breached_periodic_update, sum(met_requester_wait) AS met_requester_wait,
        sum(breached_requester_wait) AS breached_requester_wait, sum(met_agent_work) AS met_agent_work,
        sum(breached_agent_work) AS breached_agent_work, sum(met_resolution) AS met_resolution,
        sum(breached_resolution) AS breached_resolution, sum(met_answer) AS met_answer, sum(breached_answer) AS breached_answer
    FROM ${database}.panes_latest
    GROUP BY vendor, week
)
COMMENT 'One row per vendor and week (Monday, UTC): volumes, service level by each formula, attainment by metric, times and quality rates';
