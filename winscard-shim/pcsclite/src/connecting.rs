//! `SCardConnect`, `SCardReconnect`, `SCardDisconnect`.

use core::ffi::c_char;

use scard_guest::tables;
use scard_types::call::{Answer, Call};
use scard_types::{Disposition, Protocol, ScardCode, ShareMode, abi};

use crate::types::{CardNumber, ContextNumber, Dword, Long, MAX_READERNAME, low_half};
use crate::{edge, memory};

/// `SCARD_PROTOCOL_ANY_OLD`, T=0 or T=1 for `SCardConnect`; `SCardReconnect` never knew it.
const ANY_OLD: u32 = 0x1000;

/// `SCardConnect`.
///
/// # Safety
/// `szReader` is NULL or NUL-terminated; `phCard` and `pdwActiveProtocol` are NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardConnect(
    hContext: ContextNumber,
    szReader: *const c_char,
    dwShareMode: Dword,
    dwPreferredProtocols: Dword,
    phCard: *mut CardNumber,
    pdwActiveProtocol: *mut Dword,
) -> Long {
    edge::answer(|| {
        if phCard.is_null() || pdwActiveProtocol.is_null() {
            return Err(ScardCode::InvalidParameter);
        }
        // SAFETY: not NULL, so valid for writes.
        unsafe { memory::put(phCard, 0) }
        // SAFETY: by the caller's duty.
        let reader = unsafe { memory::text(szReader) }.ok_or(ScardCode::UnknownReader)?;
        if reader.count_bytes() > MAX_READERNAME {
            return Err(ScardCode::InvalidValue);
        }
        let context = tables::context(hContext)?;
        // SAFETY: as above.
        unsafe { memory::put(pdwActiveProtocol, 0) }
        let protocols = abi::pcsclite_protocols(low_half(dwPreferredProtocols));
        let share = abi::share_mode(low_half(dwShareMode));
        if protocols.is_empty() && !is_direct(dwShareMode) {
            return Err(ScardCode::ProtocolMismatch);
        }
        // No reader has a name with the character that stands for what is no UTF-8.
        let reader = reader.to_string_lossy().into_owned();
        let share = share.ok_or(ScardCode::InvalidValue)?;
        let (session, reply) = context.call_on(|context| Call::Connect {
            context,
            reader: reader.clone(),
            share,
            protocols,
        });
        let Answer::Connected { card: handle, protocol } = reply.map_err(|refusal| refusal.code)?
        else {
            return Err(ScardCode::CommError);
        };
        let card = tables::enter_card(hContext, &context, session, handle)?.into();
        // SAFETY: as above.
        unsafe {
            memory::put(phCard, card);
            memory::put(pdwActiveProtocol, protocol_number(protocol));
        }
        Ok(())
    })
}

/// `SCardReconnect`.
///
/// # Safety
/// `pdwActiveProtocol` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardReconnect(
    hCard: CardNumber,
    dwShareMode: Dword,
    dwPreferredProtocols: Dword,
    dwInitialization: Dword,
    pdwActiveProtocol: *mut Dword,
) -> Long {
    edge::answer(|| {
        if pdwActiveProtocol.is_null() {
            return Err(ScardCode::InvalidParameter);
        }
        let card = tables::card(hCard)?;
        // SAFETY: not NULL, so valid for writes.
        unsafe { memory::put(pdwActiveProtocol, 0) }
        let share = abi::share_mode(low_half(dwShareMode)).ok_or(ScardCode::InvalidValue)?;
        let initialization = match abi::disposition(low_half(dwInitialization)) {
            Some(Disposition::Eject) | None => return Err(ScardCode::InvalidValue),
            Some(initialization) => initialization,
        };
        let protocols = abi::pcsclite_protocols(low_half(dwPreferredProtocols) & !ANY_OLD);
        if protocols.is_empty() && !is_direct(dwShareMode) {
            return Err(ScardCode::ProtocolMismatch);
        }
        let call = Call::Reconnect { card: card.handle, share, protocols, initialization };
        let Answer::Reconnected { protocol } = card.ask(call)? else {
            return Err(ScardCode::CommError);
        };
        // SAFETY: as above.
        unsafe { memory::put(pdwActiveProtocol, protocol_number(protocol)) }
        Ok(())
    })
}

/// `SCardDisconnect`.
#[unsafe(no_mangle)]
pub extern "C" fn SCardDisconnect(hCard: CardNumber, dwDisposition: Dword) -> Long {
    edge::answer(|| {
        let card = tables::card(hCard)?;
        let disposition =
            abi::disposition(low_half(dwDisposition)).ok_or(ScardCode::InvalidValue)?;
        match card.ask(Call::Disconnect { card: card.handle, disposition }) {
            // A handle that the resource manager does not know any more is gone as well.
            outcome @ (Ok(_) | Err(ScardCode::InvalidHandle)) => {
                tables::remove_card(hCard);
                outcome.map(drop)
            }
            Err(code) => Err(code),
        }
    })
}

/// A handle for the reader alone needs no protocol.
fn is_direct(share: Dword) -> bool {
    abi::share_mode(low_half(share)) == Some(ShareMode::Direct)
}

fn protocol_number(protocol: Option<Protocol>) -> Dword {
    Dword::from(abi::pcsclite_protocol_number(protocol))
}
