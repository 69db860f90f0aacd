//! Requests: what a client asks, in both directions of the translation.

use alloc::string::String;
use alloc::vec::Vec;

use scard_types::call::{Call, CardHandle, ContextId, KnownReader};
use scard_types::{ScardCode, SecretBytes};

use super::database;
use super::frame::{self, RequestKind};
use super::words::{ALL_ONES, Reader, Words};

/// One request as the daemon sees it.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// For the core.
    Call(Call),
    /// For a driver, which alone knows what it means. Answered with [`scard_types::call::Answer::Controlled`].
    DriverCommand {
        /// The driver's name.
        driver: String,
        /// What it is told.
        command: SecretBytes,
    },
    /// Of a kind that this daemon does not know. Answered with `E_UNSUPPORTED_FEATURE`.
    Unknown {
        /// The kind.
        kind: u16,
    },
}

/// Writes a call into `out` as one frame; what is returned goes out right behind it, in the same write.
///
/// # Errors
/// Nothing is written then. `UnsupportedFeature`: the call belongs to the other dialect. `InsufficientBuffer` (of a
/// payload) and `InvalidValue` (of names): it is larger than a frame may be.
pub fn encode_call<'c>(
    number: u32,
    call: &'c Call,
    out: &mut Vec<u8>,
) -> Result<(RequestKind, &'c [u8]), ScardCode> {
    let kind = kind_of(call).ok_or(ScardCode::UnsupportedFeature)?;
    let start = frame::open(number, kind.number(), out);
    let mut tail: &[u8] = &[];
    match call {
        Call::EstablishContext { scope, character } => {
            out.word(*scope);
            out.character(*character);
        }
        Call::ReleaseContext { context }
        | Call::ListReaders { context }
        | Call::Cancel { context } => out.word(context.0),
        Call::Connect { context, reader, share, protocols } => {
            out.word(context.0);
            out.text(reader);
            out.share(*share);
            out.protocols(*protocols);
        }
        Call::Reconnect { card, share, protocols, initialization } => {
            out.word(card.0);
            out.share(*share);
            out.protocols(*protocols);
            out.disposition(*initialization);
        }
        Call::Disconnect { card, disposition } | Call::EndTransaction { card, disposition } => {
            out.word(card.0);
            out.disposition(*disposition);
        }
        Call::BeginTransaction { card } | Call::Status { card } => out.word(card.0),
        Call::Transmit { card, protocol, command, receive_limit } => {
            out.word(card.0);
            out.protocol(*protocol);
            out.word(*receive_limit);
            out.length(command.len());
            tail = command.expose();
        }
        Call::Control { card, code, input, output_limit } => {
            out.word(card.0);
            out.word(*code);
            out.word(*output_limit);
            out.length(input.len());
            tail = input.expose();
        }
        Call::GetAttribute { card, tag } => {
            out.word(card.0);
            out.word(*tag);
        }
        Call::SetAttribute { card, tag, value } => {
            out.word(card.0);
            out.word(*tag);
            out.length(value.len());
            tail = value;
        }
        Call::StatusChange { context, timeout_ms, readers } => {
            out.word(context.0);
            out.word(timeout_ms.unwrap_or(ALL_ONES));
            out.length(readers.len());
            for reader in readers {
                out.text(&reader.name);
                out.word(reader.current_state);
            }
        }
        // Without a body, or of the database; `kind_of` knows the others.
        other => tail = database::encode_call(other, out),
    }
    finish(kind, start, tail, out).map_err(|code| database::too_long(call).unwrap_or(code))
}

/// Writes a driver command into `out` as one frame; what is returned goes out right behind it.
///
/// # Errors
/// Nothing is written then. `InsufficientBuffer`: it is larger than a frame may be.
pub fn encode_driver_command<'c>(
    number: u32,
    driver: &str,
    command: &'c [u8],
    out: &mut Vec<u8>,
) -> Result<(RequestKind, &'c [u8]), ScardCode> {
    let kind = RequestKind::DriverCommand;
    let start = frame::open(number, kind.number(), out);
    out.text(driver);
    out.length(command.len());
    finish(kind, start, command, out)
}

