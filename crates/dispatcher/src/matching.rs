//! Which alerts a receiver wants: globs over their attributes.

use std::collections::BTreeMap;

use serde::Deserialize;
use slawatch_wire::v1::AlertTransition;

/// All keys must hold; one that is not given always holds; of its globs one must match the whole value.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AlertMatch {
    severity: Option<Vec<String>>,
    vendor: Option<Vec<String>>,
    queue: Option<Vec<String>>,
    rule: Option<Vec<String>>,
    #[serde(default)]
    labels: BTreeMap<String, Vec<String>>,
}

/// What a rule's severity can be, the worst first.
const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// The worse, the higher; what this program does not know is the least.
pub(crate) fn severity_rank(severity: &str) -> usize {
    let position = SEVERITIES.iter().position(|known| *known == severity);
    position.map_or(0, |position| SEVERITIES.len() - position)
}

impl AlertMatch {
    /// Why no alert can match, and what to write instead.
    pub(crate) fn mistake(&self) -> Option<String> {
        let named = [
            ("severity", &self.severity),
            ("vendor", &self.vendor),
            ("queue", &self.queue),
            ("rule", &self.rule),
        ];
        let named = named
            .into_iter()
            .filter_map(|(name, globs)| Some((name.to_owned(), globs.as_ref()?)));
        let labels = self.labels.iter();
        let labels = labels.map(|(name, globs)| (format!("labels.{name}"), globs));
        if let Some((name, _)) = named.chain(labels).find(|(_, globs)| globs.is_empty()) {
            return Some(format!(
                "match holds for no alert: {name} = [] names nothing; write a glob such as \"*\", or leave {name} out"
            ));
        }
        let severities = self.severity.as_ref()?;
        let some = SEVERITIES
            .iter()
            .any(|known| any_matches(severities, known));
        (!some).then(|| {
            format!(
                "match holds for no alert: severity = {severities:?} is none of {}",
                SEVERITIES.join(", ")
            )
        })
    }

    pub(crate) fn holds(&self, alert: &AlertTransition) -> bool {
        let fields = [
            (&self.severity, &alert.severity),
            (&self.vendor, &alert.vendor),
            (&self.queue, &alert.queue),
            (&self.rule, &alert.rule),
        ];
        fields
            .iter()
            .all(|(globs, value)| globs.as_ref().is_none_or(|globs| any_matches(globs, value)))
            && self.labels.iter().all(|(name, globs)| {
                any_matches(globs, alert.labels.get(name).map_or("", String::as_str))
            })
    }
}

fn any_matches(globs: &[String], value: &str) -> bool {
    globs.iter().any(|glob| glob_matches(glob, value))
}

/// `*` stands for any text, also none; everything else for itself.
pub(crate) fn glob_matches(glob: &str, value: &str) -> bool {
    let Some((head, rest)) = glob.split_once('*') else {
        return glob == value;
    };
    let Some(mut value) = value.strip_prefix(head) else {
        return false;
    };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return value.ends_with(piece);
        }
        // The first place that fits leaves the most for the pieces after it.
        match value.find(piece) {
            Some(at) => value = &value[at + piece.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, value, expected) in [
            ("*", "", true),
            ("acme", "acme", true),
            ("acme", "acme-2", false),
            ("acme*", "acme-2", true),
            ("*refunds", "eu-refunds", true),
            ("*refunds", "eu-refunds-2", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(glob_matches(glob, value), expected, "{glob} {value}");
        }
    }

    #[test]
    fn every_given_key_must_hold() {
        let alert = AlertTransition {
            vendor: "acme".into(),
            severity: "critical".into(),
            labels: [("team".to_owned(), "eu".to_owned())].into(),
            ..AlertTransition::default()
        };
        for (matching, expected) in [
            ("", true),
            ("vendor = [\"ac*\"]", true),
            ("vendor = [\"ac*\"]\nseverity = [\"page\", \"crit*\"]", true),
            ("vendor = [\"ac*\"]\nseverity = [\"page\"]", false),
            ("queue = [\"\"]", true),
            ("queue = [\"x\"]", false),
            ("rule = []", false),
            ("labels = { team = [\"eu\"] }", true),
            ("labels = { other = [\"?\"] }", false),
        ] {
            let parsed: AlertMatch = toml::from_str(matching).unwrap();
            assert_eq!(parsed.holds(&alert), expected, "{matching}");
        }
    }
}
