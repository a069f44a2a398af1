//! No text makes the checker panic, and what it says always has a place in the text.

use proptest::prelude::*;

use super::{SAMPLES, files};
use crate::check;

const MISTAKES: &str = include_str!("../../testdata/mistakes.toml");
const ALL_KEYS: &str = include_str!("../../testdata/all-keys.toml");

/// Pieces that may turn one construct into another.
const PIECES: [&str; 24] = [
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "\n",
    "\r\n",
    "#",
    "-",
    "*",
    "ü",
    "\0",
    "0",
    "99999999999999999999",
    "true",
    "[[policy]]\n",
    "[policy.targets]\n",
    "2026-12-25",
    "24:00",
    "\"\"\"",
];

fn check_any(text: &str) -> Result<(), TestCaseError> {
    let report = check(&files(&[("a.toml", text), ("b.toml", text)]));
    let lines = text.split('\n').count();
    for found in &report.diagnostics {
        prop_assert!(
            (1..=lines).contains(&found.line) && found.column >= 1,
            "{found:?}"
        );
        prop_assert!(!found.message.is_empty() && !found.help.is_empty());
        prop_assert!(text.contains(&found.words));
    }
    prop_assert_eq!(report.sets.is_none(), report.diagnostics.errors() > 0);
    drop((report.to_string(), report.to_json()));
    Ok(())
}

proptest! {
    #![proptest_config(super::config(256))]

    #[test]
    fn spoilt_files(
        sample in prop::sample::select(vec![SAMPLES[0].1, SAMPLES[1].1, MISTAKES, ALL_KEYS]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, prop::sample::select(&PIECES[..])), 1..6),
    ) {
        let mut text: Vec<char> = sample.chars().collect();
        for (at, removed, piece) in changes {
            let at = at.index(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, piece.chars());
        }
        check_any(&text.into_iter().collect::<String>())?;
    }

    #[test]
    fn random_texts(text in ".{0,200}") {
        check_any(&text)?;
    }

    #[test]
    fn random_pieces(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        check_any(&pieces.concat())?;
    }
}
