//! All blocks of a calendar, each worked out when first asked for, and sums over aligned stretches of them, so that a question
//! about centuries looks at a handful of numbers. What instants and local days are is not its business.

use std::sync::OnceLock;

use crate::block::{BLOCK_MS, Block};
use crate::hours::Hours;

/// 400 years are 146,097 days: a whole number of weeks, and of blocks.
const BLOCKS_PER_CYCLE: usize = 773;
/// A page holds 2 to the power of this many blocks.
const PAGE_LEVEL: u32 = 6;
const BLOCKS_PER_PAGE: usize = 1 << PAGE_LEVEL;

/// What is counted while looking for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    OpenTime,
    ClosedTime,
}

/// A sum of open time, once somebody needed it.
type Sum = OnceLock<i64>;

/// Blocks with the sums over them. A *stretch* of level `l` is 2^l blocks from a multiple of 2^l on.
pub(crate) struct Blocks {
    hours: Hours,
    /// Blocks from this one on repeat after `BLOCKS_PER_CYCLE`.
    first_settled: usize,
    /// How many blocks there are to work out; those after them repeat.
    count: usize,
    pages: Box<[OnceLock<Page>]>,
    /// Of stretches longer than a page: that of level `PAGE_LEVEL + k` and number `i` at `(upper.len() >> k) + i`.
    upper: Box<[Sum]>,
    cycle_open_ms: Sum,
}

/// Blocks that are near to each other in time, and so in memory.
struct Page {
    blocks: [OnceLock<Block>; BLOCKS_PER_PAGE],
    /// Of the page's stretches: that of level `l >= 1` and number `i` within the page at `(BLOCKS_PER_PAGE >> l) + i`.
    sums: [Sum; BLOCKS_PER_PAGE],
}

impl Page {
    fn new() -> Self {
        Self {
            blocks: [const { OnceLock::new() }; BLOCKS_PER_PAGE],
            sums: [const { OnceLock::new() }; BLOCKS_PER_PAGE],
        }
    }
}

impl Blocks {
    /// `first_settled` is the block from which on everything repeats, `last` the last block that is ever asked for.
    pub(crate) fn new(hours: Hours, first_settled: usize, last: usize) -> Self {
        let count = (first_settled + BLOCKS_PER_CYCLE).min(last + 1);
        let pages = count.div_ceil(BLOCKS_PER_PAGE);
        Self {
            hours,
            first_settled,
            count,
            pages: (0..pages).map(|_| OnceLock::new()).collect(),
            upper: (0..pages.next_power_of_two()).map(|_| Sum::new()).collect(),
            cycle_open_ms: Sum::new(),
        }
    }

    pub(crate) fn hours(&self) -> &Hours {
        &self.hours
    }

    pub(crate) fn block(&self, at: usize) -> &Block {
        self.own_block(self.own(at))
    }

    /// Open time of the blocks `first..last`.
    pub(crate) fn open_ms(&self, first: usize, last: usize) -> i64 {
        let mut at = first;
        let mut open_ms = 0;
        while at < last {
            if at >= self.first_settled && last - at >= BLOCKS_PER_CYCLE {
                let cycles = (last - at) / BLOCKS_PER_CYCLE;
                open_ms += cycles as i64 * self.cycle_open_ms();
                at += cycles * BLOCKS_PER_CYCLE;
                continue;
            }
            let (own, level) = self.stretch(at, last - at, u32::MAX);
            open_ms += self.stretch_open_ms(own, level);
            at += 1 << level;
        }
        open_ms
    }

    /// The block of `first..=last` in which the amount of `sought`, counted from the start of `first`, comes to `missing_ms`
    /// (> 0), and how much is still missing at that block's start.
    ///
    /// Strides double, so that no block much beyond the one that is found is ever worked out.
    pub(crate) fn seek(
        &self,
        first: usize,
        last: usize,
        mut missing_ms: i64,
        sought: Sought,
    ) -> Option<(usize, i64)> {
        let mut at = first;
        let mut most = 0;
        while at <= last {
            if at >= self.first_settled && last - at >= BLOCKS_PER_CYCLE {
                // Whole cycles that leave something missing; of what a cycle has nothing, none ever will.
                let cycle_ms = sought.amount_ms(self.cycle_open_ms(), BLOCKS_PER_CYCLE);
                let cycles = (missing_ms - 1).checked_div(cycle_ms)?;
                let cycles = cycles.min(((last - at) / BLOCKS_PER_CYCLE) as i64);
                missing_ms -= cycles * cycle_ms;
                at += cycles as usize * BLOCKS_PER_CYCLE;
            }
            let (own, level) = self.stretch(at, last + 1 - at, most);
            let here_ms = sought.amount_ms(self.stretch_open_ms(own, level), 1 << level);
            if missing_ms <= here_ms {
                return Some(self.seek_within(at, own, level, missing_ms, sought));
            }
            missing_ms -= here_ms;
            at += 1 << level;
            most += 1;
        }
        None
    }

