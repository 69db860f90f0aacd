//! Big-endian words of the files that MIT's library defined: credential caches and keytabs.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::{NameType, Principal, PrincipalName, Realm};

/// Why bytes are no such file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// The file ends inside an entry.
    Short,
    /// The first bytes say another version, or another kind of file.
    Version {
        /// What is there.
        got: [u8; 2],
    },
    /// A name that is none: empty, no UTF-8, or with more components than any name has.
    Name,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("the file ends inside an entry"),
            Self::Version { got: [a, b] } => {
                write!(f, "the file begins with {a:02X} {b:02X}, which is another kind or version")
            }
            Self::Name => f.write_str("an entry has a name that is none"),
        }
    }
}

impl core::error::Error for FileError {}

pub(crate) type Result<T> = core::result::Result<T, FileError>;

/// The most components of a name.
const MAX_COMPONENTS: u32 = 32;

/// Reads words.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn take(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(FileError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk::<N>().ok_or(FileError::Short)?;
        self.0 = rest;
        Ok(*chunk)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    pub(crate) fn half(&mut self) -> Result<u16> {
        self.chunk().map(u16::from_be_bytes)
    }

    pub(crate) fn word(&mut self) -> Result<u32> {
        self.chunk().map(u32::from_be_bytes)
    }

    /// Bytes behind a length of four bytes.
    pub(crate) fn long_bytes(&mut self) -> Result<&'a [u8]> {
        let length = usize::try_from(self.word()?).map_err(|_| FileError::Short)?;
        self.take(length)
    }

    /// Bytes behind a length of two bytes.
    pub(crate) fn short_bytes(&mut self) -> Result<&'a [u8]> {
        let length = usize::from(self.half()?);
        self.take(length)
    }
}

pub(crate) fn text(bytes: &[u8]) -> Result<String> {
    core::str::from_utf8(bytes).map(String::from).map_err(|_| FileError::Name)
}

pub(crate) fn principal(
    name_type: u32,
    realm: &[u8],
    count: u32,
    component: impl FnMut() -> Result<String>,
) -> Result<Principal> {
    if count > MAX_COMPONENTS {
        return Err(FileError::Name);
    }
    let mut component = component;
    let components = (0..count).map(|_| component()).collect::<Result<Vec<_>>>()?;
    let name_type = NameType(i32::from_be_bytes(name_type.to_be_bytes()));
    let realm = Realm::new(text(realm)?).ok_or(FileError::Name)?;
    Ok(Principal { name: PrincipalName { name_type, components }, realm })
}

/// Writes words.
pub(crate) trait Output {
    fn half(&mut self, half: u16);
    fn word(&mut self, word: u32);
    fn long_bytes(&mut self, bytes: &[u8]);
    fn short_bytes(&mut self, bytes: &[u8]);
}

impl Output for Vec<u8> {
    fn half(&mut self, half: u16) {
        self.extend_from_slice(&half.to_be_bytes());
    }

    fn word(&mut self, word: u32) {
        self.extend_from_slice(&word.to_be_bytes());
    }

    fn long_bytes(&mut self, bytes: &[u8]) {
        self.word(length(bytes.len()));
        self.extend_from_slice(bytes);
    }

    fn short_bytes(&mut self, bytes: &[u8]) {
        self.half(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        self.extend_from_slice(bytes);
    }
}

pub(crate) fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
