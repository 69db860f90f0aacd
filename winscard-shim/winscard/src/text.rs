//! Text as C programs hold it: in UTF-8 (`A`) or in UTF-16 (`W`), with a NUL at its end; and multi-strings, lists of such
//! texts with one more NUL at the end.
//!
//! DIFFERS: `A` is UTF-8 whatever the locale; on Windows it is the code page of the system.

/// The unit of a text.
pub(crate) trait Unit: Copy + Default + PartialEq + Send + 'static {
    /// Text without its NUL.
    fn encode(text: &str) -> Vec<Self>;
    /// Text without its NUL. What is no text becomes U+FFFD, which no name has.
    fn decode(units: &[Self]) -> String;
}

impl Unit for u8 {
    fn encode(text: &str) -> Vec<Self> {
        text.as_bytes().to_vec()
    }

    fn decode(units: &[Self]) -> String {
        String::from_utf8_lossy(units).into_owned()
    }
}

impl Unit for u16 {
    fn encode(text: &str) -> Vec<Self> {
        text.encode_utf16().collect()
    }

    fn decode(units: &[Self]) -> String {
        String::from_utf16_lossy(units)
    }
}

/// A text with its NUL.
pub(crate) fn string<C: Unit>(text: &str) -> Vec<C> {
    let mut units = C::encode(text);
    units.push(C::default());
    units
}

/// A multi-string; an empty list is one NUL.
pub(crate) fn multi_string<C: Unit>(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<C> {
    let mut units: Vec<C> = texts.into_iter().flat_map(|text| string(text.as_ref())).collect();
    units.push(C::default());
    units
}

/// The texts of a multi-string, up to the first that is empty or to the end of what is given.
pub(crate) fn texts<C: Unit>(units: &[C]) -> Vec<String> {
    units
        .split(|unit| *unit == C::default())
        .take_while(|text| !text.is_empty())
        .map(C::decode)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three bytes and one unit; four bytes and two units.
    const NAMES: [&str; 2] = ["Leser für €", "🂡 00"];

    #[test]
    fn lengths_are_counted_in_units_of_the_text() {
        assert_eq!(multi_string::<u8>(NAMES).len(), (14 + 1) + (4 + 3 + 1) + 1);
        assert_eq!(multi_string::<u16>(NAMES).len(), (11 + 1) + (2 + 3 + 1) + 1);
        assert_eq!(multi_string::<u8>([""; 0]), [0]);
        assert_eq!(string::<u16>("é"), [0xE9, 0]);
    }

    #[test]
    fn lists_come_back_whole_or_as_far_as_they_go() {
        assert_eq!(texts(&multi_string::<u8>(NAMES)), NAMES);
        assert_eq!(texts(&multi_string::<u16>(NAMES)), NAMES);
        assert_eq!(texts::<u8>(b""), [""; 0]);
        assert_eq!(texts::<u8>(b"\0\0"), [""; 0]);
        assert_eq!(texts::<u8>(b"a\0b"), ["a", "b"]);
        assert_eq!(texts::<u8>(b"a\0\0b\0"), ["a"]);
    }

    #[test]
    fn what_is_no_text_becomes_a_name_that_nobody_has() {
        assert_eq!(u8::decode(b"a\xFF"), "a\u{FFFD}");
        assert_eq!(u16::decode(&[0x61, 0xD800]), "a\u{FFFD}");
    }
}
