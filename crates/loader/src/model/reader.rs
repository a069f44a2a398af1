//! Reads `RowBinaryWithNamesAndTypes` of the types that our tables have.

use super::ModelRow;
use crate::Table;

/// A value of a column. Floats are kept as their bits, so that values can be keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// NULL.
    Null,
    /// Any integer, bool or instant (ms).
    Number(i128),
    /// Bits of a `Float64`.
    Float(u64),
    /// A string; bytes that are no UTF-8 are replaced.
    Text(String),
    /// An array or a tuple.
    List(Vec<Value>),
    /// A map.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// The number, if it is one.
    pub fn number(&self) -> Option<i128> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Null | Self::Float(_) | Self::Text(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Number(_) | Self::Float(_) | Self::List(_) | Self::Map(_) => None,
        }
    }
}

/// All rows; `None` if the bytes do not mean rows of that table.
pub(super) fn read_rows(raw: &[u8], table: Table) -> Option<Vec<ModelRow>> {
    let mut input = Input(raw);
    let count = input.varint()? as usize;
    let names: Vec<String> = (0..count).map(|_| input.text()).collect::<Option<_>>()?;
    let types: Vec<String> = (0..count).map(|_| input.text()).collect::<Option<_>>()?;
    let known = table.columns();
    let agrees = known.len() == count
        && (names.iter().zip(&types).zip(known))
            .all(|((name, kind), known)| (name.as_str(), kind.as_str()) == *known);
    agrees.then_some(())?;
    let mut rows = Vec::new();
    while !input.0.is_empty() {
        let mut row = ModelRow::new();
        for (name, kind) in names.iter().zip(&types) {
            row.insert(name.clone(), input.value(kind)?);
        }
        rows.push(row);
    }
    Some(rows)
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn varint(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let [byte] = self.bytes()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
            shift += 7;
        }
    }

    fn text(&mut self) -> Option<String> {
        let length = self.varint()? as usize;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    fn value(&mut self, kind: &str) -> Option<Value> {
        if let Some(inner) = within(kind, "LowCardinality") {
            return self.value(inner);
        }
        if let Some(inner) = within(kind, "Nullable") {
            return match self.bytes()? {
                [0] => self.value(inner),
                _ => Some(Value::Null),
            };
        }
        if let Some(inner) = within(kind, "Array") {
            let count = self.varint()?;
            return (0..count)
                .map(|_| self.value(inner))
                .collect::<Option<_>>()
                .map(Value::List);
        }
        if let Some(inner) = within(kind, "Map") {
            let (key, value) = inner.split_once(", ")?;
            let count = self.varint()?;
            return (0..count)
                .map(|_| Some((self.value(key)?, self.value(value)?)))
                .collect::<Option<_>>()
                .map(Value::Map);
        }
        if let Some(inner) = within(kind, "Tuple") {
            return members(inner)
                .into_iter()
                .map(|member| self.value(member.split_once(' ')?.1))
                .collect::<Option<_>>()
                .map(Value::List);
        }
        let number = match kind {
            "String" => return self.text().map(Value::Text),
            "Float64" => return Some(Value::Float(u64::from_le_bytes(self.bytes()?))),
            "UInt8" | "Bool" => i128::from(u8::from_le_bytes(self.bytes()?)),
            "UInt16" => i128::from(u16::from_le_bytes(self.bytes()?)),
            "UInt32" => i128::from(u32::from_le_bytes(self.bytes()?)),
            "UInt64" => i128::from(u64::from_le_bytes(self.bytes()?)),
            "Int64" | "DateTime64(3, 'UTC')" => i128::from(i64::from_le_bytes(self.bytes()?)),
            _ => return None,
        };
        Some(Value::Number(number))
    }
}

/// The members `name Type` of a tuple: a comma inside of a type's own parentheses separates none.
fn members(inner: &str) -> Vec<&str> {
    let (mut members, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                members.push(inner[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    members.push(inner[from..].trim());
    members
}

/// What stands between the parentheses of `Name(…)`.
fn within<'a>(kind: &'a str, name: &str) -> Option<&'a str> {
    kind.strip_prefix(name)?
        .strip_prefix('(')?
        .strip_suffix(')')
}
