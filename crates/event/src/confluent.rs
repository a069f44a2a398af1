//! The wire format of Confluent's schema registry: a zero byte and a schema's number before the value. Neither JSON nor a
//! protobuf message can begin with a zero byte, so that it is known without configuration. The schema itself is not looked
//! at: what a value means is its fields' names, or the message's numbers.

use crate::{Encoding, Reason, Rejection};

/// The zero byte and four bytes of the schema's number.
const PREFIX_BYTES: usize = 5;

/// The value without that prefix, if it has one.
///
/// # Errors
/// `bad_json` if what follows the zero byte is no such prefix, or it names another message than the schema's first.
pub(crate) fn unframe(value: &[u8], encoding: Encoding) -> Result<&[u8], Rejection> {
    if value.first() != Some(&0) {
        return Ok(value);
    }
    let rest = value.get(PREFIX_BYTES..).ok_or_else(|| {
        bad(format!(
            "it begins with a zero byte as in Confluent's wire format, and ends before the schema's number does ({} of {PREFIX_BYTES} bytes)",
            value.len()
        ))
    })?;
    match encoding {
        Encoding::Json => Ok(rest),
        Encoding::Protobuf => after_first_message(rest),
    }
}

/// Skips the path of the message inside its schema, which must be that of the first message.
fn after_first_message(mut rest: &[u8]) -> Result<&[u8], Rejection> {
    let mut next = || {
        zig_zag(&mut rest).ok_or_else(|| {
            bad("Confluent's wire format ends within the path of its message".to_owned())
        })
    };
    // A path of the one index 0 is written as the count 0.
    let count = next()?;
    let mut path = Vec::new();
    for _ in 0..count {
        path.push(next()?);
    }
    if count == 0 || path == [0] {
        return Ok(rest);
    }
    Err(bad(format!(
        "Confluent's wire format says message {path:?} of its schema; slawatch.v1.TicketEvent must be the first message of the schema"
    )))
}

/// The next variable-length number, signs folded in; `None` if it does not end.
fn zig_zag(rest: &mut &[u8]) -> Option<i64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
        }
    }
    None
}

fn bad(detail: String) -> Rejection {
    Rejection::new(Reason::BadJson, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unframed(value: &[u8], encoding: Encoding) -> Result<Vec<u8>, String> {
        unframe(value, encoding)
            .map(<[u8]>::to_vec)
            .map_err(|rejection| rejection.to_string())
    }

    #[test]
    fn a_prefix_is_taken_off() {
        use Encoding::{Json, Protobuf};
        for (value, encoding, expected) in [
            (&b"{}"[..], Json, &b"{}"[..]),
            (b"", Json, b""),
            (b"\x0a\x01e", Protobuf, b"\x0a\x01e"),
            (b"\x00\x00\x00\x00\x07{}", Json, b"{}"),
            (b"\x00\x00\x00\x00\x07", Json, b""),
            (b"\x00\x00\x00\x00\x07\x00\x0a\x01e", Protobuf, b"\x0a\x01e"),
            (
                b"\x00\x00\x00\x00\x07\x02\x00\x0a\x01e",
                Protobuf,
                b"\x0a\x01e",
            ),
            (b"\x00\xff\xff\xff\xff\x00", Protobuf, b""),
        ] {
            assert_eq!(
                unframed(value, encoding),
                Ok(expected.to_vec()),
                "{value:?}"
            );
        }
    }

    #[test]
    fn what_is_no_prefix_is_named() {
        use Encoding::{Json, Protobuf};
        let cut = "bad_json: Confluent's wire format ends within the path of its message";
        let short = |bytes: usize| {
            format!(
                "bad_json: it begins with a zero byte as in Confluent's wire format, and ends before the schema's number does ({bytes} of 5 bytes)"
            )
        };
        let other = |path: &str| {
            format!(
                "bad_json: Confluent's wire format says message {path} of its schema; slawatch.v1.TicketEvent must be the first message of the schema"
            )
        };
        for (value, encoding, expected) in [
            (&b"\x00"[..], Json, short(1)),
            (b"\x00\x00\x00\x01", Protobuf, short(4)),
            (b"\x00\x00\x00\x00\x07", Protobuf, cut.to_owned()),
            (b"\x00\x00\x00\x00\x07\x04\x00", Protobuf, cut.to_owned()),
            (
                b"\x00\x00\x00\x00\x07\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                Protobuf,
                cut.to_owned(),
            ),
            (b"\x00\x00\x00\x00\x07\x02\x02", Protobuf, other("[1]")),
            (
                b"\x00\x00\x00\x00\x07\x04\x00\x00",
                Protobuf,
                other("[0, 0]"),
            ),
            (
                b"\x00\x00\x00\x00\x07\x04\x00\x06",
                Protobuf,
                other("[0, 3]"),
            ),
            (b"\x00\x00\x00\x00\x07\x01\x00", Protobuf, other("[]")),
        ] {
            assert_eq!(unframed(value, encoding), Err(expected), "{value:?}");
        }
    }
}
