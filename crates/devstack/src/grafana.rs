//! Grafana's dashboards without Grafana: the queries that a dashboard holds, and what Grafana and the official ClickHouse data
//! source make of their macros and variables before ClickHouse sees them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Error, Result};

/// One query of a dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Where it stands: `panel "Backlog"`, `variable "vendor"`.
    pub place: String,
    /// As written, with macros and variables.
    pub sql: String,
}

/// Every query of a dashboard: of its variables, annotations and panels, in this order.
///
/// # Errors
/// The text is no dashboard, or a part that should have a query has none.
pub fn queries(dashboard: &str) -> Result<Vec<Query>> {
    let failed = |reason: String| Error::Dashboard { reason };
    let dashboard: Value =
        serde_json::from_str(dashboard).map_err(|error| failed(format!("no JSON: {error}")))?;
    let list = |pointer: &str| {
        let found = dashboard.pointer(pointer).and_then(Value::as_array);
        found.cloned().unwrap_or_default()
    };
    let named = |kind: &str, part: &Value, name: &str, sql: Option<&str>| {
        let name = part[name].as_str().unwrap_or("?");
        let place = format!("{kind} {name:?}");
        let sql = sql.ok_or_else(|| failed(format!("{place} has no query")))?;
        Ok(Query {
            place,
            sql: sql.to_owned(),
        })
    };
    let mut queries = Vec::new();
    for variable in list("/templating/list") {
        if variable["type"] == "query" {
            queries.push(named(
                "variable",
                &variable,
                "name",
                variable["query"].as_str(),
            )?);
        }
    }
    for annotation in list("/annotations/list") {
        let sql = annotation["target"]["rawSql"].as_str();
        queries.push(named("annotation", &annotation, "name", sql)?);
    }
    for panel in list("/panels") {
        // A row holds its panels itself while it is folded.
        let inner = panel["panels"].as_array().cloned().unwrap_or_default();
        let panels = if panel["type"] == "row" {
            inner
        } else {
            vec![panel]
        };
        for panel in panels {
            if panel["type"] == "text" {
                continue;
            }
            let targets = panel["targets"].as_array().cloned().unwrap_or_default();
            if targets.is_empty() {
                queries.push(named("panel", &panel, "title", None)?);
            }
            for target in targets {
                queries.push(named("panel", &panel, "title", target["rawSql"].as_str())?);
            }
        }
    }
    Ok(queries)
}

/// What somebody has chosen in the dashboard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// First second of the time range, since 1970.
    pub from_s: i64,
    /// Its last second.
    pub to_s: i64,
    /// What Grafana takes as the step of a graph.
    pub interval_s: u32,
    /// The values of each variable; "All" stands for all of them.
    pub variables: BTreeMap<String, Vec<String>>,
}

