//! How far a clock may run before it is announced as running out (SEMANTICS 6).

/// A level of `warn_at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarnLevel {
    /// A fraction of the target, exactly as the decimal that was written.
    Fraction {
        /// Above the line.
        numerator: u64,
        /// Below it, never 0.
        denominator: u64,
        /// As written.
        text: String,
    },
    /// Business time left to the target.
    TimeLeft {
        /// How much.
        ms: i64,
        /// As written.
        text: String,
    },
}

impl WarnLevel {
    /// The fraction that a decimal such as `0.8` is; `None` if it does not lie between 0 and 1, both excluded, or has more than
    /// nine decimals.
    pub fn fraction(text: &str) -> Option<Self> {
        let decimals = text
            .strip_prefix("0.")
            .or_else(|| text.strip_prefix("+0."))?;
        if decimals.len() > 9 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let numerator: u64 = decimals.parse().ok()?;
        // At most nine decimals: the power fits.
        let denominator = 10_u64.pow(decimals.len() as u32);
        let text = text.trim_start_matches('+').to_owned();
        (numerator > 0).then_some(Self::Fraction {
            numerator,
            denominator,
            text,
        })
    }

    /// The elapsed time from which on it is reached: the least whole millisecond at or past it.
    pub fn reached_at_elapsed_ms(&self, target_ms: i64) -> i64 {
        match self {
            Self::Fraction {
                numerator,
                denominator,
                ..
            } => {
                let scaled = i128::from(target_ms) * i128::from(*numerator);
                let denominator = i128::from(*denominator);
                // A fraction below 1 of an i64 is one.
                (scaled.div_euclid(denominator) + i128::from(scaled.rem_euclid(denominator) != 0))
                    as i64
            }
            Self::TimeLeft { ms, .. } => target_ms.saturating_sub(*ms).max(0),
        }
    }

    /// As written: `0.8` or `15m`.
    pub fn text(&self) -> &str {
        match self {
            Self::Fraction { text, .. } | Self::TimeLeft { text, .. } => text,
        }
    }

    /// Whether both are reached at the same elapsed time, whatever the target.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Fraction {
                    numerator,
                    denominator,
                    ..
                },
                Self::Fraction {
                    numerator: other_numerator,
                    denominator: other_denominator,
                    ..
                },
            ) => {
                u128::from(*numerator) * u128::from(*other_denominator)
                    == u128::from(*other_numerator) * u128::from(*denominator)
            }
            (Self::TimeLeft { ms, .. }, Self::TimeLeft { ms: other_ms, .. }) => ms == other_ms,
            (Self::Fraction { .. }, Self::TimeLeft { .. })
            | (Self::TimeLeft { .. }, Self::Fraction { .. }) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_exact_and_rounded_up() {
        let cases = [
            ("0.5", 1_000, 500),
            ("0.5", 1_001, 501),
            ("0.8", 3_600_000, 2_880_000),
            ("0.1", 30, 3),
            ("0.7", 10, 7),
            ("0.333", 3, 1),
            ("0.999999999", 3_600_000_000_000, 3_599_999_996_400),
            ("0.29", 100, 29),
        ];
        for (text, target_ms, reached_ms) in cases {
            let level = WarnLevel::fraction(text).unwrap();
            assert_eq!(
                level.reached_at_elapsed_ms(target_ms),
                reached_ms,
                "{text} of {target_ms}"
            );
            assert_eq!(level.text(), text);
        }
        let most = WarnLevel::fraction("0.999999999").unwrap();
        assert!(most.reached_at_elapsed_ms(i64::MAX) < i64::MAX);
    }

    #[test]
    fn time_left_counts_back_from_the_target_but_not_below_the_start() {
        let level = WarnLevel::TimeLeft {
            ms: 900_000,
            text: "15m".to_owned(),
        };
        for (target_ms, reached_ms) in [(3_600_000, 2_700_000), (900_000, 0), (60_000, 0)] {
            assert_eq!(level.reached_at_elapsed_ms(target_ms), reached_ms);
        }
        assert_eq!(level.text(), "15m");
    }

    #[test]
    fn only_what_lies_strictly_between_0_and_1_is_a_fraction() {
        for text in [
            "0.0",
            "1.0",
            "1.5",
            "-0.5",
            "0",
            "1",
            "5e-1",
            ".5",
            "0.",
            "0.1234567890",
            "nan",
            "80",
        ] {
            assert_eq!(WarnLevel::fraction(text), None, "{text}");
        }
    }

    #[test]
    fn equal_levels_are_told_however_they_are_written() {
        let half = WarnLevel::fraction("0.5").unwrap();
        assert!(half.same_as(&WarnLevel::fraction("0.50").unwrap()));
        assert!(!half.same_as(&WarnLevel::fraction("0.51").unwrap()));
        let hour = WarnLevel::TimeLeft {
            ms: 3_600_000,
            text: "1h".to_owned(),
        };
        assert!(hour.same_as(&WarnLevel::TimeLeft {
            ms: 3_600_000,
            text: "60m".to_owned()
        }));
        assert!(!hour.same_as(&half));
    }
}
