//! `SCardUIDlgSelectCard`, `GetOpenCardName` and `SCardDlgExtendedError`: the search for a card, and the connection to it.
//!
//! The search looks through the readers of the groups for a card of the named types, or of those that have the
//! interfaces. What the flags leave to a person to choose cannot be chosen here: nothing in this library draws.
//!
//! DIFFERS: where Windows would show its dialog, the answer is `SCARD_E_UNSUPPORTED_FEATURE`.

use std::time::Duration;

use scard_guest::tables;
use scard_types::ScardCode;
use scard_types::call::{KnownReader, SeenReader};
use scard_types::database::{CardType, Guid};
use scard_types::status_change::{EXCLUSIVE, PRESENT};

use crate::callbacks::Callbacks;
use crate::card_types;
use crate::connecting::connect;
use crate::contexts::given_or_new;
use crate::exports::{Long, answer};
use crate::groups::readers_in;
use crate::layouts::{
    CardNumber, ContextNumber, Dword, GuidBytes, OpenCardName, SearchCriteria, SelectCard,
};
use crate::memory::{Buffer, Input, Opaque, Place, Plain, Text, member};
use crate::refused::Outcome;
use crate::status_change::look;
use crate::text::{Unit, string};

twins! {
    /// `SCardUIDlgSelectCard`.
    SCardUIDlgSelectCardA, SCardUIDlgSelectCardW = select(pDlgStruc: Place<SelectCard<Char>>);
    /// `GetOpenCardName`, the older one.
    GetOpenCardNameA, GetOpenCardNameW = open(pDlgStruc: Place<OpenCardName<Char>>);
}

/// `SCardDlgExtendedError`: there is never more to say than the calls said.
#[unsafe(no_mangle)]
pub extern "C" fn SCardDlgExtendedError() -> Long {
    answer(|| Ok(()))
}

/// `SC_DLG_NO_UI`: the first card that is found.
const NO_UI: u32 = 2;
/// `SC_DLG_FORCE_UI`: a person is asked in any case.
const FORCE_UI: u32 = 4;

/// What is looked for.
struct Search {
    groups: Option<Vec<String>>,
    cards: Option<Vec<String>>,
    interfaces: Vec<Guid>,
}

impl Search {
    fn new<C: Unit + Plain>(
        groups: &Text<C>,
        cards: &Text<C>,
        interfaces: &Input<GuidBytes>,
        interface_count: Dword,
    ) -> Result<Self, ScardCode> {
        let list = |text: &Text<C>| text.list().filter(|names| !names.is_empty());
        let interfaces =
            if interfaces.is_null() { Vec::new() } else { interfaces.guids(interface_count)? };
        Ok(Self { groups: list(groups), cards: list(cards), interfaces })
    }
}

/// A card that was found.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    reader: String,
    /// The name of its type; nobody may know it.
    card: String,
}

fn search(context: ContextNumber, search: Search) -> Result<Vec<Found>, ScardCode> {
    let context = given_or_new(context)?;
    let readers = readers_in(&context, search.groups.as_deref())?;
    if readers.is_empty() {
        return Err(ScardCode::NoReadersAvailable);
    }
    let anything_goes = search.cards.is_none() && search.interfaces.is_empty();
    let types = match card_types::named(&context, search.cards.unwrap_or_default()) {
        // A stock pcscd has no types of cards.
        Err(ScardCode::UnsupportedFeature) if anything_goes => Vec::new(),
        types => types?,
    };
    let known: Vec<_> =
        readers.into_iter().map(|name| KnownReader { name, current_state: 0 }).collect();
    let (_, seen) = look(&context, &known, Some(Duration::ZERO))?;
    let seen = known.into_iter().map(|known| known.name).zip(seen);
    Ok(found(seen, &types, &search.interfaces, anything_goes))
}

/// The cards that are wanted, and that nobody has for himself.
fn found(
    seen: impl Iterator<Item = (String, SeenReader)>,
    types: &[CardType],
    interfaces: &[Guid],
    anything_goes: bool,
) -> Vec<Found> {
    let card_in = |(reader, seen): (String, SeenReader)| {
        if seen.event_state & (PRESENT | EXCLUSIVE) != PRESENT {
            return None;
        }
        let atr = seen.atr?;
        let names = crate::types_of_cards::matching(types, Some(atr.as_bytes()), interfaces);
        match names.first() {
            Some(name) => Some(Found { reader, card: (*name).to_owned() }),
            None if anything_goes => Some(Found { reader, card: String::new() }),
            None => None,
        }
    };
    seen.filter_map(card_in).collect()
}

/// The one that is taken without asking anybody.
fn choose(flags: Dword, mut found: Vec<Found>) -> Result<Found, ScardCode> {
    let nobody_is_asked = flags & NO_UI != 0;
    if found.is_empty() {
        // Windows' dialog would wait for a card.
        let code = if nobody_is_asked {
            ScardCode::CancelledByUser
        } else {
            ScardCode::UnsupportedFeature
        };
        return Err(code);
    }
    if flags & FORCE_UI != 0 || (found.len() > 1 && !nobody_is_asked) {
        return Err(ScardCode::UnsupportedFeature);
    }
    Ok(found.swap_remove(0))
}

/// Where the program wants to know what was chosen.
struct Told<C> {
    reader: Buffer<C>,
    reader_room: Place<Dword>,
    card: Buffer<C>,
    card_room: Place<Dword>,
    protocol: Place<Dword>,
    handle: Place<CardNumber>,
}

