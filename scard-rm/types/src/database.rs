//! The smart-card database of Windows' `winscard.h`: types of cards, other names of readers, groups of readers.
//!
//! Who asks sees the entries of the system and those of its own user; an entry of the user hides one of the system
//! with the same name. What a call changes is decided by the scope of its context: 0 the user's entries, 2 the system's.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The group that every reader is in, whatever the database says; never listed.
pub const ALL_READERS: &str = "SCard$AllReaders";
/// The group that every new reader joins.
pub const DEFAULT_READERS: &str = "SCard$DefaultReaders";
/// A group of old that nobody can change.
pub const LOCAL_READERS: &str = "SCard$LocalReaders";
/// A group of old that nobody can change.
pub const SYSTEM_READERS: &str = "SCard$SystemReaders";

/// `SCARD_PROVIDER_PRIMARY`: a GUID in text form.
pub const PROVIDER_PRIMARY: u32 = 1;
/// `SCARD_PROVIDER_CSP`.
pub const PROVIDER_CSP: u32 = 2;
/// `SCARD_PROVIDER_KSP`.
pub const PROVIDER_KSP: u32 = 3;
/// `SCARD_PROVIDER_CARD_MODULE`; here the path of a PKCS#11 module.
pub const PROVIDER_CARD_MODULE: u32 = 0x8000_0001;

/// The longest name of a card type, a group or a cache item, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 256;
/// The longest ATR of a pattern: `SCARD_ATRMASK` has room for 36, ISO 7816-3 allows 33.
pub const MAX_PATTERN_BYTES: usize = 33;
/// The most interfaces of one card type.
pub const MAX_INTERFACES: usize = 64;
/// The longest name of a provider, in bytes of UTF-8: a path.
pub const MAX_PROVIDER_BYTES: usize = 4096;

/// A GUID, as the C structure holds it on a little-endian machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Guid(pub [u8; 16]);

impl fmt::Display for Guid {
    /// The form of registries: `{00112233-4455-6677-8899-AABBCCDDEEFF}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q] = self.0;
        write!(f, "{{{d:02X}{c:02X}{b:02X}{a:02X}-{g:02X}{e:02X}-{i:02X}{h:02X}-")?;
        write!(f, "{j:02X}{k:02X}-{l:02X}{m:02X}{n:02X}{o:02X}{p:02X}{q:02X}}}")
    }
}

/// A text that is no GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoGuid;

impl fmt::Display for NoGuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a GUID looks like {00112233-4455-6677-8899-AABBCCDDEEFF}")
    }
}

impl core::error::Error for NoGuid {}

impl core::str::FromStr for Guid {
    type Err = NoGuid;

    /// With or without braces, in either case.
    fn from_str(text: &str) -> Result<Self, NoGuid> {
        let bare = match text.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or(NoGuid)?,
            None => text,
        };
        let lengths = [8, 4, 4, 4, 12];
        let mut digits = [0_u8; 16];
        let mut place = digits.iter_mut();
        let mut fields = bare.split('-');
        for length in lengths {
            let field = fields.next().filter(|field| field.len() == length).ok_or(NoGuid)?;
            for pair in field.as_bytes().chunks(2) {
                let pair = core::str::from_utf8(pair).map_err(|_| NoGuid)?;
                if !pair.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(NoGuid);
                }
                *place.next().ok_or(NoGuid)? = u8::from_str_radix(pair, 16).map_err(|_| NoGuid)?;
            }
        }
        if fields.next().is_some() {
            return Err(NoGuid);
        }
        let [a, b, c, d, e, g, h, i, rest @ ..] = digits;
        let [j, k, l, m, n, o, p, q] = rest;
        Ok(Self([d, c, b, a, g, e, i, h, j, k, l, m, n, o, p, q]))
    }
}

/// Which ATRs belong to a type of card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtrPattern {
    atr: Vec<u8>,
    mask: Vec<u8>,
}

impl AtrPattern {
    /// A pattern. `None`: it is empty or longer than [`MAX_PATTERN_BYTES`], the mask has another length, or a bit
    /// stands outside the mask, so that no card could ever match.
    #[must_use]
    pub fn new(atr: Vec<u8>, mask: Vec<u8>) -> Option<Self> {
        let fits = (1..=MAX_PATTERN_BYTES).contains(&atr.len()) && atr.len() == mask.len();
        let inside = atr.iter().zip(&mask).all(|(byte, mask)| byte & !mask == 0);
        (fits && inside).then_some(Self { atr, mask })
    }

    /// A pattern that one ATR matches.
    #[must_use]
    pub fn exactly(atr: &[u8]) -> Option<Self> {
        Self::new(atr.to_vec(), alloc::vec![0xFF; atr.len()])
    }

    /// The masked ATR.
    #[must_use]
    pub fn atr(&self) -> &[u8] {
        &self.atr
    }

    /// Which bits count.
    #[must_use]
    pub fn mask(&self) -> &[u8] {
        &self.mask
    }

    /// Whether a card with that ATR is meant: the same length, and the same bits under the mask.
    #[must_use]
    pub fn matches(&self, atr: &[u8]) -> bool {
        let same = |((got, wanted), mask): ((&u8, &u8), &u8)| got & mask == *wanted;
        atr.len() == self.atr.len() && atr.iter().zip(&self.atr).zip(&self.mask).all(same)
    }
}

/// Whose entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Seen and changed by one user.
    User,
    /// Seen by everybody, changed by root.
    System,
}

