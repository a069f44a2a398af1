//! What identifies an alert: its key, stable for (rule, group), and the id of one episode.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// A longer key is cut and ends with a hash of the whole: receivers take no more than 255 characters.
const LONGEST_KEY: usize = 200;

/// Joins the parts by `/`, escaping it inside them, so that different parts never give one key.
pub(crate) fn key<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut key = String::new();
    for (place, part) in parts.into_iter().enumerate() {
        if place > 0 {
            key.push('/');
        }
        for letter in part.chars() {
            match letter {
                '/' => key.push_str("%2F"),
                '%' => key.push_str("%25"),
                plain if plain.is_control() => key.push_str(&format!("%{:02X}", u32::from(plain))),
                plain => key.push(plain),
            }
        }
    }
    if key.len() <= LONGEST_KEY {
        return key;
    }
    let hash = format!("~{:032x}", xxh3_128(key.as_bytes()));
    let mut end = LONGEST_KEY - hash.len();
    while !key.is_char_boundary(end) {
        end -= 1;
    }
    key.truncate(end);
    key + &hash
}

/// One episode of an alert: the same for all who compute it from the same log.
pub(crate) fn incident(key: &str, fired_at_ms: i64) -> String {
    format!(
        "{:016x}",
        xxh3_64(format!("{key}\n{fired_at_ms}").as_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_well_and_never_collide() {
        assert_eq!(
            key(["service-level", "acme", "refunds"]),
            "service-level/acme/refunds"
        );
        assert_ne!(key(["a", "b/c"]), key(["a/b", "c"]));
        assert_ne!(key(["a", "%2F"]), key(["a", "/"]));
        assert_ne!(key(["a", ""]), key(["a"]));
        assert_eq!(key(["a\nb"]), "a%0Ab");
    }

    #[test]
    fn long_keys_stay_apart_and_fit() {
        let long = "ü".repeat(300);
        let (one, other) = (key(["r", &long, "a"]), key(["r", &long, "b"]));
        assert_ne!(one, other);
        assert!(
            one.len() <= LONGEST_KEY && one.starts_with("r/üüü"),
            "{one}"
        );
    }

    #[test]
    fn an_incident_is_of_one_episode() {
        assert_eq!(incident("k", 1), incident("k", 1));
        assert_ne!(incident("k", 1), incident("k", 2));
        assert_ne!(incident("k", 1), incident("l", 1));
        assert_eq!(incident("k", 1).len(), 16);
    }
}
