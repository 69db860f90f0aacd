//! `SCardTransmit`, and the three constants that name a protocol for it.

use scard_guest::tables::{self, Card};
use scard_types::apdu::MAX_BUFFER_BYTES;
use scard_types::call::{Answer, Call, Refusal, Reply};
use scard_types::{CardState, Protocol, ScardCode, SecretBytes, abi};

use crate::types::{CardNumber, Dword, IoRequest, Long, dword, low_half};
use crate::{edge, memory};

/// `SCARD_PCI_T0`.
#[unsafe(no_mangle)]
pub static g_rgSCardT0Pci: IoRequest = pci(Protocol::T0);
/// `SCARD_PCI_T1`.
#[unsafe(no_mangle)]
pub static g_rgSCardT1Pci: IoRequest = pci(Protocol::T1);
/// `SCARD_PCI_RAW`.
#[unsafe(no_mangle)]
pub static g_rgSCardRawPci: IoRequest = pci(Protocol::Raw);

/// `sizeof(SCARD_IO_REQUEST)`: two words.
const PCI_BYTES: Dword = if Dword::BITS == 64 { 16 } else { 8 };

const fn pci(protocol: Protocol) -> IoRequest {
    match protocol {
        Protocol::T0 => IoRequest { protocol: 1, length: PCI_BYTES },
        Protocol::T1 => IoRequest { protocol: 2, length: PCI_BYTES },
        Protocol::Raw => IoRequest { protocol: 4, length: PCI_BYTES },
    }
}

/// `SCardTransmit`. The receive buffer may be of any size.
///
/// DIFFERS: `pioRecvPci` comes back with the negotiated protocol and the length of the structure; pcsc-lite hands out
/// what the driver wrote. `*pcbRecvLength` is 0 after every error but a buffer that is too small.
///
/// # Safety
/// `pioSendPci` is NULL or valid for reads, `pioRecvPci` NULL or valid for writes, `pcbRecvLength` NULL or valid for
/// both; `pbSendBuffer` is NULL or holds `cbSendLength` bytes, `pbRecvBuffer` is NULL or has room for `*pcbRecvLength`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SCardTransmit(
    hCard: CardNumber,
    pioSendPci: *const IoRequest,
    pbSendBuffer: *const u8,
    cbSendLength: Dword,
    pioRecvPci: *mut IoRequest,
    pbRecvBuffer: *mut u8,
    pcbRecvLength: *mut Dword,
) -> Long {
    edge::answer(|| {
        if pbSendBuffer.is_null()
            || pbRecvBuffer.is_null()
            || pcbRecvLength.is_null()
            || pioSendPci.is_null()
        {
            return Err(ScardCode::InvalidParameter);
        }
        // SAFETY: not NULL, so valid by the caller's duty.
        let (room, asked) =
            unsafe { (pcbRecvLength.read_unaligned(), pioSendPci.read_unaligned()) };
        // SAFETY: as above.
        unsafe { memory::put(pcbRecvLength, 0) }
        let card = tables::card(hCard)?;
        if cbSendLength > dword(MAX_BUFFER_BYTES) {
            return Err(ScardCode::InsufficientBuffer);
        }
        // SAFETY: by the caller's duty.
        let command = unsafe { memory::input(pbSendBuffer, cbSendLength) }?;
        let reply = match Asked::from(low_half(asked.protocol)) {
            Asked::Protocol(protocol) => card.call(Call::Transmit {
                card: card.handle,
                protocol,
                command: SecretBytes::from(command),
                receive_limit: u32::try_from(room).unwrap_or(u32::MAX),
            }),
            Asked::NoProtocol => refuse_protocol(&card),
        };
        let (protocol, response) = match reply {
            Ok(Answer::Transmitted { protocol, response }) => (protocol, response),
            Ok(_) => return Err(ScardCode::CommError),
            Err(refusal) => {
                // SAFETY: as above.
                unsafe { memory::put(pcbRecvLength, refusal.needed.map_or(0, Dword::from)) }
                return Err(refusal.code);
            }
        };
        let length = dword(response.len());
        // SAFETY: as above.
        unsafe { memory::put(pcbRecvLength, length) }
        if length > room {
            return Err(ScardCode::InsufficientBuffer);
        }
        // SAFETY: by the caller's duty there is room for `room` bytes, and the response is not longer.
        unsafe {
            memory::copy_out(response.expose(), pbRecvBuffer);
            memory::put(pioRecvPci, pci(protocol));
        }
        Ok(())
    })
}

/// What `pioSendPci` names.
enum Asked {
    /// A protocol; `None` is the one that was negotiated (`SCARD_PROTOCOL_ANY_OLD`).
    Protocol(Option<Protocol>),
    /// Something that is no protocol.
    NoProtocol,
}

impl From<u32> for Asked {
    fn from(number: u32) -> Self {
        const ANY_OLD: u32 = 0x1000;
        match (number, abi::pcsclite_protocol(number)) {
            (_, Some(protocol)) => Self::Protocol(Some(protocol)),
            (ANY_OLD, None) => Self::Protocol(None),
            (_, None) => Self::NoProtocol,
        }
    }
}

/// What is no protocol does not match the card's, but marks, sharing and a missing card are told first.
fn refuse_protocol(card: &Card) -> Reply {
    let code = match card.call(Call::Status { card: card.handle })? {
        Answer::Status(reader) if reader.state == CardState::Absent => ScardCode::NoSmartcard,
        _ => ScardCode::ProtocolMismatch,
    };
    Err(Refusal::from(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_carry_the_numbers_of_their_protocols() {
        for protocol in [Protocol::T0, Protocol::T1, Protocol::Raw] {
            let pci = pci(protocol);
            assert_eq!(pci.protocol, Dword::from(abi::pcsclite_protocol_number(Some(protocol))));
            assert_eq!(pci.length, dword(size_of::<IoRequest>()));
        }
    }
}
