//! The client's side, against any pcscd: requests out, replies in.
//!
//! Replies carry no length: the client reads as many bytes as the command's structure has ([`ClientRequest::reply`]), then
//! the payload that a successful one announces ([`ClientReply::payload_bytes`]).

use alloc::vec::Vec;

use scard_types::abi;
use scard_types::call::{CardHandle, ContextId};
use scard_types::{Disposition, Protocol, Protocols, ScardCode, ShareMode};

use super::body::{
    Body, NAME_BYTES, attribute, begin, connect, control, disconnect, establish, reconnect,
    release, transmit, version, wait,
};
use super::{
    Command, MAX_ATTRIBUTE_BYTES, MAX_PAYLOAD_BYTES, Malformed, READER_STATE_BYTES, TABLE_FLOOR,
    Version, convert,
};

/// `sizeof(SCARD_IO_REQUEST)` of 64-bit machines, as stock clients send it.
const PCI_BYTES: u32 = 16;
/// What stock clients send for a receive header that the program did not give: `SCARD_PROTOCOL_ANY`.
const NO_RECEIVE_PCI: u32 = 3;

/// One request, ready to be sent.
#[derive(Debug)]
pub struct ClientRequest<'p> {
    command: Command,
    body: Body,
    payload: &'p [u8],
}

/// What is read after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyShape {
    /// That many bytes, for [`ClientRequest::understand`].
    Structure(usize),
    /// A table of that many bytes, for [`super::decode_table`].
    Table(usize),
    /// Nothing for now.
    Nothing,
}

/// A reply, checked.
#[derive(Debug)]
pub struct ClientReply {
    command: Command,
    body: Body,
    /// What the daemon says about the call: `rv`.
    pub result: Result<(), ScardCode>,
    /// How many bytes follow: at most what the request allowed.
    pub payload_bytes: usize,
    /// With [`ScardCode::InsufficientBuffer`]: how many bytes were needed.
    pub needed: Option<u32>,
}

impl<'p> ClientRequest<'p> {
    fn new(command: Command, version: Version) -> Self {
        Self { command, body: Body::zeroed(command.request_bytes(version)), payload: &[] }
    }

    fn with(mut self, offset: usize, word: u32) -> Self {
        self.body.set_word(offset, word);
        self
    }

    fn with_payload(mut self, payload: &'p [u8]) -> Self {
        self.payload = payload;
        self
    }

    /// A command that carries nothing, or nothing that is looked at.
    #[must_use]
    pub fn plain(command: Command, version: Version) -> Self {
        Self::new(command, version)
    }

    /// VERSION.
    #[must_use]
    pub fn version(offered: Version) -> Self {
        Self::new(Command::Version, offered)
            .with(version::MAJOR, Version::MAJOR)
            .with(version::MINOR, offered.minor())
    }

    /// `ESTABLISH_CONTEXT`.
    #[must_use]
    pub fn establish(scope: u32) -> Self {
        Self::new(Command::EstablishContext, Version::NEWEST).with(establish::SCOPE, scope)
    }

    /// `RELEASE_CONTEXT`.
    #[must_use]
    pub fn release(context: ContextId) -> Self {
        Self::new(Command::ReleaseContext, Version::NEWEST).with(release::CONTEXT, context.0)
    }

    /// CANCEL, for a connection of its own.
    #[must_use]
    pub fn cancel(context: ContextId) -> Self {
        Self::new(Command::Cancel, Version::NEWEST).with(release::CONTEXT, context.0)
    }

    /// CONNECT; `None` if the name is longer than any reader's.
    #[must_use]
    pub fn connect(
        context: ContextId,
        reader: &str,
        share: ShareMode,
        protocols: Protocols,
    ) -> Option<Self> {
        if reader.len() >= NAME_BYTES {
            return None;
        }
        let mut request = Self::new(Command::Connect, Version::NEWEST)
            .with(connect::CONTEXT, context.0)
            .with(connect::SHARE, abi::share_mode_number(share))
            .with(connect::PROTOCOLS, abi::pcsclite_protocols_mask(protocols));
        request.body.set_bytes(connect::READER, reader.as_bytes());
        Some(request)
    }

    /// RECONNECT.
    #[must_use]
    pub fn reconnect(
        card: CardHandle,
        share: ShareMode,
        protocols: Protocols,
        initialization: Disposition,
    ) -> Self {
        Self::new(Command::Reconnect, Version::NEWEST)
            .with(reconnect::CARD, card.0)
            .with(reconnect::SHARE, abi::share_mode_number(share))
            .with(reconnect::PROTOCOLS, abi::pcsclite_protocols_mask(protocols))
            .with(reconnect::INITIALIZATION, abi::disposition_number(initialization))
    }

