//! `SCardBeginTransaction`, `SCardEndTransaction`, `SCardCancelTransaction`.

use scard_guest::tables;
use scard_types::call::Call;
use scard_types::{Disposition, ScardCode, abi};

use crate::layouts::{CardNumber, Dword};
use crate::refused::Outcome;

exports! {
    /// `SCardBeginTransaction`: waits until the card is free.
    SCardBeginTransaction = begin(hCard: CardNumber);
    /// `SCardEndTransaction`.
    SCardEndTransaction = end(hCard: CardNumber, dwDisposition: Dword);
    /// `SCardCancelTransaction`, which Windows reserves for later: ends the transaction and leaves the card as it is.
    SCardCancelTransaction = cancel(hCard: CardNumber);
}

fn begin(card: CardNumber) -> Outcome {
    let card = tables::card(card)?;
    card.ask(Call::BeginTransaction { card: card.handle })?;
    Ok(())
}

fn end(card: CardNumber, disposition: Dword) -> Outcome {
    let card = tables::card(card)?;
    let disposition = abi::disposition(disposition).ok_or(ScardCode::InvalidValue)?;
    card.ask(Call::EndTransaction { card: card.handle, disposition })?;
    Ok(())
}

fn cancel(card: CardNumber) -> Outcome {
    let card = tables::card(card)?;
    card.ask(Call::EndTransaction { card: card.handle, disposition: Disposition::Leave })?;
    Ok(())
}
