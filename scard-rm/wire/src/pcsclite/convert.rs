//! From a client's structure to a call, and from a reply into the structure that goes back.

use alloc::string::String;
use alloc::vec::Vec;

use scard_types::abi;
use scard_types::call::{Answer, Call, CardHandle, ContextId, Reply};
use scard_types::{Character, Disposition, Protocol, ScardCode, SecretBytes, ShareMode};

use super::body::{
    Body, NAME_BYTES, attribute, begin, connect, control, disconnect, establish, reconnect,
    release, transmit,
};
use super::{Command, MAX_ATTRIBUTE_BYTES};

/// `SCARD_PROTOCOL_T0 | T1 | RAW`: with none of these, or [`ANY_OLD`] in a connect, only a direct handle is possible.
const USABLE_PROTOCOLS: u32 = 0x1 | 0x2 | 0x4;
/// `SCARD_PROTOCOL_ANY_OLD`: in a connect T=0 or T=1, in a transmit whatever was negotiated, in a reconnect nothing.
const ANY_OLD: u32 = 0x1000;

/// What a request asks of the core, or the code that it gets without asking.
///
/// Arguments are looked at in pcscd's order: protocols before share mode in a connect, after it and the initialization
/// in a reconnect, all before the reader's name and the handle.
/// DIFFERS: an argument that cannot be is refused before the handle is looked at; pcscd looks at some handles first.
/// Commands about versions and reader tables are not calls of this kind; they are [`super::Server`]'s.
pub(crate) fn call(command: Command, body: &Body, payload: SecretBytes) -> Result<Call, ScardCode> {
    Ok(match command {
        Command::EstablishContext => Call::EstablishContext {
            scope: body.word(establish::SCOPE),
            character: Character::PcscLite,
        },
        Command::ReleaseContext => {
            Call::ReleaseContext { context: ContextId(body.word(release::CONTEXT)) }
        }
        Command::Cancel => Call::Cancel { context: ContextId(body.word(release::CONTEXT)) },
        Command::Connect => Call::Connect {
            share: connect_share(body.word(connect::SHARE), body.word(connect::PROTOCOLS))?,
            context: ContextId(body.word(connect::CONTEXT)),
            reader: text(body.slice(connect::READER, NAME_BYTES)),
            protocols: abi::pcsclite_protocols(body.word(connect::PROTOCOLS)),
        },
        Command::Reconnect => {
            let share = abi::share_mode(body.word(reconnect::SHARE));
            let share = share.ok_or(ScardCode::InvalidValue)?;
            let initialization = match disposition(body.word(reconnect::INITIALIZATION))? {
                Disposition::Eject => return Err(ScardCode::InvalidValue),
                known => known,
            };
            let mask = body.word(reconnect::PROTOCOLS) & USABLE_PROTOCOLS;
            if share != ShareMode::Direct && mask == 0 {
                return Err(ScardCode::ProtocolMismatch);
            }
            let protocols = abi::pcsclite_protocols(mask);
            let card = CardHandle(body.word(reconnect::CARD));
            Call::Reconnect { card, share, protocols, initialization }
        }
        Command::Disconnect => Call::Disconnect {
            card: CardHandle(body.word(disconnect::CARD)),
            disposition: disposition(body.word(disconnect::DISPOSITION))?,
        },
        Command::BeginTransaction => {
            Call::BeginTransaction { card: CardHandle(body.word(begin::CARD)) }
        }
        Command::EndTransaction => Call::EndTransaction {
            card: CardHandle(body.word(disconnect::CARD)),
            disposition: disposition(body.word(disconnect::DISPOSITION))?,
        },
        Command::Transmit => Call::Transmit {
            card: CardHandle(body.word(transmit::CARD)),
            protocol: sent_protocol(body.word(transmit::SEND_PROTOCOL))?,
            command: payload,
            receive_limit: body.word(transmit::RECEIVE_LENGTH),
        },
        Command::Control => Call::Control {
            card: CardHandle(body.word(control::CARD)),
            code: body.word(control::CODE),
            input: payload,
            output_limit: body.word(control::RECEIVE_LENGTH),
        },
        Command::Status => Call::Status { card: CardHandle(body.word(begin::CARD)) },
        Command::GetAttribute => Call::GetAttribute {
            card: CardHandle(body.word(attribute::CARD)),
            tag: body.word(attribute::TAG),
        },
        Command::SetAttribute => Call::SetAttribute {
            card: CardHandle(body.word(attribute::CARD)),
            tag: body.word(attribute::TAG),
            value: attribute_value(body),
        },
        Command::Version
        | Command::ReadersState
        | Command::WaitReaderStateChange
        | Command::StopWaitingReaderStateChange
        | Command::ReaderEvents
        | Command::ReadersStateSize
        | Command::ReadersStateArray => return Err(ScardCode::InternalError),
    })
}

