//! Panes as numbers: one UTC minute each (SEMANTICS 5).

/// Milliseconds in a pane.
pub(crate) const PANE_MS: i64 = 60_000;

/// The number of a pane: `floor(instant / 60000)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Minute(pub(crate) i64);

impl Minute {
    /// Before every pane that can occur.
    pub(crate) const BEFORE_ALL: Self = Self(i64::MIN / PANE_MS);

    pub(crate) const fn of(instant_ms: i64) -> Self {
        Self(instant_ms.div_euclid(PANE_MS))
    }

    /// The pane's last millisecond.
    pub(crate) const fn last_ms(self) -> i64 {
        self.0.saturating_mul(PANE_MS).saturating_add(PANE_MS - 1)
    }

    pub(crate) const fn plus(self, panes: i64) -> Self {
        Self(self.0.saturating_add(panes))
    }

    pub(crate) const fn minus(self, panes: i64) -> Self {
        Self(self.0.saturating_sub(panes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_is_half_open_also_before_1970() {
        for (instant_ms, pane) in [(0, 0), (59_999, 0), (60_000, 1), (-1, -1), (-60_000, -1)] {
            assert_eq!(Minute::of(instant_ms), Minute(pane), "{instant_ms}");
        }
        assert_eq!(Minute(1).last_ms(), 119_999);
    }
}
