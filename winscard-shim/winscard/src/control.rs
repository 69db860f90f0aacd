//! `SCardControl`.

use scard_guest::tables;
use scard_types::apdu::MAX_BUFFER_BYTES;
use scard_types::call::{Answer, Call};
use scard_types::{ScardCode, abi};

use crate::features;
use crate::layouts::{CardNumber, Dword, length};
use crate::memory::{Buffer, Input, Place};
use crate::refused::Outcome;
use crate::transmit::too_long;

exports! {
    /// `SCardControl`. Codes are understood in Windows' numbers and in those of pcsc-lite.
    SCardControl = control(
        hCard: CardNumber,
        dwControlCode: Dword,
        lpInBuffer: Input<u8>,
        cbInBufferSize: Dword,
        lpOutBuffer: Buffer<u8>,
        cbOutBufferSize: Dword,
        lpBytesReturned: Place<Dword>,
    );
}

fn control(
    card: CardNumber,
    code: Dword,
    input: Input<u8>,
    input_length: Dword,
    buffer: Buffer<u8>,
    room: Dword,
    count: Place<Dword>,
) -> Outcome {
    count.put(0);
    let card = tables::card(card)?;
    if input_length > length(MAX_BUFFER_BYTES) {
        return Err(ScardCode::InsufficientBuffer.into());
    }
    if buffer.is_null() && room != 0 {
        return Err(ScardCode::InvalidParameter.into());
    }
    let input = input.secret(input_length)?;
    let call = Call::Control { card: card.handle, code, input, output_limit: room };
    let mut output = match card.call(call) {
        Ok(Answer::Controlled(output)) => output,
        Ok(_) => return Err(ScardCode::CommError.into()),
        Err(refusal) => return Err(too_long(&count, refusal).into()),
    };
    if code == abi::windows_control_code(features::REQUEST) {
        features::in_windows_codes(output.expose_mut());
    }
    Ok(buffer.copy(&count, room, output.expose())?)
}
