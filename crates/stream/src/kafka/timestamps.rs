//! Whether a topic keeps timestamps of the far future out.

use super::KafkaLog;

/// As far ahead of the broker's clock as a timestamp may lie.
const MOST_MS: i64 = 3_600_000;

/// The settings of a topic that say so, by their names.
const SETTINGS: [&str; 3] = [
    "message.timestamp.type",
    "message.timestamp.after.max.ms",
    // Brokers before 3.6 know only this one.
    "message.timestamp.difference.max.ms",
];

/// What to do about a topic that lets them in.
pub(super) fn trouble(log: &KafkaLog, topic: &str) -> Option<String> {
    let Some([kind, after, difference]) = log.topic_settings(topic, SETTINGS) else {
        tracing::warn!(
            topic,
            "the topic's configuration cannot be read (is the right DescribeConfigs missing?): make sure that its timestamps are \
             LogAppendTime or bounded by message.timestamp.after.max.ms"
        );
        return None;
    };
    let bound = after.or(difference);
    judge(
        topic,
        &log.options.brokers,
        kind.as_deref(),
        bound.as_deref(),
    )
}

fn judge(topic: &str, brokers: &str, kind: Option<&str>, bound: Option<&str>) -> Option<String> {
    let bound_ms: Option<i64> = bound.and_then(|bound| bound.parse().ok());
    let is_bounded = bound_ms.is_some_and(|bound_ms| bound_ms <= MOST_MS);
    (kind != Some("LogAppendTime") && !is_bounded).then(|| {
        format!(
            "topic {topic} takes timestamps of the far future. One such record would move its clock there for good: late events \
             would be corrections only, and finished tickets be forgotten. Bound them: kafka-configs.sh --bootstrap-server \
             {brokers} --alter --entity-type topics --entity-name {topic} --add-config \
             message.timestamp.after.max.ms={MOST_MS} (brokers before 3.6: message.timestamp.type=LogAppendTime)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_the_logs_own_or_bounded() {
        for (kind, bound, is_good) in [
            (Some("LogAppendTime"), None, true),
            (Some("LogAppendTime"), Some("9223372036854775807"), true),
            (Some("CreateTime"), Some("3600000"), true),
            (Some("CreateTime"), Some("3600001"), false),
            (Some("CreateTime"), Some("9223372036854775807"), false),
            (Some("CreateTime"), None, false),
            (None, None, false),
        ] {
            let told = judge("tickets", "k:9092", kind, bound);
            assert_eq!(told.is_none(), is_good, "{kind:?} {bound:?}");
            if let Some(told) = told {
                assert!(told.contains(
                    "kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type topics --entity-name tickets"
                ));
            }
        }
    }
}
