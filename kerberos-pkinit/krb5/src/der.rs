//! DER as Kerberos uses it (RFC 4120, 5.1; ITU-T X.690): one-byte tags, definite lengths, nothing else.
//!
//! A peer's bytes are read strictly: the shortest form of each length and integer, and no byte left over where a
//! structure ends. Fields that a later version may append are skipped by [`Reader::skip_extensions`], and only where
//! the ASN.1 says `...`.

use alloc::vec::Vec;
use core::fmt;

/// BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// NULL.
pub const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// `GeneralizedTime`.
pub const GENERALIZED_TIME: u8 = 0x18;
/// `GeneralString`: `KerberosString`.
pub const GENERAL_STRING: u8 = 0x1B;
/// SEQUENCE and SEQUENCE OF.
pub const SEQUENCE: u8 = 0x30;
/// SET and SET OF.
pub const SET: u8 = 0x31;

/// A constructed tag of the APPLICATION class: the messages of Kerberos.
#[must_use]
pub const fn application(number: u8) -> u8 {
    0x60 | (number & 0x1F)
}

/// A constructed context tag: a field with an EXPLICIT tag.
#[must_use]
pub const fn context(number: u8) -> u8 {
    0xA0 | (number & 0x1F)
}

/// A primitive context tag: a field with an IMPLICIT tag and no inner structure.
#[must_use]
pub const fn implicit(number: u8) -> u8 {
    0x80 | (number & 0x1F)
}

/// Why bytes are not the DER that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DerError {
    /// The input ends before an element does.
    Short,
    /// Another tag was expected.
    Tag {
        /// What was expected.
        expected: u8,
        /// What is there.
        got: u8,
    },
    /// A length that is not in its shortest form, indefinite, or above 2^32.
    Length,
    /// There are bytes after the end.
    Surplus,
    /// The value is none of its type: an integer that is not in its shortest form or too large, a time that is
    /// none, a string that is no text.
    Value,
}

impl fmt::Display for DerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("the data end inside an element"),
            Self::Tag { expected, got } => {
                write!(f, "tag {got:02X} stands where {expected:02X} belongs")
            }
            Self::Length => f.write_str("a length is not in DER's form"),
            Self::Surplus => f.write_str("there are bytes after the end of a structure"),
            Self::Value => f.write_str("a value is none of its type"),
        }
    }
}

impl core::error::Error for DerError {}

/// What reading gives.
pub type Result<T> = core::result::Result<T, DerError>;

