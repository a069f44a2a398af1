//! The secret in every form: bound to the cookie, so that a foreign site that makes a browser send a form has none.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const PURPOSE: &[u8] = b"slawatch form";

/// The secret of forms that go to whoever has this cookie.
pub(crate) fn form_token(cookie: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(cookie.as_bytes()) else {
        return String::new();
    };
    mac.update(PURPOSE);
    let code = mac.finalize().into_bytes();
    code.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether a form came from one of ours to the same cookie.
pub(crate) fn is_form_token(cookie: Option<&str>, given: &str) -> bool {
    let Some(cookie) = cookie.filter(|cookie| !cookie.is_empty()) else {
        return false;
    };
    let expected = form_token(cookie);
    !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(given.as_bytes()))
}
