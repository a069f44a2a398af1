//! The normal distribution and Student's: shares, tails and quantiles.
/// The standard normal distribution's share below `z`; relative error below 1e-14.
pub(super) fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The `z` with that share of the standard normal distribution below it (Wichura, AS 241, PPND16: relative error about
/// 1e-16). Infinite at 0 and 1.
pub(super) fn normal_quantile(share: f64) -> f64 {
    let centred = share - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        return centred * polynomial(&CENTRAL_NUMERATOR, r) / polynomial(&CENTRAL_DENOMINATOR, r);
    }
    let tail = share.min(1.0 - share);
    if tail <= 0.0 {
        return f64::INFINITY.copysign(centred);
    }
    let r = (-libm::log(tail)).sqrt();
    let z = if r <= 5.0 {
        polynomial(&MIDDLE_NUMERATOR, r - 1.6) / polynomial(&MIDDLE_DENOMINATOR, r - 1.6)
    } else {
        polynomial(&FAR_NUMERATOR, r - 5.0) / polynomial(&FAR_DENOMINATOR, r - 5.0)
    };
    z.copysign(centred)
}

/// Highest power last.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    let terms = coefficients.iter().rev();
    terms.fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const CENTRAL_NUMERATOR: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRAL_DENOMINATOR: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_545,
];
const MIDDLE_NUMERATOR: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    0.000_774_545_014_278_341_4,
];
const MIDDLE_DENOMINATOR: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    0.000_547_593_808_499_534_5,
    0.000_000_001_050_750_071_644_416_9,
];
const FAR_NUMERATOR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    0.000_027_115_555_687_434_876,
    0.000_000_201_033_439_929_228_8,
];
const FAR_DENOMINATOR: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    0.000_786_869_131_145_613_3,
    0.000_018_463_183_175_100_548,
    0.000_000_142_151_175_831_644_6,
    0.000_000_000_000_002_044_263_103_389_939_8,
];

/// How much of Student's distribution with `df` degrees of freedom lies above `t >= 0`; absolute error below 1e-10 (from
/// 100,000 degrees on the normal distribution's tail, which then differs by less than 1e-5 of itself up to `t` = 4).
pub(super) fn student_tail(t: f64, df: f64) -> f64 {
    if df >= 100_000.0 {
        return normal_cdf(-t);
    }
    0.5 * regularized_beta(df / (df + t * t), df / 2.0, 0.5)
}

/// The regularized incomplete beta function, by its continued fraction.
fn regularized_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let log_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b)
        + a * libm::log(x)
        + b * libm::log1p(-x);
    let front = libm::exp(log_front);
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(x, a, b) / a
    } else {
        1.0 - front * beta_fraction(1.0 - x, b, a) / b
    }
}

/// Lentz's evaluation; it converges in about the square root of the larger parameter.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const STEPS: u32 = 2000;
    const TINY: f64 = 1e-300;
    let off_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / off_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..=STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / off_zero(1.0 + even * d);
        c = off_zero(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / off_zero(1.0 + odd * d);
        c = off_zero(1.0 + odd / c);
        let change = d * c;
        value *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// For a share of at least a half.
pub(super) fn student_quantile(share: f64, df: f64) -> f64 {
    let tail = 1.0 - share;
    let (mut low, mut high) = (0.0, 1.0);
    while student_tail(high, df) > tail && high < 1e12 {
        high *= 2.0;
    }
    while high - low > 1e-9 * high {
        let middle = 0.5 * (low + high);
        if student_tail(middle, df) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tests::assert_near;
    use proptest::prelude::*;

    /// Values of mpmath with 30 digits.
    #[test]
    fn quantiles_of_the_normal_distribution() {
        for (share, z) in [
            (1e-12, -7.034_483_825_301_131),
            (0.001, -3.090_232_306_167_813_5),
            (0.01, -2.326_347_874_040_841),
            (0.025, -1.959_963_984_540_054_2),
            (0.05, -1.644_853_626_951_472_7),
            (0.2, -0.841_621_233_572_914_2),
            (0.8, 0.841_621_233_572_914_2),
            (0.95, 1.644_853_626_951_472_7),
            (0.975, 1.959_963_984_540_054_2),
            (0.999, 3.090_232_306_167_813_5),
            (0.9999, 3.719_016_485_455_680_6),
        ] {
            assert_near(normal_quantile(share), z, 1e-12, &share.to_string());
        }
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn shares_of_the_normal_distribution() {
        for (z, share) in [
            (-8.0, 6.220_960_574_271_784e-16),
            (-3.0, 0.001_349_898_031_630_094_5),
            (-1.96, 0.024_997_895_148_220_435),
            (-1.0, 0.158_655_253_931_457_05),
            (0.0, 0.5),
            (0.5, 0.691_462_461_274_013_1),
            (3.0, 0.998_650_101_968_369_9),
        ] {
            assert_near(normal_cdf(z), share, 1e-13, &z.to_string());
        }
    }

    #[test]
    fn tails_of_students_distribution() {
        for (t, df, tail) in [
            (0.0, 4.0, 0.5),
            (1.0, 1.0, 0.25),
            (2.5706, 5.0, 0.024_999_448_940_038_98),
            (1.812_461, 10.0, 0.050_000_010_018_875_05),
            (3.1693, 10.0, 0.004_999_767_881_544_277),
            (2.0, 7.3, 0.041_970_519_667_051_6),
            (8.0, 3.5, 0.001_138_663_222_360_239_8),
            (1.96, 1000.0, 0.025_136_592_477_874_357),
            (5.0, 20_000.0, 2.890_757_073_826e-7),
        ] {
            assert_near(student_tail(t, df), tail, 1e-9, &format!("{t} at {df}"));
        }
        assert_near(student_quantile(0.975, 10.0), 2.228_138_85, 1e-8, "tables");
    }

    proptest! {
        #[test]
        fn quantile_and_share_undo_each_other(share in 1e-9..0.999_999_999f64) {
            let back = normal_cdf(normal_quantile(share));
            prop_assert!((back - share).abs() <= 1e-12 * share.max(1e-3), "{back} for {share}");
        }
    }
}
