//! Holds a file against the table of keys: unknown and missing keys, values of the wrong type, plain values that cannot be
//! read. What parts of a file have to do with each other is not its business.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Diagnostic, Severity};
use crate::keys::{CALENDAR, FILE, Kind, Leaf, Names, POLICY, Table};
use crate::leaf::{self, Mistake};
use crate::nearest::nearest;
use crate::slips::Slips;
use crate::source::Source;

/// The label's table inside `match`, where `labels.tier` is written without quotes.
pub(crate) const LABELS: &str = "labels";

/// Everything that is wrong with one file by itself.
pub(crate) fn check(source: &Source<'_>, root: &DeTable<'_>, slips: &Slips<'_>) -> Vec<Diagnostic> {
    let mut checker = Checker {
        source,
        slips,
        tables: &[&FILE, &CALENDAR, &POLICY],
        found: Vec::new(),
    };
    checker.table(&FILE, root, &(0..0));
    checker.found
}

/// As [`check`], of the calendars alone: the file's other keys are somebody else's.
pub(crate) fn check_calendars(
    source: &Source<'_>,
    root: &DeTable<'_>,
    slips: &Slips<'_>,
) -> Vec<Diagnostic> {
    let mut checker = Checker {
        source,
        slips,
        tables: &[&CALENDAR],
        found: Vec::new(),
    };
    if let Some(value) = root.get("calendar") {
        checker.value("calendar", &CALENDARS, value);
    }
    checker.found
}

static CALENDARS: Kind = Kind::Tables(&CALENDAR);

