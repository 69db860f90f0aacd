//! `SCardStatus`, and `SCardState`, which is the same without names.

use scard_guest::tables;
use scard_types::call::{Answer, Call, ReaderEntry};
use scard_types::{Atr, ScardCode, abi};

use crate::aliases;
use crate::layouts::{CardNumber, Dword};
use crate::memory::{Buffer, Place, Plain};
use crate::refused::Outcome;
use crate::text::{Unit, multi_string};

twins! {
    /// `SCardStatus`: all names of the reader come as a multi-string.
    SCardStatusA, SCardStatusW = status(
        hCard: CardNumber,
        mszReaderNames: Buffer<Char>,
        pcchReaderLen: Place<Dword>,
        pdwState: Place<Dword>,
        pdwProtocol: Place<Dword>,
        pbAtr: Buffer<u8>,
        pcbAtrLen: Place<Dword>,
    );
}

exports! {
    /// `SCardState`.
    SCardState = state(
        hCard: CardNumber,
        pdwState: Place<Dword>,
        pdwProtocol: Place<Dword>,
        pbAtr: Buffer<u8>,
        pcbAtrLen: Place<Dword>,
    );
}

fn status<C: Unit + Plain>(
    card: CardNumber,
    names: Buffer<C>,
    names_count: Place<Dword>,
    state: Place<Dword>,
    protocol: Place<Dword>,
    atr: Buffer<u8>,
    atr_count: Place<Dword>,
) -> Outcome {
    let reader = look(card, &state, &protocol)?;
    let names = if names_count.is_null() {
        Ok(())
    } else {
        names.fill(&names_count, &multi_string::<C>(all_names(card, &reader)?))
    };
    let atr = tell_atr(&reader, &atr, &atr_count);
    Ok(names.and(atr)?)
}

fn state(
    card: CardNumber,
    state: Place<Dword>,
    protocol: Place<Dword>,
    atr: Buffer<u8>,
    atr_count: Place<Dword>,
) -> Outcome {
    let reader = look(card, &state, &protocol)?;
    Ok(tell_atr(&reader, &atr, &atr_count)?)
}

fn look(
    card: CardNumber,
    state: &Place<Dword>,
    protocol: &Place<Dword>,
) -> Result<ReaderEntry, ScardCode> {
    let card = tables::card(card)?;
    let Answer::Status(reader) = card.ask(Call::Status { card: card.handle })? else {
        return Err(ScardCode::CommError);
    };
    state.put(abi::windows_card_state(reader.state));
    protocol.put(abi::windows_protocol_number(reader.protocol));
    Ok(reader)
}

/// The reader's own name first, then those that it was given.
fn all_names(card: CardNumber, reader: &ReaderEntry) -> Result<Vec<String>, ScardCode> {
    let context = tables::context_of_card(card)?;
    let (all, own) = (aliases::names(&context)?, aliases::own_names(&context)?);
    Ok(aliases::names_of(reader.name.as_str(), &all, &own))
}

fn tell_atr(reader: &ReaderEntry, atr: &Buffer<u8>, count: &Place<Dword>) -> Result<(), ScardCode> {
    if count.is_null() {
        return Ok(());
    }
    atr.fill(count, reader.atr.as_ref().map_or(&[], Atr::as_bytes))
}
