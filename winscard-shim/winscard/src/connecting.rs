//! `SCardConnect`, `SCardReconnect`, `SCardDisconnect`.

use scard_guest::tables;
use scard_types::call::{Answer, Call};
use scard_types::{Disposition, Protocols, ScardCode, ShareMode, abi};

use crate::layouts::{CardNumber, ContextNumber, Dword};
use crate::memory::{Place, Plain, Text};
use crate::refused::Outcome;
use crate::text::Unit;

twins! {
    /// `SCardConnect`.
    SCardConnectA, SCardConnectW = connect_card(
        hContext: ContextNumber,
        szReader: Text<Char>,
        dwShareMode: Dword,
        dwPreferredProtocols: Dword,
        phCard: Place<CardNumber>,
        pdwActiveProtocol: Place<Dword>,
    );
}

exports! {
    /// `SCardReconnect`.
    SCardReconnect = reconnect(
        hCard: CardNumber,
        dwShareMode: Dword,
        dwPreferredProtocols: Dword,
        dwInitialization: Dword,
        pdwActiveProtocol: Place<Dword>,
    );
    /// `SCardDisconnect`.
    SCardDisconnect = disconnect(hCard: CardNumber, dwDisposition: Dword);
}

fn connect_card<C: Unit + Plain>(
    context: ContextNumber,
    reader: Text<C>,
    share: Dword,
    protocols: Dword,
    place: Place<CardNumber>,
    active: Place<Dword>,
) -> Outcome {
    place.required()?.put(0);
    active.required()?.put(0);
    let reader = reader.read().ok_or(ScardCode::InvalidValue)?;
    let (card, protocol) = connect(context, &reader, share, protocols)?;
    place.put(card);
    active.put(protocol);
    Ok(())
}

/// Opens a handle, and says which protocol is in use.
pub(crate) fn connect(
    number: ContextNumber,
    reader: &str,
    share: Dword,
    protocols: Dword,
) -> Result<(CardNumber, Dword), ScardCode> {
    let context = tables::context(number)?;
    let (share, protocols) = asked(share, protocols)?;
    let (session, reply) = context.call_on(|context| Call::Connect {
        context,
        reader: reader.to_owned(),
        share,
        protocols,
    });
    let Answer::Connected { card: handle, protocol } = reply.map_err(|refusal| refusal.code)?
    else {
        return Err(ScardCode::CommError);
    };
    let card = tables::enter_card(number, &context, session, handle)?;
    let card = usize::try_from(card).map_err(|_| ScardCode::InternalError)?;
    Ok((card, abi::windows_protocol_number(protocol)))
}

/// How to share, and in which protocols; only a handle for the reader alone needs none.
fn asked(share: Dword, protocols: Dword) -> Result<(ShareMode, Protocols), ScardCode> {
    let share = abi::share_mode(share).ok_or(ScardCode::InvalidValue)?;
    let protocols = abi::windows_protocols(protocols);
    if protocols.is_empty() && share != ShareMode::Direct {
        return Err(ScardCode::ProtocolMismatch);
    }
    Ok((share, protocols))
}

fn reconnect(
    card: CardNumber,
    share: Dword,
    protocols: Dword,
    initialization: Dword,
    active: Place<Dword>,
) -> Outcome {
    active.put(0);
    let card = tables::card(card)?;
    let (share, protocols) = asked(share, protocols)?;
    let initialization = match abi::disposition(initialization) {
        Some(Disposition::Eject) | None => return Err(ScardCode::InvalidValue.into()),
        Some(initialization) => initialization,
    };
    let call = Call::Reconnect { card: card.handle, share, protocols, initialization };
    let Answer::Reconnected { protocol } = card.ask(call)? else {
        return Err(ScardCode::CommError.into());
    };
    active.put(abi::windows_protocol_number(protocol));
    Ok(())
}

fn disconnect(number: CardNumber, disposition: Dword) -> Outcome {
    let card = tables::card(number)?;
    let disposition = abi::disposition(disposition).ok_or(ScardCode::InvalidValue)?;
    match card.ask(Call::Disconnect { card: card.handle, disposition }) {
        // A handle that the resource manager does not know any more is gone as well.
        outcome @ (Ok(_) | Err(ScardCode::InvalidHandle)) => {
            tables::remove_card(number);
            outcome?;
            Ok(())
        }
        Err(code) => Err(code.into()),
    }
}