impl Choice {
    /// The statement as ClickHouse gets it.
    ///
    /// # Errors
    /// A macro or variable that is not known here: then Grafana does not know it either, or this module lags behind.
    pub fn expand(&self, sql: &str) -> Result<String> {
        let mut expanded = String::with_capacity(sql.len());
        let mut rest = sql;
        while let Some(start) = rest.find('$') {
            expanded.push_str(&rest[..start]);
            let (value, after) = self.expand_one(&rest[start..])?;
            expanded.push_str(&value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    /// What begins with `$`, and the text behind it.
    fn expand_one<'a>(&self, text: &'a str) -> Result<(String, &'a str)> {
        let failed = |reason: &str| Error::Dashboard {
            reason: format!("{reason} in {:?}", text.lines().next().unwrap_or(text)),
        };
        if let Some(braced) = text.strip_prefix("${") {
            let (inner, after) = braced
                .split_once('}')
                .ok_or_else(|| failed("no closing brace"))?;
            let (name, format) = inner.split_once(':').unwrap_or((inner, ""));
            return Ok((self.variable(name, format)?, after));
        }
        let name_end = text[1..]
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .map_or(text.len(), |at| at + 1);
        let (name, after) = text.split_at(name_end);
        let (from, to) = (self.from_s, self.to_s);
        match name {
            "$__fromTime" => Ok((format!("toDateTime({from})"), after)),
            "$__toTime" => Ok((format!("toDateTime({to})"), after)),
            "$__interval_s" => Ok((self.interval_s.max(1).to_string(), after)),
            "$__timeFilter" => {
                let inner = after
                    .strip_prefix('(')
                    .and_then(|after| after.split_once(')'));
                let (column, after) = inner.ok_or_else(|| failed("no argument"))?;
                let filter =
                    format!("{column} >= toDateTime({from}) AND {column} <= toDateTime({to})");
                Ok((filter, after))
            }
            name if name.starts_with("$__") => Err(failed("an unknown macro")),
            name => Ok((self.variable(&name[1..], "")?, after)),
        }
    }

    fn variable(&self, name: &str, format: &str) -> Result<String> {
        let failed = |reason: String| Error::Dashboard { reason };
        let values = self
            .variables
            .get(name)
            .ok_or_else(|| failed(format!("no variable {name:?}")))?;
        match (format, values.as_slice()) {
            ("singlequote", values) => {
                let quoted = values
                    .iter()
                    .map(|value| format!("'{}'", value.replace('\'', "\\'")));
                Ok(quoted.collect::<Vec<_>>().join(","))
            }
            ("", [value]) => Ok(value.clone()),
            ("", _) => Err(failed(format!(
                "variable {name:?} may have several values: write ${{{name}:singlequote}}"
            ))),
            (format, _) => Err(failed(format!(
                "variable {name:?} in the unknown format {format:?}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice() -> Choice {
        let variables = [("one", vec!["a"]), ("many", vec!["a", "it's"])];
        let owned = |(name, values): (&str, Vec<&str>)| {
            (
                name.to_owned(),
                values.into_iter().map(str::to_owned).collect(),
            )
        };
        Choice {
            from_s: 100,
            to_s: 200,
            interval_s: 60,
            variables: variables.into_iter().map(owned).collect(),
        }
    }

    #[test]
    fn macros_and_variables_become_what_the_data_source_makes_of_them() {
        for (sql, expected) in [
            ("SELECT 1", "SELECT 1"),
            ("$__fromTime, $__toTime", "toDateTime(100), toDateTime(200)"),
            (
                "x WHERE $__timeFilter(at) AND y",
                "x WHERE at >= toDateTime(100) AND at <= toDateTime(200) AND y",
            ),
            ("intDiv($__interval_s, 60)", "intDiv(60, 60)"),
            ("'$one' '${one}'", "'a' 'a'"),
            ("IN (${many:singlequote})", "IN ('a','it\\'s')"),
        ] {
            assert_eq!(choice().expand(sql).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (sql, expected) in [
            (
                "$__nothing(1)",
                "the dashboard: an unknown macro in \"$__nothing(1)\"",
            ),
            (
                "$__timeFilter",
                "the dashboard: no argument in \"$__timeFilter\"",
            ),
            ("${one", "the dashboard: no closing brace in \"${one\""),
            ("$two", "the dashboard: no variable \"two\""),
            (
                "${many}",
                "the dashboard: variable \"many\" may have several values: write ${many:singlequote}",
            ),
            (
                "${one:csv}",
                "the dashboard: variable \"one\" in the unknown format \"csv\"",
            ),
        ] {
            assert_eq!(choice().expand(sql).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn every_query_of_a_dashboard_is_found() {
        let dashboard = r#"{
            "templating": {"list": [{"type": "query", "name": "v", "query": "q1"}, {"type": "custom", "name": "c"}]},
            "annotations": {"list": [{"name": "a", "target": {"rawSql": "q2"}}]},
            "panels": [
                {"type": "stat", "title": "s", "targets": [{"rawSql": "q3"}, {"rawSql": "q4"}]},
                {"type": "text", "title": "t"},
                {"type": "row", "title": "r", "panels": [{"type": "table", "title": "i", "targets": [{"rawSql": "q5"}]}]}
            ]
        }"#;
        let found = queries(dashboard).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|query| format!("{} {}", query.place, query.sql))
            .collect();
        let expected = [
            "variable \"v\" q1",
            "annotation \"a\" q2",
            "panel \"s\" q3",
            "panel \"s\" q4",
            "panel \"i\" q5",
        ];
        assert_eq!(found, expected);
        let error = queries(r#"{"panels": [{"type": "stat", "title": "s"}]}"#).unwrap_err();
        assert_eq!(error.to_string(), "the dashboard: panel \"s\" has no query");
    }
}