impl<C: Unit + Plain> Told<C> {
    /// Says what was chosen, and connects to it if the program says how: with its own function, or in a share mode.
    fn tell(
        &self,
        context: ContextNumber,
        chosen: &Found,
        callbacks: &Callbacks<C>,
        (share, protocols): (Dword, Dword),
    ) -> Outcome {
        let Found { reader, card } = chosen;
        self.reader.fill(&self.reader_room, &string::<C>(reader))?;
        self.card.fill(&self.card_room, &string::<C>(card))?;
        self.protocol.put(0);
        self.handle.put(0);
        match callbacks.connect(context, reader, card) {
            Some(0) => return Err(ScardCode::CancelledByUser.into()),
            Some(handle) => self.handle.put(handle),
            None if share == 0 => {}
            None => {
                let (handle, protocol) = connect(context, reader, share, protocols)?;
                self.protocol.put(protocol);
                self.handle.put(handle);
            }
        }
        Ok(())
    }
}

/// Looks for what is wanted, and lets the program's own functions have a look at it.
fn chosen<C: Unit>(
    context: ContextNumber,
    flags: Dword,
    wanted: Search,
    callbacks: &Callbacks<C>,
) -> Result<Found, ScardCode> {
    callbacks.are_whole()?;
    let mut found = search(context, wanted)?;
    found.retain(|found| callbacks.want(context, &found.reader, &found.card));
    choose(flags, found)
}

fn select<C: Unit + Plain>(place: Place<SelectCard<C>>) -> Outcome {
    let asked = place.read()?;
    if usize::try_from(asked.size) != Ok(size_of::<SelectCard<C>>()) {
        return Err(ScardCode::InvalidValue.into());
    }
    tables::context(asked.context)?;
    let criteria: Option<SearchCriteria<C>> = asked.criteria.one();
    let wanted = match &criteria {
        None => Search { groups: None, cards: None, interfaces: Vec::new() },
        Some(criteria) => Search::new(
            &criteria.groups,
            &criteria.cards,
            &criteria.interfaces,
            criteria.interface_count,
        )?,
    };
    let trial = Callbacks {
        connect: criteria.as_ref().and_then(|criteria| criteria.connect),
        check: criteria.as_ref().and_then(|criteria| criteria.check),
        disconnect: criteria.as_ref().and_then(|criteria| criteria.disconnect),
        user_data: criteria.map_or(Opaque::NONE, |criteria| criteria.user_data),
    };
    let chosen = chosen(asked.context, asked.flags, wanted, &trial)?;
    let told = Told {
        reader: asked.reader,
        reader_room: member!(place, SelectCard<C>, reader_room),
        card: asked.card,
        card_room: member!(place, SelectCard<C>, card_room),
        protocol: member!(place, SelectCard<C>, active_protocol),
        handle: member!(place, SelectCard<C>, handle),
    };
    let last = Callbacks {
        connect: asked.connect,
        check: None,
        disconnect: None,
        user_data: asked.user_data,
    };
    told.tell(asked.context, &chosen, &last, (asked.share_mode, asked.protocols))
}

fn open<C: Unit + Plain>(place: Place<OpenCardName<C>>) -> Outcome {
    let asked = place.read()?;
    if usize::try_from(asked.size) != Ok(size_of::<OpenCardName<C>>()) {
        return Err(ScardCode::InvalidValue.into());
    }
    tables::context(asked.context)?;
    let wanted =
        Search::new(&asked.groups, &asked.cards, &asked.interfaces, asked.interface_count)?;
    let callbacks = Callbacks {
        connect: asked.connect,
        check: asked.check,
        disconnect: asked.disconnect,
        user_data: asked.user_data,
    };
    let chosen = chosen(asked.context, asked.flags, wanted, &callbacks)?;
    let told = Told {
        reader: asked.reader,
        reader_room: member!(place, OpenCardName<C>, reader_room),
        card: asked.card,
        card_room: member!(place, OpenCardName<C>, card_room),
        protocol: member!(place, OpenCardName<C>, active_protocol),
        handle: member!(place, OpenCardName<C>, handle),
    };
    told.tell(asked.context, &chosen, &callbacks, (asked.share_mode, asked.protocols))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(readers: &[&str]) -> Vec<Found> {
        let one = |reader: &&str| Found { reader: (*reader).to_owned(), card: String::new() };
        readers.iter().map(one).collect()
    }

    #[test]
    fn one_card_is_taken_and_of_several_the_first_if_nobody_is_to_be_asked() {
        let cases: [(u32, &[&str], Result<&str, ScardCode>); 7] = [
            (1, &["a"], Ok("a")),
            (1, &["a", "b"], Err(ScardCode::UnsupportedFeature)),
            (1, &[], Err(ScardCode::UnsupportedFeature)),
            (NO_UI, &["a", "b"], Ok("a")),
            (NO_UI, &[], Err(ScardCode::CancelledByUser)),
            (FORCE_UI, &["a"], Err(ScardCode::UnsupportedFeature)),
            (0, &["a"], Ok("a")),
        ];
        for (flags, readers, expected) in cases {
            let chosen = choose(flags, found(readers)).map(|found| found.reader);
            assert_eq!(chosen, expected.map(str::to_owned), "{flags} {readers:?}");
        }
    }
}
