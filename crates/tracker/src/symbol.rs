//! Attribute values as small numbers, so that tickets hold and compare four bytes instead of strings.

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

/// A string of a [`Symbols`] table. `Symbol::EMPTY` is the unset attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol(u32);

impl Symbol {
    /// The empty string.
    pub(crate) const EMPTY: Self = Self(0);

    /// Its place in its table.
    pub(crate) fn number(self) -> u64 {
        self.0.into()
    }

    /// The symbol at a place of a table; the caller knows that the table is that long.
    pub(crate) fn from_number(number: u64) -> Self {
        Self(number as u32)
    }
}

/// Every attribute value that one tracker has seen. Values are never removed.
#[derive(Clone, Debug)]
pub(crate) struct Symbols(IndexSet<Box<str>, FxBuildHasher>);

impl Default for Symbols {
    fn default() -> Self {
        let mut strings = IndexSet::default();
        strings.insert(Box::from(""));
        Self(strings)
    }
}

impl Symbols {
    /// The symbol of a text, made if it is new.
    ///
    /// # Panics
    /// Beyond 2^32 different texts, long after memory has run out.
    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        if text.is_empty() {
            return Symbol::EMPTY;
        }
        let index = match self.0.get_index_of(text) {
            Some(index) => index,
            None => self.0.insert_full(text.into()).0,
        };
        #[expect(clippy::expect_used, reason = "memory ends first")]
        Symbol(u32::try_from(index).expect("fewer than 2^32 symbols"))
    }

    /// Every text in the order of its symbols, the empty one first.
    pub(crate) fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|text| &**text)
    }

    /// The text of a symbol of this table.
    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        self.0.get_index(symbol.0 as usize).map_or("", |text| text)
    }
}
