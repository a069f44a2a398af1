//! The measures of SEMANTICS 5 as keys of sparse counts, and the exact duration histogram.

use std::sync::OnceLock;

use slawatch_policy::Metric;

/// What is counted in a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Measure {
    /// The ticket is created.
    Created,
    /// An open ticket comes to an owner.
    Entered,
    /// An open ticket leaves an owner.
    Left,
    /// The ticket becomes over.
    Solved,
    /// The ticket ceases to be over.
    Reopened,
    /// An escalation.
    Escalated,
    /// A contact is offered.
    Offered,
    /// An offered contact is answered.
    Answered,
    /// An offered contact is abandoned.
    Abandoned,
    /// An offered contact is offered again before an answer.
    FlowedOut,
    /// Answered at or before its due.
    AnsweredInTarget,
    /// Abandoned at or before its due.
    AbandonedInTarget,
    /// Abandoned within the policy's `short_abandon`.
    ShortAbandoned,
    /// Plain waiting time of answered contacts, ms.
    WaitMs,
    /// Pieces of work finished.
    Handled,
    /// Talk time, ms.
    TalkMs,
    /// Hold time, ms.
    HoldMs,
    /// Wrap-up time, ms.
    WrapMs,
    /// Ratings given.
    Ratings,
    /// Ratings of at least four fifths.
    Satisfied,
    /// Audits.
    Audits,
    /// Audits passed.
    AuditsPassed,
    /// Verdicts `met` of a metric.
    Met(Metric),
    /// Verdicts `breached` of a metric.
    Breached(Metric),
    /// One bucket of the waiting times of answered contacts.
    WaitBucket(u16),
    /// One bucket of the handling times.
    HandleBucket(u16),
}

impl Measure {
    /// The measures that are plain numbers, in the order of the specification.
    pub(crate) const PLAIN: [Self; 22] = [
        Self::Created,
        Self::Entered,
        Self::Left,
        Self::Solved,
        Self::Reopened,
        Self::Escalated,
        Self::Offered,
        Self::Answered,
        Self::Abandoned,
        Self::FlowedOut,
        Self::AnsweredInTarget,
        Self::AbandonedInTarget,
        Self::ShortAbandoned,
        Self::WaitMs,
        Self::Handled,
        Self::TalkMs,
        Self::HoldMs,
        Self::WrapMs,
        Self::Ratings,
        Self::Satisfied,
        Self::Audits,
        Self::AuditsPassed,
    ];
}

/// Where the codes of measures with a metric or a bucket begin.
const MET: u64 = 64;
const BREACHED: u64 = 96;
const WAIT_BUCKET: u64 = 4096;
const HANDLE_BUCKET: u64 = 8192;

impl Measure {
    /// A number for snapshots.
    pub(crate) fn code(self) -> u64 {
        match self {
            Self::Met(metric) => MET + metric.index() as u64,
            Self::Breached(metric) => BREACHED + metric.index() as u64,
            Self::WaitBucket(bucket) => WAIT_BUCKET + u64::from(bucket),
            Self::HandleBucket(bucket) => HANDLE_BUCKET + u64::from(bucket),
            plain => Self::PLAIN
                .iter()
                .position(|known| *known == plain)
                .map_or(u64::MAX, |position| position as u64),
        }
    }

    /// The inverse of [`Measure::code`].
    pub(crate) fn from_code(code: u64) -> Option<Self> {
        let metric = |first: u64| Metric::ALL.get((code - first) as usize).copied();
        let bucket = |first: u64| Some((code - first) as u16).filter(|n| usize::from(*n) < BUCKETS);
        match code {
            HANDLE_BUCKET..16_384 => bucket(HANDLE_BUCKET).map(Self::HandleBucket),
            WAIT_BUCKET..HANDLE_BUCKET => bucket(WAIT_BUCKET).map(Self::WaitBucket),
            BREACHED..WAIT_BUCKET => metric(BREACHED).map(Self::Breached),
            MET..BREACHED => metric(MET).map(Self::Met),
            _ => Self::PLAIN.get(usize::try_from(code).ok()?).copied(),
        }
    }
}

