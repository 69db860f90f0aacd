//! Patterns of names: `*` is any text, `?` any character, everything else itself.

use std::fmt;

/// A pattern; the standard one fits everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Default for Pattern {
    fn default() -> Self {
        Self("*".into())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether the whole of `text` is as the pattern says. Its time grows with the product of the lengths, no faster.
    pub(crate) fn fits(&self, text: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.as_str(), text);
        // Where to go on if what follows the last star fits only further behind.
        let mut retry: Option<(&str, &str)> = None;
        loop {
            let (mut ahead, mut left) = (pattern.chars(), rest.chars());
            match (ahead.next(), left.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    pattern = ahead.as_str();
                    retry = Some((pattern, rest));
                    continue;
                }
                (Some(wanted), Some(got)) if wanted == '?' || wanted == got => {
                    (pattern, rest) = (ahead.as_str(), left.as_str());
                    continue;
                }
                _ => {}
            }
            let Some((behind_star, from)) = retry else { return false };
            let mut skipped = from.chars();
            if skipped.next().is_none() {
                return false;
            }
            (pattern, rest) = (behind_star, skipped.as_str());
            retry = Some((pattern, rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_the_whole_text() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("*", "anything", true),
            ("", "", true),
            ("", "x", false),
            ("Yubico*", "Yubico YubiKey CCID 00 00", true),
            ("Yubico*", "A Yubico", false),
            ("*00 00", "R 00 00 00", true),
            ("*00 00", "R 00 01", false),
            ("R ?? 00", "R 0a 00", true),
            ("R ?? 00", "R 0 00", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxbxxa", false),
            ("ö?", "öä", true),
            ("[x]", "[x]", true),
        ] {
            assert_eq!(Pattern::new(pattern).fits(text), fits, "{pattern:?} and {text:?}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let pattern = Pattern::new(&("*a".repeat(60) + "b"));
        assert!(!pattern.fits(&"a".repeat(127)));
    }
}
