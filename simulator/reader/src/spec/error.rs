//! What is wrong with an order.

use std::fmt;

use reader_api::order::ItemError;

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
    /// A value, or the quotes around one.
    Item(ItemError),
    /// Two keys that exclude each other.
    Conflict {
        /// One.
        key: String,
        /// The other.
        other: String,
    },
    /// A key that says something about a PIV card, where a blank one is ordered.
    NotForBlank {
        /// Which.
        key: String,
    },
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
            Self::Item(error) => error.fmt(f),
            Self::Conflict { key, other } => write!(f, "{key} and {other} exclude each other"),
            Self::NotForBlank { key } => {
                write!(f, "{key} is for piv; a blank card has only atr and serial")
            }
            Self::NotForCard { key } => {
                write!(f, "{key} belongs to a reader; a card to insert has none")
            }
        }
    }
}

impl std::error::Error for SpecError {}

impl From<ItemError> for SpecError {
    fn from(error: ItemError) -> Self {
        Self::Item(error)
    }
}