    /// As [`Self::seek`] inside a stretch that has enough.
    fn seek_within(
        &self,
        mut at: usize,
        mut own: usize,
        level: u32,
        mut missing_ms: i64,
        sought: Sought,
    ) -> (usize, i64) {
        for half in (0..level).rev() {
            let here_ms = sought.amount_ms(self.stretch_open_ms(own, half), 1 << half);
            if missing_ms > here_ms {
                missing_ms -= here_ms;
                at += 1 << half;
                own += 1 << half;
            }
        }
        (at, missing_ms)
    }

    /// The longest stretch from a block on that has at most `room` blocks and is of level `most` or below: its own first block
    /// and its level.
    fn stretch(&self, at: usize, room: usize, most: u32) -> (usize, u32) {
        let own = self.own(at);
        let room = room.min(self.count - own);
        (own, own.trailing_zeros().min(room.ilog2()).min(most))
    }

    /// Open time of any 400 years once everything repeats.
    fn cycle_open_ms(&self) -> i64 {
        *self.cycle_open_ms.get_or_init(|| {
            let end = self.first_settled + BLOCKS_PER_CYCLE;
            let mut at = self.first_settled;
            let mut open_ms = 0;
            while at < end {
                let (own, level) = self.stretch(at, end - at, u32::MAX);
                open_ms += self.stretch_open_ms(own, level);
                at += 1 << level;
            }
            open_ms
        })
    }

    /// Open time of the stretch that starts with an own block. Blocks that a sum needed are forgotten, the sum is kept.
    fn stretch_open_ms(&self, own: usize, level: u32) -> i64 {
        if level == 0 {
            return self.own_block(own).open_ms();
        }
        #[cfg(test)]
        steps::LOOKS.with(|looks| looks.set(looks.get() + 1));
        *self.sum(own, level).get_or_init(|| {
            let half = |own| match level {
                1 => self.forgettable_open_ms(own),
                _ => self.stretch_open_ms(own, level - 1),
            };
            half(own) + half(own + (1 << (level - 1)))
        })
    }

    fn forgettable_open_ms(&self, own: usize) -> i64 {
        match self.page(own).blocks[own % BLOCKS_PER_PAGE].get() {
            Some(block) => block.open_ms(),
            None => self.work_out(own).open_ms(),
        }
    }

    fn sum(&self, own: usize, level: u32) -> &Sum {
        if level <= PAGE_LEVEL {
            let number = (own % BLOCKS_PER_PAGE) >> level;
            &self.page(own).sums[(BLOCKS_PER_PAGE >> level) + number]
        } else {
            &self.upper[(self.upper.len() >> (level - PAGE_LEVEL)) + (own >> level)]
        }
    }

    /// Which of the blocks that are worked out stands for a block.
    fn own(&self, at: usize) -> usize {
        if at < self.first_settled + BLOCKS_PER_CYCLE {
            at
        } else {
            self.first_settled + (at - self.first_settled) % BLOCKS_PER_CYCLE
        }
    }

    fn own_block(&self, own: usize) -> &Block {
        #[cfg(test)]
        steps::LOOKS.with(|looks| looks.set(looks.get() + 1));
        self.page(own).blocks[own % BLOCKS_PER_PAGE].get_or_init(|| self.work_out(own))
    }

    fn page(&self, own: usize) -> &Page {
        self.pages[own / BLOCKS_PER_PAGE].get_or_init(Page::new)
    }

    fn work_out(&self, own: usize) -> Block {
        #[cfg(test)]
        steps::WORKED_OUT.with(|blocks| blocks.set(blocks.get() + 1));
        self.hours.work_out(own)
    }
}

impl Sought {
    /// How much of it there is in so many blocks that are open for `open_ms`.
    fn amount_ms(self, open_ms: i64, blocks: usize) -> i64 {
        match self {
            Self::OpenTime => open_ms,
            Self::ClosedTime => blocks as i64 * BLOCK_MS - open_ms,
        }
    }
}

/// What the tests of speed count instead of seconds.
#[cfg(test)]
pub(crate) mod steps {
    use std::cell::Cell;

    thread_local! {
        /// Blocks and sums looked at.
        pub(crate) static LOOKS: Cell<usize> = const { Cell::new(0) };
        /// Blocks worked out.
        pub(crate) static WORKED_OUT: Cell<usize> = const { Cell::new(0) };
    }
}