    /// DISCONNECT.
    #[must_use]
    pub fn disconnect(card: CardHandle, disposition: Disposition) -> Self {
        Self::new(Command::Disconnect, Version::NEWEST)
            .with(disconnect::CARD, card.0)
            .with(disconnect::DISPOSITION, abi::disposition_number(disposition))
    }

    /// `BEGIN_TRANSACTION`.
    #[must_use]
    pub fn begin(card: CardHandle) -> Self {
        Self::new(Command::BeginTransaction, Version::NEWEST).with(begin::CARD, card.0)
    }

    /// `END_TRANSACTION`.
    #[must_use]
    pub fn end(card: CardHandle, disposition: Disposition) -> Self {
        Self::new(Command::EndTransaction, Version::NEWEST)
            .with(disconnect::CARD, card.0)
            .with(disconnect::DISPOSITION, abi::disposition_number(disposition))
    }

    /// STATUS.
    #[must_use]
    pub fn status(card: CardHandle) -> Self {
        Self::new(Command::Status, Version::NEWEST).with(begin::CARD, card.0)
    }

    /// TRANSMIT; no protocol means whatever was negotiated. `None` if the command is longer than any message.
    #[must_use]
    pub fn transmit(
        card: CardHandle,
        protocol: Option<Protocol>,
        command: &'p [u8],
        receive_limit: u32,
    ) -> Option<Self> {
        let request = Self::new(Command::Transmit, Version::NEWEST)
            .with(transmit::CARD, card.0)
            .with(transmit::SEND_PROTOCOL, convert::sent_protocol_number(protocol))
            .with(transmit::SEND_PCI_LENGTH, PCI_BYTES)
            .with(transmit::SEND_LENGTH, payload_length(command)?)
            .with(transmit::RECEIVE_PROTOCOL, NO_RECEIVE_PCI)
            .with(transmit::RECEIVE_PCI_LENGTH, PCI_BYTES)
            .with(transmit::RECEIVE_LENGTH, clamp(receive_limit));
        Some(request.with_payload(command))
    }

    /// CONTROL. `None` if the input is longer than any message.
    #[must_use]
    pub fn control(
        card: CardHandle,
        code: u32,
        input: &'p [u8],
        output_limit: u32,
    ) -> Option<Self> {
        let request = Self::new(Command::Control, Version::NEWEST)
            .with(control::CARD, card.0)
            .with(control::CODE, code)
            .with(control::SEND_LENGTH, payload_length(input)?)
            .with(control::RECEIVE_LENGTH, clamp(output_limit));
        Some(request.with_payload(input))
    }

    /// `GET_ATTRIB`.
    #[must_use]
    pub fn attribute(card: CardHandle, tag: u32) -> Self {
        Self::new(Command::GetAttribute, Version::NEWEST)
            .with(attribute::CARD, card.0)
            .with(attribute::TAG, tag)
            .with(attribute::LENGTH, u32::try_from(MAX_ATTRIBUTE_BYTES).unwrap_or(0))
    }

    /// `SET_ATTRIB`. `None` if the value is longer than the field.
    #[must_use]
    pub fn set_attribute(card: CardHandle, tag: u32, value: &[u8]) -> Option<Self> {
        if value.len() > MAX_ATTRIBUTE_BYTES {
            return None;
        }
        let mut request = Self::new(Command::SetAttribute, Version::NEWEST)
            .with(attribute::CARD, card.0)
            .with(attribute::TAG, tag)
            .with(attribute::LENGTH, u32::try_from(value.len()).ok()?);
        request.body.set_bytes(attribute::VALUE, value);
        Some(request)
    }