/// Fills the reply into the request's structure. What is returned goes out behind it.
pub(crate) fn fill<'r>(command: Command, body: &mut Body, reply: &'r Reply) -> &'r [u8] {
    let mut payload: &[u8] = &[];
    let mut code = reply.as_ref().err().map(|refusal| refusal.code);
    let needed = reply.as_ref().err().and_then(|refusal| refusal.needed);
    let sized = |room: u32, bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        (length, length <= room)
    };
    match command {
        Command::EstablishContext => match reply {
            Ok(Answer::Context(context)) => body.set_word(establish::CONTEXT, context.0),
            other => code = code.or(done(other)),
        },
        Command::Connect => match reply {
            Ok(Answer::Connected { card, protocol }) => {
                body.set_word(connect::CARD, card.0);
                body.set_word(connect::PROTOCOL, abi::pcsclite_protocol_number(*protocol));
            }
            Ok(_) => code = Some(ScardCode::InternalError),
            // pcscd's answer when polkit refuses the card.
            Err(refusal) if refusal.code == ScardCode::SecurityViolation => {
                body.set_word(connect::CARD, u32::MAX);
            }
            Err(_) => {}
        },
        Command::Reconnect => match reply {
            Ok(Answer::Reconnected { protocol }) => {
                body.set_word(reconnect::PROTOCOL, abi::pcsclite_protocol_number(*protocol));
            }
            other => {
                code = code.or(done(other));
                body.set_word(reconnect::PROTOCOL, 0);
            }
        },
        Command::Transmit => match reply {
            Ok(Answer::Transmitted { protocol, response }) => {
                let room = body.word(transmit::RECEIVE_LENGTH);
                let (length, fits) = sized(room, response.expose());
                body.set_word(transmit::RECEIVE_LENGTH, length);
                let protocol = abi::pcsclite_protocol_number(Some(*protocol));
                body.set_word(transmit::RECEIVE_PROTOCOL, protocol);
                if fits {
                    payload = response.expose();
                } else {
                    code = Some(ScardCode::InsufficientBuffer);
                }
            }
            other => {
                code = code.or(done(other));
                body.set_word(transmit::RECEIVE_LENGTH, needed.unwrap_or(0));
            }
        },
        Command::Control => match reply {
            Ok(Answer::Controlled(output)) => {
                let room = body.word(control::RECEIVE_LENGTH);
                let (length, fits) = sized(room, output.expose());
                body.set_word(control::RETURNED, length);
                if fits {
                    payload = output.expose();
                } else {
                    code = Some(ScardCode::InsufficientBuffer);
                }
            }
            other => {
                code = code.or(done(other));
                body.set_word(control::RETURNED, needed.unwrap_or(0));
            }
        },
        Command::GetAttribute => match reply {
            Ok(Answer::Attribute(value)) => {
                let (length, fits) = sized(body.word(attribute::LENGTH), value);
                body.set_word(attribute::LENGTH, length);
                if fits && value.len() <= MAX_ATTRIBUTE_BYTES {
                    body.set_bytes(attribute::VALUE, value);
                } else {
                    code = Some(ScardCode::InsufficientBuffer);
                }
            }
            other => {
                code = code.or(done(other));
                body.set_word(attribute::LENGTH, needed.unwrap_or(0));
            }
        },
        Command::Status => match reply {
            // The client takes the values from its reader table.
            Ok(Answer::Status(_) | Answer::Done) | Err(_) => {}
            Ok(_) => code = Some(ScardCode::InternalError),
        },
        _ => match reply {
            Ok(Answer::Done) | Err(_) => {}
            Ok(_) => code = Some(ScardCode::InternalError),
        },
    }
    body.set_word(rv_offset(command), code.map_or(abi::SUCCESS, abi::pcsclite_number));
    payload
}

/// Where the return value of a structure stands.
pub(crate) const fn rv_offset(command: Command) -> usize {
    match command {
        Command::EstablishContext | Command::Version => establish::RV,
        Command::ReleaseContext | Command::Cancel => release::RV,
        Command::Connect => connect::RV,
        Command::Reconnect => reconnect::RV,
        Command::Disconnect | Command::EndTransaction => disconnect::RV,
        Command::Transmit => transmit::RV,
        Command::Control => control::RV,
        Command::GetAttribute | Command::SetAttribute => attribute::RV,
        Command::BeginTransaction
        | Command::Status
        | Command::ReadersState
        | Command::WaitReaderStateChange
        | Command::StopWaitingReaderStateChange
        | Command::ReaderEvents
        | Command::ReadersStateSize
        | Command::ReadersStateArray => begin::RV,
    }
}

/// An answer that does not belong to its call is our fault, not the client's.
fn done(reply: &Reply) -> Option<ScardCode> {
    reply.is_ok().then_some(ScardCode::InternalError)
}

/// pcscd's order in a connect: protocols first, then the share mode.
fn connect_share(share: u32, protocols: u32) -> Result<ShareMode, ScardCode> {
    let direct = abi::share_mode_number(ShareMode::Direct);
    if share != direct && protocols & (USABLE_PROTOCOLS | ANY_OLD) == 0 {
        return Err(ScardCode::ProtocolMismatch);
    }
    abi::share_mode(share).ok_or(ScardCode::InvalidValue)
}

fn disposition(number: u32) -> Result<Disposition, ScardCode> {
    abi::disposition(number).ok_or(ScardCode::InvalidValue)
}

fn sent_protocol(number: u32) -> Result<Option<Protocol>, ScardCode> {
    match abi::pcsclite_protocol(number) {
        None if number == ANY_OLD => Ok(None),
        None => Err(ScardCode::ProtocolMismatch),
        known => Ok(known),
    }
}

/// The other way round.
pub(crate) fn sent_protocol_number(protocol: Option<Protocol>) -> u32 {
    protocol.map_or(ANY_OLD, |protocol| abi::pcsclite_protocol_number(Some(protocol)))
}

/// Up to the first NUL. What is no UTF-8 names no reader.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or(field)).into_owned()
}

fn attribute_value(body: &Body) -> Vec<u8> {
    let length = usize::try_from(body.word(attribute::LENGTH)).unwrap_or(usize::MAX);
    body.slice(attribute::VALUE, length.min(MAX_ATTRIBUTE_BYTES)).to_vec()
}
