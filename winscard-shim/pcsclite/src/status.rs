//! `SCardStatus`.

use core::ffi::c_char;

use scard_guest::tables;
use scard_types::call::{self, Call};
use scard_types::{ScardCode, abi};

use crate::edge;
use crate::memory::{self, Answer};
use crate::types::{CardNumber, Dword, Long};

/// `SCardStatus`. The name comes with one NUL, not as a multi-string; any pointer may be NULL.
///
/// DIFFERS: a buffer that is too small stays as it was; pcsc-lite fills it with what fits, without a NUL.
///
/// # Safety
/// Each pointer is NULL or valid for writes, the two lengths for reads too; `szReaderName` and `pbAtr` are NULL, or
/// have room for as many bytes as their lengths say, or for a pointer if that is `SCARD_AUTOALLOCATE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardStatus(
    hCard: CardNumber,
    szReaderName: *mut c_char,
    pcchReaderLen: *mut Dword,
    pdwState: *mut Dword,
    pdwProtocol: *mut Dword,
    pbAtr: *mut u8,
    pcbAtrLen: *mut Dword,
) -> Long {
    edge::answer(|| {
        // SAFETY: by the caller's duty.
        let (name, atr) = unsafe {
            (Answer::new(szReaderName.cast(), pcchReaderLen), Answer::new(pbAtr, pcbAtrLen))
        };
        name.tell_length(0);
        atr.tell_length(0);
        // SAFETY: by the caller's duty.
        unsafe {
            memory::put(pdwState, 0);
            memory::put(pdwProtocol, 0);
        }
        let card = tables::card(hCard)?;
        let call::Answer::Status(reader) = card.ask(Call::Status { card: card.handle })? else {
            return Err(ScardCode::CommError);
        };
        // The event counter stands in bits 16 to 31.
        let state = abi::pcsclite_card_state(reader.state) | (reader.event_counter & 0xFFFF) << 16;
        // SAFETY: by the caller's duty.
        unsafe {
            memory::put(pdwState, Dword::from(state));
            memory::put(pdwProtocol, Dword::from(abi::pcsclite_protocol_number(reader.protocol)));
        }
        let mut text = reader.name.as_str().as_bytes().to_vec();
        text.push(0);
        let name = name.fill(&text);
        let atr = atr.fill(reader.atr.as_ref().map_or(&[], |atr| atr.as_bytes()));
        name.and(atr)
    })
}
