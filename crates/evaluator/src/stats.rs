//! What chance alone would do: bounds for proportions and means, and tests of two of them against each other. It knows
//! counts and sums, no rules.
//!
//! Logarithms and exponentials are those of `libm`, not of the machine's own library: the same bits everywhere.

mod distribution;

use std::sync::LazyLock;

use slawatch_wire::v1::Bucket;

use distribution::{normal_cdf, normal_quantile, student_quantile, student_tail};

/// Between what two values the truth lies, each being passed with a chance of 1 - confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// Wilson's score bounds of a proportion, each one-sided at `confidence` (0.95: "below the upper bound" is right in 95 of
/// 100 cases). Hits beyond 0 to samples, as formulas with negative terms can give, count as 0 or all. `None` without
/// samples.
pub(crate) fn wilson(hits: i64, samples: i64, confidence: f64) -> Option<Bounds> {
    if samples <= 0 {
        return None;
    }
    let n = samples as f64;
    let share = hits.clamp(0, samples) as f64 / n;
    let z = normal_quantile(confidence);
    let z2 = z * z;
    let middle = share + z2 / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Some(Bounds {
        lower: ((middle - half) / scale).max(0.0),
        upper: ((middle + half) / scale).min(1.0),
    })
}

/// Durations of which mean and spread matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) count: i64,
    pub(crate) sum_ms: i64,
    /// As [`squares`] has it.
    pub(crate) squares: i64,
}

/// Milliseconds in the unit whose square [`squares`] counts in: a sum of hours over millions of contacts fits.
const SQUARE_UNIT_MS: f64 = 10.0;
/// Half of a bucket's relative width: what a histogram cannot tell of a spread.
const BUCKET_DOUBT: f64 = 0.022;

/// The sum of squares of a histogram's durations, each taken as the geometric middle of its bucket, in units of (10 ms)².
/// Whole numbers, so that sums and differences of it are exact.
pub(crate) fn squares(histogram: &[Bucket]) -> i64 {
    let terms = histogram.iter().map(|bucket| {
        let square = SQUARES.get(bucket.bucket as usize).or(SQUARES.last());
        square.map_or(0, |square| square.wrapping_mul(bucket.count))
    });
    terms.fold(0, i64::wrapping_add)
}

/// Of each bucket; up to 2^40 ms, which is 35 years.
static SQUARES: LazyLock<Vec<i64>> = LazyLock::new(|| {
    let middle = |bucket: u32| libm::exp2((f64::from(bucket) - 0.5) / 16.0) / SQUARE_UNIT_MS;
    let squares = (1..=16 * 40).map(|bucket| (middle(bucket) * middle(bucket)).round() as i64);
    [0].into_iter().chain(squares).collect()
});

impl Sample {
    pub(crate) fn mean_ms(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ms as f64 / self.count as f64)
    }

    /// Of one duration, in ms²; `None` for fewer than two. Never less than what the buckets leave in doubt, so that
    /// durations all alike do not look like a certainty.
    pub(crate) fn variance(self) -> Option<f64> {
        let mean_ms = self.mean_ms().filter(|_| self.count >= 2)?;
        let n = self.count as f64;
        let mean_square = self.squares as f64 * SQUARE_UNIT_MS * SQUARE_UNIT_MS / n;
        let spread = (mean_square - mean_ms * mean_ms) * n / (n - 1.0);
        let doubt = BUCKET_DOUBT * mean_ms;
        Some(spread.max(doubt * doubt))
    }

    /// Bounds of the mean in ms, each one-sided at `confidence`, by Student's distribution (its quantile by bisection to
    /// 1e-9). Durations are skewed: with fewer than some 30 samples the upper bound errs to the low side.
    pub(crate) fn mean_bounds(self, confidence: f64) -> Option<Bounds> {
        let error_ms = (self.variance()? / self.count as f64).sqrt();
        let t = student_quantile(confidence, (self.count - 1) as f64);
        let mean_ms = self.mean_ms()?;
        Some(Bounds {
            lower: (mean_ms - t * error_ms).max(0.0),
            upper: mean_ms + t * error_ms,
        })
    }
}

/// What a test of two samples says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// First less second.
    pub(crate) difference: f64,
    /// How likely so large a difference towards this side is by chance alone; twice that for either side.
    pub(crate) one_sided_p: f64,
}

impl Verdict {
    /// As if the variance were that many times as large.
    pub(crate) fn widened(self, factor: f64) -> Self {
        let z = normal_quantile(self.one_sided_p) / factor.sqrt();
        Self {
            one_sided_p: normal_cdf(z),
            ..self
        }
    }

