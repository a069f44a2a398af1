//! A rule's own words for its alerts: text with `{placeholders}`, checked when the rules are read.

use std::borrow::Cow;

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Rule,
    Severity,
    Vendor,
    Queue,
    /// Of the measure, formatted.
    Value,
    Window,
    Enter,
    Exit,
    Numerator,
    Denominator,
    Ticket,
    Metric,
    Priority,
    /// `breached`, or the warning's level.
    Level,
    Target,
    /// How long a vendor may be quiet.
    After,
}

const NAMES: [(&str, Field); 16] = [
    ("rule", Field::Rule),
    ("severity", Field::Severity),
    ("vendor", Field::Vendor),
    ("queue", Field::Queue),
    ("value", Field::Value),
    ("window", Field::Window),
    ("enter", Field::Enter),
    ("exit", Field::Exit),
    ("numerator", Field::Numerator),
    ("denominator", Field::Denominator),
    ("ticket", Field::Ticket),
    ("metric", Field::Metric),
    ("priority", Field::Priority),
    ("level", Field::Level),
    ("target", Field::Target),
    ("after", Field::After),
];

/// The placeholders of threshold rules.
pub(crate) const OF_THRESHOLDS: &[Field] = &[
    Field::Rule,
    Field::Severity,
    Field::Vendor,
    Field::Queue,
    Field::Value,
    Field::Window,
    Field::Enter,
    Field::Exit,
    Field::Numerator,
    Field::Denominator,
];

/// The placeholders of rules on what is open.
pub(crate) const OF_OPEN: &[Field] = &[
    Field::Rule,
    Field::Severity,
    Field::Vendor,
    Field::Queue,
    Field::Value,
    Field::Enter,
    Field::Exit,
];

/// The placeholders of `quiet` rules.
pub(crate) const OF_QUIET: &[Field] = &[
    Field::Rule,
    Field::Severity,
    Field::Vendor,
    Field::Queue,
    Field::Value,
    Field::After,
];

/// The placeholders of burn rules.
pub(crate) const OF_BURNS: &[Field] = &[
    Field::Rule,
    Field::Severity,
    Field::Vendor,
    Field::Queue,
    Field::Value,
    Field::Window,
    Field::Target,
];

/// The placeholders of change rules.
pub(crate) const OF_CHANGES: &[Field] = &[
    Field::Rule,
    Field::Severity,
    Field::Vendor,
    Field::Queue,
    Field::Value,
    Field::Window,
];

/// The placeholders of projection rules.
pub(crate) const OF_PROJECTIONS: &[Field] = &[
    Field::Rule,
    Field::Severity,
    Field::Vendor,
    Field::Queue,
    Field::Value,
    Field::Target,
    Field::Level,
];

/// The placeholders of ticket rules.
pub(crate) const OF_TICKETS: &[Field] = &[
    Field::Rule,
    Field::Severity,
    Field::Vendor,
    Field::Queue,
    Field::Ticket,
    Field::Metric,
    Field::Priority,
    Field::Level,
    Field::Target,
];

impl Field {
    pub(crate) fn name(self) -> &'static str {
        let named = NAMES.iter().find(|(_, field)| *field == self);
        named.map_or("", |(name, _)| name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Field),
}

/// A checked template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary(Vec<Piece>);

impl Summary {
    /// Reads a template that may use `allowed`; gives back the words that are no placeholder.
    pub(crate) fn parse(text: &str, allowed: &[Field]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let close = rest[open..]
                .find('}')
                .ok_or_else(|| rest[open..].to_owned())?
                + open;
            let name = &rest[open + 1..close];
            let field = NAMES
                .iter()
                .find(|(known, field)| *known == name && allowed.contains(field))
                .map(|(_, field)| *field)
                .ok_or_else(|| rest[open..=close].to_owned())?;
            if open > 0 {
                pieces.push(Piece::Text(rest[..open].to_owned()));
            }
            pieces.push(Piece::Field(field));
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    pub(crate) fn render<'a>(&self, value: impl Fn(Field) -> Cow<'a, str>) -> String {
        self.0.iter().fold(String::new(), |mut text, piece| {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Field(field) => text.push_str(&value(*field)),
            }
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in() {
        let summary = Summary::parse("{vendor} is at {value}!", OF_THRESHOLDS).expect("a template");
        let text = summary.render(|field| field.name().to_uppercase().into());
        assert_eq!(text, "VENDOR is at VALUE!");
    }

    #[test]
    fn what_is_no_placeholder_is_named() {
        for (text, wrong) in [
            ("{vendr} drowns", "{vendr}"),
            ("{ticket}", "{ticket}"),
            ("at {value", "{value"),
            ("{}", "{}"),
        ] {
            assert_eq!(Summary::parse(text, OF_THRESHOLDS), Err(wrong.to_owned()));
        }
        assert!(Summary::parse("{ticket}", OF_TICKETS).is_ok());
    }
}
