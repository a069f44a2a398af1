//! A backtest for people, as a table, and for programs, as JSON.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use slawatch_event::format_instant;

use crate::periods::Loss;
use crate::report::{Backtest, Contract, Lead, LostPeriod, RuleReport};

/// As many lost targets are told one by one; all of them are in the JSON.
const SHOWN: usize = 12;

/// A backtest with what it was judged by.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What was found.
    pub backtest: &'a Backtest,
    /// How contracts judged.
    pub contract: &'a Contract,
}

/// Shortest and median of ascending lengths of time.
fn spread(sorted_ms: &[i64]) -> Option<(i64, i64)> {
    let median_ms = sorted_ms.get(sorted_ms.len() / 2)?;
    Some((*sorted_ms.first()?, *median_ms))
}

impl RuleReport {
    /// Lost, and the leads of those that were warned of, ascending; `None` where there is nothing to lose.
    fn early(&self) -> Option<(u64, Vec<i64>)> {
        match &self.lead {
            Lead::Nothing => None,
            Lead::Clocks(clocks) => Some((clocks.breached, clocks.leads_ms.clone())),
            Lead::Periods(lost) => {
                let mut leads_ms: Vec<i64> = lost.iter().filter_map(LostPeriod::lead_ms).collect();
                leads_ms.sort_unstable();
                Some((lost.len() as u64, leads_ms))
            }
        }
    }

    fn cells(&self) -> [String; 9] {
        let none = || "-".to_owned();
        let (lost, warned, lead) = match self.early() {
            None => (none(), none(), none()),
            Some((lost, leads_ms)) => {
                let lead = spread(&leads_ms).map_or_else(none, |(shortest_ms, median_ms)| {
                    format!("{} ({})", length(median_ms), length(shortest_ms))
                });
                (lost.to_string(), leads_ms.len().to_string(), lead)
            }
        };
        let still = match self.firing_at_end {
            0 => String::new(),
            count => format!(" ({count} on)"),
        };
        [
            self.rule.clone(),
            self.kind.to_owned(),
            format!("{}{still}", self.episodes),
            length(self.firing_ms),
            length(self.longest_ms),
            self.false_episodes.to_string(),
            lost,
            warned,
            lead,
        ]
    }
}

const HEAD: [&str; 9] = [
    "rule", "kind", "episodes", "firing", "longest", "false", "lost", "warned", "lead",
];

impl fmt::Display for Told<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backtest, contract } = self;
        let zone = zone_name(&contract.zone);
        let Some(from_ms) = backtest.from_ms else {
            return writeln!(out, "The history holds nothing that rules could look at.");
        };
        writeln!(
            out,
            "{} rules over the history from {} to {}",
            backtest.rules.len(),
            local(from_ms, &contract.zone),
            local(backtest.to_ms, &contract.zone),
        )?;
        let mut rows = vec![HEAD.map(str::to_owned)];
        rows.extend(backtest.rules.iter().map(RuleReport::cells));
        print(&rows, out)?;
        writeln!(
            out,
            "false: with every event at its time there was nothing to tell. lost: targets of a contract {} ({zone}) out of reach or missed;\nfor rules that warn, clocks breached. warned: of those, with an alert before. lead: how long before, median (shortest).",
            contract.period.name(),
        )?;
        let lost: Vec<(&str, &LostPeriod)> = backtest.rules.iter().flat_map(lost_of).collect();
        for (rule, period) in lost.iter().take(SHOWN) {
            writeln!(out, "{}", sentence(rule, period, contract))?;
        }
        if lost.len() > SHOWN {
            writeln!(out, "… and {} more, in backtest.json", lost.len() - SHOWN)?;
        }
        Ok(())
    }
}

fn lost_of(rule: &RuleReport) -> impl Iterator<Item = (&str, &LostPeriod)> {
    let lost = match &rule.lead {
        Lead::Nothing | Lead::Clocks(_) => &[][..],
        Lead::Periods(lost) => lost,
    };
    lost.iter().map(|period| (rule.rule.as_str(), period))
}

