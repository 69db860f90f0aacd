//! Command and response APDUs, ISO 7816-3:2006, 12.1 and ISO 7816-4:2020, 5.

use alloc::vec::Vec;
use core::fmt;

use crate::SecretBytes;

/// The longest command APDU: header, extended Lc, 65,535 bytes of data, extended Le.
pub const MAX_COMMAND_BYTES: usize = 4 + 3 + 65_535 + 2;
/// The longest response APDU: 65,536 bytes of data and the status word.
pub const MAX_RESPONSE_BYTES: usize = 65_536 + 2;
/// The longest message that pcsc-lite carries either way, command or input of a control code
/// (`MAX_BUFFER_SIZE_EXTENDED`): header, length, data, expected length, status word.
pub const MAX_BUFFER_BYTES: usize = 4 + 3 + 65_536 + 3 + 2;

/// A command APDU, parsed. `Debug` shows the header and the length of the data, never the data.
#[derive(PartialEq, Eq)]
pub struct CommandApdu {
    /// Class.
    pub cla: u8,
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// Command data, Nc bytes.
    pub data: SecretBytes,
    /// Ne: the most bytes of response data expected, 1 to 65,536; `None` without Le.
    pub expected: Option<u32>,
    /// Whether the lengths were written in the extended form.
    pub extended: bool,
}

/// Why bytes are no command APDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApduError {
    /// Fewer than the four bytes of the header.
    ShortHeader {
        /// What was there, in bytes.
        got: usize,
    },
    /// Lc says one thing, the bytes that follow another.
    WrongLength {
        /// What Lc announces.
        announced: usize,
        /// What follows it, in bytes.
        got: usize,
    },
}

impl fmt::Display for ApduError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortHeader { got } => {
                write!(f, "a command APDU has at least 4 bytes, not {got}")
            }
            Self::WrongLength { announced, got } => {
                write!(f, "Lc announces {announced} bytes of data, {got} bytes follow it")
            }
        }
    }
}

impl core::error::Error for ApduError {}

impl CommandApdu {
    /// A command without data and without Le (case 1); fill in the rest with the `with_` methods.
    #[must_use]
    pub const fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self {
            cla,
            ins,
            p1,
            p2,
            data: SecretBytes::new(Vec::new()),
            expected: None,
            extended: false,
        }
    }

    /// The same with command data.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<SecretBytes>) -> Self {
        self.data = data.into();
        self
    }

    /// The same with Ne, 1 to 65,536.
    #[must_use]
    pub const fn with_expected(mut self, expected: u32) -> Self {
        self.expected = Some(expected);
        self
    }

    /// Reads cases 1, 2S, 3S, 4S, 2E, 3E and 4E.
    ///
    /// # Errors
    /// See [`ApduError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ApduError> {
        let Some((&[cla, ins, p1, p2], body)) = bytes.split_first_chunk::<4>() else {
            return Err(ApduError::ShortHeader { got: bytes.len() });
        };
        let command = |data: &[u8], expected, extended| Self {
            cla,
            ins,
            p1,
            p2,
            data: SecretBytes::from(data),
            expected,
            extended,
        };
        match body {
            [] => Ok(command(&[], None, false)),
            [le] => Ok(command(&[], Some(short_expected(*le)), false)),
            [0, high, low] => Ok(command(&[], Some(extended_expected(*high, *low)), true)),
            [0, high, low, rest @ ..] => {
                let announced = usize::from(u16::from_be_bytes([*high, *low]));
                let wrong = ApduError::WrongLength { announced, got: rest.len() };
                match rest.split_at_checked(announced) {
                    _ if announced == 0 => Err(wrong),
                    Some((data, [])) => Ok(command(data, None, true)),
                    Some((data, [high, low])) => {
                        Ok(command(data, Some(extended_expected(*high, *low)), true))
                    }
                    _ => Err(wrong),
                }
            }
            [lc, rest @ ..] => {
                let announced = usize::from(*lc);
                let wrong = ApduError::WrongLength { announced, got: rest.len() };
                match rest.split_at_checked(announced) {
                    _ if announced == 0 => Err(wrong),
                    Some((data, [])) => Ok(command(data, None, false)),
                    Some((data, [le])) => Ok(command(data, Some(short_expected(*le)), false)),
                    _ => Err(wrong),
                }
            }
        }
    }

    /// Writes the shortest form that holds the lengths, the extended form if [`CommandApdu::extended`] is set.
    ///
    /// More than 65,535 bytes of data are cut; build longer messages by chaining.
    #[must_use]
    pub fn to_bytes(&self) -> SecretBytes {
        let data = self.data.expose();
        let data = data.get(..65_535).unwrap_or(data);
        let extended = self.extended
            || data.len() > 255
            || self.expected.is_some_and(|expected| expected > 256);
        let mut bytes = Vec::with_capacity(data.len().saturating_add(9));
        bytes.extend_from_slice(&[self.cla, self.ins, self.p1, self.p2]);
        let length = u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes();
        if extended {
            if !data.is_empty() || self.expected.is_some() {
                bytes.push(0);
            }
            if !data.is_empty() {
                bytes.extend_from_slice(&length);
                bytes.extend_from_slice(data);
            }
            if let Some(expected) = self.expected {
                // 65,536 is written as 00 00.
                bytes.extend_from_slice(&u16::try_from(expected).unwrap_or(0).to_be_bytes());
            }
        } else {
            if !data.is_empty() {
                bytes.push(length[1]);
                bytes.extend_from_slice(data);
            }
            if let Some(expected) = self.expected {
                bytes.push(u8::try_from(expected).unwrap_or(0));
            }
        }
        SecretBytes::new(bytes)
    }
}

