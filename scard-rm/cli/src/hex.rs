//! Bytes as people write them.

use std::fmt;

/// Why text is no row of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HexError {
    /// A character that is no hexadecimal digit.
    NotADigit {
        /// The character.
        found: char,
    },
    /// A digit without its other half.
    OddDigits,
    /// No digit at all.
    Empty,
}

impl fmt::Display for HexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADigit { found } => write!(f, "{found:?} is no hexadecimal digit"),
            Self::OddDigits => f.write_str("a byte has two digits, one is missing"),
            Self::Empty => f.write_str("no bytes"),
        }
    }
}

impl std::error::Error for HexError {}

/// Reads bytes with or without blanks, colons, commas and `0x` between them.
///
/// # Errors
/// See [`HexError`].
pub(crate) fn parse(text: &str) -> Result<Vec<u8>, HexError> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for word in text.split([' ', '\t', ':', ',']) {
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")).unwrap_or(word);
        let mut digits = digits.chars();
        while let Some(high) = digits.next() {
            let high = digit(high)?;
            let low = digit(digits.next().ok_or(HexError::OddDigits)?)?;
            bytes.push(high << 4 | low);
        }
    }
    if bytes.is_empty() { Err(HexError::Empty) } else { Ok(bytes) }
}

fn digit(found: char) -> Result<u8, HexError> {
    let digit = found.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit.ok_or(HexError::NotADigit { found })
}

/// Bytes with blanks between them, for people.
#[must_use]
pub(crate) fn spaced(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

/// Bytes without blanks, for programs.
#[must_use]
pub(crate) fn packed(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_people_write_them() {
        for text in ["3B8001", "3b 80 01", "3B:80:01", "0x3B 0x80 0x01", "3B, 80, 01", " 3B80 01 "]
        {
            assert_eq!(parse(text), Ok(vec![0x3B, 0x80, 0x01]), "{text}");
        }
    }

    #[test]
    fn what_is_no_byte_is_named() {
        assert_eq!(parse("3B8"), Err(HexError::OddDigits));
        assert_eq!(parse("3 B"), Err(HexError::OddDigits));
        assert_eq!(parse("3G"), Err(HexError::NotADigit { found: 'G' }));
        assert_eq!(parse(" : "), Err(HexError::Empty));
    }
}
