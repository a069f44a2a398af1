//! Figures in words: durations, and what an alert rests on.

use minijinja::Environment;
use slawatch_wire::v1::{AlertTransition, Evidence, WorstTicket};

/// `2 d 3 h`, `1 h 5 min`, `35 s`: the two largest units that are not zero.
pub(crate) fn duration(duration_ms: i64) -> String {
    const UNITS: [(i64, &str); 4] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
    ];
    let sign = if duration_ms < 0 { "-" } else { "" };
    let mut left_ms = duration_ms.saturating_abs();
    let Some(first) = UNITS.iter().position(|(unit_ms, _)| left_ms >= *unit_ms) else {
        return format!("{sign}{left_ms} ms");
    };
    let mut words = Vec::new();
    for (unit_ms, unit) in &UNITS[first..UNITS.len().min(first + 2)] {
        let count = left_ms / unit_ms;
        left_ms %= unit_ms;
        if count > 0 {
            words.push(format!("{count} {unit}"));
        }
    }
    format!("{sign}{}", words.join(" "))
}

/// At most one digit after the point.
fn number(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    format!("{rounded}")
}

fn percent(value: f64) -> String {
    format!("{} %", number(value * 100.0))
}

/// What is between 0 and 1 is a proportion, if the alert counts anything; a quotient far above is a mean in milliseconds.
fn level(value: f64, is_quotient: bool) -> String {
    if is_quotient && (0.0..=1.0).contains(&value) {
        percent(value)
    } else if is_quotient && value >= 1_000.0 {
        duration(value as i64)
    } else {
        number(value)
    }
}

/// What the alert rests on: counts, level and bound.
pub(crate) fn evidence(alert: &AlertTransition) -> String {
    let find = |name: &str| {
        let mut all = alert.evidence.iter();
        all.find(|entry| entry.name == name)
            .map(|entry| entry.value)
    };
    let counts = find("numerator").zip(find("denominator"));
    let is_quotient = counts.is_some();
    let mut words = Vec::new();
    if let Some((numerator, denominator)) = counts {
        let of = if numerator <= denominator {
            format!("{} of {}", number(numerator), number(denominator))
        } else {
            format!("{} samples", number(denominator))
        };
        let least =
            find("min_samples").map(|least| format!(" (at least {} needed)", number(least)));
        words.push(format!("{of}{}", least.unwrap_or_default()));
    }
    let rest = alert.evidence.iter();
    words.extend(rest.filter_map(|entry| one(entry, is_quotient)));
    words.join(", ")
}

fn one(entry: &Evidence, is_quotient: bool) -> Option<String> {
    let (name, value) = (entry.name.as_str(), entry.value);
    let told = match name {
        "numerator" | "denominator" | "min_samples" => return None,
        "value" => format!("now {}", level(value, is_quotient)),
        "enter" => format!("begins at {}", level(value, is_quotient)),
        "exit" => format!("ends at {}", level(value, is_quotient)),
        "window_ms" => format!("over {}", duration(value as i64)),
        "oldest_age_ms" => format!("oldest {}", duration(value as i64)),
        "cycle" if value <= 1.0 => return None,
        "sources_out" => format!("{} sources out of date", number(value)),
        name => match name.strip_suffix("_ms") {
            Some(name) => format!("{} {}", name.replace('_', " "), duration(value as i64)),
            None => {
                let is_level = name.starts_with("queue.") || name.contains("bound");
                let shown = level(value, is_quotient && is_level);
                format!(
                    "{} {shown}",
                    name.replacen("queue.", "queue ", 1).replace('_', " ")
                )
            }
        },
    };
    Some(told)
}

