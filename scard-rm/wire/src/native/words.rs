//! The words that bodies are made of.

use alloc::string::String;
use alloc::vec::Vec;

use scard_types::abi;
use scard_types::call::{ReaderEntry, Sharing};
use scard_types::database::Guid;
use scard_types::{
    Atr, CardState, Character, Disposition, Protocol, Protocols, ReaderName, SecretBytes, ShareMode,
};

/// `FFFFFFFF`: exclusive sharing, and a wait without end.
pub(crate) const ALL_ONES: u32 = u32::MAX;

/// Reads words from a body. `None` from any of them: the body is broken.
pub(crate) struct Reader<'b>(pub(crate) &'b [u8]);

impl<'b> Reader<'b> {
    /// Whether the body ends here, as it must after the last word.
    pub(crate) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn take(&mut self, bytes: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*chunk)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn word(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_le_bytes)
    }

    pub(crate) fn long(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    pub(crate) fn guid(&mut self) -> Option<Guid> {
        self.chunk().map(Guid)
    }

    pub(crate) fn text(&mut self) -> Option<&'b str> {
        let length = u16::from_le_bytes(self.chunk()?);
        core::str::from_utf8(self.take(usize::from(length))?).ok()
    }

    pub(crate) fn owned_text(&mut self) -> Option<String> {
        self.text().map(String::from)
    }

    pub(crate) fn reader_name(&mut self) -> Option<ReaderName> {
        ReaderName::new(self.text()?).ok()
    }

    /// Empty text: none.
    pub(crate) fn optional_reader_name(&mut self) -> Option<Option<ReaderName>> {
        match self.text()? {
            "" => Some(None),
            name => ReaderName::new(name).ok().map(Some),
        }
    }

    pub(crate) fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.word()?).ok()?;
        self.take(length)
    }

    pub(crate) fn secret(&mut self) -> Option<SecretBytes> {
        self.bytes().map(SecretBytes::from)
    }

    /// As many as announced; each takes at least one byte, so a count beyond what is there ends early.
    pub(crate) fn list<T>(&mut self, entry: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.word()?).ok()?;
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(entry(self)?);
        }
        Some(list)
    }

    pub(crate) fn character(&mut self) -> Option<Character> {
        match self.byte()? {
            0 => Some(Character::PcscLite),
            1 => Some(Character::Windows),
            _ => None,
        }
    }

    pub(crate) fn protocol(&mut self) -> Option<Option<Protocol>> {
        match self.byte()? {
            0 => Some(None),
            1 => Some(Some(Protocol::T0)),
            2 => Some(Some(Protocol::T1)),
            3 => Some(Some(Protocol::Raw)),
            _ => None,
        }
    }

    pub(crate) fn protocols(&mut self) -> Option<Protocols> {
        let bits = self.byte()?;
        let protocols = Protocols { t0: bits & 1 != 0, t1: bits & 2 != 0, raw: bits & 4 != 0 };
        (bits & !7 == 0).then_some(protocols)
    }

    pub(crate) fn share(&mut self) -> Option<ShareMode> {
        abi::share_mode(u32::from(self.byte()?))
    }

    pub(crate) fn disposition(&mut self) -> Option<Disposition> {
        abi::disposition(u32::from(self.byte()?))
    }

    pub(crate) fn atr(&mut self) -> Option<Option<Atr>> {
        match self.byte()? {
            0 => Some(None),
            length => Atr::new(self.take(usize::from(length))?).ok().map(Some),
        }
    }

    pub(crate) fn reader(&mut self) -> Option<ReaderEntry> {
        Some(ReaderEntry {
            name: self.reader_name()?,
            event_counter: self.word()?,
            state: match self.byte()? {
                0 => CardState::Unknown,
                1 => CardState::Absent,
                2 => CardState::Swallowed,
                3 => CardState::Negotiable,
                4 => CardState::Specific,
                _ => return None,
            },
            sharing: match self.word()? {
                0 => Sharing::Free,
                ALL_ONES => Sharing::Exclusive,
                handles => Sharing::Shared(handles),
            },
            atr: self.atr()?,
            protocol: self.protocol()?,
        })
    }
}

/// Writes words into a body.
pub(crate) trait Words {
    fn byte(&mut self, byte: u8);
    fn word(&mut self, word: u32);
    fn long(&mut self, long: u64);
    fn guid(&mut self, guid: Guid);
    /// At most 65,535 bytes; longer text is cut, and the names in use have 127.
    fn text(&mut self, text: &str);
    fn length(&mut self, length: usize);
    fn character(&mut self, character: Character);
    fn protocol(&mut self, protocol: Option<Protocol>);
    fn protocols(&mut self, protocols: Protocols);
    fn share(&mut self, share: ShareMode);
    fn disposition(&mut self, disposition: Disposition);
    fn atr(&mut self, atr: Option<&Atr>);
    fn reader(&mut self, reader: &ReaderEntry);
}

impl Words for Vec<u8> {
    fn byte(&mut self, byte: u8) {
        self.push(byte);
    }

    fn word(&mut self, word: u32) {
        self.extend_from_slice(&word.to_le_bytes());
    }

    fn long(&mut self, long: u64) {
        self.extend_from_slice(&long.to_le_bytes());
    }

    fn guid(&mut self, guid: Guid) {
        self.extend_from_slice(&guid.0);
    }

    fn text(&mut self, text: &str) {
        let longest = usize::from(u16::MAX).min(text.len());
        let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        let text = text.get(..end).unwrap_or_default();
        self.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
        self.extend_from_slice(text.as_bytes());
    }

    fn length(&mut self, length: usize) {
        self.word(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn character(&mut self, character: Character) {
        self.push(match character {
            Character::PcscLite => 0,
            Character::Windows => 1,
        });
    }

    fn protocol(&mut self, protocol: Option<Protocol>) {
        self.push(match protocol {
            None => 0,
            Some(Protocol::T0) => 1,
            Some(Protocol::T1) => 2,
            Some(Protocol::Raw) => 3,
        });
    }

    fn protocols(&mut self, protocols: Protocols) {
        let bit = |member, bit| if member { bit } else { 0 };
        self.push(bit(protocols.t0, 1) | bit(protocols.t1, 2) | bit(protocols.raw, 4));
    }

    fn share(&mut self, share: ShareMode) {
        self.push(u8::try_from(abi::share_mode_number(share)).unwrap_or(0));
    }

    fn disposition(&mut self, disposition: Disposition) {
        self.push(u8::try_from(abi::disposition_number(disposition)).unwrap_or(0));
    }

    fn atr(&mut self, atr: Option<&Atr>) {
        let bytes = atr.map_or(&[][..], Atr::as_bytes);
        self.push(u8::try_from(bytes.len()).unwrap_or(0));
        self.extend_from_slice(bytes);
    }

    fn reader(&mut self, reader: &ReaderEntry) {
        self.text(reader.name.as_str());
        self.word(reader.event_counter);
        self.push(match reader.state {
            CardState::Unknown => 0,
            CardState::Absent => 1,
            CardState::Swallowed => 2,
            CardState::Negotiable => 3,
            CardState::Specific => 4,
        });
        self.word(match reader.sharing {
            Sharing::Free => 0,
            Sharing::Shared(handles) => handles.min(ALL_ONES.saturating_sub(1)),
            Sharing::Exclusive => ALL_ONES,
        });
        self.atr(reader.atr.as_ref());
        self.protocol(reader.protocol);
    }
}
