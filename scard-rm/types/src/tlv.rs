//! BER-TLV as cards write it, ISO 7816-4:2020, 6.3: tags of 1 to 3 bytes, definite lengths of up to 3 length bytes.

use alloc::vec::Vec;
use core::fmt;

/// The deepest nesting that is followed.
pub const MAX_DEPTH: usize = 16;

/// One element: its tag and its value, borrowed from the input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag as a number: `0x5F2F`, `0x7E`, `0x5FC105`.
    pub tag: u32,
    /// The value.
    pub value: &'a [u8],
}

/// Why bytes are no BER-TLV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlvError {
    /// The input ends inside a tag.
    ShortTag,
    /// A tag of more than three bytes.
    LongTag,
    /// The input ends inside a length.
    ShortLength,
    /// Indefinite length, or more than three length bytes.
    BadLength,
    /// The value is shorter than its length says.
    ShortValue {
        /// What the length says.
        need: usize,
        /// What is there.
        got: usize,
    },
}

impl fmt::Display for TlvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortTag => f.write_str("the data end inside a tag"),
            Self::LongTag => f.write_str("a tag of more than three bytes"),
            Self::ShortLength => f.write_str("the data end inside a length"),
            Self::BadLength => f.write_str("a length that cards do not use"),
            Self::ShortValue { need, got } => write!(f, "a value of {need} bytes has only {got}"),
        }
    }
}

impl core::error::Error for TlvError {}

impl<'a> Tlv<'a> {
    /// Reads the first element and gives back what follows it.
    ///
    /// # Errors
    /// See [`TlvError`].
    pub fn read(input: &'a [u8]) -> Result<(Self, &'a [u8]), TlvError> {
        let (tag, rest) = read_tag(input)?;
        let (length, rest) = read_length(rest)?;
        match rest.split_at_checked(length) {
            Some((value, rest)) => Ok((Self { tag, value }, rest)),
            None => Err(TlvError::ShortValue { need: length, got: rest.len() }),
        }
    }

    /// Whether the tag is of a constructed element (bit 6 of its first byte).
    #[must_use]
    pub const fn is_constructed(&self) -> bool {
        let first = match self.tag {
            0..=0xFF => self.tag,
            0x100..=0xFFFF => self.tag >> 8,
            _ => self.tag >> 16,
        };
        first & 0x20 != 0
    }
}

impl fmt::Debug for Tlv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X} [{} bytes]", self.tag, self.value.len())
    }
}

/// The elements of `input`, one after another; ends after the first error.
pub fn elements(input: &[u8]) -> impl Iterator<Item = Result<Tlv<'_>, TlvError>> {
    let mut rest = input;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        match Tlv::read(rest) {
            Ok((element, after)) => {
                rest = after;
                Some(Ok(element))
            }
            Err(error) => {
                rest = &[];
                Some(Err(error))
            }
        }
    })
}

/// The value of the first element with that tag, on this level. Elements after an error are not seen.
#[must_use]
pub fn find(input: &[u8], tag: u32) -> Option<&[u8]> {
    elements(input)
        .map_while(Result::ok)
        .find(|element| element.tag == tag)
        .map(|element| element.value)
}

/// Appends one element in the shortest form. Values over 65,535 bytes get three length bytes.
pub fn write(out: &mut Vec<u8>, tag: u32, value: &[u8]) {
    let tag_bytes = tag.to_be_bytes();
    let significant = tag_bytes.iter().position(|byte| *byte != 0).unwrap_or(3);
    out.extend_from_slice(tag_bytes.get(significant..).unwrap_or_default());
    let length = value.len().to_be_bytes();
    let significant =
        length.iter().position(|byte| *byte != 0).unwrap_or(length.len().saturating_sub(1));
    let length_bytes = length.get(significant..).unwrap_or_default();
    if value.len() > 127 {
        out.push(0x80 | u8::try_from(length_bytes.len()).unwrap_or(8));
    }
    out.extend_from_slice(length_bytes);
    out.extend_from_slice(value);
}

/// One element in the shortest form.
#[must_use]
pub fn element(tag: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len().saturating_add(8));
    write(&mut out, tag, value);
    out
}

fn read_tag(input: &[u8]) -> Result<(u32, &[u8]), TlvError> {
    let (first, mut rest) = input.split_first().ok_or(TlvError::ShortTag)?;
    let mut tag = u32::from(*first);
    if first & 0x1F != 0x1F {
        return Ok((tag, rest));
    }
    for _ in 0..2 {
        let (next, after) = rest.split_first().ok_or(TlvError::ShortTag)?;
        tag = (tag << 8) | u32::from(*next);
        rest = after;
        if next & 0x80 == 0 {
            return Ok((tag, rest));
        }
    }
    Err(TlvError::LongTag)
}

fn read_length(input: &[u8]) -> Result<(usize, &[u8]), TlvError> {
    let (first, rest) = input.split_first().ok_or(TlvError::ShortLength)?;
    let count = match first {
        0..=0x7F => return Ok((usize::from(*first), rest)),
        0x81..=0x83 => usize::from(first & 0x0F),
        _ => return Err(TlvError::BadLength),
    };
    let (bytes, rest) = rest.split_at_checked(count).ok_or(TlvError::ShortLength)?;
    let length = bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
    Ok((length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn every_length_form_survives_a_round_trip() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            for tag in [0x53, 0x7F49, 0x5F_C105] {
                let value = vec![0xA5; length];
                let bytes = element(tag, &value);
                assert_eq!(Tlv::read(&bytes), Ok((Tlv { tag, value: &value }, &[][..])));
            }
        }
    }

    #[test]
    fn an_element_cut_at_any_byte_is_an_error() {
        let bytes = element(0x5F_C105, &[7; 200]);
        for end in 0..bytes.len() {
            assert!(Tlv::read(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn lengths_that_cards_do_not_use_are_refused() {
        assert_eq!(Tlv::read(&[0x30, 0x80, 0, 0]), Err(TlvError::BadLength));
        assert_eq!(Tlv::read(&[0x30, 0x84, 0, 0, 0, 0]), Err(TlvError::BadLength));
        assert_eq!(Tlv::read(&[0x1F, 0x80, 0x80, 0x01, 0x00]), Err(TlvError::LongTag));
    }
}
