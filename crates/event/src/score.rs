//! Ratings in exact decimals (SEMANTICS 5: satisfied is 5 score >= 4 score_max).

use std::borrow::Cow;
use std::cmp::Ordering;

/// A rating as it was written: the decimal text of `score` and `score_max`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rating<'a> {
    /// A JSON number.
    pub score: Cow<'a, str>,
    /// A JSON number greater than 0.
    pub score_max: Cow<'a, str>,
}

impl Rating<'_> {
    /// Whether the customer was satisfied: at least four fifths of the maximum, compared exactly.
    pub fn is_satisfied(&self) -> bool {
        let score = Decimal::parse(&self.score).times(5);
        let bar = Decimal::parse(&self.score_max).times(4);
        score.compare(&bar) != Ordering::Less
    }
}

/// Whether a JSON number is greater than zero.
pub(crate) fn is_positive(number: &str) -> bool {
    let decimal = Decimal::parse(number);
    !decimal.negative && !decimal.digits.is_empty()
}

/// `0.d1 d2 d3 … * 10^exponent` with neither leading nor trailing zeros; zero has no digits.
#[derive(Debug)]
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// Reads a number that follows the JSON grammar. An exponent beyond i64 saturates, which no comparison can see
    /// unless both numbers are that far out.
    fn parse(number: &str) -> Self {
        let (negative, number) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let (mantissa, exponent) = match number.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, saturating_exponent(exponent)),
            None => (number, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole
            .bytes()
            .chain(fraction.bytes())
            .map(|byte| byte.wrapping_sub(b'0'))
            .collect();
        Self {
            negative,
            digits,
            exponent: exponent.saturating_add(whole.len() as i64),
        }
        .normalized()
    }

    fn normalized(mut self) -> Self {
        let leading = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..leading);
        self.exponent = self.exponent.saturating_sub(leading as i64);
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            (self.negative, self.exponent) = (false, 0);
        }
        self
    }

    fn times(mut self, factor: u8) -> Self {
        let mut carry = 0;
        for digit in self.digits.iter_mut().rev() {
            let product = *digit * factor + carry;
            *digit = product % 10;
            carry = product / 10;
        }
        self.digits.insert(0, carry);
        self.exponent = self.exponent.saturating_add(1);
        self.normalized()
    }

    fn compare(&self, other: &Self) -> Ordering {
        let sign = |decimal: &Self| match (decimal.digits.is_empty(), decimal.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign != Ordering::Equal || self.digits.is_empty() {
            return by_sign;
        }
        let by_size = self
            .exponent
            .cmp(&other.exponent)
            .then_with(|| self.digits.cmp(&other.digits));
        if self.negative {
            by_size.reverse()
        } else {
            by_size
        }
    }
}

fn saturating_exponent(text: &str) -> i64 {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let size = digits.bytes().fold(0_i64, |size, byte| {
        size.saturating_mul(10)
            .saturating_add(i64::from(byte.wrapping_sub(b'0')))
    });
    // Kept away from the edges, so that adding the number of digits cannot saturate as well.
    let size = size.min(i64::MAX / 4);
    if negative { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn satisfied_is_decided_exactly() {
        for (score, score_max, satisfied) in [
            ("4", "5", true),
            ("3.9999999999999999999999", "5", false),
            ("4.0000000000000000000000", "5", true),
            ("0.8", "1", true),
            ("0.79999999999999999999", "1", false),
            ("8e1", "100", true),
            ("80", "1E2", true),
            ("80", "1.0000000000000000001E+2", false),
            ("0", "5", false),
            ("-0", "5", false),
            ("-4", "5", false),
            ("1e400", "5", true),
            ("1e-400", "1e-400", true),
            ("7e-401", "1e-400", false),
            ("1e99999999999999999999", "5", true),
            ("10", "5", true),
            ("004", "5", true),
        ] {
            let rating = Rating {
                score: score.into(),
                score_max: score_max.into(),
            };
            assert_eq!(rating.is_satisfied(), satisfied, "{score} of {score_max}");
        }
    }

    #[test]
    fn positive_means_more_than_zero() {
        for (number, positive) in [
            ("5", true),
            ("0.0", false),
            ("-0", false),
            ("-1", false),
            ("1e-9999", true),
            ("0e9", false),
        ] {
            assert_eq!(is_positive(number), positive, "{number}");
        }
    }
}