    pub(crate) fn two_sided_p(self) -> f64 {
        (2.0 * self.one_sided_p).min(1.0)
    }
}

/// Hits out of samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proportion {
    pub(crate) hits: i64,
    pub(crate) samples: i64,
}

impl Proportion {
    fn clamped(self) -> Option<(f64, f64)> {
        (self.samples > 0).then(|| {
            let hits = self.hits.clamp(0, self.samples);
            (hits as f64, self.samples as f64)
        })
    }
}

/// The test of two proportions: pooled variance and continuity correction, which keeps it on the careful side of Fisher's
/// exact test's answers. `None` if either is without samples.
pub(crate) fn two_proportions(first: Proportion, second: Proportion) -> Option<Verdict> {
    let ((hits_1, n_1), (hits_2, n_2)) = (first.clamped()?, second.clamped()?);
    let difference = hits_1 / n_1 - hits_2 / n_2;
    let pooled = (hits_1 + hits_2) / (n_1 + n_2);
    let per_sample = 1.0 / n_1 + 1.0 / n_2;
    let error = (pooled * (1.0 - pooled) * per_sample).sqrt();
    let beyond_chance = (difference.abs() - per_sample / 2.0).max(0.0);
    let one_sided_p = if error > 0.0 {
        normal_cdf(-beyond_chance / error)
    } else {
        0.5
    };
    Some(Verdict {
        difference,
        one_sided_p,
    })
}

