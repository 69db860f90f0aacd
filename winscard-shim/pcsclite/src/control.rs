//! `SCardControl`.

use core::ffi::c_void;

use scard_guest::tables;
use scard_types::apdu::MAX_BUFFER_BYTES;
use scard_types::call::{Answer, Call};
use scard_types::{ScardCode, SecretBytes};

use crate::types::{CardNumber, Dword, Long, dword, low_half};
use crate::{edge, memory};

/// `SCardControl`. The code goes through as it is, in pcsc-lite's numbers or in those of Windows. Somebody else's
/// transaction is told at once, never waited for.
///
/// DIFFERS: a NULL buffer with a length is `SCARD_E_INVALID_PARAMETER`; pcsc-lite sends less input than it announced
/// and waits for ever.
///
/// # Safety
/// `pbSendBuffer` is NULL or holds `cbSendLength` bytes, `pbRecvBuffer` is NULL or has room for `cbRecvLength`;
/// `lpBytesReturned` is NULL or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardControl(
    hCard: CardNumber,
    dwControlCode: Dword,
    pbSendBuffer: *const c_void,
    cbSendLength: Dword,
    pbRecvBuffer: *mut c_void,
    cbRecvLength: Dword,
    lpBytesReturned: *mut Dword,
) -> Long {
    edge::answer(|| {
        // SAFETY: by the caller's duty.
        unsafe { memory::put(lpBytesReturned, 0) }
        let card = tables::card(hCard)?;
        if cbSendLength > dword(MAX_BUFFER_BYTES) {
            return Err(ScardCode::InsufficientBuffer);
        }
        if pbRecvBuffer.is_null() && cbRecvLength != 0 {
            return Err(ScardCode::InvalidParameter);
        }
        // SAFETY: by the caller's duty.
        let input = unsafe { memory::input(pbSendBuffer.cast(), cbSendLength) }?;
        let reply = card.call(Call::Control {
            card: card.handle,
            code: low_half(dwControlCode),
            input: SecretBytes::from(input),
            output_limit: u32::try_from(cbRecvLength).unwrap_or(u32::MAX),
        });
        let output = match reply {
            Ok(Answer::Controlled(output)) => output,
            Ok(_) => return Err(ScardCode::CommError),
            Err(refusal) => {
                // SAFETY: by the caller's duty.
                unsafe { memory::put(lpBytesReturned, refusal.needed.map_or(0, Dword::from)) }
                return Err(refusal.code);
            }
        };
        let length = dword(output.len());
        // SAFETY: by the caller's duty.
        unsafe { memory::put(lpBytesReturned, length) }
        if length > cbRecvLength {
            return Err(ScardCode::InsufficientBuffer);
        }
        // SAFETY: by the caller's duty there is room for `cbRecvLength` bytes, and the output is not longer.
        unsafe { memory::copy_out(output.expose(), pbRecvBuffer.cast()) }
        Ok(())
    })
}
