//! Answer to reset, ISO 7816-3:2006, 8.2.

use alloc::vec::Vec;
use core::fmt;

use crate::Protocol;

/// An answer to reset: 2 to 33 bytes, kept as they came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Atr {
    bytes: [u8; Self::MAX_BYTES],
    len: u8,
}

/// Why bytes are no answer to reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AtrError {
    /// Fewer than 2 or more than 33 bytes.
    BadLength {
        /// What was given, in bytes.
        got: usize,
    },
    /// TS is neither 3B nor 3F.
    BadInitialCharacter {
        /// TS.
        ts: u8,
    },
    /// It ends before what T0 and the TDi announce.
    Short {
        /// What is announced, in bytes.
        need: usize,
        /// What is there, in bytes.
        got: usize,
    },
    /// TCK is announced and wrong.
    BadCheckCharacter {
        /// What would be right.
        expected: u8,
        /// What is there.
        got: u8,
    },
}

impl fmt::Display for AtrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadLength { got } => write!(f, "an ATR has 2 to 33 bytes, not {got}"),
            Self::BadInitialCharacter { ts } => write!(f, "TS is {ts:02X}, not 3B or 3F"),
            Self::Short { need, got } => write!(f, "{need} bytes are announced, {got} are there"),
            Self::BadCheckCharacter { expected, got } => {
                write!(f, "TCK is {got:02X}, {expected:02X} would be right")
            }
        }
    }
}

impl core::error::Error for AtrError {}

/// One group of interface bytes TAi TBi TCi TDi.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InterfaceBytes {
    /// TAi.
    pub ta: Option<u8>,
    /// TBi.
    pub tb: Option<u8>,
    /// TCi.
    pub tc: Option<u8>,
    /// TDi.
    pub td: Option<u8>,
}

/// An answer to reset taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtrParts {
    /// True for TS = 3F, inverse convention.
    pub inverse: bool,
    /// T0.
    pub format: u8,
    /// TA1..TD1, TA2..TD2, and so on.
    pub interface: Vec<InterfaceBytes>,
    /// The historical bytes.
    pub historical: Vec<u8>,
    /// TCK, where it is announced.
    pub check: Option<u8>,
    /// Bytes after the end.
    pub trailing: Vec<u8>,
}

impl Atr {
    /// The longest answer to reset, in bytes.
    pub const MAX_BYTES: usize = 33;

    /// Keeps 2 to 33 bytes that begin with TS. The rest is not judged: readers accept cards whose TCK is wrong.
    ///
    /// # Errors
    /// [`AtrError::BadLength`], [`AtrError::BadInitialCharacter`].
    pub fn new(bytes: &[u8]) -> Result<Self, AtrError> {
        let bad_length = AtrError::BadLength { got: bytes.len() };
        if bytes.len() < 2 {
            return Err(bad_length);
        }
        let mut atr = Self { bytes: [0; Self::MAX_BYTES], len: 0 };
        atr.bytes.get_mut(..bytes.len()).ok_or(bad_length)?.copy_from_slice(bytes);
        atr.len = u8::try_from(bytes.len()).map_err(|_| bad_length)?;
        match bytes.first() {
            Some(0x3B | 0x3F) => Ok(atr),
            Some(ts) => Err(AtrError::BadInitialCharacter { ts: *ts }),
            None => Err(bad_length),
        }
    }

    /// The bytes as they came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Takes the answer apart and checks TCK.
    ///
    /// # Errors
    /// [`AtrError::Short`], [`AtrError::BadCheckCharacter`].
    pub fn parts(&self) -> Result<AtrParts, AtrError> {
        let parts = self.layout()?;
        if let Some(got) = parts.check {
            let end = self.as_bytes().len().saturating_sub(parts.trailing.len());
            let covered = self.as_bytes().get(1..end.saturating_sub(1)).unwrap_or_default();
            let expected = covered.iter().fold(0, |sum, b| sum ^ b);
            if got != expected {
                return Err(AtrError::BadCheckCharacter { expected, got });
            }
        }
        Ok(parts)
    }

