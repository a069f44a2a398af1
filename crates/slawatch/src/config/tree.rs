//! The configuration as a tree of values, each with the place that it comes from: a line of the file, or a variable.

use std::fmt;
use std::sync::Arc;

use slawatch_policy::reading::Source;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A line of the file.
    Line(usize),
    /// An environment variable.
    Variable(Arc<str>),
}

/// A value and its place.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) value: Value,
}

/// What stands there.
#[derive(Clone)]
pub(super) enum Value {
    /// A text in quotes.
    Text(String),
    /// The words of a variable: text, number or list, whatever its setting takes.
    Bare(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Dates and times, which no setting takes.
    Date,
    /// Each with its number in the file, which stays when another is taken out.
    List(Vec<(usize, Node)>),
    Table(Vec<(String, Node)>),
}

/// Without values: any of them may be a secret.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("origin", &self.origin)
            .field("value", &self.value.kind())
            .finish()
    }
}

impl Value {
    /// What people call it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Bare(_) => "a text",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::Date => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A step from a value to one inside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Node {
    /// The tree of a TOML file; of one that is none, each mistake with its line. The lines themselves are not told: they may
    /// hold secrets.
    pub(super) fn of_file(text: &str) -> Result<Self, Vec<(usize, String)>> {
        let source = Source::new("", text);
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let told = errors.iter().map(|error| {
                let at = error.span().map_or(0, |span| span.start);
                let line = source.position(at).line;
                (line, format!("this is not TOML: {}", error.message()))
            });
            return Err(told.collect());
        }
        let origin_of = |at: usize| Origin::Line(source.position(at).line);
        Ok(Self {
            origin: Origin::Line(1),
            value: Value::Table(entries(root.get_ref(), &origin_of)),
        })
    }

    /// The tree of TOML that stands in a variable; `None` if it is none.
    pub(super) fn of_variable(text: &str, origin: &Origin) -> Option<Self> {
        let (value, errors) = DeValue::parse_recoverable(text);
        errors.is_empty().then(|| Self {
            origin: origin.clone(),
            value: convert(value.get_ref(), &|_| origin.clone()),
        })
    }

    /// Puts a value at a path of keys, making tables on the way.
    pub(super) fn put(&mut self, path: &[String], node: Self) {
        let Some((key, rest)) = path.split_first() else {
            *self = node;
            return;
        };
        if !matches!(self.value, Value::Table(_)) {
            self.value = Value::Table(Vec::new());
        }
        let Value::Table(entries) = &mut self.value else {
            return;
        };
        let at = entries.iter().position(|(name, _)| name == key);
        let at = at.unwrap_or_else(|| {
            let empty = Self {
                origin: node.origin.clone(),
                value: Value::Table(Vec::new()),
            };
            entries.push((key.clone(), empty));
            entries.len() - 1
        });
        entries[at].1.put(rest, node);
    }

    /// Takes a value out; false if there is none.
    pub(super) fn remove(&mut self, path: &[Step]) -> bool {
        match (path, &mut self.value) {
            ([Step::Key(key)], Value::Table(entries)) => {
                let before = entries.len();
                entries.retain(|(name, _)| name != key);
                entries.len() < before
            }
            ([Step::Index(at)], Value::List(items)) => {
                let before = items.len();
                items.retain(|(number, _)| number != at);
                items.len() < before
            }
            ([Step::Key(key), rest @ ..], Value::Table(entries)) => entries
                .iter_mut()
                .find(|(name, _)| name == key)
                .is_some_and(|(_, inside)| inside.remove(rest)),
            ([Step::Index(at), rest @ ..], Value::List(items)) => items
                .iter_mut()
                .find(|(number, _)| number == at)
                .is_some_and(|(_, inside)| inside.remove(rest)),
            _ => false,
        }
    }

    /// Where the value at these keys stands, or else the nearest around it.
    pub(super) fn place(&self, path: &[&str]) -> &Origin {
        match (path, &self.value) {
            ([key, rest @ ..], Value::Table(entries)) => entries
                .iter()
                .find(|(name, _)| name == key)
                .map_or(&self.origin, |(_, inside)| inside.place(rest)),
            // One of several tables is known by its name.
            ([key, rest @ ..], Value::List(entries)) => entries
                .iter()
                .find(|(_, entry)| entry.is_named(key))
                .map_or(&self.origin, |(_, inside)| inside.place(rest)),
            _ => &self.origin,
        }
    }
}

impl Node {
    /// What people call the setting at a path, as in [`super::mistake::setting`]: `.dispatcher.receiver[2].body`.
    pub(super) fn setting(&self, path: &[&str]) -> String {
        let Some((key, rest)) = path.split_first() else {
            return String::new();
        };
        let (head, inside) = match &self.value {
            Value::List(entries) => match entries.iter().find(|(_, entry)| entry.is_named(key)) {
                Some((number, entry)) => (format!("[{}]", number + 1), Some(entry)),
                None => (format!(".{key}"), None),
            },
            Value::Table(entries) => {
                let inside = entries.iter().find(|(name, _)| name == key);
                (format!(".{key}"), inside.map(|(_, inside)| inside))
            }
            Value::Text(_)
            | Value::Bare(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Date => (format!(".{key}"), None),
        };
        let rest = match inside {
            Some(inside) => inside.setting(rest),
            None => rest.iter().map(|key| format!(".{key}")).collect(),
        };
        format!("{head}{rest}")
    }

    fn is_named(&self, wanted: &str) -> bool {
        let Value::Table(entries) = &self.value else {
            return false;
        };
        let mut names = entries.iter().filter(|(key, _)| key == "name");
        names.any(|(_, node)| matches!(&node.value, Value::Text(name) if name == wanted))
    }
}

fn entries(table: &DeTable<'_>, origin_of: &dyn Fn(usize) -> Origin) -> Vec<(String, Node)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let node = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| Node {
        origin: origin_of(key.span().start),
        value: convert(value.get_ref(), origin_of),
    };
    entries
        .into_iter()
        .map(|(key, value)| (key.get_ref().to_string(), node((key, value))))
        .collect()
}

fn convert(value: &DeValue<'_>, origin_of: &dyn Fn(usize) -> Origin) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        // The parser has made sure of digits, not of the size.
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Float(f64::INFINITY), Value::Integer),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(is_so) => Value::Boolean(*is_so),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => {
            let node = |item: &Spanned<DeValue<'_>>| Node {
                origin: origin_of(item.span().start),
                value: convert(item.get_ref(), origin_of),
            };
            Value::List(items.iter().map(node).enumerate().collect())
        }
        DeValue::Table(table) => Value::Table(entries(table, origin_of)),
    }
}