fn short_expected(le: u8) -> u32 {
    if le == 0 { 256 } else { u32::from(le) }
}

fn extended_expected(high: u8, low: u8) -> u32 {
    match u16::from_be_bytes([high, low]) {
        0 => 65_536,
        n => u32::from(n),
    }
}

impl fmt::Debug for CommandApdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X} {:02X} {:02X} {:02X}", self.cla, self.ins, self.p1, self.p2)?;
        if !self.data.is_empty() {
            write!(f, " [{} bytes]", self.data.len())?;
        }
        if let Some(expected) = self.expected {
            write!(f, " Ne={expected}")?;
        }
        Ok(())
    }
}

/// SW1 SW2, ISO 7816-4:2020, 5.6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusWord(pub u16);

/// A response APDU: data and status word.
#[derive(Debug, PartialEq, Eq)]
pub struct ResponseApdu {
    /// Response data, without the status word.
    pub data: SecretBytes,
    /// SW1 SW2.
    pub status: StatusWord,
}

impl ResponseApdu {
    /// Splits data and status word; `None` for fewer than two bytes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (data, &[sw1, sw2]) = bytes.split_last_chunk::<2>()?;
        Some(Self {
            data: SecretBytes::from(data),
            status: StatusWord(u16::from_be_bytes([sw1, sw2])),
        })
    }
}

impl StatusWord {
    /// 9000.
    pub const OK: Self = Self(0x9000);

    /// Whether the command was carried out: 9000 or 61xx.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 == 0x9000 || self.0 >> 8 == 0x61
    }

    /// Tries left, from 63Cx.
    #[must_use]
    pub const fn tries_left(self) -> Option<u16> {
        if self.0 & 0xFFF0 == 0x63C0 { Some(self.0 & 0x000F) } else { None }
    }

    /// What it means, ISO 7816-4:2020, tables 5 and 6, in plain words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self.0 {
            0x9000 => "done",
            0x6200 => "done, with a warning",
            0x6281 => "part of the data may be corrupted",
            0x6282 => "end of file before Ne bytes",
            0x6283 => "the selected file is deactivated",
            0x6285 => "no input data from a sensor, or the file is in termination state",
            0x6300 => "a check failed, no further information",
            0x63C0 => "wrong PIN, no try left",
            0x63C1..=0x63CF => "wrong PIN, the last digit says how many tries are left",
            0x6400 => "execution error, nothing changed",
            0x6500 => "execution error, something changed",
            0x6581 => "memory failure",
            0x6700 => "wrong length",
            0x6800 => "function in CLA not supported",
            0x6881 => "logical channel not supported",
            0x6882 => "secure messaging not supported",
            0x6883 => "last command of the chain expected",
            0x6884 => "command chaining not supported",
            0x6900 => "command not allowed",
            0x6982 => "security status not satisfied",
            0x6983 => "authentication method blocked",
            0x6984 => "reference data not usable",
            0x6985 => "conditions of use not satisfied",
            0x6986 => "command not allowed, no current file",
            0x6987 => "secure messaging objects missing",
            0x6988 => "secure messaging objects wrong",
            0x6A80 => "wrong parameters in the data field",
            0x6A81 => "function not supported",
            0x6A82 => "file or application not found",
            0x6A83 => "record not found",
            0x6A84 => "not enough memory in the file",
            0x6A86 => "wrong P1 P2",
            0x6A87 => "Lc does not fit P1 P2",
            0x6A88 => "referenced data or key not found",
            0x6B00 => "wrong P1 P2",
            0x6D00 => "instruction not supported",
            0x6E00 => "class not supported",
            0x6F00 => "no precise diagnosis",
            other => match other >> 8 {
                0x61 => "done, more data to be fetched, SW2 says how much",
                0x62 => "warning, nothing changed",
                0x63 => "warning, something changed",
                0x64 => "execution error, nothing changed",
                0x65 => "execution error, something changed",
                0x6C => "wrong Le, SW2 says the right one",
                0x6A => "wrong parameters",
                0x69 => "command not allowed",
                0x90..=0x9F => "proprietary",
                _ => "unknown",
            },
        }
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(bytes: &[u8]) {
        let command = CommandApdu::parse(bytes).unwrap();
        assert_eq!(command.to_bytes().expose(), bytes);
    }

    #[test]
    fn the_seven_cases_are_read_and_written() {
        round_trip(&[0, 0xA4, 4, 0]);
        round_trip(&[0, 0xC0, 0, 0, 0]);
        round_trip(&[0, 0x20, 0, 0x80, 2, 1, 2]);
        round_trip(&[0, 0xCB, 0x3F, 0xFF, 1, 9, 0]);
        round_trip(&[0, 0xCB, 0x3F, 0xFF, 0, 0, 0]);
        round_trip(&[0, 0xCB, 0x3F, 0xFF, 0, 0, 1, 9]);
        round_trip(&[0, 0xCB, 0x3F, 0xFF, 0, 0, 1, 9, 0x12, 0x34]);
    }

    #[test]
    fn a_command_cut_at_any_byte_is_another_command_or_an_error_and_never_a_panic() {
        let whole = [0, 0xCB, 0x3F, 0xFF, 0, 0, 3, 9, 8, 7, 0x12, 0x34];
        for end in 0..whole.len() {
            let parsed = CommandApdu::parse(&whole[..end]);
            assert_eq!(parsed.is_ok(), matches!(end, 4 | 5 | 7 | 10), "cut at {end}");
        }
    }

    #[test]
    fn debug_hides_the_data() {
        let verify = CommandApdu::parse(&[0, 0x20, 0, 0x80, 4, b'1', b'2', b'3', b'4']).unwrap();
        assert_eq!(alloc::format!("{verify:?}"), "00 20 00 80 [4 bytes]");
    }
}
