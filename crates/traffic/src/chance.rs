//! Chance from a seed: numbers and the distributions that traffic needs. Only additions, multiplications and divisions are
//! used, whose results are the same on every machine, so that a seed gives the same bytes everywhere.

/// SplitMix64: small, fast, and good enough for traffic.
#[derive(Clone, Debug)]
pub(super) struct Chance {
    state: u64,
}

/// Steps of the tables; a draw interpolates between two of them.
const STEPS: usize = 2048;

/// Quantiles of the distributions, tabulated once.
#[derive(Debug)]
pub(super) struct Quantiles {
    exponential: Box<[f64]>,
    normal: Box<[f64]>,
}

impl Quantiles {
    pub(super) fn new() -> Self {
        let at = |step: usize| (step as f64 + 0.5) / (STEPS as f64 + 1.0);
        Self {
            exponential: (0..=STEPS).map(|step| -ln(1.0 - at(step))).collect(),
            normal: (0..=STEPS).map(|step| normal_quantile(at(step))).collect(),
        }
    }

    fn draw(table: &[f64], chance: &mut Chance) -> f64 {
        let scaled = chance.share() * STEPS as f64;
        let step = scaled as usize;
        let rest = scaled - step as f64;
        table[step] + (table[step + 1] - table[step]) * rest
    }

    /// Exponential with mean 1.
    pub(super) fn exponential(&self, chance: &mut Chance) -> f64 {
        Self::draw(&self.exponential, chance)
    }

    /// Log-normal with this median; `sigma` is the spread of the logarithm.
    pub(super) fn log_normal(&self, chance: &mut Chance, median: f64, sigma: f64) -> f64 {
        median * exp(sigma * Self::draw(&self.normal, chance))
    }
}

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// In [0, 1).
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in this share of the draws.
    pub(super) fn happens(&mut self, share: f64) -> bool {
        self.share() < share
    }

    /// In 0..count.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        ((u64::from(self.next() as u32) * u64::from(count)) >> 32) as u32
    }

    /// An index, drawn by weight.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.share() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        weights.len().saturating_sub(1)
    }
}

const LN_2: f64 = std::f64::consts::LN_2;

/// Natural logarithm of a normal positive number, by the series of `atanh` on the mantissa.
pub(super) fn ln(value: f64) -> f64 {
    let bits = value.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let mut series = 0.0;
    for odd in (1..=21).rev().step_by(2) {
        series = series * square + 1.0 / f64::from(odd);
    }
    2.0 * ratio * series + exponent as f64 * LN_2
}

/// e to a moderate power: a whole power of two times a Taylor series.
pub(super) fn exp(power: f64) -> f64 {
    let power = power.clamp(-700.0, 700.0);
    let doublings = (power / LN_2 + if power < 0.0 { -0.5 } else { 0.5 }) as i64;
    let rest = power - doublings as f64 * LN_2;
    let mut series = 1.0;
    for term in (1..=13).rev() {
        series = 1.0 + series * rest / f64::from(term);
    }
    series * f64::from_bits(((1023 + doublings) as u64) << 52)
}

/// The standard normal's quantile, by bisection of its distribution: slow, for tables only.
fn normal_quantile(share: f64) -> f64 {
    if share < 0.5 {
        return -normal_quantile(1.0 - share);
    }
    let (mut low, mut high) = (0.0, 8.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if normal_share(middle) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// The standard normal's distribution for values from 0: the series of Marsaglia.
fn normal_share(value: f64) -> f64 {
    let (mut sum, mut term, mut odd) = (value, value, 1.0);
    while term > 1e-17 * sum {
        odd += 2.0;
        term *= value * value / odd;
        sum += term;
    }
    // 1 / sqrt(2 pi)
    0.5 + sum * exp(-0.5 * value * value) * 0.398_942_280_401_432_7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_agree_with_the_library() {
        for step in 1..4000 {
            let value = f64::from(step) * 0.013;
            assert!((ln(value) - value.ln()).abs() < 1e-12, "ln {value}");
            let power = f64::from(step) * 0.01 - 20.0;
            assert!(
                (exp(power) / power.exp() - 1.0).abs() < 1e-12,
                "exp {power}"
            );
        }
        for (share, quantile) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.01, -2.326_347_874)] {
            assert!((normal_quantile(share) - quantile).abs() < 1e-8, "{share}");
        }
    }

    #[test]
    fn draws_have_their_means() {
        let quantiles = Quantiles::new();
        let mut chance = Chance::new(7);
        let count = 200_000;
        let exponential: f64 = (0..count)
            .map(|_| quantiles.exponential(&mut chance))
            .sum::<f64>()
            / f64::from(count);
        assert!((exponential - 1.0).abs() < 0.02, "{exponential}");
        let below = (0..count)
            .filter(|_| quantiles.log_normal(&mut chance, 30.0, 0.8) < 30.0)
            .count();
        assert!(
            (below as f64 / f64::from(count) - 0.5).abs() < 0.01,
            "{below}"
        );
        let weighted = (0..count)
            .filter(|_| chance.weighted(&[1.0, 3.0]) == 1)
            .count();
        assert!(
            (weighted as f64 / f64::from(count) - 0.75).abs() < 0.01,
            "{weighted}"
        );
    }
}
