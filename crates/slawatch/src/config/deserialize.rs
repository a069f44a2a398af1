//! Reads settings of any type out of the tree. What is wrong is told with its path, and never with the value that stands
//! there: it may be a secret.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use slawatch_policy::reading::nearest;

use super::tree::{Node, Origin, Step, Value};

/// Why the tree cannot be read.
#[derive(Debug)]
pub(super) struct Failure {
    /// From the inside to the outside.
    steps: Vec<Step>,
    pub(super) origin: Option<Origin>,
    /// The key that is not there, if that is all.
    pub(super) missing: Option<&'static str>,
    pub(super) message: String,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self {
            steps: Vec::new(),
            origin: None,
            missing: None,
            message: message.into(),
        }
    }

    fn inside(mut self, step: Step, origin: &Origin) -> Self {
        self.steps.push(step);
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    /// From the outside to the inside.
    pub(super) fn path(&self) -> Vec<Step> {
        self.steps.iter().rev().cloned().collect()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl serde::de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "true or false",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Char(_) | Unexpected::Str(_) => "a text",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a table",
            Unexpected::Bytes(_)
            | Unexpected::Unit
            | Unexpected::Option
            | Unexpected::NewtypeStruct
            | Unexpected::Enum
            | Unexpected::UnitVariant
            | Unexpected::NewtypeVariant
            | Unexpected::TupleVariant
            | Unexpected::StructVariant
            | Unexpected::Other(_) => "something else",
        };
        Self::new(format!("{found} stands here; write {expected}"))
    }

    fn invalid_value(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("the value does not fit; write {expected}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!(
            "there is no {variant:?} here; {}",
            advice(variant, expected)
        ))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!(
            "there is no such setting; {}",
            advice(field, expected)
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            missing: Some(field),
            ..Self::new(format!("{field} is missing; write {field} = …"))
        }
    }
}

fn advice(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("write {meant}"),
        None => format!("write one of {}", known.join(", ")),
    }
}

/// A value to be read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a Node);

impl Reader<'_> {
    fn refuse<T>(self, wanted: &str) -> Result<T, Failure> {
        let found = self.0.value.kind();
        Err(Failure::new(format!("{found} stands here; write {wanted}")))
    }
}

/// Whole numbers: of a file as they are, of a variable by their digits.
macro_rules! whole_numbers {
    ($($method:ident $visit:ident $type:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            let number = match &self.0.value {
                Value::Integer(number) => $type::try_from(*number).ok(),
                Value::Bare(text) => text.trim().parse().ok(),
                _ => None,
            };
            match number {
                Some(number) => visitor.$visit(number),
                None => Err(Failure::new(format!(
                    "write a whole number from {} to {}, without quotes", $type::MIN, $type::MAX
                ))),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::Text(text) | Value::Bare(text) => visitor.visit_str(text),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(*number),
            Value::Boolean(is_so) => visitor.visit_bool(*is_so),
            Value::Date => self.refuse("a text in quotes"),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Table(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::Text(text) | Value::Bare(text) => visitor.visit_str(text),
            _ => self.refuse("a text in quotes"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let is_so = match &self.0.value {
            Value::Boolean(is_so) => Some(*is_so),
            Value::Bare(text) => text.trim().parse().ok(),
            _ => None,
        };
        match is_so {
            Some(is_so) => visitor.visit_bool(is_so),
            None => Err(Failure::new("write true or false, without quotes")),
        }
    }

    whole_numbers!(
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64
    );

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let number = match &self.0.value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Bare(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| number.is_finite()) {
            Some(number) => visitor.visit_f64(number),
            None => Err(Failure::new("write a number, without quotes")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::List(items) => visitor.visit_seq(Items { items, at: 0 }),
            Value::Bare(text) => match listed(text, &self.0.origin) {
                Some(items) => visitor.visit_seq(Items {
                    items: &items,
                    at: 0,
                }),
                None => self.refuse("a list such as a,b or [\"a\", \"b\"]"),
            },
            _ => self.refuse("a list such as [\"a\", \"b\"]"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let tabled;
        let table = match &self.0.value {
            Value::Bare(text) => {
                tabled = Node::of_variable(text, &self.0.origin).map(|node| node.value);
                tabled.as_ref()
            }
            value => Some(value),
        };
        match table {
            Some(Value::Table(entries)) => visitor.visit_map(Entries { entries, at: 0 }),
            _ => self.refuse("a table"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match &self.0.value {
            Value::Text(text) | Value::Bare(text) => {
                let name: StrDeserializer<'_, Failure> = text.as_str().into_deserializer();
                visitor.visit_enum(name)
            }
            _ => self.refuse(&format!("one of {}, in quotes", variants.join(", "))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct i128 u128 }
}

/// The list in a variable: TOML, or words between commas.
fn listed(text: &str, origin: &Origin) -> Option<Vec<(usize, Node)>> {
    if text.trim_start().starts_with('[') {
        return match Node::of_variable(text, origin)?.value {
            Value::List(items) => Some(items),
            _ => None,
        };
    }
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let node = |word: &str| Node {
        origin: origin.clone(),
        value: Value::Bare(word.to_owned()),
    };
    Some(words.map(node).enumerate().collect())
}

struct Items<'a> {
    items: &'a [(usize, Node)],
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        let Some((number, item)) = self.items.get(self.at) else {
            return Ok(None);
        };
        let step = Step::Index(*number);
        self.at += 1;
        let read = seed.deserialize(Reader(item));
        read.map(Some)
            .map_err(|failure| failure.inside(step, &item.origin))
    }
}

struct Entries<'a> {
    entries: &'a [(String, Node)],
    at: usize,
}

impl Entries<'_> {
    fn inside(&self, failure: Failure) -> Failure {
        match self.entries.get(self.at) {
            Some((key, node)) => failure.inside(Step::Key(key.clone()), &node.origin),
            None => failure,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        let Some((key, _)) = self.entries.get(self.at) else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, Failure> = key.as_str().into_deserializer();
        let read = seed.deserialize(key);
        read.map(Some).map_err(|failure| self.inside(failure))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let Some((_, node)) = self.entries.get(self.at) else {
            return Err(Failure::custom("a value was asked for before its key"));
        };
        let read = seed.deserialize(Reader(node));
        let read = read.map_err(|failure| self.inside(failure));
        self.at += 1;
        read
    }
}