/// Welch's test of two means, in ms. `None` if either has fewer than two samples.
pub(crate) fn welch(first: Sample, second: Sample) -> Option<Verdict> {
    let difference = first.mean_ms()? - second.mean_ms()?;
    let error_2 = |sample: Sample| Some(sample.variance()? / sample.count as f64);
    let (error_1, error_2) = (error_2(first)?, error_2(second)?);
    let together = error_1 + error_2;
    if together <= 0.0 {
        // Both means are 0: their buckets leave no doubt.
        return Some(Verdict {
            difference,
            one_sided_p: 0.5,
        });
    }
    let part = |error: f64, sample: Sample| error * error / (sample.count - 1) as f64;
    let df = together * together / (part(error_1, first) + part(error_2, second));
    Some(Verdict {
        difference,
        one_sided_p: student_tail(difference.abs() / together.sqrt(), df),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn assert_near(found: f64, expected: f64, relative: f64, what: &str) {
        let error = (found - expected).abs();
        assert!(
            error <= relative * expected.abs().max(1e-300),
            "{what}: {found} for {expected}"
        );
    }

    #[test]
    fn wilson_bounds() {
        for (hits, samples, confidence, lower, upper) in [
            // 8 of 10 at 95 % two-sided, as in the textbooks: 49.0 % to 94.3 %.
            (
                8,
                10,
                0.975,
                0.490_162_471_536_641_7,
                0.943_317_848_545_624_7,
            ),
            (
                15,
                20,
                0.95,
                0.567_798_249_839_875_4,
                0.872_622_831_479_642_3,
            ),
            (
                49,
                80,
                0.95,
                0.520_628_173_764_207_4,
                0.697_011_409_367_129_6,
            ),
            (
                800,
                1000,
                0.99,
                0.768_993_848_593_149,
                0.827_776_493_316_849_9,
            ),
        ] {
            let bounds = wilson(hits, samples, confidence).expect("samples");
            assert_near(bounds.lower, lower, 1e-12, "lower");
            assert_near(bounds.upper, upper, 1e-12, "upper");
        }
        let none = wilson(0, 10, 0.975).expect("samples");
        assert!(none.lower < 1e-15);
        assert_near(none.upper, 0.277_532_799_862_889_3, 1e-12, "none of 10");
        assert_eq!(wilson(12, 10, 0.975), wilson(10, 10, 0.975));
        assert_eq!(wilson(0, 0, 0.975), None);
    }

    #[test]
    fn proportions_against_each_other() {
        for (first, second, p) in [
            ((30, 100), (45, 100), 0.020_435_767_044_503_09),
            ((40, 100), (45, 100), 0.283_607_187_495_206_9),
            ((45, 100), (40, 100), 0.283_607_187_495_206_9),
            ((180, 200), (760, 800), 0.006_268_219_441_157_266),
            ((50, 100), (50, 100), 0.5),
            ((100, 100), (50, 50), 0.5),
        ] {
            let of = |(hits, samples)| Proportion { hits, samples };
            let verdict = two_proportions(of(first), of(second)).expect("samples");
            assert_near(
                verdict.one_sided_p,
                p,
                1e-9,
                &format!("{first:?} {second:?}"),
            );
        }
        let none = Proportion::default();
        let one = Proportion {
            hits: 1,
            samples: 1,
        };
        assert_eq!(two_proportions(none, one), None);
    }

    /// Mean and variance in seconds, as a sample.
    fn sample(count: i64, mean_s: f64, variance_s2: f64) -> Sample {
        let n = count as f64;
        let sum_of_squares_s2 = variance_s2 * (n - 1.0) + n * mean_s * mean_s;
        Sample {
            count,
            sum_ms: (mean_s * n * 1000.0).round() as i64,
            squares: (sum_of_squares_s2 * 10_000.0).round() as i64,
        }
    }

    /// The usual examples of Welch's test.
    #[test]
    fn means_against_each_other() {
        for (first, second, difference_s, p) in [
            (
                sample(15, 20.8, 7.9),
                sample(15, 23.0, 3.8),
                -2.2,
                0.009_878_012_235_152_249,
            ),
            (
                sample(10, 20.6, 9.0),
                sample(20, 22.1, 0.9),
                -1.5,
                0.077_062_759_782_023_34,
            ),
        ] {
            let verdict = welch(first, second).expect("samples");
            assert_near(
                verdict.difference,
                difference_s * 1000.0,
                1e-12,
                "difference",
            );
            assert_near(verdict.one_sided_p, p, 1e-6, "p");
            assert_near(verdict.two_sided_p(), 2.0 * p, 1e-6, "both sides");
        }
        assert_eq!(welch(sample(1, 20.0, 0.0), sample(9, 20.0, 1.0)), None);
        let nothing = Sample {
            count: 5,
            ..Sample::default()
        };
        assert_eq!(welch(nothing, nothing).map(|v| v.one_sided_p), Some(0.5));
    }

    #[test]
    fn a_mean_has_bounds() {
        // 25 of mean 100 s and standard deviation 20 s: 100 ± 1.7109 * 4.
        let bounds = sample(25, 100.0, 400.0).mean_bounds(0.95).expect("samples");
        assert_near(bounds.lower, 93_156.5, 1e-5, "lower");
        assert_near(bounds.upper, 106_843.5, 1e-5, "upper");
        assert_eq!(sample(1, 100.0, 0.0).mean_bounds(0.95), None);
    }

    /// 60 s lie in bucket 254: 2^(253/16) <= 60000 < 2^(254/16).
    #[test]
    fn squares_of_a_histogram_are_near_the_true_ones_and_subtract_exactly() {
        let histogram = |count| [Bucket { bucket: 254, count }];
        let true_squares = 10.0 * 6000.0 * 6000.0;
        assert_near(
            squares(&histogram(10)) as f64,
            true_squares,
            0.045,
            "10 minutes",
        );
        assert_eq!(squares(&histogram(10)) + squares(&histogram(-10)), 0);
        assert_eq!(
            squares(&[Bucket {
                bucket: 0,
                count: 7
            }]),
            0
        );
    }

    #[test]
    fn durations_all_alike_are_no_certainty() {
        let alike = Sample {
            count: 40,
            sum_ms: 40 * 60_000,
            squares: 40 * 6000 * 6000,
        };
        let deviation_ms = alike.variance().expect("samples").sqrt();
        assert_near(deviation_ms, 1320.0, 1e-9, "2.2 % of a minute");
    }

    proptest! {
        #[test]
        fn bounds_hold_the_value_and_narrow_with_samples(hits in 0..500i64, misses in 0..500i64) {
            prop_assume!(hits + misses > 0);
            let samples = hits + misses;
            let value = hits as f64 / samples as f64;
            let few = wilson(hits, samples, 0.95).expect("samples");
            let many = wilson(10 * hits, 10 * samples, 0.95).expect("samples");
            prop_assert!(few.lower <= value + 1e-12 && value <= few.upper + 1e-12);
            prop_assert!(many.upper - many.lower < few.upper - few.lower);
        }

        #[test]
        fn a_test_does_not_mind_the_order(a in 0..100i64, b in 0..100i64, n in 100..200i64, m in 100..200i64) {
            let (first, second) = (Proportion { hits: a, samples: n }, Proportion { hits: b, samples: m });
            let there = two_proportions(first, second).expect("samples");
            let back = two_proportions(second, first).expect("samples");
            prop_assert!((there.difference + back.difference).abs() < 1e-12);
            prop_assert!((there.one_sided_p - back.one_sided_p).abs() < 1e-12);
        }
    }
}
