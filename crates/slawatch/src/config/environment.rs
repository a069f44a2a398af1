//! `SLAWATCH_…` variables, laid over the file.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::tree::{Node, Origin, Value};

const PREFIX: &str = "SLAWATCH_";
/// Variables of tests and development, which are no settings.
const OTHERS: [&str; 4] = ["CACHE_DIR", "DEVSTACK_BIN", "PICTURES", "SAMPLE_DATA"];

/// The variables that are settings, by name.
pub(super) fn variables() -> Vec<(String, OsString)> {
    let all =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    all.collect()
}

/// Lays variables over the tree. Returns what is wrong with some, by variable.
pub(super) fn lay_over(
    root: &mut Node,
    mut variables: Vec<(String, OsString)>,
) -> Vec<(String, String)> {
    variables.retain(|(name, _)| is_setting(name));
    variables.sort();
    let mut wrong = Vec::new();
    let mut given: Vec<Vec<String>> = Vec::new();
    for (name, value) in variables {
        let (path, text) = match setting(&name, value) {
            Ok(setting) => setting,
            Err(why) => {
                wrong.push((name, why));
                continue;
            }
        };
        if given.contains(&path) {
            let why =
                "is given twice, itself and by a variable ending with _FILE; unset one of them";
            wrong.push((name, format!("{} {why}", path.join("."))));
            continue;
        }
        let node = Node {
            origin: Origin::Variable(Arc::from(name)),
            value: Value::Bare(text),
        };
        root.put(&path, node);
        given.push(path);
    }
    wrong
}

fn is_setting(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| !rest.is_empty() && !OTHERS.contains(&rest) && !is_of_kubernetes(rest))
}

/// Kubernetes tells every container of a namespace about a service called slawatch: SLAWATCH_PORT_8080_TCP and the like.
fn is_of_kubernetes(rest: &str) -> bool {
    !rest.contains("__")
        && (rest == "PORT"
            || rest.starts_with("PORT_")
            || rest.contains("SERVICE_HOST")
            || rest.contains("SERVICE_PORT")
            || rest.contains("_PORT_")
            || rest.ends_with("_PORT"))
}

/// Path and text of a setting. One that ends with `_FILE` names the file in which the text stands.
fn setting(name: &str, value: OsString) -> Result<(Vec<String>, String), String> {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
    if let Some(rest) = rest.strip_suffix("_file") {
        let file = Path::new(&value);
        let text = std::fs::read_to_string(file).map_err(|error| {
            format!(
                "the file {} cannot be read: {error}; name one that can, or set the variable without _FILE",
                file.display()
            )
        })?;
        return Ok((path(rest), text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let text = value
        .into_string()
        .map_err(|_| "its value is not UTF-8; write it in UTF-8".to_owned())?;
    Ok((path(&rest), text))
}

/// Two underscores step into a table. librdkafka's properties have dots where variables cannot.
fn path(rest: &str) -> Vec<String> {
    match rest.split_once("kafka__properties__") {
        Some(("", property)) => vec![
            "kafka".to_owned(),
            "properties".to_owned(),
            property.replace("__", ".").replace('_', "."),
        ],
        _ => rest.split("__").map(str::to_owned).collect(),
    }
}
