//! Where a port is: `unix:PATH`, or an address and a port number.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a port is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system: who may write to it may be a card.
    Unix(PathBuf),
    /// TCP, as stock vpcd does it.
    Tcp(SocketAddr),
}

impl Address {
    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
        }
    }
}

/// The text is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    /// It.
    pub text: String,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no address: write unix:/path, 127.0.0.1:35963 or [::1]:35963", self.text)
    }
}

impl std::error::Error for AddressError {}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError { text: text.to_owned() };
        match text.strip_prefix("unix:") {
            Some("") => Err(wrong()),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| wrong()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_the_same() {
        for (text, is_local) in [
            ("unix:/run/card", true),
            ("127.0.0.1:35963", true),
            ("127.9.9.9:1", true),
            ("[::1]:35963", true),
            ("[::ffff:127.0.0.1]:35963", true),
            ("0.0.0.0:35963", false),
            ("[::]:35963", false),
            ("192.0.2.1:35963", false),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.is_local()), (text, is_local));
        }
    }

    #[test]
    fn names_are_no_addresses() {
        for text in ["", "unix:", "localhost:35963", "127.0.0.1", "127.0.0.1:65536", "35963"] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("{text:?} is no address")), "{error}");
        }
    }
}
