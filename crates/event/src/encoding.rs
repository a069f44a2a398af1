//! How a record's value is written.

/// How a record's value is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// One JSON object in UTF-8.
    #[default]
    Json,
    /// One `slawatch.v1.TicketEvent`.
    Protobuf,
}

impl Encoding {
    /// The encoding that a `content-type` header names, parameters aside; `None` for any other.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        match media_type(content_type).as_str() {
            "application/json" => Some(Self::Json),
            "application/protobuf" | "application/x-protobuf" => Some(Self::Protobuf),
            _ => None,
        }
    }
}

/// A content type without its parameters, in lower case.
pub(crate) fn media_type(content_type: &str) -> String {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}
