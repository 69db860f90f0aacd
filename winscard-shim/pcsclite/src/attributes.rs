//! `SCardGetAttrib` and `SCardSetAttrib`.

use scard_guest::tables;
use scard_types::ScardCode;
use scard_types::call::{self, Call};

use crate::edge;
use crate::memory::{self, Answer};
use crate::types::{CardNumber, Dword, Long, dword, low_half};

/// The longest value that can be set (`MAX_BUFFER_SIZE` of pcsc-lite).
const MAX_VALUE_BYTES: usize = 264;

/// `SCardGetAttrib`.
///
/// DIFFERS: a buffer may be of any size; pcsc-lite refuses one of more than 264 bytes.
///
/// # Safety
/// `pcbAttrLen` is NULL or valid for reads and writes; `pbAttr` is NULL, or has room for `*pcbAttrLen` bytes, or for a
/// pointer if that is `SCARD_AUTOALLOCATE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardGetAttrib(
    hCard: CardNumber,
    dwAttrId: Dword,
    pbAttr: *mut u8,
    pcbAttrLen: *mut Dword,
) -> Long {
    edge::answer(|| {
        if pcbAttrLen.is_null() {
            return Err(ScardCode::InvalidParameter);
        }
        // SAFETY: by the caller's duty.
        let answer = unsafe { Answer::new(pbAttr, pcbAttrLen) };
        if answer.leads_nowhere() {
            return Err(ScardCode::InvalidParameter);
        }
        let card = tables::card(hCard)?;
        let call = Call::GetAttribute { card: card.handle, tag: low_half(dwAttrId) };
        match card.ask(call)? {
            call::Answer::Attribute(value) => answer.fill(&value),
            _ => Err(ScardCode::CommError),
        }
    })
}

/// `SCardSetAttrib`.
///
/// # Safety
/// `pbAttr` is NULL or holds `cbAttrLen` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardSetAttrib(
    hCard: CardNumber,
    dwAttrId: Dword,
    pbAttr: *const u8,
    cbAttrLen: Dword,
) -> Long {
    edge::answer(|| {
        if pbAttr.is_null() || cbAttrLen == 0 {
            return Err(ScardCode::InvalidParameter);
        }
        let card = tables::card(hCard)?;
        if cbAttrLen > dword(MAX_VALUE_BYTES) {
            return Err(ScardCode::InsufficientBuffer);
        }
        // SAFETY: by the caller's duty.
        let value = unsafe { memory::input(pbAttr, cbAttrLen) }?.to_vec();
        let call = Call::SetAttribute { card: card.handle, tag: low_half(dwAttrId), value };
        card.ask(call).map(drop)
    })
}