    /// Takes the answer apart without a look at whether TCK is right, for programs that explain broken ones.
    ///
    /// # Errors
    /// [`AtrError::Short`].
    pub fn layout(&self) -> Result<AtrParts, AtrError> {
        let bytes = self.as_bytes();
        let byte = |at: usize| {
            bytes
                .get(at)
                .copied()
                .ok_or(AtrError::Short { need: at.saturating_add(1), got: bytes.len() })
        };
        let format = byte(1)?;
        let mut at = 2_usize;
        let mut announced = format >> 4;
        let mut interface = Vec::new();
        let mut check_needed = false;
        while announced != 0 {
            let mut next = |bit: u8| -> Result<Option<u8>, AtrError> {
                if announced & bit == 0 {
                    return Ok(None);
                }
                let value = byte(at)?;
                at = at.saturating_add(1);
                Ok(Some(value))
            };
            let group = InterfaceBytes { ta: next(1)?, tb: next(2)?, tc: next(4)?, td: next(8)? };
            interface.push(group);
            announced = match group.td {
                Some(td) => {
                    check_needed |= td & 0x0F != 0;
                    td >> 4
                }
                None => 0,
            };
        }
        let historical_end = at.saturating_add(usize::from(format & 0x0F));
        let short = |need| AtrError::Short { need, got: bytes.len() };
        let historical = bytes.get(at..historical_end).ok_or(short(historical_end))?.to_vec();
        let mut end = historical_end;
        let mut check = None;
        if check_needed {
            check = Some(byte(end)?);
            end = end.saturating_add(1);
        }
        Ok(AtrParts {
            inverse: bytes.first() == Some(&0x3F),
            format,
            interface,
            historical,
            check,
            trailing: bytes.get(end..).unwrap_or_default().to_vec(),
        })
    }

    /// The protocols that the card offers, in its order; the first is its default (ISO 7816-3:2006, 8.2.3).
    /// An answer that cannot be taken apart offers T=0.
    #[must_use]
    pub fn protocols(&self) -> Vec<Protocol> {
        let Ok(parts) = self.layout() else { return alloc::vec![Protocol::T0] };
        let mut offered = Vec::new();
        for td in parts.interface.iter().filter_map(|group| group.td) {
            let protocol = match td & 0x0F {
                0 => Protocol::T0,
                1 => Protocol::T1,
                _ => continue,
            };
            if !offered.contains(&protocol) {
                offered.push(protocol);
            }
        }
        if offered.is_empty() {
            offered.push(Protocol::T0);
        }
        offered
    }

    /// TA2, where it is: the card is in specific mode and speaks only the protocol in the low half.
    #[must_use]
    pub fn specific_protocol(&self) -> Option<Protocol> {
        match self.layout().ok()?.interface.get(1)?.ta? & 0x0F {
            0 => Some(Protocol::T0),
            1 => Some(Protocol::T1),
            _ => None,
        }
    }
}

impl fmt::Display for Atr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.as_bytes().iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Atr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Atr({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YUBIKEY_5: &[u8] = &[
        0x3B, 0xFD, 0x13, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x15, 0x80, 0x73, 0xC0, 0x21, 0xC0, 0x57,
        0x59, 0x75, 0x62, 0x69, 0x4B, 0x65, 0x79, 0x40,
    ];

    #[test]
    fn a_real_answer_is_taken_apart() {
        let atr = Atr::new(YUBIKEY_5).unwrap();
        let parts = atr.parts().unwrap();
        assert_eq!(parts.interface.len(), 3);
        assert_eq!(parts.historical.len(), 13);
        assert_eq!(parts.check, Some(0x40));
        assert_eq!(parts.trailing, []);
        assert_eq!(atr.protocols(), [Protocol::T1]);
        assert_eq!(atr.specific_protocol(), None);
    }

    #[test]
    fn an_answer_cut_at_any_byte_is_an_error() {
        for end in 0..YUBIKEY_5.len() {
            let cut = Atr::new(&YUBIKEY_5[..end]).and_then(|atr| atr.parts());
            assert!(cut.is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_wrong_check_character_is_an_error_for_parts_and_shown_by_layout() {
        let mut bytes = YUBIKEY_5.to_vec();
        bytes[22] = 0x41;
        let atr = Atr::new(&bytes).unwrap();
        assert_eq!(atr.parts(), Err(AtrError::BadCheckCharacter { expected: 0x40, got: 0x41 }));
        assert_eq!(atr.layout().unwrap().check, Some(0x41));
        assert_eq!(atr.protocols(), [Protocol::T1]);
        bytes[22] = 0x40;
        bytes.push(0x00);
        assert_eq!(Atr::new(&bytes).unwrap().parts().unwrap().trailing, [0x00]);
    }

    #[test]
    fn no_td_means_t0_and_needs_no_check_character() {
        let atr = Atr::new(&[0x3B, 0x02, 0x14, 0x50]).unwrap();
        assert_eq!(atr.protocols(), [Protocol::T0]);
        assert_eq!(atr.parts().unwrap().check, None);
        assert_eq!(Atr::new(&[0x3C, 0]), Err(AtrError::BadInitialCharacter { ts: 0x3C }));
        assert_eq!(Atr::new(&[0x3B; 34]), Err(AtrError::BadLength { got: 34 }));
    }
}