fn sentence(rule: &str, period: &LostPeriod, contract: &Contract) -> String {
    let group = match &period.queue {
        Some(queue) => format!("{} / {queue}", period.vendor),
        None => period.vendor.clone(),
    };
    let loss = match period.loss {
        Loss::OutOfReach => "out of reach",
        Loss::Missed => "missed",
    };
    let part = if period.is_partial {
        ", of which the history holds a part"
    } else {
        ""
    };
    let lead = match period.lead_ms() {
        Some(lead_ms) => format!("first alert {} before", length(lead_ms)),
        None => "no alert before".to_owned(),
    };
    format!(
        "- {group}: target of {rule} for the {} from {}{part}, {loss} at {}; {lead}",
        contract.period.name(),
        local(period.from_ms, &contract.zone),
        local(period.lost_ms, &contract.zone),
    )
}

/// Columns two apart: words to the left, figures to the right.
fn print(rows: &[[String; 9]], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; 9] = std::array::from_fn(width);
    for row in rows {
        let cells = row.iter().zip(widths).enumerate();
        let line: Vec<String> = cells
            .map(|(column, (cell, width))| match column {
                0 | 1 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

/// "3d4h", "1h20m", "45s": two units at most.
fn length(ms: i64) -> String {
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ];
    let mut rest = ms;
    let mut text = String::new();
    let mut shown = 0;
    for (unit, size_ms) in units {
        if shown == 2 {
            break;
        }
        let count = rest / size_ms;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
        if count > 0 || shown > 0 {
            shown += 1;
        }
        rest %= size_ms;
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

fn zone_name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("UTC")
}

/// "2026-01-07 11:12", in the contract's zone.
fn local(at_ms: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at_ms).map_or_else(
        |_| "the end of time".to_owned(),
        |at| {
            let at = at.to_zoned(zone.clone());
            at.strftime("%Y-%m-%d %H:%M").to_string()
        },
    )
}

impl Told<'_> {
    /// `backtest.json`.
    pub fn to_json(&self) -> Value {
        let Self { backtest, contract } = self;
        json!({
            "from": backtest.from_ms.map(format_instant),
            "to": format_instant(backtest.to_ms),
            "contract_period": contract.period.name(),
            "timezone": zone_name(&contract.zone),
            "rules": backtest.rules.iter().map(rule_json).collect::<Vec<_>>(),
        })
    }
}

fn rule_json(rule: &RuleReport) -> Value {
    let early = rule.early();
    let leads_ms = early.as_ref().map_or(&[][..], |(_, leads_ms)| leads_ms);
    let spread = spread(leads_ms);
    let lost = lost_of(rule).map(|(_, period)| {
        json!({
            "vendor": period.vendor,
            "queue": period.queue,
            "from": format_instant(period.from_ms),
            "to": format_instant(period.to_ms),
            "partial": period.is_partial,
            "lost_at": format_instant(period.lost_ms),
            "loss": match period.loss {
                Loss::OutOfReach => "out_of_reach",
                Loss::Missed => "missed",
            },
            "alerted_at": period.alerted_ms.map(format_instant),
            "lead_ms": period.lead_ms(),
        })
    });
    json!({
        "rule": rule.rule,
        "type": rule.kind,
        "episodes": rule.episodes,
        "false_episodes": rule.false_episodes,
        "retracted": rule.retracted,
        "firing_at_end": rule.firing_at_end,
        "firing_ms": rule.firing_ms,
        "longest_ms": rule.longest_ms,
        "lost": early.as_ref().map(|(lost, _)| lost),
        "warned": early.as_ref().map(|(_, leads_ms)| leads_ms.len()),
        "shortest_lead_ms": spread.map(|(shortest_ms, _)| shortest_ms),
        "median_lead_ms": spread.map(|(_, median_ms)| median_ms),
        "lost_periods": lost.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units_at_most() {
        for (ms, expected) in [
            (0, "0s"),
            (999, "0s"),
            (61_000, "1m1s"),
            (3_600_000, "1h"),
            (3_601_000, "1h"),
            (4_800_000, "1h20m"),
            (273_600_000, "3d4h"),
            (259_260_000, "3d"),
        ] {
            assert_eq!(length(ms), expected, "{ms}");
        }
    }
}
