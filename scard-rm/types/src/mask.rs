//! Secrets on their way to a card and back, blanked: the table of [`crate::secret_commands`], followed through chains
//! and GET RESPONSE.

use alloc::vec::Vec;

use crate::StatusWord;
use crate::secret_commands::{Verdict, Visibility, carries_pin, verdict, visibility};

/// The bit of CLA that says "more parts follow", ISO 7816-4:2020, 5.4.1.
const CHAINING: u8 = 0x10;
const GET_RESPONSE: u8 = 0xC0;
/// CLA, INS, P1, P2.
const HEADER_BYTES: usize = 4;

/// Looks at the commands of one card in the order in which the card gets them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    pin_seen: bool,
    /// The chain under way.
    chain: Option<Chain>,
    /// What GET RESPONSE would fetch.
    fetched: Visibility,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Chain {
    /// The header of each of its parts, without the bit for chaining.
    header: [u8; HEADER_BYTES],
    visibility: Visibility,
}

impl Mask {
    /// For a card that was reset just now.
    #[must_use]
    pub const fn new() -> Self {
        Self { pin_seen: false, chain: None, fetched: Visibility::Shown }
    }

    /// For a card that was in use before anybody looked: it may have seen a PIN, and may have a secret to be fetched.
    #[must_use]
    pub const fn joined() -> Self {
        Self { pin_seen: true, chain: None, fetched: Visibility::HeaderOnly }
    }

    /// What may be shown of the exchange that `command` begins.
    pub fn look(&mut self, command: &[u8]) -> Visibility {
        let ins = command.get(1).copied();
        if ins == Some(GET_RESPONSE) {
            return self.fetched;
        }
        let header = command.first_chunk::<HEADER_BYTES>().copied().map(plain);
        let begun = self.chain.take().filter(|chain| Some(chain.header) == header);
        let seen = match (begun, verdict(command)) {
            (Some(Chain { visibility: Visibility::HeaderOnly, .. }), _) => Visibility::HeaderOnly,
            (Some(_), Verdict::Harmless | Verdict::Unclear) => Visibility::Shown,
            _ => visibility(command, self.pin_seen),
        };
        self.pin_seen |= carries_pin(command);
        self.fetched = seen;
        let goes_on = command.first().is_some_and(|cla| cla & CHAINING != 0);
        let chain = |header| Chain { header, visibility: seen };
        self.chain = if goes_on { header.map(chain) } else { None };
        seen
    }

    /// Takes note of the answer, empty if there was none: a chain that the card refused is over.
    pub fn answered(&mut self, response: &[u8]) {
        if status(response).is_none_or(|status| !status.is_success()) {
            self.chain = None;
        }
    }

    /// Whether a PIN went to the card since it was reset.
    #[must_use]
    pub const fn pin_seen(&self) -> bool {
        self.pin_seen
    }

    /// The card was reset, or it is another one.
    pub const fn reset(&mut self) {
        *self = Self::new();
    }
}

impl Default for Mask {
    fn default() -> Self {
        Self::new()
    }
}

const fn plain([cla, ins, p1, p2]: [u8; HEADER_BYTES]) -> [u8; HEADER_BYTES] {
    [cla & !CHAINING, ins, p1, p2]
}

fn status(response: &[u8]) -> Option<StatusWord> {
    let (_, status) = response.split_last_chunk::<2>()?;
    Some(StatusWord(u16::from_be_bytes(*status)))
}

/// A command or a response of which everything secret is left out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Masked {
    shown: Vec<u8>,
    hidden: Option<u32>,
}

impl Masked {
    /// A command: all of it, or its header.
    #[must_use]
    pub fn command(command: &[u8], visibility: Visibility) -> Self {
        // What is shorter than a header is none.
        let header = command.get(..HEADER_BYTES).unwrap_or_default();
        Self::keep(command, header, visibility)
    }

    /// A response: all of it, or its status word.
    #[must_use]
    pub fn response(response: &[u8], visibility: Visibility) -> Self {
        let status = response.last_chunk::<2>().map_or(&[][..], |status| status);
        Self::keep(response, status, visibility)
    }

    fn keep(whole: &[u8], kept: &[u8], visibility: Visibility) -> Self {
        match visibility {
            Visibility::Shown => Self::told(whole.to_vec(), None),
            Visibility::HeaderOnly => {
                let hidden = whole.len().saturating_sub(kept.len());
                Self::told(kept.to_vec(), Some(u32::try_from(hidden).unwrap_or(u32::MAX)))
            }
        }
    }

    /// As somebody else masked it.
    #[must_use]
    pub const fn told(shown: Vec<u8>, hidden: Option<u32>) -> Self {
        Self { shown, hidden }
    }

    /// What may be seen.
    #[must_use]
    pub fn shown(&self) -> &[u8] {
        &self.shown
    }

    /// How many bytes are left out; `None` if it was not secret.
    #[must_use]
    pub const fn hidden(&self) -> Option<u32> {
        self.hidden
    }

    /// The status word, of a response that has one.
    #[must_use]
    pub fn status(&self) -> Option<StatusWord> {
        status(&self.shown)
    }
}