/// Reads elements one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Reads bytes that are one thing from their first to their last.
    ///
    /// # Errors
    /// What `read` says; [`DerError::Surplus`] if it leaves something.
    pub fn whole<T>(bytes: &'a [u8], read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mut reader = Self(bytes);
        let whole = read(&mut reader)?;
        reader.end()?;
        Ok(whole)
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next tag, without taking it.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`DerError::Surplus`].
    pub const fn end(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(DerError::Surplus) }
    }

    /// Takes the next element, whatever it is: its tag, its value, and all of its bytes.
    ///
    /// # Errors
    /// [`DerError::Short`], [`DerError::Length`].
    pub fn any(&mut self) -> Result<(u8, &'a [u8], &'a [u8])> {
        let (tag, rest) = self.0.split_first().ok_or(DerError::Short)?;
        if tag & 0x1F == 0x1F {
            // Kerberos has no tag above 30.
            return Err(DerError::Tag { expected: 0, got: *tag });
        }
        let (length, rest) = length(rest)?;
        let (value, rest) = rest.split_at_checked(length).ok_or(DerError::Short)?;
        let whole = self.0.len().saturating_sub(rest.len());
        let bytes = self.0.get(..whole).ok_or(DerError::Short)?;
        self.0 = rest;
        Ok((*tag, value, bytes))
    }

    /// Takes the value of the next element, which has that tag.
    ///
    /// # Errors
    /// [`DerError::Tag`], and as [`Reader::any`].
    pub fn value(&mut self, tag: u8) -> Result<&'a [u8]> {
        let mut ahead = *self;
        match ahead.any()? {
            (got, value, _) if got == tag => {
                self.0 = ahead.0;
                Ok(value)
            }
            (got, ..) => Err(DerError::Tag { expected: tag, got }),
        }
    }

    /// Takes the next element, which has that tag, and reads inside it to its end.
    ///
    /// # Errors
    /// What `inside` says; [`DerError::Surplus`] if it leaves something.
    pub fn within<T>(&mut self, tag: u8, inside: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        Self::whole(self.value(tag)?, inside)
    }

    /// As [`Reader::within`], if the next element has that tag; else nothing is taken.
    ///
    /// # Errors
    /// As [`Reader::within`].
    pub fn optional<T>(
        &mut self,
        tag: u8,
        inside: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<Option<T>> {
        if self.peek() == Some(tag) { self.within(tag, inside).map(Some) } else { Ok(None) }
    }

    /// A SEQUENCE.
    ///
    /// # Errors
    /// As [`Reader::within`].
    pub fn sequence<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.within(SEQUENCE, inside)
    }

    /// A SEQUENCE OF.
    ///
    /// # Errors
    /// As [`Reader::within`].
    pub fn sequence_of<T>(&mut self, entry: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.sequence(|reader| {
            let mut entries = Vec::new();
            while !reader.is_empty() {
                entries.push(entry(reader)?);
            }
            Ok(entries)
        })
    }

    /// Skips what a later version appended, where the ASN.1 has an extension marker.
    ///
    /// # Errors
    /// As [`Reader::any`]: what is skipped must be whole.
    pub fn skip_extensions(&mut self) -> Result<()> {
        while !self.is_empty() {
            self.any()?;
        }
        Ok(())
    }

    /// An INTEGER of at most 64 bits.
    ///
    /// # Errors
    /// [`DerError::Value`] if it is larger or not in its shortest form.
    pub fn integer(&mut self) -> Result<i64> {
        let bytes = self.value(INTEGER)?;
        let (first, rest) = bytes.split_first().ok_or(DerError::Value)?;
        let sign_fill = if first & 0x80 == 0 { 0x00 } else { 0xFF };
        let is_shortest =
            *first != sign_fill || rest.first().is_none_or(|next| (next ^ first) & 0x80 != 0);
        if bytes.len() > 8 || !is_shortest {
            return Err(DerError::Value);
        }
        let start = if sign_fill == 0 { 0 } else { -1 };
        Ok(bytes.iter().fold(start, |number: i64, byte| (number << 8) | i64::from(*byte)))
    }

    /// An INTEGER that fits `Int32`.
    ///
    /// # Errors
    /// As [`Reader::integer`].
    pub fn int32(&mut self) -> Result<i32> {
        i32::try_from(self.integer()?).map_err(|_| DerError::Value)
    }

    /// An INTEGER that fits `UInt32`. Old implementations write the upper half as negative numbers; both are read.
    ///
    /// # Errors
    /// As [`Reader::integer`].
    pub fn uint32(&mut self) -> Result<u32> {
        let number = self.integer()?;
        let unsigned = if number < 0 && number >= i64::from(i32::MIN) {
            number.checked_add(1 << 32).ok_or(DerError::Value)?
        } else {
            number
        };
        u32::try_from(unsigned).map_err(|_| DerError::Value)
    }

    /// The magnitude of a positive INTEGER of any size, without leading zeros: primes, public values.
    ///
    /// # Errors
    /// [`DerError::Value`] if it is negative, zero or not in its shortest form.
    pub fn positive(&mut self) -> Result<&'a [u8]> {
        match self.value(INTEGER)? {
            [0, rest @ ..] if rest.first().is_some_and(|next| next & 0x80 != 0) => Ok(rest),
            bytes @ [first, ..] if first & 0x80 == 0 && *first != 0 => Ok(bytes),
            _ => Err(DerError::Value),
        }
    }

    /// A BOOLEAN.
    ///
    /// # Errors
    /// [`DerError::Value`].
    pub fn boolean(&mut self) -> Result<bool> {
        match self.value(BOOLEAN)? {
            [0x00] => Ok(false),
            [0xFF] => Ok(true),
            _ => Err(DerError::Value),
        }
    }

    /// An OCTET STRING.
    ///
    /// # Errors
    /// As [`Reader::value`].
    pub fn octets(&mut self) -> Result<&'a [u8]> {
        self.value(OCTET_STRING)
    }

    /// A BIT STRING of whole bytes.
    ///
    /// # Errors
    /// [`DerError::Value`] if bits are unused.
    pub fn bits(&mut self) -> Result<&'a [u8]> {
        match self.value(BIT_STRING)?.split_first() {
            Some((0, bits)) => Ok(bits),
            _ => Err(DerError::Value),
        }
    }

    /// `KerberosFlags`: the first 32 bits, the first of them highest. Shorter strings mean zeros, as some write them.
    ///
    /// # Errors
    /// [`DerError::Value`].
    pub fn flags(&mut self) -> Result<u32> {
        let (unused, bits) = self.value(BIT_STRING)?.split_first().ok_or(DerError::Value)?;
        if *unused > 7 {
            return Err(DerError::Value);
        }
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(bits) {
            *to = *from;
        }
        Ok(u32::from_be_bytes(word))
    }

    /// The bytes of a `KerberosString`.
    ///
    /// # Errors
    /// As [`Reader::value`].
    pub fn string(&mut self) -> Result<&'a [u8]> {
        self.value(GENERAL_STRING)
    }
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let (first, rest) = bytes.split_first().ok_or(DerError::Short)?;
    if *first < 0x80 {
        return Ok((usize::from(*first), rest));
    }
    let count = usize::from(*first & 0x7F);
    if count == 0 || count > 4 {
        return Err(DerError::Length);
    }
    let (digits, rest) = rest.split_at_checked(count).ok_or(DerError::Short)?;
    let length = digits.iter().fold(0_u32, |length, digit| (length << 8) | u32::from(*digit));
    let is_shortest = length >= 0x80 && digits.first() != Some(&0);
    if !is_shortest {
        return Err(DerError::Length);
    }
    Ok((usize::try_from(length).map_err(|_| DerError::Length)?, rest))
}

