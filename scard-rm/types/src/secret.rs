//! Bytes that must not be seen: they do not print, and they are wiped when they are dropped.

use alloc::vec::Vec;
use core::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes that may hold a PIN, a key or a plaintext: commands to a card and their answers.
///
/// `Debug` shows the length only. The memory is wiped on drop. `Clone` is missing on purpose.
#[derive(Default, PartialEq, Eq)]
pub struct SecretBytes(Vec<u8>);

impl Zeroize for SecretBytes {
    /// All that the vector has room for, in one piece: byte by byte, as a `Vec` is wiped by itself, an answer of 64 KB
    /// would take longer than its way through the kernel.
    fn zeroize(&mut self) {
        self.0.clear();
        self.0.resize(self.0.capacity(), 0);
        // Or the compiler would leave it out before the memory is given back.
        zeroize::optimization_barrier(self.0.as_slice());
        self.0.clear();
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for SecretBytes {}

impl SecretBytes {
    /// Takes the bytes over; the vector must not have been reallocated while it held the secret.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, for the one place that sends or checks them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be filled or truncated in place. Growing past the capacity would leave a copy behind.
    #[must_use]
    pub fn expose_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.len())
    }
}

/// A PIN or PUK as a person types it: 1 to 16 bytes, wiped on drop, never printed.
#[derive(PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Pin {
    digits: [u8; Self::MAX_BYTES],
    len: usize,
}

/// Why bytes are no PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinError {
    /// Nothing was typed. An empty PIN never reaches a card: some cards answer it with success.
    Empty,
    /// Longer than any card takes.
    TooLong {
        /// What was given, in bytes.
        got: usize,
    },
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the PIN is empty"),
            Self::TooLong { got } => {
                write!(f, "the PIN has {got} bytes, at most {} are possible", Pin::MAX_BYTES)
            }
        }
    }
}

impl core::error::Error for PinError {}

impl Pin {
    /// The longest PIN that any card here takes, in bytes.
    pub const MAX_BYTES: usize = 16;

    /// Takes the bytes as they were typed, without padding.
    ///
    /// # Errors
    /// [`PinError::Empty`] and [`PinError::TooLong`].
    pub fn new(typed: &[u8]) -> Result<Self, PinError> {
        if typed.is_empty() {
            return Err(PinError::Empty);
        }
        let mut pin = Self { digits: [0; Self::MAX_BYTES], len: typed.len() };
        match pin.digits.get_mut(..typed.len()) {
            Some(room) => room.copy_from_slice(typed),
            None => return Err(PinError::TooLong { got: typed.len() }),
        }
        Ok(pin)
    }

    /// The bytes as they were typed.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}