/// Reads the body of a request; `None` if it is broken.
pub(crate) fn decode(kind: RequestKind, body: &[u8]) -> Option<Request> {
    let mut body = Reader(body);
    let call = match kind {
        RequestKind::EstablishContext => {
            Call::EstablishContext { scope: body.word()?, character: body.character()? }
        }
        RequestKind::ReleaseContext => Call::ReleaseContext { context: context(&mut body)? },
        RequestKind::Connect => Call::Connect {
            context: context(&mut body)?,
            reader: body.owned_text()?,
            share: body.share()?,
            protocols: body.protocols()?,
        },
        RequestKind::Reconnect => Call::Reconnect {
            card: card(&mut body)?,
            share: body.share()?,
            protocols: body.protocols()?,
            initialization: body.disposition()?,
        },
        RequestKind::Disconnect => {
            Call::Disconnect { card: card(&mut body)?, disposition: body.disposition()? }
        }
        RequestKind::BeginTransaction => Call::BeginTransaction { card: card(&mut body)? },
        RequestKind::EndTransaction => {
            Call::EndTransaction { card: card(&mut body)?, disposition: body.disposition()? }
        }
        RequestKind::Transmit => Call::Transmit {
            card: card(&mut body)?,
            protocol: body.protocol()?,
            receive_limit: body.word()?,
            command: body.secret()?,
        },
        RequestKind::Control => Call::Control {
            card: card(&mut body)?,
            code: body.word()?,
            output_limit: body.word()?,
            input: body.secret()?,
        },
        RequestKind::Status => Call::Status { card: card(&mut body)? },
        RequestKind::GetAttribute => {
            Call::GetAttribute { card: card(&mut body)?, tag: body.word()? }
        }
        RequestKind::SetAttribute => Call::SetAttribute {
            card: card(&mut body)?,
            tag: body.word()?,
            value: body.bytes()?.to_vec(),
        },
        RequestKind::ListReaders => Call::ListReaders { context: context(&mut body)? },
        RequestKind::StatusChange => Call::StatusChange {
            context: context(&mut body)?,
            timeout_ms: Some(body.word()?).filter(|ms| *ms != ALL_ONES),
            readers: body.list(|body| {
                Some(KnownReader { name: body.owned_text()?, current_state: body.word()? })
            })?,
        },
        RequestKind::Cancel => Call::Cancel { context: context(&mut body)? },
        RequestKind::DescribeReaders => Call::DescribeReaders,
        RequestKind::Subscribe => Call::Subscribe,
        RequestKind::Trace => Call::Trace,
        RequestKind::DriverCommand => {
            let request =
                Request::DriverCommand { driver: body.owned_text()?, command: body.secret()? };
            body.end()?;
            return Some(request);
        }
        other => database::decode_call(other, &mut body)?,
    };
    body.end()?;
    Some(Request::Call(call))
}

fn kind_of(call: &Call) -> Option<RequestKind> {
    Some(match call {
        Call::EstablishContext { .. } => RequestKind::EstablishContext,
        Call::ReleaseContext { .. } => RequestKind::ReleaseContext,
        Call::Connect { .. } => RequestKind::Connect,
        Call::Reconnect { .. } => RequestKind::Reconnect,
        Call::Disconnect { .. } => RequestKind::Disconnect,
        Call::BeginTransaction { .. } => RequestKind::BeginTransaction,
        Call::EndTransaction { .. } => RequestKind::EndTransaction,
        Call::Transmit { .. } => RequestKind::Transmit,
        Call::Control { .. } => RequestKind::Control,
        Call::Status { .. } => RequestKind::Status,
        Call::GetAttribute { .. } => RequestKind::GetAttribute,
        Call::SetAttribute { .. } => RequestKind::SetAttribute,
        Call::ListReaders { .. } => RequestKind::ListReaders,
        Call::StatusChange { .. } => RequestKind::StatusChange,
        Call::Cancel { .. } => RequestKind::Cancel,
        Call::DescribeReaders => RequestKind::DescribeReaders,
        Call::Subscribe => RequestKind::Subscribe,
        Call::Trace => RequestKind::Trace,
        // The reader table and its watch are pcsc-lite's; here StatusChange and Subscribe take their place.
        other => return database::kind_of(other),
    })
}

fn finish<'c>(
    kind: RequestKind,
    start: usize,
    tail: &'c [u8],
    out: &mut Vec<u8>,
) -> Result<(RequestKind, &'c [u8]), ScardCode> {
    if frame::close(start, tail, out) <= kind.cap() {
        return Ok((kind, tail));
    }
    out.truncate(start);
    Err(if tail.is_empty() { ScardCode::InvalidValue } else { ScardCode::InsufficientBuffer })
}

fn context(body: &mut Reader<'_>) -> Option<ContextId> {
    body.word().map(ContextId)
}

fn card(body: &mut Reader<'_>) -> Option<CardHandle> {
    body.word().map(CardHandle)
}