/// A type of card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardType {
    /// Its name, 1 to [`MAX_NAME_BYTES`].
    pub name: String,
    /// Which cards are of it.
    pub pattern: AtrPattern,
    /// The primary service provider (`SCardGetProviderId`).
    pub primary: Option<Guid>,
    /// The interfaces that its cards support, at most [`MAX_INTERFACES`].
    pub interfaces: Vec<Guid>,
    /// Names of its providers by `SCARD_PROVIDER_*` number.
    pub providers: Vec<(u32, String)>,
    /// Whose entry it is.
    pub scope: Scope,
}

/// A group that has a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderGroup {
    /// Its name.
    pub name: String,
    /// The readers in it that are there now, in table order, by the names that the asking user gives them.
    pub readers: Vec<String>,
}

/// A call on the database. `SCardListCards`, `SCardListInterfaces`, `SCardGetProviderId`,
/// `SCardGetCardTypeProviderName` and `SCardLocateCards` read [`DatabaseCall::CardTypes`], `SCardListReaders` with
/// groups and `SCardListReaderGroups` read [`DatabaseCall::ReaderGroups`]; the library does the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseCall {
    /// Card types as the user sees them; those named, or all. An unknown name is `E_UNKNOWN_CARD`.
    CardTypes {
        /// Which; none for all.
        names: Vec<String>,
    },
    /// `SCardIntroduceCardType`, whole; takes the place of one with the same name in the same scope.
    IntroduceCardType(CardType),
    /// `SCardForgetCardType`.
    ForgetCardType {
        /// Its name.
        name: String,
    },
    /// `SCardSetCardTypeProviderName`.
    SetCardTypeProvider {
        /// The card type.
        name: String,
        /// `SCARD_PROVIDER_*`.
        provider: u32,
        /// What is kept under it.
        value: String,
    },
    /// `SCardIntroduceReader`: another name for a reader, which stays with the device.
    IntroduceReader {
        /// The new name.
        name: String,
        /// A name that the reader has.
        device: String,
    },
    /// `SCardForgetReader`.
    ForgetReader {
        /// Its name.
        name: String,
    },
    /// All groups that have a reader, [`ALL_READERS`] left out.
    ReaderGroups,
    /// `SCardAddReaderToGroup`.
    AddReaderToGroup {
        /// The reader.
        reader: String,
        /// The group, made if it is missing.
        group: String,
    },
    /// `SCardRemoveReaderFromGroup`.
    RemoveReaderFromGroup {
        /// The reader.
        reader: String,
        /// The group; it goes with its last reader.
        group: String,
    },
    /// `SCardForgetReaderGroup`.
    ForgetReaderGroup {
        /// The group.
        group: String,
    },
}

impl DatabaseCall {
    /// What it is, without what it carries, for the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CardTypes { .. } => "CardTypes",
            Self::IntroduceCardType(_) => "IntroduceCardType",
            Self::ForgetCardType { .. } => "ForgetCardType",
            Self::SetCardTypeProvider { .. } => "SetCardTypeProvider",
            Self::IntroduceReader { .. } => "IntroduceReader",
            Self::ForgetReader { .. } => "ForgetReader",
            Self::ReaderGroups => "ReaderGroups",
            Self::AddReaderToGroup { .. } => "AddReaderToGroup",
            Self::RemoveReaderFromGroup { .. } => "RemoveReaderFromGroup",
            Self::ForgetReaderGroup { .. } => "ForgetReaderGroup",
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn a_guid_is_written_in_the_form_of_registries() {
        let guid = Guid([
            0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE,
            0xFF,
        ]);
        let text = "{00112233-4455-6677-8899-AABBCCDDEEFF}";
        assert_eq!(guid.to_string(), text);
        for form in [text, "00112233-4455-6677-8899-aabbccddeeff"] {
            assert_eq!(form.parse(), Ok(guid));
        }
        for nonsense in [
            "",
            "{",
            "{00112233-4455-6677-8899-AABBCCDDEEFF",
            "00112233-4455-6677-8899-AABBCCDDEE+F",
            "00112233-4455-6677-8899",
            "00112233-4455-6677-8899-AABBCCDDEEFF-",
            "é0112233-4455-6677-8899-AABBCCDDEEF",
        ] {
            assert_eq!(nonsense.parse::<Guid>(), Err(NoGuid), "{nonsense}");
        }
    }

    #[test]
    fn a_pattern_matches_the_same_length_and_the_bits_under_its_mask() {
        let pattern = AtrPattern::new(vec![0x3B, 0x80, 0x00], vec![0xFF, 0xF0, 0x00]).unwrap();
        for (atr, expected) in [
            (&[0x3B, 0x80, 0x00][..], true),
            (&[0x3B, 0x8F, 0x55], true),
            (&[0x3F, 0x80, 0x00], false),
            (&[0x3B, 0x90, 0x00], false),
            (&[0x3B, 0x80], false),
            (&[0x3B, 0x80, 0x00, 0x00], false),
            (&[], false),
        ] {
            assert_eq!(pattern.matches(atr), expected, "{atr:02X?}");
        }
    }

    #[test]
    fn a_pattern_that_no_card_could_match_is_none() {
        assert_eq!(AtrPattern::new(vec![0x3B, 0x81], vec![0xFF, 0xF0]), None);
        assert_eq!(AtrPattern::new(vec![0x3B], vec![0xFF, 0xFF]), None);
        assert_eq!(AtrPattern::new(vec![], vec![]), None);
        assert_eq!(AtrPattern::exactly(&[0; 34]), None);
        assert!(AtrPattern::exactly(&[0; 33]).is_some());
    }
}
