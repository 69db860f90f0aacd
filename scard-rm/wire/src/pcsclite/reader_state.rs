//! The table of readers: entries of 184 bytes (`struct pubReaderState`).

use alloc::vec::Vec;

use scard_types::abi;
use scard_types::call::{ReaderEntry, Sharing};
use scard_types::{Atr, ReaderName};

use super::body::NAME_BYTES;

/// Name 128 + event counter 4 + state 4 + sharing 4 + ATR 33 + padding 3 + ATR length 4 + protocol 4.
pub const READER_STATE_BYTES: usize = NAME_BYTES + 4 + 4 + 4 + Atr::MAX_BYTES + 3 + 4 + 4;
/// Entries up to 4:5, and the least that 4:6 is served with.
pub const TABLE_FLOOR: usize = 16;

/// What pcscd puts into the ATR length of a free entry ("not initialised"). Never for a named reader: clients copy
/// that many bytes into 33.
const FREE_ATR_LENGTH: u32 = 34;

const COUNTER: usize = NAME_BYTES;
const STATE: usize = COUNTER + 4;
const SHARING: usize = STATE + 4;
const ATR: usize = SHARING + 4;
const ATR_LENGTH: usize = ATR + Atr::MAX_BYTES + 3;
const PROTOCOL: usize = ATR_LENGTH + 4;

/// Writes exactly `entries` entries: free ones at the end if there are fewer readers, the first ones if there are more.
pub fn encode_table(table: &[Option<ReaderEntry>], entries: usize, out: &mut Vec<u8>) {
    out.reserve(entries.saturating_mul(READER_STATE_BYTES));
    let filled = table.iter().map(Option::as_ref);
    for entry in filled.chain(core::iter::repeat(None)).take(entries) {
        out.extend_from_slice(&encode_entry(entry));
    }
}

fn encode_entry(entry: Option<&ReaderEntry>) -> [u8; READER_STATE_BYTES] {
    let mut bytes = [0; READER_STATE_BYTES];
    let mut put = |offset: usize, field: &[u8]| {
        let place = bytes.get_mut(offset..).unwrap_or_default();
        for (to, from) in place.iter_mut().zip(field) {
            *to = *from;
        }
    };
    let Some(entry) = entry else {
        put(ATR_LENGTH, &FREE_ATR_LENGTH.to_ne_bytes());
        return bytes;
    };
    // At most 127 bytes, so the NUL behind it stays.
    put(0, entry.name.as_str().as_bytes());
    put(COUNTER, &(entry.event_counter & 0xFFFF).to_ne_bytes());
    put(STATE, &abi::pcsclite_card_state(entry.state).to_ne_bytes());
    let sharing: i32 = match entry.sharing {
        Sharing::Exclusive => -1,
        Sharing::Free => 0,
        Sharing::Shared(handles) => i32::try_from(handles).unwrap_or(i32::MAX),
    };
    put(SHARING, &sharing.to_ne_bytes());
    let atr = entry.atr.as_ref().map_or(&[][..], Atr::as_bytes);
    put(ATR, atr);
    put(ATR_LENGTH, &u32::try_from(atr.len()).unwrap_or(0).to_ne_bytes());
    put(PROTOCOL, &abi::pcsclite_protocol_number(entry.protocol).to_ne_bytes());
    bytes
}

/// Reads a whole table; a remainder shorter than an entry is not looked at.
#[must_use]
pub fn decode_table(bytes: &[u8]) -> Vec<Option<ReaderEntry>> {
    bytes.chunks_exact(READER_STATE_BYTES).map(decode_reader).collect()
}

/// Reads one entry. `None` for a free one, and for one whose name no reader can have.
#[must_use]
pub fn decode_reader(entry: &[u8]) -> Option<ReaderEntry> {
    let name = text(entry.get(..NAME_BYTES)?)?;
    let atr_length = usize::try_from(word(entry, ATR_LENGTH)?).ok()?;
    let atr = entry.get(ATR..)?.get(..atr_length.min(Atr::MAX_BYTES))?;
    let sharing = word(entry, SHARING)?;
    Some(ReaderEntry {
        name: ReaderName::new(name).ok()?,
        event_counter: word(entry, COUNTER)? & 0xFFFF,
        state: abi::card_state_from_pcsclite(word(entry, STATE)?),
        sharing: match sharing {
            0 => Sharing::Free,
            handles if handles <= 0x7FFF_FFFF => Sharing::Shared(handles),
            _ => Sharing::Exclusive,
        },
        atr: Atr::new(atr).ok(),
        protocol: abi::pcsclite_protocol(word(entry, PROTOCOL)?),
    })
}

/// Text up to the first NUL.
fn text(field: &[u8]) -> Option<&str> {
    let end = field.iter().position(|byte| *byte == 0)?;
    core::str::from_utf8(field.get(..end)?).ok()
}

fn word(entry: &[u8], offset: usize) -> Option<u32> {
    entry.get(offset..)?.first_chunk::<4>().map(|word| u32::from_ne_bytes(*word))
}