/// Buckets of the widest value that can occur (three times 2^64 ms) fit below this.
const BUCKETS: usize = 1 + 16 * 66;

/// The histogram bucket of a duration: 0 for 0 ms, else `1 + floor(16 log2(ms))`, computed exactly.
pub(crate) fn bucket(ms: u128) -> u16 {
    static SMALLEST: OnceLock<Vec<u128>> = OnceLock::new();
    let smallest = SMALLEST.get_or_init(|| (0..BUCKETS).map(smallest_in_bucket).collect());
    (smallest.partition_point(|first| *first <= ms) - 1) as u16
}

/// The least whole number of ms that a bucket could hold: 0 for bucket 0, else the least n with n^16 >= 2^(bucket-1).
fn smallest_in_bucket(bucket: usize) -> u128 {
    let Some(exponent) = bucket.checked_sub(1) else {
        return 0;
    };
    let (mut low, mut high) = (1_u128, 1_u128 << (exponent / 16 + 1));
    while low < high {
        let middle = low + (high - low) / 2;
        if sixteenth_power_reaches(middle, exponent) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Whether n^16 >= 2^exponent, by schoolbook multiplication in base 2^32.
fn sixteenth_power_reaches(n: u128, exponent: usize) -> bool {
    let mut limbs: Vec<u64> = (0..4)
        .map(|i| (n >> (32 * i)) as u64 & 0xffff_ffff)
        .collect();
    for _ in 0..4 {
        limbs = square(&limbs);
    }
    let top = limbs.iter().rposition(|limb| *limb != 0);
    top.is_some_and(|top| {
        let bits = 32 * top + (64 - limbs[top].leading_zeros() as usize);
        bits > exponent
    })
}

fn square(limbs: &[u64]) -> Vec<u64> {
    let mut product = vec![0_u64; limbs.len() * 2];
    for (i, a) in limbs.iter().enumerate() {
        let mut carry = 0;
        for (j, b) in limbs.iter().enumerate() {
            let sum = product[i + j] + a * b + carry;
            product[i + j] = sum & 0xffff_ffff;
            carry = sum >> 32;
        }
        product[i + limbs.len()] += carry;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_name_every_measure() {
        let metrics = Metric::ALL
            .into_iter()
            .flat_map(|metric| [Measure::Met(metric), Measure::Breached(metric)]);
        let buckets = [0, 1, BUCKETS as u16 - 1]
            .into_iter()
            .flat_map(|bucket| [Measure::WaitBucket(bucket), Measure::HandleBucket(bucket)]);
        for measure in Measure::PLAIN.into_iter().chain(metrics).chain(buckets) {
            assert_eq!(Measure::from_code(measure.code()), Some(measure));
        }
        for code in [22, 63, 71, 103, 4096 + BUCKETS as u64, 16_384, u64::MAX] {
            assert_eq!(Measure::from_code(code), None, "{code}");
        }
    }

    #[test]
    fn buckets_are_exact_near_powers_of_two() {
        for (ms, expected) in [
            (0, 0),
            (1, 1),
            (2, 17),
            (3, 26),
            (4, 33),
            (5000, 197),
            (7290, 206),
        ] {
            assert_eq!(bucket(ms), expected, "{ms} ms");
        }
        for exponent in 1..66 {
            let power = 1_u128 << exponent;
            assert_eq!(bucket(power), 1 + 16 * exponent, "2^{exponent}");
            if exponent > 4 {
                assert_eq!(bucket(power - 1), 16 * exponent, "2^{exponent} - 1");
            }
        }
        assert_eq!(bucket(3 * u128::from(u64::MAX)), 1 + 16 * 65 + 9);
    }

    #[test]
    fn a_bucket_holds_what_its_bounds_say() {
        for bucket_number in 2..BUCKETS {
            let first = smallest_in_bucket(bucket_number);
            assert!(sixteenth_power_reaches(first, bucket_number - 1));
            assert!(!sixteenth_power_reaches(first - 1, bucket_number - 1));
        }
    }
}
