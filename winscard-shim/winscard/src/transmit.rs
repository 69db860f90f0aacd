//! `SCardTransmit`, `SCardGetTransmitCount`, and the three constants that name a protocol.

use scard_guest::tables;
use scard_types::apdu::MAX_BUFFER_BYTES;
use scard_types::call::{Answer, Call, Refusal};
use scard_types::{CardState, Protocol, ScardCode, abi};

use crate::layouts::{AUTOALLOCATE, CardNumber, Dword, IoRequest, length};
use crate::memory::{Buffer, Input, Place};
use crate::refused::Outcome;

/// `SCARD_PCI_T0`.
#[unsafe(no_mangle)]
pub static g_rgSCardT0Pci: IoRequest = pci(Protocol::T0);
/// `SCARD_PCI_T1`.
#[unsafe(no_mangle)]
pub static g_rgSCardT1Pci: IoRequest = pci(Protocol::T1);
/// `SCARD_PCI_RAW`.
#[unsafe(no_mangle)]
pub static g_rgSCardRawPci: IoRequest = pci(Protocol::Raw);

/// The constant of a protocol; its length is that of the structure.
const fn pci(protocol: Protocol) -> IoRequest {
    IoRequest { protocol: abi::windows_protocol_number(Some(protocol)), length: 8 }
}

exports! {
    /// `SCardTransmit`. Without `pioSendPci` the protocol is the one in use.
    SCardTransmit = transmit(
        hCard: CardNumber,
        pioSendPci: Input<IoRequest>,
        pbSendBuffer: Input<u8>,
        cbSendLength: Dword,
        pioRecvPci: Place<IoRequest>,
        pbRecvBuffer: Buffer<u8>,
        pcbRecvLength: Place<Dword>,
    );
    /// `SCardGetTransmitCount`: exchanges with the reader since it came.
    SCardGetTransmitCount = transmit_count(hCard: CardNumber, pcTransmitCount: Place<Dword>);
}

fn transmit(
    card: CardNumber,
    asked: Input<IoRequest>,
    command: Input<u8>,
    command_length: Dword,
    told: Place<IoRequest>,
    buffer: Buffer<u8>,
    count: Place<Dword>,
) -> Outcome {
    let room = count.read()?;
    if buffer.is_null() || command.is_null() || room == AUTOALLOCATE {
        return Err(ScardCode::InvalidParameter.into());
    }
    count.put(0);
    let card = tables::card(card)?;
    if command_length > length(MAX_BUFFER_BYTES) {
        return Err(ScardCode::InsufficientBuffer.into());
    }
    let protocol = match asked.one() {
        None => None,
        Some(pci) => match abi::windows_protocol(pci.protocol) {
            Some(protocol) => Some(protocol),
            None => {
                // Marks, sharing and a missing card are told first.
                let status = card.ask(Call::Status { card: card.handle })?;
                let is_absent =
                    matches!(status, Answer::Status(reader) if reader.state == CardState::Absent);
                let code =
                    if is_absent { ScardCode::NoSmartcard } else { ScardCode::ProtocolMismatch };
                return Err(code.into());
            }
        },
    };
    let reply = card.call(Call::Transmit {
        card: card.handle,
        protocol,
        command: command.secret(command_length)?,
        receive_limit: room,
    });
    let (protocol, response) = match reply {
        Ok(Answer::Transmitted { protocol, response }) => (protocol, response),
        Ok(_) => return Err(ScardCode::CommError.into()),
        Err(refusal) => return Err(too_long(&count, refusal).into()),
    };
    buffer.copy(&count, room, response.expose())?;
    told.put(pci(protocol));
    Ok(())
}

/// Says how long an answer would have been, where that is why there is none.
pub(crate) fn too_long(count: &Place<Dword>, refusal: Refusal) -> Refusal {
    count.put(refusal.needed.unwrap_or(0));
    refusal
}

fn transmit_count(card: CardNumber, place: Place<Dword>) -> Outcome {
    place.required()?;
    let card = tables::card(card)?;
    match card.ask(Call::TransmitCount { card: card.handle })? {
        Answer::TransmitCount(count) => place.put(count),
        _ => return Err(ScardCode::CommError.into()),
    }
    Ok(())
}
