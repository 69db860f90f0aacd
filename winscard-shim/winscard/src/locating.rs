//! `SCardLocateCards` and `SCardLocateCardsByATR`: a look at readers that never waits, with a mark where the card is one of
//! those looked for.

use std::time::Duration;

use scard_guest::tables;
use scard_types::ScardCode;
use scard_types::call::SeenReader;
use scard_types::database::AtrPattern;
use scard_types::status_change::ATRMATCH;

use crate::card_types;
use crate::layouts::{AtrMask, ContextNumber, Dword, ReaderState};
use crate::memory::{Input, Place, Plain, Text};
use crate::refused::Outcome;
use crate::status_change::{known, look, tell};
use crate::text::Unit;

/// The most patterns in one call.
const MOST_PATTERNS: Dword = 1 << 12;

twins! {
    /// `SCardLocateCards`.
    SCardLocateCardsA, SCardLocateCardsW = locate(
        hContext: ContextNumber, mszCards: Text<Char>, rgReaderStates: Place<ReaderState<Char>>, cReaders: Dword,
    );
    /// `SCardLocateCardsByATR`.
    SCardLocateCardsByATRA, SCardLocateCardsByATRW = locate_by_atr(
        hContext: ContextNumber,
        rgAtrMasks: Input<AtrMask>,
        cAtrs: Dword,
        rgReaderStates: Place<ReaderState<Char>>,
        cReaders: Dword,
    );
}

fn locate<C: Unit + Plain>(
    context: ContextNumber,
    cards: Text<C>,
    states: Place<ReaderState<C>>,
    count: Dword,
) -> Outcome {
    let names = cards.list().ok_or(ScardCode::InvalidParameter)?;
    let types = if names.is_empty() {
        Vec::new()
    } else {
        card_types::named(&*tables::context(context)?, names)?
    };
    let patterns: Vec<_> = types.into_iter().map(|card_type| card_type.pattern).collect();
    mark(context, &patterns, &states, count)
}

fn locate_by_atr<C: Unit + Plain>(
    context: ContextNumber,
    masks: Input<AtrMask>,
    mask_count: Dword,
    states: Place<ReaderState<C>>,
    count: Dword,
) -> Outcome {
    if mask_count > MOST_PATTERNS {
        return Err(ScardCode::InvalidParameter.into());
    }
    let masks = masks.all(mask_count)?;
    mark(context, &patterns(&masks)?, &states, count)
}

/// Patterns that no card can match are left out.
fn patterns(masks: &[AtrMask]) -> Result<Vec<AtrPattern>, ScardCode> {
    let mut patterns = Vec::new();
    for mask in masks {
        let length = usize::try_from(mask.length).map_err(|_| ScardCode::InvalidParameter)?;
        let (Some(atr), Some(bits)) = (mask.atr.get(..length), mask.mask.get(..length)) else {
            return Err(ScardCode::InvalidParameter);
        };
        patterns.extend(AtrPattern::new(atr.to_vec(), bits.to_vec()));
    }
    Ok(patterns)
}

fn mark<C: Unit + Plain>(
    context: ContextNumber,
    patterns: &[AtrPattern],
    states: &Place<ReaderState<C>>,
    count: Dword,
) -> Outcome {
    let context = tables::context(context)?;
    let known = known(states, count)?;
    if known.is_empty() {
        return Ok(());
    }
    let (_, mut seen) = look(&context, &known, Some(Duration::ZERO))?;
    for reader in &mut seen {
        mark_one(reader, patterns);
    }
    tell(states, &seen);
    Ok(())
}

fn mark_one(reader: &mut SeenReader, patterns: &[AtrPattern]) {
    let Some(atr) = reader.atr else { return };
    if patterns.iter().any(|pattern| pattern.matches(atr.as_bytes())) {
        reader.event_state |= ATRMATCH;
    }
}

#[cfg(test)]
mod tests {
    use scard_types::Atr;
    use scard_types::status_change::PRESENT;

    use super::*;
    use crate::layouts::ATR_ROOM;

    fn mask(atr: &[u8], mask: &[u8]) -> AtrMask {
        let room = |bytes: &[u8]| {
            let mut room = [0xEE; ATR_ROOM];
            room[..bytes.len()].copy_from_slice(bytes);
            room
        };
        let length = Dword::try_from(atr.len()).unwrap();
        AtrMask { length, atr: room(atr), mask: room(mask) }
    }

    #[test]
    fn a_card_is_marked_if_one_of_the_masks_is_its() {
        let cases = [
            (&[][..], false),
            (&[mask(&[0x3B, 0x00, 0x01], &[0xFF, 0x00, 0xFF])][..], false),
            (&[mask(&[0x3B, 0x00], &[0xFF, 0x00])], true),
            (&[mask(&[0x3F, 0x00], &[0xFF, 0xFF]), mask(&[0x3B, 0x02], &[0xFF, 0xFF])], true),
            (&[mask(&[0x3B, 0x02], &[0xFF, 0xF0])], false),
            (&[mask(&[], &[])], false),
        ];
        for (at, (masks, marked)) in cases.into_iter().enumerate() {
            let atr = Atr::new(&[0x3B, 0x02]).ok();
            let mut reader = SeenReader { event_state: PRESENT, atr };
            mark_one(&mut reader, &patterns(masks).unwrap());
            assert_eq!(reader.event_state & ATRMATCH != 0, marked, "case {at}");
        }
        let mut too_long = mask(&[0x3B], &[0xFF]);
        too_long.length = 37;
        assert_eq!(patterns(&[too_long]), Err(ScardCode::InvalidParameter));
    }
}