/// Writes elements one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// An element with that tag and value.
    pub fn element(&mut self, tag: u8, value: &[u8]) {
        self.0.push(tag);
        self.length(value.len());
        self.0.extend_from_slice(value);
    }

    fn length(&mut self, length: usize) {
        let digits = length.to_be_bytes();
        let skip = digits.iter().take_while(|digit| **digit == 0).count();
        match digits.get(skip..).unwrap_or_default() {
            [] => self.0.push(0),
            [small] if *small < 0x80 => self.0.push(*small),
            digits => {
                // At most eight digits.
                self.0.push(0x80 | u8::try_from(digits.len()).unwrap_or(0x7F));
                self.0.extend_from_slice(digits);
            }
        }
    }

    /// Bytes that are DER already.
    pub fn raw(&mut self, der: &[u8]) {
        self.0.extend_from_slice(der);
    }

    /// An element with that tag around what `inside` writes.
    pub fn within(&mut self, tag: u8, inside: impl FnOnce(&mut Self)) {
        let mut inner = Self::new();
        inside(&mut inner);
        self.element(tag, &inner.0);
    }

    /// A SEQUENCE.
    pub fn sequence(&mut self, inside: impl FnOnce(&mut Self)) {
        self.within(SEQUENCE, inside);
    }

    /// A SEQUENCE OF.
    pub fn sequence_of<T>(&mut self, entries: &[T], write: impl Fn(&mut Self, &T)) {
        self.sequence(|writer| entries.iter().for_each(|entry| write(writer, entry)));
    }

    /// A field that is there if its value is.
    pub fn optional<T>(&mut self, tag: u8, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        if let Some(value) = value {
            self.within(tag, |writer| write(writer, value));
        }
    }

    /// An INTEGER.
    pub fn integer(&mut self, number: impl Into<i64>) {
        let bytes = number.into().to_be_bytes();
        let redundant = |pair: &[u8]| {
            matches!(pair, [0, next] if next & 0x80 == 0)
                || matches!(pair, [0xFF, next] if next & 0x80 != 0)
        };
        let skip = bytes.windows(2).take_while(|pair| redundant(pair)).count();
        self.element(INTEGER, bytes.get(skip..).unwrap_or_default());
    }

    /// A positive INTEGER of any size, given by its magnitude.
    pub fn positive(&mut self, magnitude: &[u8]) {
        let skip = magnitude.iter().take_while(|byte| **byte == 0).count();
        let digits = magnitude.get(skip..).unwrap_or_default();
        let mut value = Vec::with_capacity(digits.len().saturating_add(1));
        // The top bit is the sign.
        if digits.first().is_none_or(|first| first & 0x80 != 0) {
            value.push(0);
        }
        value.extend_from_slice(digits);
        self.element(INTEGER, &value);
    }

    /// A BOOLEAN.
    pub fn boolean(&mut self, value: bool) {
        self.element(BOOLEAN, if value { &[0xFF] } else { &[0x00] });
    }

    /// An OCTET STRING.
    pub fn octets(&mut self, bytes: &[u8]) {
        self.element(OCTET_STRING, bytes);
    }

    /// A BIT STRING of whole bytes.
    pub fn bits(&mut self, bytes: &[u8]) {
        let mut value = Vec::with_capacity(bytes.len().saturating_add(1));
        value.push(0);
        value.extend_from_slice(bytes);
        self.element(BIT_STRING, &value);
    }

    /// `KerberosFlags`, 32 bits.
    pub fn flags(&mut self, flags: u32) {
        self.bits(&flags.to_be_bytes());
    }

    /// A `KerberosString`.
    pub fn string(&mut self, text: &[u8]) {
        self.element(GENERAL_STRING, text);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn integers_are_written_and_read_in_their_shortest_form() {
        for (number, bytes) in [
            (0_i64, &[2, 1, 0][..]),
            (127, &[2, 1, 0x7F]),
            (128, &[2, 2, 0, 0x80]),
            (-1, &[2, 1, 0xFF]),
            (-128, &[2, 1, 0x80]),
            (-129, &[2, 2, 0xFF, 0x7F]),
            (i64::MAX, &[2, 8, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            (i64::MIN, &[2, 8, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            let mut writer = Writer::new();
            writer.integer(number);
            assert_eq!(writer.into_bytes(), bytes);
            assert_eq!(Reader::new(bytes).integer(), Ok(number));
        }
        for wrong in
            [&[2, 0][..], &[2, 2, 0, 1], &[2, 2, 0xFF, 0x80], &[2, 9, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]]
        {
            assert_eq!(Reader::new(wrong).integer(), Err(DerError::Value), "{wrong:02X?}");
        }
    }

    #[test]
    fn the_upper_half_of_uint32_is_read_in_both_spellings() {
        for bytes in [&[2, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF][..], &[2, 1, 0xFF]] {
            assert_eq!(Reader::new(bytes).uint32(), Ok(u32::MAX));
        }
        assert_eq!(Reader::new(&[2, 5, 1, 0, 0, 0, 0]).uint32(), Err(DerError::Value));
    }

    #[test]
    fn a_magnitude_with_its_top_bit_set_gets_a_zero_in_front() {
        for (magnitude, bytes) in [
            (&[0x80][..], &[2, 2, 0, 0x80][..]),
            (&[0x7F], &[2, 1, 0x7F]),
            (&[0, 0, 1, 2], &[2, 2, 1, 2]),
        ] {
            let mut writer = Writer::new();
            writer.positive(magnitude);
            assert_eq!(writer.into_bytes(), bytes);
        }
        assert_eq!(Reader::new(&[2, 2, 0, 0x80]).positive(), Ok(&[0x80][..]));
        for wrong in [&[2, 1, 0][..], &[2, 0], &[2, 1, 0x80], &[2, 2, 0, 0x7F]] {
            assert_eq!(Reader::new(wrong).positive(), Err(DerError::Value));
        }
    }

    #[test]
    fn lengths_are_written_and_read_in_their_shortest_form() {
        for (length, head) in [
            (0, &[4, 0][..]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (256, &[4, 0x82, 1, 0]),
            (65_536, &[4, 0x83, 1, 0, 0]),
        ] {
            let mut writer = Writer::new();
            writer.octets(&vec![7; length]);
            let bytes = writer.into_bytes();
            assert_eq!(bytes.get(..head.len()), Some(head));
            assert_eq!(Reader::new(&bytes).octets().map(<[u8]>::len), Ok(length));
            for cut in 0..bytes.len().min(300) {
                let cut = bytes.get(..cut).unwrap_or_default();
                assert_eq!(Reader::new(cut).octets(), Err(DerError::Short));
            }
        }
        for wrong in
            [&[4, 0x80][..], &[4, 0x81, 0x7F], &[4, 0x82, 0, 0x80], &[4, 0x85, 1, 0, 0, 0, 0]]
        {
            assert_eq!(Reader::new(wrong).octets(), Err(DerError::Length), "{wrong:02X?}");
        }
    }

    #[test]
    fn what_is_left_over_is_an_error_unless_extensions_are_allowed() {
        let bytes = [0x30, 6, 2, 1, 1, 2, 1, 2];
        let strict = Reader::new(&bytes).sequence(Reader::integer);
        assert_eq!(strict, Err(DerError::Surplus));
        let lenient = Reader::new(&bytes).sequence(|reader| {
            let first = reader.integer()?;
            reader.skip_extensions()?;
            Ok(first)
        });
        assert_eq!(lenient, Ok(1));
        assert_eq!(
            Reader::new(&[0x1F, 0x81, 0, 0]).any(),
            Err(DerError::Tag { expected: 0, got: 0x1F })
        );
    }

    #[test]
    fn flags_may_be_short_and_are_written_whole() {
        assert_eq!(Reader::new(&[3, 5, 0, 0x40, 0, 0, 1]).flags(), Ok(0x4000_0001));
        assert_eq!(Reader::new(&[3, 2, 6, 0x40]).flags(), Ok(0x4000_0000));
        assert_eq!(Reader::new(&[3, 1, 0]).flags(), Ok(0));
        assert_eq!(Reader::new(&[3, 0]).flags(), Err(DerError::Value));
        let mut writer = Writer::new();
        writer.flags(0x4000_0001);
        assert_eq!(writer.into_bytes(), [3, 5, 0, 0x40, 0, 0, 1]);
    }
}
