//! `SCardBeginTransaction` and `SCardEndTransaction`.

use scard_guest::tables;
use scard_types::call::Call;
use scard_types::{ScardCode, abi};

use crate::edge;
use crate::types::{CardNumber, Dword, Long, low_half};

/// `SCardBeginTransaction`: waits until the card is free, `PCSCLITE_NO_BLOCKING` or not.
#[unsafe(no_mangle)]
pub extern "C" fn SCardBeginTransaction(hCard: CardNumber) -> Long {
    edge::answer(|| {
        let card = tables::card(hCard)?;
        card.ask(Call::BeginTransaction { card: card.handle }).map(drop)
    })
}

/// `SCardEndTransaction`.
#[unsafe(no_mangle)]
pub extern "C" fn SCardEndTransaction(hCard: CardNumber, dwDisposition: Dword) -> Long {
    edge::answer(|| {
        let card = tables::card(hCard)?;
        let disposition =
            abi::disposition(low_half(dwDisposition)).ok_or(ScardCode::InvalidValue)?;
        card.ask(Call::EndTransaction { card: card.handle, disposition }).map(drop)
    })
}
