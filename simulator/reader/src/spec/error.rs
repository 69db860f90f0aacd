//! What is wrong with an order.

use std::fmt;

/// What the keys are, for the message about one that is none.
const KEYS: &str = "name, count, empty, preset, atr, serial, firmware, state, pin, global-pin, puk, seed, 9b, and for 9a, 9c, 9d, 9e, 82 to 95, f9: 9a, 9a.key, 9a.cert";

/// What is wrong with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// The first word is no kind of card.
    UnknownCard {
        /// It.
        word: String,
    },
    /// No such key.
    UnknownKey {
        /// It.
        key: String,
    },
    /// A key came twice.
    Repeated {
        /// Which.
        key: String,
    },
    /// A value is missing or not of its kind. It is not shown: it may be a PIN.
    BadValue {
        /// Of which key.
        key: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// Two keys that exclude each other.
    Conflict {
        /// One.
        key: String,
        /// The other.
        other: String,
    },
    /// A quote was opened and never closed, or text follows the closing one.
    BadQuotes,
    /// A key that belongs to a reader, where only a card is ordered.
    NotForCard {
        /// Which.
        key: &'static str,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCard { word } => {
                write!(f, "no card is called {word:?}; write piv, as in sim:piv,pin=123456")
            }
            Self::UnknownKey { key } => write!(f, "no key is called {key:?}; there are {KEYS}"),
            Self::Repeated { key } => write!(f, "{key} is given twice"),
            Self::BadValue { key, allowed } => write!(f, "{key} takes {allowed}"),
            Self::Conflict { key, other } => write!(f, "{key} and {other} exclude each other"),
            Self::BadQuotes => {
                f.write_str("a quoted value ends with a quote, and a comma or nothing follows it")
            }
            Self::NotForCard { key } => {
                write!(f, "{key} belongs to a reader; a card to insert has none")
            }
        }
    }
}

impl std::error::Error for SpecError {}
