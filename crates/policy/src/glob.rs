//! Patterns of attribute values, in which `*` stands for any text and nothing else is special.

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// What stands between the stars; one piece alone must be the whole text.
    pieces: Box<[Box<str>]>,
}

impl Glob {
    /// Every text is a pattern.
    pub fn new(pattern: &str) -> Self {
        let pieces = pattern.split('*').map(Box::from).collect();
        Self { pieces }
    }

    /// Whether all of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let [first, between @ .., last] = &*self.pieces else {
            return *text == *self.pieces[0];
        };
        let Some(mut rest) = text
            .strip_prefix(&**first)
            .and_then(|rest| rest.strip_suffix(&**last))
        else {
            return false;
        };
        // The leftmost place for each piece leaves the most for those after it.
        between.iter().all(|piece| match rest.find(&**piece) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }

    /// Whether this pattern matches everything that `other` does.
    ///
    /// A star of `other` may be any text, even one that no piece of this pattern holds; so only a star here can match it, and
    /// that is just how a star matches as a character of the text.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.matches(&other.pattern())
    }

    /// Whether any text matches: nothing but stars.
    pub(crate) fn is_anything(&self) -> bool {
        self.pieces.len() > 1 && self.pieces.iter().all(|piece| piece.is_empty())
    }

    /// Whether only the text matches that it is: no star.
    pub(crate) fn is_text(&self) -> bool {
        self.pieces.len() == 1
    }

    /// What a text must begin with to match.
    pub(crate) fn prefix(&self) -> &str {
        &self.pieces[0]
    }

    /// What a text must end with to match.
    pub(crate) fn suffix(&self) -> &str {
        self.pieces.last().map_or("", |piece| &**piece)
    }

    /// The pattern as written.
    pub fn pattern(&self) -> String {
        self.pieces.join("*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_star_is_special() {
        let cases = [
            ("acme", "acme", true),
            ("acme", "acme-manila", false),
            ("acme*", "acme", true),
            ("acme*", "acme-manila", true),
            ("*manila", "acme-manila", true),
            ("gl*b*x", "globex", true),
            ("gl*b*x", "glbx", true),
            ("gl*b*x", "glox", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*", "", true),
            ("**", "x", true),
            ("", "", true),
            ("", "x", false),
            ("a?c", "abc", false),
            ("[ab]", "a", false),
            ("*ab*ab*", "ab", false),
            ("*ab*ab*", "xabyabz", true),
            ("ü*", "über", true),
        ];
        for (pattern, text, matches) in cases {
            assert_eq!(
                Glob::new(pattern).matches(text),
                matches,
                "{pattern} {text}"
            );
            assert_eq!(Glob::new(pattern).pattern(), pattern);
        }
    }

    #[test]
    fn covering() {
        let cases = [
            ("*", "acme*", true),
            ("acme*", "acme-*", true),
            ("acme-*", "acme*", false),
            ("a*", "a*b*c", true),
            ("a*c", "a*b*c", true),
            ("a*b*c", "a*c", false),
            ("acme", "acme", true),
            ("acme", "*", false),
            ("", "", true),
            ("*", "", true),
        ];
        for (general, special, covers) in cases {
            assert_eq!(
                Glob::new(general).covers(&Glob::new(special)),
                covers,
                "{general} {special}"
            );
        }
    }

    proptest! {
        #![proptest_config(crate::tests::config(256))]

        #[test]
        fn agrees_with_trying_every_split(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
            fn slow(pattern: &[u8], text: &[u8]) -> bool {
                match pattern.split_first() {
                    None => text.is_empty(),
                    Some((b'*', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
                    Some((first, rest)) => text.first() == Some(first) && slow(rest, &text[1..]),
                }
            }
            prop_assert_eq!(Glob::new(&pattern).matches(&text), slow(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn what_is_covered_matches(general in "[ab*]{0,5}", special in "[ab*]{0,5}", texts in proptest::collection::vec("[abc]{0,7}", 20)) {
            let (general, special) = (Glob::new(&general), Glob::new(&special));
            if general.covers(&special) {
                for text in texts {
                    prop_assert!(!special.matches(&text) || general.matches(&text), "{}", text);
                }
            }
        }
    }
}
