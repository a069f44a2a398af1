//! The known word that somebody who wrote another one probably meant.

/// The nearest of `known`, if near enough to be a slip; of equals the first.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = match word.chars().count() {
        0..=3 => 1,
        4..=6 => 2,
        _ => 3,
    };
    let folded = fold(word);
    known
        .into_iter()
        .map(|candidate| (distance(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= most && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Whether two words differ by one slip only, so that one of them is likely meant to be the other. Words with digits are told
/// apart by them, and short ones by any letter.
pub(crate) fn looks_like_a_slip(word: &str, other: &str) -> bool {
    let numbered = |word: &str| word.chars().any(|c| c.is_ascii_digit());
    let long = |word: &str| word.chars().count() >= 4;
    word != other
        && !numbered(word)
        && !numbered(other)
        && (word.to_lowercase() == other.to_lowercase()
            || (long(word) && long(other) && distance(word, other) == 1))
}

/// Case and the ways to join words are the commonest slips.
fn fold(word: &str) -> String {
    word.to_lowercase().replace(['-', ' '], "_")
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other.
pub(crate) fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    // Nothing that long is meant to be a word, and the work is a product.
    if from.len().max(to.len()) > 80 {
        return usize::MAX;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, &letter) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, &other) in to.iter().enumerate() {
            let mut least = (last[column] + usize::from(letter != other))
                .min(last[column + 1] + 1)
                .min(current[column] + 1);
            if row > 0 && column > 0 && letter == to[column - 1] && from[row - 1] == other {
                least = least.min(before_last[column - 1] + 1);
            }
            current.push(least);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let cases = [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "", 3),
            ("defualt", "default", 1),
            ("hgih", "high", 1),
            ("desk", "disks", 2),
        ];
        for (from, to, expected) in cases {
            assert_eq!(distance(from, to), expected, "{from} {to}");
            assert_eq!(distance(to, from), expected, "{to} {from}");
        }
        assert_eq!(distance(&"x".repeat(81), "x"), usize::MAX);
    }

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["first_reply", "next_reply", "answer", "mon", "all"];
        let cases = [
            ("frist_reply", Some("first_reply")),
            ("First-Reply", Some("first_reply")),
            ("awnser", Some("answer")),
            ("mno", Some("mon")),
            ("x", None),
            ("", None),
            ("resolution", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn numbered_and_short_words_are_no_slips_of_each_other() {
        for (word, other) in [
            ("norml", "normal"),
            ("hgih", "high"),
            ("High", "high"),
            ("P", "p"),
        ] {
            assert!(looks_like_a_slip(word, other), "{word} {other}");
        }
        for (word, other) in [
            ("p1", "p2"),
            ("sev-10", "sev-11"),
            ("low", "now"),
            ("high", "high"),
            ("urgent", "normal"),
        ] {
            assert!(!looks_like_a_slip(word, other), "{word} {other}");
        }
    }
}
