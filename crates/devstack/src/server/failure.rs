//! What went wrong with a request, in ClickHouse's words: code, text and the HTTP status that the real server gives it.

/// An error answer of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// ClickHouse's error code.
    pub(crate) code: u32,
    /// `Code: N. DB::Exception: …`, in one line.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: u32, name: &str, what: impl std::fmt::Display) -> Self {
        Self {
            code,
            message: format!("Code: {code}. DB::Exception: {what}. ({name})"),
        }
    }

    pub(crate) fn bad_arguments(what: impl std::fmt::Display) -> Self {
        Self::new(36, "BAD_ARGUMENTS", what)
    }

    pub(crate) fn internal(what: impl std::fmt::Display) -> Self {
        Self::new(1002, "UNKNOWN_EXCEPTION", what)
    }

    /// The engine's own text: `Code: 60. DB::Exception: …`, or with the code at its end, or without one.
    pub(crate) fn from_engine(message: &str) -> Self {
        let message = message.trim();
        match number_after(message, "Code: ") {
            Some(code) => Self {
                code,
                message: message.to_owned(),
            },
            None => Self::internal(message),
        }
    }

    /// The status that ClickHouse's HTTP handler gives this code.
    pub(crate) fn status(&self) -> u16 {
        match self.code {
            194 => 401,
            192 | 193 | 497 | 512 | 516 => 403,
            6 | 8 | 15 | 25 | 26 | 27 | 36 | 37 | 38 | 41 | 44 | 53 | 62 | 72 | 117 | 123 | 167
            | 168 | 223 | 321 | 376 | 427 | 441 | 675 | 676 => 400,
            46 | 47 | 50 | 56 | 60 | 63 | 73 | 78 | 81 | 115 | 152 | 336 | 511 => 404,
            159 => 408,
            381 => 411,
            229 => 413,
            48 => 501,
            76 | 209 | 439 => 503,
            _ => 500,
        }
    }
}

fn number_after(text: &str, prefix: &str) -> Option<u32> {
    let digits = &text[text.find(prefix)? + prefix.len()..];
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_texts_give_code_and_status() {
        let cases = [
            ("Code: 60. DB::Exception: Unknown table", 60, 404),
            ("Code: 62. DB::Exception: Syntax error", 62, 400),
            ("Code: 241. DB::Exception: Memory limit", 241, 500),
            ("Code: 159. DB::Exception: Timeout", 159, 408),
            ("Code: 497. DB::Exception: denied", 497, 403),
            ("something else", 1002, 500),
        ];
        for (text, code, status) in cases {
            let failure = Failure::from_engine(text);
            assert_eq!((failure.code, failure.status()), (code, status), "{text}");
        }
    }
}
