//! Rules of the house, as tests: which room may import which, where unsafe code stands, what the documents must say.
//!
//! Each rule is a function from text to [`Violation`]s, with a planted mistake as its own test; `tests/house.rs`
//! applies all of them to the working tree.
#![forbid(unsafe_code)]

use std::fmt;

pub mod documents;
pub mod rooms;
pub mod source;
pub mod tree;

/// A rule is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// File, with its line where there is one.
    pub place: String,
    /// The rule, in words.
    pub rule: String,
}

impl Violation {
    pub(crate) fn new(place: impl fmt::Display, rule: impl fmt::Display) -> Self {
        Self { place: place.to_string(), rule: rule.to_string() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.rule)
    }
}