struct Checker<'a> {
    source: &'a Source<'a>,
    slips: &'a Slips<'a>,
    /// Those that the file may have: where a word may belong.
    tables: &'static [&'static Table],
    found: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn table(&mut self, table: &'static Table, values: &DeTable<'_>, header: &Range<usize>) {
        for (name, value) in values {
            match table.key(name.get_ref()) {
                Some(key) => self.value(name.get_ref(), &key.kind, value),
                None => self.unknown_key(table, name),
            }
        }
        for key in table
            .keys
            .iter()
            .filter(|key| key.required && !values.contains_key(key.name))
        {
            // Told already as a slip in another key's name.
            let slipped = |name: &str| {
                table.key(name).is_none() && nearest(name, table.names()) == Some(key.name)
            };
            let lost = if table.header == FILE.header {
                self.slips.may_hold_at_the_top(key.name)
            } else {
                self.slips.touch(header)
            };
            if !lost && !values.keys().any(|name| slipped(name.get_ref())) {
                let (what, example) = key.kind.expected();
                self.error(
                    header,
                    format!("{} has no {}", table.header, key.name),
                    format!("write {what}, such as {} = {example}", key.name),
                );
            }
        }
    }

    fn unknown_key(&mut self, table: &'static Table, name: &Spanned<std::borrow::Cow<'_, str>>) {
        let word = name.get_ref();
        let mut others = self.tables.iter();
        let elsewhere = others.find(|other| other.key(word).is_some());
        let help = match elsewhere {
            Some(other) if other.header == FILE.header => {
                format!("{word} belongs to the file: write it at the top, above every [[…]]")
            }
            Some(other) => format!(
                "write it below {}, which is where {word} belongs",
                other.header
            ),
            None if leaf::metric(word).is_ok() => {
                format!("write it below [policy.targets] or [policy.pause_on]: {word} is a metric")
            }
            None => match nearest(word, table.names()) {
                Some(meant) => format!("write {meant}"),
                None => format!(
                    "the keys of {} are {}",
                    table.header,
                    leaf::list(&table.names().collect::<Vec<_>>())
                ),
            },
        };
        self.error(
            &name.span(),
            format!("unknown key \"{word}\" in {}", table.header),
            help,
        );
    }

    fn value(&mut self, name: &str, kind: &'static Kind, value: &Spanned<DeValue<'_>>) {
        match (kind, value.get_ref()) {
            (Kind::Leaf(leaf), plain) => match leaf::check(*leaf, plain) {
                Some(Ok(())) => {}
                Some(Err(mistake)) => self.mistake(&value.span(), mistake),
                None => self.wrong_type(name, kind, value),
            },
            (Kind::List(of), DeValue::Array(values)) => {
                for value in values {
                    self.value(name, of, value);
                }
            }
            (Kind::Tables(table), DeValue::Array(values))
                if values.iter().all(|value| value.get_ref().is_table()) =>
            {
                for value in values {
                    if let Some(values) = value.get_ref().as_table() {
                        self.table(table, values, &self.source.last_line(&value.span()));
                    }
                }
            }
            (Kind::Map(names, of), DeValue::Table(values)) => self.map(*names, of, values),
            (Kind::Either(_, of), DeValue::Table(_)) => self.value(name, of, value),
            (Kind::Either(of, _), DeValue::String(_)) => self.value(name, of, value),
            (Kind::List(_) | Kind::Tables(_) | Kind::Map(..) | Kind::Either(..), _) => {
                self.wrong_type(name, kind, value)
            }
        }
    }

    fn map(&mut self, names: Names, of: &'static Kind, values: &DeTable<'_>) {
        for (name, value) in values {
            let key = name.get_ref();
            if let (Names::Attributes, LABELS, DeValue::Table(labels)) =
                (names, &**key, value.get_ref())
            {
                for (label, value) in labels {
                    if let Err(mistake) = leaf::attribute(&format!("{LABELS}.{}", label.get_ref()))
                    {
                        self.mistake(&label.span(), mistake);
                    }
                    self.value(label.get_ref(), of, value);
                }
                continue;
            }
            let read = match names {
                Names::Weekdays => leaf::weekdays(key).map(drop),
                Names::Dates => leaf::date(key).map(drop),
                Names::Attributes => leaf::attribute(key).map(drop),
                Names::Metrics => {
                    if let Some(mistake) = misplaced(key) {
                        // Its value is another key's, and no mistake of its own.
                        self.mistake(&name.span(), mistake);
                        continue;
                    }
                    leaf::metric(key).map(drop)
                }
                Names::Priorities => leaf::priority(key),
            };
            if let Err(mistake) = read {
                self.mistake(&name.span(), mistake);
            }
            self.value(key, of, value);
        }
    }

    fn wrong_type(&mut self, name: &str, kind: &'static Kind, value: &Spanned<DeValue<'_>>) {
        let (mut what, mut example) = {
            let (what, example) = kind.expected();
            (what.to_owned(), example.to_owned())
        };
        if let Kind::Leaf(Leaf::OneOf(names)) = kind {
            what = format!("one of {}", leaf::list(&names()));
            example = names()
                .first()
                .map_or(example, |first| format!("\"{first}\""));
        }
        let help = match (kind, value.get_ref()) {
            (Kind::List(of), DeValue::String(text)) if matches!(**of, Kind::Leaf(_)) => {
                format!("write [{text:?}]")
            }
            (Kind::Tables(table), _) => format!(
                "write {} on a line of its own, and its keys below",
                table.header
            ),
            (
                Kind::Leaf(Leaf::Duration | Leaf::Target) | Kind::Either(..),
                DeValue::Integer(number),
            ) => leaf::units_of(number.as_str()),
            (Kind::Leaf(_) | Kind::List(_) | Kind::Map(..) | Kind::Either(..), _) => {
                format!("write something like {example}")
            }
        };
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a decimal",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(
            &value.span(),
            format!("{name} takes {what}, and this is {found}"),
            help,
        );
    }

    fn mistake(&mut self, span: &Range<usize>, Mistake { message, help }: Mistake) {
        self.error(span, message, help);
    }

    fn error(&mut self, span: &Range<usize>, message: String, help: String) {
        self.found.push(Diagnostic::new(
            Severity::Error,
            self.source,
            span,
            message,
            help,
        ));
    }
}

/// A key of a policy or a file that stands below `[policy.targets]`, where TOML counts it to that table.
fn misplaced(key: &str) -> Option<Mistake> {
    let (header, above) = if POLICY.key(key).is_some() {
        (POLICY.header, "[policy.targets] and [policy.pause_on]")
    } else if FILE.key(key).is_some() {
        (FILE.header, "every [[…]]")
    } else {
        return None;
    };
    Some(Mistake {
        message: format!("\"{key}\" is no metric, but a key of {header}"),
        help: format!("write it above {above}"),
    })
}
