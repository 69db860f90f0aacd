//! Time as the pure rooms see it: a number that the caller brings.

use core::ops::Add;

/// A point in time, or a span of it, in milliseconds.
///
/// The starting point is the caller's choice (the daemon uses its own start); pure rooms only compare and add.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// The span from `earlier` to `self`; zero if `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Millis {
    type Output = Self;

    /// Saturates at the end of time instead of wrapping.
    fn add(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}
