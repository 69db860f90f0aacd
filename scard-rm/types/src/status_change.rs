//! `SCardGetStatusChange`: what a program believes of a reader, held against what is.
//!
//! One function, [`compare`], used by the core for the native wire and by the client library when the daemon speaks
//! only the pcsc-lite wire. The bits are those of the C headers and the same in both ABIs.

use crate::CardState;
use crate::call::{ReaderEntry, SeenReader, Sharing};

/// The name that stands for "any reader comes or goes", compared without regard to case.
pub const PNP_READER: &str = "\\\\?PnP?\\Notification";

/// `SCARD_STATE_UNAWARE`: the program knows nothing and wants the state at once.
pub const UNAWARE: u32 = 0;
/// `SCARD_STATE_IGNORE`: not interested.
pub const IGNORE: u32 = 0x0001;
/// `SCARD_STATE_CHANGED`: something differs.
pub const CHANGED: u32 = 0x0002;
/// `SCARD_STATE_UNKNOWN`: no reader of that name.
pub const UNKNOWN: u32 = 0x0004;
/// `SCARD_STATE_UNAVAILABLE`: the reader is gone or in error.
pub const UNAVAILABLE: u32 = 0x0008;
/// `SCARD_STATE_EMPTY`: no card.
pub const EMPTY: u32 = 0x0010;
/// `SCARD_STATE_PRESENT`: a card.
pub const PRESENT: u32 = 0x0020;
/// `SCARD_STATE_ATRMATCH`: the card is one of those looked for.
pub const ATRMATCH: u32 = 0x0040;
/// `SCARD_STATE_EXCLUSIVE`: somebody has the card for himself.
pub const EXCLUSIVE: u32 = 0x0080;
/// `SCARD_STATE_INUSE`: somebody has a handle.
pub const INUSE: u32 = 0x0100;
/// `SCARD_STATE_MUTE`: the card does not answer.
pub const MUTE: u32 = 0x0200;

/// The bits that are looked at on input, without the counter: `CHANGED` is fed back by many programs.
const LOOKED_AT: u32 = UNKNOWN | UNAVAILABLE | EMPTY | PRESENT | EXCLUSIVE | INUSE | MUTE;

/// Holds `current_state` (`dwCurrentState`) against a reader as it is, `None` if there is no reader of that name any more.
///
/// The answer carries [`CHANGED`] if the program has to be told. The event counter of the reader stands in bits 16
/// to 31; a counter of zero on input is not looked at.
#[must_use]
pub fn compare(current_state: u32, reader: Option<&ReaderEntry>) -> SeenReader {
    if current_state & IGNORE != 0 {
        return SeenReader { event_state: IGNORE, atr: None };
    }
    let Some(reader) = reader else {
        let changed = if current_state & UNKNOWN == 0 { CHANGED } else { 0 };
        return SeenReader { event_state: UNKNOWN | UNAVAILABLE | changed, atr: None };
    };
    let known = current_state & LOOKED_AT;
    let counter = reader.event_counter & 0xFFFF;
    let known_counter = current_state >> 16;

    let mut event_state = counter << 16;
    let mut changed = current_state == UNAWARE || (known_counter != 0 && known_counter != counter);
    match reader.state {
        CardState::Unknown => event_state |= UNAVAILABLE,
        CardState::Absent => event_state |= EMPTY,
        CardState::Swallowed => event_state |= PRESENT | MUTE,
        CardState::Negotiable | CardState::Specific => event_state |= PRESENT,
    }
    let has_card = event_state & PRESENT != 0;
    match reader.sharing {
        // Not INUSE as well, measured with pcscd 1.9.9: a program that knew INUSE is told.
        Sharing::Exclusive => event_state |= EXCLUSIVE,
        Sharing::Shared(n) if n > 0 && has_card => event_state |= INUSE,
        Sharing::Shared(_) | Sharing::Free => {}
    }
    // What the program claims and is no longer so; of a card that is not there nobody says whether it is mute.
    let told = if has_card { known } else { known & !MUTE };
    changed |= told & !event_state != 0;
    // What is so and the program's claim excludes: presence in either direction, error, muteness of a present card.
    changed |= known & EMPTY != 0 && has_card;
    changed |= known & PRESENT != 0 && event_state & (EMPTY | UNAVAILABLE) != 0;
    changed |= event_state & UNAVAILABLE != 0 && known & UNAVAILABLE == 0;
    changed |= known & PRESENT != 0 && event_state & MUTE != 0 && known & MUTE == 0;
    if changed {
        event_state |= CHANGED;
    }
    SeenReader { event_state, atr: if has_card { reader.atr } else { None } }
}

/// Whether `name` is the plug-and-play pseudo reader.
#[must_use]
pub fn is_pnp_reader(name: &str) -> bool {
    name.eq_ignore_ascii_case(PNP_READER)
}

