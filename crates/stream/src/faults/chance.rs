//! Chance from a seed: the dice that disturbed runs are thrown with, and faults that come now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Fault, FaultPlan, Operation};

/// SplitMix64: everything that is thrown follows from the seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall as this seed says.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// True once in `sides` throws.
    pub fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

/// How rough it is, in faults per 1000 calls; turned up and down while processes run. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Trouble(Arc<AtomicU32>);

impl Trouble {
    /// So many faults per 1000 calls.
    pub fn per_mille(faults: u32) -> Self {
        let trouble = Self::default();
        trouble.set(faults);
        trouble
    }

    /// From now on so many; 0 is calm.
    pub fn set(&self, faults: u32) {
        self.0.store(faults, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed).into()
    }
}

/// Faults of every kind at random calls, and acknowledgements that often take a while.
#[derive(Debug)]
pub struct RandomFaults {
    dice: Dice,
    trouble: Trouble,
}

impl RandomFaults {
    /// Faults as `dice` fall.
    pub fn new(dice: Dice, trouble: Trouble) -> Self {
        Self { dice, trouble }
    }
}

impl FaultPlan for RandomFaults {
    fn next(&mut self, operation: Operation) -> Fault {
        let trouble = self.trouble.get();
        if self.dice.roll(1000) >= trouble {
            let is_slow = operation == Operation::Acknowledge && self.dice.one_in(3);
            return if is_slow && trouble > 0 {
                Fault::Delays
            } else {
                Fault::None
            };
        }
        match self.dice.roll(5) {
            0 => Fault::Fails,
            1 => Fault::LosesAnswer,
            2 => Fault::Delays,
            3 => Fault::CrashesBefore,
            _ => Fault::CrashesAfter,
        }
    }
}
