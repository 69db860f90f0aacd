//! The first 8 bytes each way.

use scard_types::ScardCode;

/// The first four bytes of both hellos, "SCRD": as the size of a pcsc-lite body they are over a thousand million.
pub const MAGIC: [u8; 4] = *b"SCRD";
/// The version that `docs/native-wire.md` describes.
pub const VERSION: u16 = 1;
/// Magic 4 + two words of 2.
pub const HELLO_BYTES: usize = 4 + 2 + 2;

/// What the client says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The lowest version that it speaks.
    pub lowest: u16,
    /// The highest; never 0, so that pcsc-lite reads no command of its own here.
    pub highest: u16,
}

impl Hello {
    /// What this library speaks.
    pub const OURS: Self = Self { lowest: VERSION, highest: VERSION };

    /// As it goes out.
    #[must_use]
    pub const fn encode(self) -> [u8; HELLO_BYTES] {
        words(self.lowest, self.highest)
    }

    /// Reads a hello; `None` if it is none of ours.
    #[must_use]
    pub fn decode(bytes: &[u8; HELLO_BYTES]) -> Option<Self> {
        let (lowest, highest) = read_words(bytes)?;
        (highest != 0 && lowest <= highest).then_some(Self { lowest, highest })
    }

    /// The highest version that both speak.
    #[must_use]
    pub fn agree(self) -> Option<u16> {
        (self.lowest..=self.highest).contains(&VERSION).then_some(VERSION)
    }
}

/// What the daemon answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// From here on both speak this version.
    Speak(u16),
    /// There is none that both speak. The daemon closes.
    NoCommonVersion,
    /// This client is not served. The daemon closes.
    Refused(ScardCode),
}

impl Welcome {
    /// As it goes out.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "reads the discriminant of a `repr(u8)` enum")]
    pub fn encode(self) -> [u8; HELLO_BYTES] {
        match self {
            Self::Speak(version) => words(version, 0),
            Self::NoCommonVersion => words(0, 0),
            Self::Refused(code) => words(0, u16::from(code as u8)),
        }
    }

    /// Reads a welcome; `None` if it is none of ours.
    #[must_use]
    pub fn decode(bytes: &[u8; HELLO_BYTES]) -> Option<Self> {
        match read_words(bytes)? {
            (0, 0) => Some(Self::NoCommonVersion),
            (0, low) => {
                let number = 0x8010_0000 | u32::from(low);
                Some(Self::Refused(ScardCode::from_number(number)?))
            }
            (version, 0) => Some(Self::Speak(version)),
            _ => None,
        }
    }
}

const fn words(first: u16, second: u16) -> [u8; HELLO_BYTES] {
    let ([s, c, r, d], [a, b], [x, y]) = (MAGIC, first.to_le_bytes(), second.to_le_bytes());
    [s, c, r, d, a, b, x, y]
}

fn read_words(bytes: &[u8; HELLO_BYTES]) -> Option<(u16, u16)> {
    let [s, c, r, d, a, b, x, y] = *bytes;
    ([s, c, r, d] == MAGIC).then_some((u16::from_le_bytes([a, b]), u16::from_le_bytes([x, y])))
}
