//! How a port is ordered: `ADDRESS[,KEY=VALUE|,KEY]...`.
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `name=TEXT` | name of the reader, used as it stands | `Virtual PCD RR 00`, as pcscd calls vpcd's |
//! | `answer-within=SECONDS` | how long a card may take to answer, 1 to 3600 | 60 |
//! | `listen-anywhere` | allows an address that other machines can reach | |

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use reader_api::order::{ItemError, Items};
use scard_types::ReaderName;

use crate::address::{Address, AddressError};

const KEYS: &str = "name, answer-within, listen-anywhere";
/// Longer than any command of a card takes that is not broken: RSA 4096 keys are made within it.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A port: a reader that listens for its card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSpec {
    /// Where.
    pub address: Address,
    /// The reader's name as it stands; without it, it is numbered.
    pub name: Option<ReaderName>,
    /// How long a card may take to answer.
    pub answer_within: Duration,
}

/// What is wrong with an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// It does not begin with an address.
    Address(AddressError),
    /// Other machines could reach the address, and the order does not say that this is meant.
    ///
    /// DIFFERS: stock vpcd listens at all addresses.
    ReachableFromOutside(Address),
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
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::ReachableFromOutside(address) => write!(
                f,
                "other machines can reach {address}, and whoever connects is taken for a card: use 127.0.0.1 or \
                 unix:/path, or add listen-anywhere if that is what you want"
            ),
            Self::UnknownKey { key } => write!(f, "no key is called {key:?}; there are {KEYS}"),
            Self::Repeated { key } => write!(f, "{key} is given twice"),
            Self::Item(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SpecError {}

impl From<ItemError> for SpecError {
    fn from(error: ItemError) -> Self {
        Self::Item(error)
    }
}

impl FromStr for PortSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (address, items) = match text.split_once(',') {
            Some((address, items)) => (address, Some(items)),
            None => (text, None),
        };
        let address = address.parse().map_err(SpecError::Address)?;
        let mut spec = Self { address, name: None, answer_within: ANSWER_WITHIN };
        let mut anywhere = false;
        let mut seen = Vec::new();
        for item in items.into_iter().flat_map(Items::new) {
            let item = item?;
            if seen.contains(&item.key) {
                return Err(SpecError::Repeated { key: item.key.to_owned() });
            }
            seen.push(item.key);
            match (item.key, item.value) {
                ("name", _) => {
                    let allowed = "a name of 1 to 127 bytes, no control characters";
                    spec.name = Some(item.parse(allowed, |text| ReaderName::new(text).ok())?);
                }
                ("answer-within", _) => {
                    let allowed = "a number of seconds from 1 to 3600";
                    spec.answer_within = item.parse(allowed, seconds)?;
                }
                ("listen-anywhere", None) => anywhere = true,
                ("listen-anywhere", Some(_)) => return Err(item.bad("no value").into()),
                (key, _) => return Err(SpecError::UnknownKey { key: key.to_owned() }),
            }
        }
        if spec.address.is_local() || anywhere {
            Ok(spec)
        } else {
            Err(SpecError::ReachableFromOutside(spec.address))
        }
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.parse().ok().filter(|seconds| (1..=3_600).contains(seconds))?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match text.parse::<PortSpec>() {
            Ok(PortSpec { address, name, answer_within }) => {
                let name = name.as_ref().map_or("(numbered)", ReaderName::as_str);
                format!("{address} {name} {}", answer_within.as_secs())
            }
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn orders_are_read() {
        check("unix:/run/card", "unix:/run/card (numbered) 60");
        check("unix:/a=b,name=C", "unix:/a=b C 60");
        check(r#"127.0.0.1:0,answer-within=5,name="A, B""#, "127.0.0.1:0 A, B 5");
        check("0.0.0.0:35963,listen-anywhere", "0.0.0.0:35963 (numbered) 60");
        check("[::1]:1,listen-anywhere", "[::1]:1 (numbered) 60");
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_is_allowed() {
        let address = |text: &str| {
            format!(
                "error: {text:?} is no address: write unix:/path, 127.0.0.1:35963 or [::1]:35963"
            )
        };
        check("", &address(""));
        check("35963", &address("35963"));
        check(
            "0.0.0.0:35963",
            "error: other machines can reach 0.0.0.0:35963, and whoever connects is taken for a card: use 127.0.0.1 \
             or unix:/path, or add listen-anywhere if that is what you want",
        );
        let unknown = |key: &str| {
            format!(
                "error: no key is called {key:?}; there are name, answer-within, listen-anywhere"
            )
        };
        check("unix:/c,", &unknown(""));
        check("unix:/c,nam=x", &unknown("nam"));
        check("unix:/c,name=A,name=A", "error: name is given twice");
        check("unix:/c,name", "error: name takes a name of 1 to 127 bytes, no control characters");
        for value in ["0", "3601", "-1", "soon", ""] {
            let error = "error: answer-within takes a number of seconds from 1 to 3600";
            check(&format!("unix:/c,answer-within={value}"), error);
        }
        check("0.0.0.0:1,listen-anywhere=no", "error: listen-anywhere takes no value");
        let quotes = "error: a quoted value ends with a quote, and a comma or nothing follows it";
        check("unix:/c,name=\"A", quotes);
    }
}
