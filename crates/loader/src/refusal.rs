//! Which errors of ClickHouse pass by themselves and which need a person.
//!
//! The exception code decides where ClickHouse speaks: its HTTP status does not tell a wrong type from a full disk. Where
//! something else answers (a proxy), the status does. What is unknown counts as passing: rows then wait in the log.

use clickhouse::error::Error;

use crate::core::Answer;

/// Codes that say: this table, this login or these rows, and the same again next time.
const REFUSALS: &[(u32, &str)] = &[
    (6, "CANNOT_PARSE_TEXT"),
    (8, "THERE_IS_NO_COLUMN"),
    (10, "NOT_FOUND_COLUMN_IN_BLOCK"),
    (16, "NO_SUCH_COLUMN_IN_TABLE"),
    (20, "NUMBER_OF_COLUMNS_DOESNT_MATCH"),
    (27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED"),
    (36, "BAD_ARGUMENTS"),
    (38, "CANNOT_PARSE_DATE"),
    (41, "CANNOT_PARSE_DATETIME"),
    (43, "ILLEGAL_TYPE_OF_ARGUMENT"),
    (44, "ILLEGAL_COLUMN"),
    (46, "UNKNOWN_FUNCTION"),
    (47, "UNKNOWN_IDENTIFIER"),
    (48, "NOT_IMPLEMENTED"),
    (50, "UNKNOWN_TYPE"),
    (53, "TYPE_MISMATCH"),
    (60, "UNKNOWN_TABLE"),
    (62, "SYNTAX_ERROR"),
    (70, "CANNOT_CONVERT_TYPE"),
    (72, "CANNOT_PARSE_NUMBER"),
    (73, "UNKNOWN_FORMAT"),
    (81, "UNKNOWN_DATABASE"),
    (115, "UNKNOWN_SETTING"),
    (117, "INCORRECT_DATA"),
    (131, "TOO_LARGE_STRING_SIZE"),
    (164, "READONLY"),
    (192, "UNKNOWN_USER"),
    (193, "WRONG_PASSWORD"),
    (194, "REQUIRED_PASSWORD"),
    (195, "IP_ADDRESS_NOT_ALLOWED"),
    (291, "DATABASE_ACCESS_DENIED"),
    (349, "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN"),
    (452, "SETTING_CONSTRAINT_VIOLATION"),
    (469, "VIOLATED_CONSTRAINT"),
    (497, "ACCESS_DENIED"),
    (516, "AUTHENTICATION_FAILED"),
];

/// Answers of the 4xx kind that ask for patience.
const PATIENCE: [u16; 3] = [408, 425, 429];

/// What an attempt that failed means.
pub(crate) fn judge(error: &Error) -> Answer {
    let text = error.to_string();
    let refused = match error {
        Error::BadResponse(answer) => match exception_code(answer) {
            Some(code) => REFUSALS.iter().any(|(refusal, _)| *refusal == code),
            None => http_status(answer)
                .is_some_and(|status| (400..500).contains(&status) && !PATIENCE.contains(&status)),
        },
        Error::InvalidParams(_) | Error::Unsupported(_) => true,
        // Everything else of this foreign, open enum is the network, a time-out or a garbled answer.
        _ => false,
    };
    if refused {
        Answer::Refused(text)
    } else {
        Answer::Later(text)
    }
}

/// `60` of `Code: 60. DB::Exception: …`.
fn exception_code(answer: &str) -> Option<u32> {
    let (_, rest) = answer.split_once("Code: ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The status that an empty answer is reported by (`502 Bad Gateway`), or that a proxy's page has as its title.
fn http_status(answer: &str) -> Option<u16> {
    let title = answer
        .split_once("<title>")
        .map_or(answer, |(_, title)| title)
        .trim_start();
    let (digits, rest) = title.split_at_checked(3)?;
    let status = digits.parse().ok()?;
    rest.starts_with(' ').then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_must_repair_is_told_from_what_passes() {
        for (answer, refused) in [
            (
                "Code: 60. DB::Exception: Table slawatch.panes does not exist. (UNKNOWN_TABLE)",
                true,
            ),
            (
                "Code: 516. DB::Exception: default: Authentication failed",
                true,
            ),
            (
                "Code: 53. DB::Exception: Type of 'x' must be Int64, not UInt8",
                true,
            ),
            (
                "Code: 241. DB::Exception: Memory limit (total) exceeded",
                false,
            ),
            ("Code: 252. DB::Exception: Too many parts", false),
            ("Code: 243. DB::Exception: Not enough space", false),
            ("Code: 242. DB::Exception: Table is in readonly mode", false),
            ("Code: 33. DB::Exception: Cannot read all data", false),
            ("502 Bad Gateway", false),
            ("429 Too Many Requests", false),
            ("413 Payload Too Large", true),
            ("<html><head><title>403 Forbidden</title></head>", true),
            (
                "<html><head><title>503 Service Temporarily Unavailable</title></head>",
                false,
            ),
            ("upstream connect error", false),
            ("", false),
        ] {
            let judged = judge(&Error::BadResponse(answer.to_owned()));
            assert_eq!(
                matches!(judged, Answer::Refused(_)),
                refused,
                "{answer}: {judged:?}"
            );
        }
        for error in [Error::TimedOut, Error::Network("reset".into())] {
            assert!(matches!(judge(&error), Answer::Later(_)), "{error}");
        }
    }
}
