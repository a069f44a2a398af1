//! Links by which whoever gets an alert says that they see to it: made by the dispatcher, verified by the board.
//!
//! A link is `{board_url}/ack?key=…&incident=…&exp=<unix seconds>&sig=<hex>` with `sig` = HMAC-SHA256(secret,
//! `"ack\n{key}\n{incident}\n{exp}"`). Whoever has it may acknowledge that incident until it expires, and nothing else.
//! Neither key nor incident holds a line break (keys escape them), so no two links sign the same text.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

/// All that a query's value must not hold as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What a link allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement<'a> {
    /// The alert's key.
    pub key: &'a str,
    /// The incident that is seen to.
    pub incident: &'a str,
    /// Until when, in seconds since 1970.
    pub expires_s: i64,
}

/// Why a link does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The signature does not belong to it.
    #[error(
        "the link is not one of this installation, or was changed on the way; use the link as it stands in the message"
    )]
    Forged,
    /// It was good once.
    #[error(
        "the link has expired; acknowledge the alert on the board, or use a newer message's link"
    )]
    Expired,
}

impl Acknowledgement<'_> {
    /// The whole address. `board_url` is where people reach the board, with or without a slash at its end.
    pub fn link(&self, board_url: &str, secret: &[u8]) -> String {
        let escaped = |text| utf8_percent_encode(text, ESCAPED);
        format!(
            "{}/ack?key={}&incident={}&exp={}&sig={}",
            board_url.trim_end_matches('/'),
            escaped(self.key),
            escaped(self.incident),
            self.expires_s,
            hex(&self.mac(secret).finalize().into_bytes())
        )
    }

    /// Whether `signature` (the query's `sig`) was made with this secret for exactly this, and still holds at `now_s`. Takes
    /// as long for a signature that is nearly right as for any other.
    ///
    /// # Errors
    /// [`LinkError::Forged`] goes before [`LinkError::Expired`].
    pub fn verify(&self, signature: &str, secret: &[u8], now_s: i64) -> Result<(), LinkError> {
        let signature = bytes(signature).ok_or(LinkError::Forged)?;
        self.mac(secret)
            .verify_slice(&signature)
            .map_err(|_| LinkError::Forged)?;
        if now_s > self.expires_s {
            return Err(LinkError::Expired);
        }
        Ok(())
    }

    fn mac(&self, secret: &[u8]) -> Hmac<Sha256> {
        // An HMAC takes keys of any length.
        #[allow(clippy::unwrap_used)]
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        let text = format!("ack\n{}\n{}\n{}", self.key, self.incident, self.expires_s);
        mac.update(text.as_bytes());
        mac
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"s3cret";
    const THIS: Acknowledgement<'_> = Acknowledgement {
        key: "service-level/acmé & co/refunds",
        incident: "0123456789abcdef",
        expires_s: 1_900_000_000,
    };

    fn signature() -> String {
        let link = THIS.link("https://board.example.com/", SECRET);
        link.rsplit_once("&sig=").unwrap().1.to_owned()
    }

    #[test]
    fn a_link_reads_so() {
        // printf 'ack\nservice-level/acmé & co/refunds\n0123456789abcdef\n1900000000' | openssl dgst -sha256 -hmac s3cret
        assert_eq!(
            THIS.link("https://board.example.com/", SECRET),
            "https://board.example.com/ack?key=service-level%2Facm%C3%A9%20%26%20co%2Frefunds&incident=0123456789abcdef\
             &exp=1900000000&sig=653693c2cc052b31e12dcd377c76a756686c068d8387f11796381713b627e78c"
        );
    }

    #[test]
    fn what_was_signed_is_verified_until_it_expires() {
        let signature = signature();
        for (now_s, expected) in [
            (0, Ok(())),
            (1_900_000_000, Ok(())),
            (1_900_000_001, Err(LinkError::Expired)),
        ] {
            assert_eq!(THIS.verify(&signature, SECRET, now_s), expected, "{now_s}");
        }
        assert_eq!(THIS.verify(&signature.to_uppercase(), SECRET, 0), Ok(()));
    }

    #[test]
    fn whatever_else_is_forged() {
        let signature = signature();
        for changed in [
            Acknowledgement {
                key: "other",
                ..THIS
            },
            Acknowledgement {
                incident: "0123456789abcdee",
                ..THIS
            },
            Acknowledgement {
                expires_s: 1_900_000_001,
                ..THIS
            },
        ] {
            assert_eq!(
                changed.verify(&signature, SECRET, 0),
                Err(LinkError::Forged),
                "{changed:?}"
            );
        }
        assert_eq!(THIS.verify(&signature, b"other", 0), Err(LinkError::Forged));
        for wrong in [
            "",
            "0",
            "zz",
            "é",
            &signature[2..],
            &format!("{signature}00"),
        ] {
            assert_eq!(
                THIS.verify(wrong, SECRET, 0),
                Err(LinkError::Forged),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_board_is_told_what_is_wrong() {
        assert_eq!(
            LinkError::Expired.to_string(),
            "the link has expired; acknowledge the alert on the board, or use a newer message's link"
        );
        assert!(
            LinkError::Forged
                .to_string()
                .ends_with("use the link as it stands in the message")
        );
    }
}
