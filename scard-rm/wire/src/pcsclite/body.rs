//! The structures of the wire: words at known places.
//!
//! A reply is the request's structure with some words changed, so both are one [`Body`]; the constants below say what
//! stands where. Structures have no padding but what is written here.

use core::fmt;

/// `struct establish_struct`: scope 0, context 4, rv 8.
pub(crate) mod establish {
    pub(crate) const SCOPE: usize = 0;
    pub(crate) const CONTEXT: usize = 4;
    pub(crate) const RV: usize = 8;
}
/// `struct release_struct` and `struct cancel_struct`: context 0, rv 4.
pub(crate) mod release {
    pub(crate) const CONTEXT: usize = 0;
    pub(crate) const RV: usize = 4;
}
/// `struct connect_struct`: context 0, reader 4 (128 bytes), share 132, protocols 136, card 140, protocol 144, rv 148.
pub(crate) mod connect {
    pub(crate) const CONTEXT: usize = 0;
    pub(crate) const READER: usize = 4;
    pub(crate) const SHARE: usize = READER + super::NAME_BYTES;
    pub(crate) const PROTOCOLS: usize = SHARE + 4;
    pub(crate) const CARD: usize = PROTOCOLS + 4;
    pub(crate) const PROTOCOL: usize = CARD + 4;
    pub(crate) const RV: usize = PROTOCOL + 4;
}
/// `struct reconnect_struct`: card 0, share 4, protocols 8, initialization 12, protocol 16, rv 20.
pub(crate) mod reconnect {
    pub(crate) const CARD: usize = 0;
    pub(crate) const SHARE: usize = 4;
    pub(crate) const PROTOCOLS: usize = 8;
    pub(crate) const INITIALIZATION: usize = 12;
    pub(crate) const PROTOCOL: usize = 16;
    pub(crate) const RV: usize = 20;
}
/// `struct disconnect_struct` and `struct end_struct`: card 0, disposition 4, rv 8.
pub(crate) mod disconnect {
    pub(crate) const CARD: usize = 0;
    pub(crate) const DISPOSITION: usize = 4;
    pub(crate) const RV: usize = 8;
}
/// `struct begin_struct` and `struct status_struct`: card 0, rv 4.
pub(crate) mod begin {
    pub(crate) const CARD: usize = 0;
    pub(crate) const RV: usize = 4;
}
/// `struct transmit_struct`: card 0, send protocol 4 and length 8, size of the command 12, receive protocol 16 and
/// length 20, size of the response 24, rv 28.
pub(crate) mod transmit {
    pub(crate) const CARD: usize = 0;
    pub(crate) const SEND_PROTOCOL: usize = 4;
    pub(crate) const SEND_PCI_LENGTH: usize = 8;
    pub(crate) const SEND_LENGTH: usize = 12;
    pub(crate) const RECEIVE_PROTOCOL: usize = 16;
    pub(crate) const RECEIVE_PCI_LENGTH: usize = 20;
    pub(crate) const RECEIVE_LENGTH: usize = 24;
    pub(crate) const RV: usize = 28;
}
/// `struct control_struct`: card 0, code 4, size of the input 8, room for the output 12, size of the output 16, rv 20.
pub(crate) mod control {
    pub(crate) const CARD: usize = 0;
    pub(crate) const CODE: usize = 4;
    pub(crate) const SEND_LENGTH: usize = 8;
    pub(crate) const RECEIVE_LENGTH: usize = 12;
    pub(crate) const RETURNED: usize = 16;
    pub(crate) const RV: usize = 20;
}
/// `struct getset_struct`: card 0, tag 4, value 8 (264 bytes), length 272, rv 276.
pub(crate) mod attribute {
    pub(crate) const CARD: usize = 0;
    pub(crate) const TAG: usize = 4;
    pub(crate) const VALUE: usize = 8;
    pub(crate) const LENGTH: usize = VALUE + super::super::MAX_ATTRIBUTE_BYTES;
    pub(crate) const RV: usize = LENGTH + 4;
}
/// `struct version_struct`: major 0, minor 4, rv 8.
pub(crate) mod version {
    pub(crate) const MAJOR: usize = 0;
    pub(crate) const MINOR: usize = 4;
    pub(crate) const RV: usize = 8;
}
/// `struct wait_reader_state_change`: time-out 0 (not used), rv 4. Also `struct get_reader_events`: counter 0, rv 4.
pub(crate) mod wait {
    pub(crate) const EVENTS: usize = 0;
    pub(crate) const RV: usize = 4;
    pub(crate) const BYTES: usize = 8;
}

/// Room for a reader's name with its NUL (`MAX_READERNAME`).
pub(crate) const NAME_BYTES: usize = 128;

/// One structure, at most as large as the largest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Body {
    bytes: [u8; Self::MAX_BYTES],
    len: usize,
}

impl Body {
    /// The largest structure, that of the attributes.
    pub const MAX_BYTES: usize = attribute::RV + 4;

    /// A structure of that many zero bytes; longer ones are cut.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        Self { bytes: [0; Self::MAX_BYTES], len: len.min(Self::MAX_BYTES) }
    }

    /// A structure as it came; longer ones are cut.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut body = Self::zeroed(bytes.len());
        body.set_bytes(0, bytes);
        body
    }

    /// As it goes out.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The word at `offset`, 0 beyond the end.
    #[must_use]
    pub fn word(&self, offset: usize) -> u32 {
        match self.as_bytes().get(offset..).and_then(|rest| rest.first_chunk::<4>()) {
            Some(word) => u32::from_ne_bytes(*word),
            None => 0,
        }
    }

    /// Sets the word at `offset`.
    pub fn set_word(&mut self, offset: usize, word: u32) {
        self.set_bytes(offset, &word.to_ne_bytes());
    }

    /// `len` bytes from `offset`, fewer at the end.
    #[must_use]
    pub fn slice(&self, offset: usize, len: usize) -> &[u8] {
        let rest = self.as_bytes().get(offset..).unwrap_or_default();
        rest.get(..len).unwrap_or(rest)
    }

    /// Sets bytes from `offset`; what does not fit is cut.
    pub fn set_bytes(&mut self, offset: usize, bytes: &[u8]) {
        let place = self.bytes.get_mut(offset..self.len).unwrap_or_default();
        for (to, from) in place.iter_mut().zip(bytes) {
            *to = *from;
        }
    }
}

impl fmt::Debug for Body {
    /// The length only: the value of an attribute may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.len)
    }
}