/// How a ticket stands, without its id.
pub(super) fn ticket(ticket: &WorstTicket, at_ms: i64) -> String {
    let mut words = Vec::new();
    if !ticket.metric.is_empty() {
        words.push(ticket.metric.replace('_', " "));
    }
    match (ticket.elapsed_ms, ticket.target_ms) {
        (Some(elapsed_ms), Some(target_ms)) => {
            words.push(format!(
                "{} of {}",
                duration(elapsed_ms),
                duration(target_ms)
            ));
        }
        (Some(elapsed_ms), None) => words.push(duration(elapsed_ms)),
        (None, _) => {}
    }
    if let Some(due_ms) = ticket.due_ms
        && ticket.elapsed_ms.is_none()
        && !ticket.metric.is_empty()
    {
        words.push(match at_ms.saturating_sub(due_ms) {
            late_ms if late_ms >= 0 => format!("due {} ago", duration(late_ms)),
            early_ms => format!("due in {}", duration(-early_ms)),
        });
    }
    words.join(" ")
}

pub(super) fn install(environment: &mut Environment<'static>) {
    environment.add_filter("duration", duration);
    environment.add_filter("percent", percent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (duration_ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (35_400, "35 s"),
            (60_000, "1 min"),
            (3_900_000, "1 h 5 min"),
            (3_600_500, "1 h"),
            (183_600_000, "2 d 3 h"),
            (-90_000, "-1 min 30 s"),
        ] {
            assert_eq!(duration(duration_ms), expected, "{duration_ms}");
        }
    }

    #[test]
    fn evidence_reads_as_people_say_it() {
        let told = |entries: &[(&str, f64)]| {
            let evidence = entries.iter().map(|(name, value)| Evidence {
                name: (*name).to_owned(),
                value: *value,
            });
            evidence_of(evidence.collect())
        };
        for (entries, expected) in [
            (
                &[
                    ("value", 0.625),
                    ("numerator", 5.0),
                    ("denominator", 8.0),
                    ("min_samples", 8.0),
                    ("bound", 0.86),
                    ("enter", 0.7),
                    ("exit", 0.8),
                    ("window_ms", 1_800_000.0),
                    ("queue.refunds", 0.5),
                ][..],
                "5 of 8 (at least 8 needed), now 62.5 %, bound 86 %, begins at 70 %, ends at 80 %, over 30 min, queue \
                 refunds 50 %",
            ),
            (
                &[
                    ("value", 912_000.0),
                    ("numerator", 9_120_000.0),
                    ("denominator", 10.0),
                ][..],
                "10 samples, now 15 min 12 s",
            ),
            (
                &[("value", 512.0), ("enter", 500.0)][..],
                "now 512, begins at 500",
            ),
            (
                &[
                    ("target_ms", 900_000.0),
                    ("cycle", 1.0),
                    ("elapsed_ms", 930_000.0),
                    ("sources_out", 1.0),
                ][..],
                "target 15 min, elapsed 15 min 30 s, 1 sources out of date",
            ),
            (&[][..], ""),
        ] {
            assert_eq!(told(entries), expected);
        }
    }

    fn evidence_of(evidence: Vec<Evidence>) -> String {
        super::evidence(&AlertTransition {
            evidence,
            ..AlertTransition::default()
        })
    }

    #[test]
    fn a_ticket_says_how_late_it_is() {
        let worst = |due_ms, elapsed_ms, target_ms| WorstTicket {
            ticket_id: "T".into(),
            metric: "first_reply".into(),
            due_ms,
            elapsed_ms,
            target_ms,
        };
        for (entry, expected) in [
            (
                worst(Some(0), Some(1_800_000), Some(900_000)),
                "first reply 30 min of 15 min",
            ),
            (worst(Some(0), None, None), "first reply due 1 min ago"),
            (worst(Some(120_000), None, None), "first reply due in 1 min"),
            (
                WorstTicket {
                    metric: String::new(),
                    ..worst(Some(0), Some(60_000), None)
                },
                "1 min",
            ),
        ] {
            assert_eq!(ticket(&entry, 60_000), expected);
        }
    }
}
