//! `SCardGetAttrib` and `SCardSetAttrib`.

use scard_guest::tables;
use scard_types::call::{Answer, Call};
use scard_types::{ScardCode, abi, attribute};

use crate::layouts::{CardNumber, Dword};
use crate::memory::{Buffer, Input, Place};
use crate::refused::{ERROR_NOT_SUPPORTED, Outcome, Refused};

/// The longest value that can be set.
const MAX_VALUE_BYTES: Dword = 264;

exports! {
    /// `SCardGetAttrib`.
    SCardGetAttrib = get(hCard: CardNumber, dwAttrId: Dword, pbAttr: Buffer<u8>, pcbAttrLen: Place<Dword>);
    /// `SCardSetAttrib`.
    SCardSetAttrib = set(hCard: CardNumber, dwAttrId: Dword, pbAttr: Input<u8>, cbAttrLen: Dword);
}

fn get(card: CardNumber, tag: Dword, buffer: Buffer<u8>, count: Place<Dword>) -> Outcome {
    count.required()?;
    let card = tables::card(card)?;
    match card.ask(Call::GetAttribute { card: card.handle, tag }) {
        Ok(Answer::Attribute(value)) => Ok(buffer.fill(&count, &in_windows_numbers(tag, value))?),
        Ok(_) => Err(ScardCode::CommError.into()),
        Err(code) => Err(unsupported(code)),
    }
}

fn set(card: CardNumber, tag: Dword, value: Input<u8>, length: Dword) -> Outcome {
    if value.is_null() || length == 0 {
        return Err(ScardCode::InvalidParameter.into());
    }
    let card = tables::card(card)?;
    if length > MAX_VALUE_BYTES {
        return Err(ScardCode::InsufficientBuffer.into());
    }
    let value = value.all(length)?;
    let call = Call::SetAttribute { card: card.handle, tag, value };
    card.ask(call).map(drop).map_err(unsupported)
}

fn unsupported(code: ScardCode) -> Refused {
    if code == ScardCode::UnsupportedFeature { ERROR_NOT_SUPPORTED } else { code.into() }
}

/// A protocol has another number there; everything else is the same.
fn in_windows_numbers(tag: u32, value: Vec<u8>) -> Vec<u8> {
    if tag != attribute::CURRENT_PROTOCOL_TYPE {
        return value;
    }
    let Ok(number) = <[u8; 4]>::try_from(&*value) else { return value };
    match abi::pcsclite_protocol(u32::from_ne_bytes(number)) {
        None => value,
        protocol => abi::windows_protocol_number(protocol).to_ne_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_protocol_in_use_is_renumbered() {
        let raw = 4_u32.to_ne_bytes().to_vec();
        let windows = in_windows_numbers(attribute::CURRENT_PROTOCOL_TYPE, raw.clone());
        assert_eq!(windows, 0x1_0000_u32.to_ne_bytes());
        assert_eq!(in_windows_numbers(attribute::DEVICE_IN_USE, raw.clone()), raw);
        assert_eq!(in_windows_numbers(attribute::CURRENT_PROTOCOL_TYPE, vec![4]), [4]);
    }
}