    /// Writes header and structure into `out`; what is returned goes out right behind it.
    pub fn encode(&self, out: &mut Vec<u8>) -> &'p [u8] {
        let body = self.body.as_bytes();
        out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(0).to_ne_bytes());
        out.extend_from_slice(&self.command.number().to_ne_bytes());
        out.extend_from_slice(body);
        self.payload
    }

    /// What is read next. [`Command::ReadersStateArray`] brings as many entries as the size said: the caller knows.
    #[must_use]
    pub fn reply(&self, version: Version) -> ReplyShape {
        match self.command {
            Command::ReadersState => {
                ReplyShape::Table(TABLE_FLOOR.saturating_mul(READER_STATE_BYTES))
            }
            Command::WaitReaderStateChange if version.wait_brings_table() => {
                ReplyShape::Table(TABLE_FLOOR.saturating_mul(READER_STATE_BYTES))
            }
            Command::WaitReaderStateChange | Command::ReadersStateArray => ReplyShape::Nothing,
            Command::StopWaitingReaderStateChange | Command::ReaderEvents => {
                ReplyShape::Structure(wait::BYTES)
            }
            Command::ReadersStateSize => ReplyShape::Structure(4),
            _ => ReplyShape::Structure(self.body.as_bytes().len()),
        }
    }

    /// Reads the structure of the reply and holds its lengths against what was asked.
    ///
    /// # Errors
    /// [`Malformed::WrongSize`] and [`Malformed::TooLong`]; the daemon is not to be trusted any more.
    pub fn understand(&self, reply: &[u8]) -> Result<ClientReply, Malformed> {
        let command = self.command;
        if self.reply(Version::NEWEST) != ReplyShape::Structure(reply.len()) {
            let got = u32::try_from(reply.len()).unwrap_or(u32::MAX);
            return Err(Malformed::WrongSize { command, got });
        }
        let body = Body::from_bytes(reply);
        let rv = match command {
            Command::ReadersStateSize => abi::SUCCESS,
            _ => body.word(convert::rv_offset(command)),
        };
        let result = match rv {
            abi::SUCCESS => Ok(()),
            number => Err(abi::code_from_pcsclite(number).unwrap_or(ScardCode::UnknownError)),
        };
        let (announced, allowed) = match command {
            Command::Transmit => {
                let allowed = self.body.word(transmit::RECEIVE_LENGTH);
                (body.word(transmit::RECEIVE_LENGTH), allowed)
            }
            Command::Control => {
                let allowed = self.body.word(control::RECEIVE_LENGTH);
                (body.word(control::RETURNED), allowed)
            }
            Command::GetAttribute => {
                let allowed = self.body.word(attribute::LENGTH);
                (body.word(attribute::LENGTH), allowed)
            }
            _ => (0, 0),
        };
        if result.is_ok() && announced > allowed {
            return Err(Malformed::TooLong { announced });
        }
        let follows = result.is_ok() && command != Command::GetAttribute;
        let payload_bytes =
            if follows { usize::try_from(announced).unwrap_or(usize::MAX) } else { 0 };
        let short = result == Err(ScardCode::InsufficientBuffer);
        Ok(ClientReply { command, body, result, payload_bytes, needed: short.then_some(announced) })
    }
}

impl ClientReply {
    /// The context of an `ESTABLISH_CONTEXT`.
    #[must_use]
    pub fn context(&self) -> ContextId {
        ContextId(self.body.word(establish::CONTEXT))
    }

    /// The handle of a CONNECT.
    #[must_use]
    pub fn card(&self) -> CardHandle {
        CardHandle(self.body.word(connect::CARD))
    }

    /// The protocol of a CONNECT or RECONNECT.
    #[must_use]
    pub fn protocol(&self) -> Option<Protocol> {
        let offset = match self.command {
            Command::Connect => connect::PROTOCOL,
            _ => reconnect::PROTOCOL,
        };
        abi::pcsclite_protocol(self.body.word(offset))
    }

    /// The value of a `GET_ATTRIB`.
    #[must_use]
    pub fn attribute(&self) -> &[u8] {
        let length = usize::try_from(self.body.word(attribute::LENGTH)).unwrap_or(usize::MAX);
        self.body.slice(attribute::VALUE, length.min(MAX_ATTRIBUTE_BYTES))
    }

    /// The counter of a reader-events reply, and the number of entries of a table.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.body.word(wait::EVENTS)
    }

    /// The version that the daemon names, major and minor.
    #[must_use]
    pub fn version(&self) -> (u32, u32) {
        (self.body.word(version::MAJOR), self.body.word(version::MINOR))
    }
}

fn payload_length(payload: &[u8]) -> Option<u32> {
    if payload.len() > MAX_PAYLOAD_BYTES { None } else { u32::try_from(payload.len()).ok() }
}

/// pcscd closes the connection when asked for more.
fn clamp(limit: u32) -> u32 {
    limit.min(u32::try_from(MAX_PAYLOAD_BYTES).unwrap_or(u32::MAX))
}
