//! Values that are never shown.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// A text that neither `Debug` nor any error shows. Written as itself, `{ env = "NAME" }` or `{ file = "/path" }`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Source)
    }
}

struct Source;

impl<'de> Visitor<'de> for Source {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes, { env = \"NAME\" } or { file = \"/path\" }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Secret, A::Error> {
        let Some((from, name)) = table.next_entry::<String, String>()? else {
            return Err(A::Error::custom(
                "the table is empty; write { env = \"NAME\" } or { file = \"/path\" }",
            ));
        };
        if table.next_key::<String>()?.is_some() {
            return Err(A::Error::custom(
                "the secret comes from one place only; leave env or file out",
            ));
        }
        match from.as_str() {
            "env" => std::env::var(&name).map(Secret).map_err(|_| {
                A::Error::custom(format!(
                    "the environment variable {name} is not set; set it, or name another"
                ))
            }),
            "file" => match std::fs::read_to_string(&name) {
                Ok(text) => Ok(Secret(text.trim_end_matches(['\r', '\n']).to_owned())),
                Err(error) => Err(A::Error::custom(format!(
                    "the file {name} cannot be read: {error}; name one that can"
                ))),
            },
            _ => Err(A::Error::custom(
                "a table stands here; write a text in quotes, { env = \"NAME\" } or { file = \"/path\" }, and a name with \
                 dots in quotes, as in \"sasl.password\" = …",
            )),
        }
    }
}
