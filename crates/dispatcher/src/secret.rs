//! Values that must never be printed: addresses with tokens, keys, headers for login.

use std::fmt;

use serde::Deserialize;

use crate::error::DispatcherError;

/// A secret as written in the configuration: itself, or where to find it.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(
    untagged,
    expecting = "write a text in quotes, { env = \"NAME\" } or { file = \"/path\" }"
)]
pub enum SecretSource {
    /// `"value"`
    Plain(String),
    /// `{ env = "NAME" }`
    Environment {
        /// The variable's name.
        env: String,
    },
    /// `{ file = "/path" }`; white space around the content is left out.
    File {
        /// The file's path.
        file: String,
    },
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("<redacted>"),
            Self::Environment { env } => write!(f, "env {env}"),
            Self::File { file } => write!(f, "file {file}"),
        }
    }
}

impl SecretSource {
    /// Fetches the value. `place` is whose it is, as in `receiver "hook"`.
    ///
    /// # Errors
    /// If the variable is not set or the file cannot be read.
    pub fn resolve(&self, place: &str, field: &str) -> Result<Secret, DispatcherError> {
        match self {
            Self::Plain(value) => Ok(Secret(value.clone())),
            Self::Environment { env } => {
                std::env::var(env)
                    .map(Secret)
                    .map_err(|_| DispatcherError::SecretVariable {
                        place: place.to_owned(),
                        field: field.to_owned(),
                        variable: env.clone(),
                    })
            }
            Self::File { file } => std::fs::read_to_string(file)
                .map(|content| Secret(content.trim().to_owned()))
                .map_err(|source| DispatcherError::SecretFile {
                    place: place.to_owned(),
                    field: field.to_owned(),
                    path: file.clone(),
                    source,
                }),
        }
    }
}

/// A secret's value. It prints as `<redacted>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_where_but_never_what() {
        for (source, shown) in [
            (SecretSource::Plain("hunter2".into()), "<redacted>"),
            (
                SecretSource::Environment {
                    env: "HOOK_KEY".into(),
                },
                "env HOOK_KEY",
            ),
            (
                SecretSource::File {
                    file: "/run/key".into(),
                },
                "file /run/key",
            ),
        ] {
            assert_eq!(format!("{source:?}"), shown);
        }
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "<redacted>");
    }

    #[test]
    fn a_missing_source_names_receiver_field_and_place() {
        let variable = SecretSource::Environment {
            env: "SLAWATCH_TEST_NOT_SET".into(),
        };
        assert_eq!(
            variable
                .resolve("receiver \"hook\"", "hmac_key")
                .unwrap_err()
                .to_string(),
            "receiver \"hook\": hmac_key is to come from the environment variable SLAWATCH_TEST_NOT_SET, which is not \
             set; set it or change hmac_key"
        );
        let file = SecretSource::File {
            file: "/nonexistent/key".into(),
        };
        let message = file
            .resolve("receiver \"hook\"", "hmac_key")
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("receiver \"hook\": hmac_key is to come from the file /nonexistent/key, which cannot be read: "),
            "{message}"
        );
    }
}