/// The plug-and-play pseudo reader: `events` is the counter of arrivals and departures now, `at_entry` the one when
/// the call began. The counter goes out in bits 16 to 31; a non-zero one on input that differs is a change at once.
///
/// DIFFERS: pcsc-lite has done so since 2.3 only.
#[must_use]
pub fn compare_pnp(current_state: u32, at_entry: u32, events: u32) -> SeenReader {
    if current_state & IGNORE != 0 {
        return SeenReader { event_state: IGNORE, atr: None };
    }
    let known = current_state >> 16;
    let changed = events != at_entry || (known != 0 && known != (events & 0xFFFF));
    let event_state = ((events & 0xFFFF) << 16) | if changed { CHANGED } else { 0 };
    SeenReader { event_state, atr: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReaderName;

    const FREE: Sharing = Sharing::Free;
    const ONE: Sharing = Sharing::Shared(1);
    const ALONE: Sharing = Sharing::Exclusive;

    fn reader(state: CardState, sharing: Sharing, event_counter: u32) -> ReaderEntry {
        let name = ReaderName::new("r").unwrap();
        ReaderEntry { name, event_counter, state, sharing, atr: None, protocol: None }
    }

    /// (what the program knows, card, sharing, counter) -> what it is told.
    #[test]
    fn what_a_program_is_told() {
        use CardState::{Absent, Negotiable, Swallowed, Unknown};
        let cases = [
            // Unaware: told at once, whatever it is.
            (UNAWARE, Absent, FREE, 0, EMPTY | CHANGED),
            (UNAWARE, Negotiable, FREE, 1, 0x1_0000 | PRESENT | CHANGED),
            (UNAWARE, Swallowed, FREE, 1, 0x1_0000 | PRESENT | MUTE | CHANGED),
            (UNAWARE, Unknown, FREE, 0, UNAVAILABLE | CHANGED),
            // Nothing new, whether CHANGED or a bit that nobody looks at is fed back or not.
            (ATRMATCH, Negotiable, FREE, 1, 0x1_0000 | PRESENT),
            (0x0400, Negotiable, FREE, 1, 0x1_0000 | PRESENT),
            (EMPTY, Absent, FREE, 0, EMPTY),
            (EMPTY | CHANGED, Absent, FREE, 0, EMPTY),
            (0x1_0000 | PRESENT, Negotiable, FREE, 1, 0x1_0000 | PRESENT),
            (PRESENT, Negotiable, FREE, 7, 0x7_0000 | PRESENT),
            // A card came, went, or did both while nobody looked.
            (EMPTY, Negotiable, FREE, 1, 0x1_0000 | PRESENT | CHANGED),
            (PRESENT, Absent, FREE, 2, 0x2_0000 | EMPTY | CHANGED),
            (0x1_0000 | PRESENT, Negotiable, FREE, 3, 0x3_0000 | PRESENT | CHANGED),
            // Sharing: only the end of it is news.
            (PRESENT, Negotiable, ONE, 1, 0x1_0000 | PRESENT | INUSE),
            (PRESENT | INUSE, Negotiable, FREE, 1, 0x1_0000 | PRESENT | CHANGED),
            (PRESENT, Negotiable, ALONE, 1, 0x1_0000 | PRESENT | EXCLUSIVE),
            (PRESENT | INUSE, Negotiable, ALONE, 1, 0x1_0000 | PRESENT | EXCLUSIVE | CHANGED),
            (PRESENT | EXCLUSIVE, Negotiable, ONE, 1, 0x1_0000 | PRESENT | INUSE | CHANGED),
            (EMPTY, Absent, ONE, 0, EMPTY),
            // Claims that no longer hold.
            (UNKNOWN, Absent, FREE, 0, EMPTY | CHANGED),
            (UNAVAILABLE, Absent, FREE, 0, EMPTY | CHANGED),
            (MUTE, Negotiable, FREE, 1, 0x1_0000 | PRESENT | CHANGED),
            (MUTE, Absent, FREE, 0, EMPTY),
            (PRESENT | MUTE, Swallowed, FREE, 1, 0x1_0000 | PRESENT | MUTE),
            (PRESENT, Swallowed, FREE, 1, 0x1_0000 | PRESENT | MUTE | CHANGED),
            (PRESENT, Unknown, FREE, 1, 0x1_0000 | UNAVAILABLE | CHANGED),
            (IGNORE | PRESENT, Absent, FREE, 0, IGNORE),
        ];
        for (at, (known, state, sharing, counter, told)) in cases.into_iter().enumerate() {
            let seen = compare(known, Some(&reader(state, sharing, counter)));
            assert_eq!(
                seen.event_state, told,
                "case {at}: {:#x} is not {told:#x}",
                seen.event_state
            );
        }
    }

    #[test]
    fn a_reader_that_went_is_unknown_and_told_once() {
        assert_eq!(compare(PRESENT, None).event_state, UNKNOWN | UNAVAILABLE | CHANGED);
        assert_eq!(compare(UNKNOWN, None).event_state, UNKNOWN | UNAVAILABLE);
    }

    #[test]
    fn the_counter_goes_out_in_sixteen_bits() {
        let seen = compare(EMPTY | 0x1_0000, Some(&reader(CardState::Absent, FREE, 0x1_0001)));
        assert_eq!(seen.event_state, 0x1_0000 | EMPTY);
    }

    #[test]
    fn plug_and_play_compares_with_entry_and_with_the_number_fed_back() {
        assert_eq!(compare_pnp(UNAWARE, 3, 3).event_state, 0x3_0000);
        assert_eq!(compare_pnp(UNAWARE, 3, 4).event_state, 0x4_0000 | CHANGED);
        assert_eq!(compare_pnp(0x2_0000, 3, 3).event_state, 0x3_0000 | CHANGED);
        assert_eq!(compare_pnp(IGNORE, 3, 4).event_state, IGNORE);
        assert!(is_pnp_reader("\\\\?pnp?\\notification"));
    }
}
