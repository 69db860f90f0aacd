//! pcsc-lite's wire, for a stock pcscd on the other side.
//!
//! One request at a time: a lock keeps the threads of a program apart, as in libpcsclite, and a wait for status changes
//! holds it. Between the repetitions of a refused call it is free, so that another thread can end the transaction.

mod connection;
mod status_change;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use scard_types::call::{
    Answer, Call, CardHandle, ContextId, ReaderDescription, ReaderEntry, Refusal, Reply,
};
use scard_types::{Protocol, ReaderName, ScardCode, SecretBytes};
use scard_wire::pcsclite::{ClientReply, ClientRequest};

use crate::Endpoint;
use connection::Connection;
use status_change::Wait;

#[derive(Debug)]
pub(crate) struct Fallback {
    endpoint: Endpoint,
    descriptor: OwnedFd,
    inner: Mutex<Inner>,
    wait: Wait,
    /// Of the connection, to be looked at while a wait holds it.
    is_lost: AtomicBool,
}

#[derive(Debug)]
struct Inner {
    connection: Connection,
    /// What the replies of pcscd do not say and programs ask for.
    handles: BTreeMap<CardHandle, Handle>,
}

#[derive(Debug)]
struct Handle {
    reader: String,
    protocol: Option<Protocol>,
}

impl Fallback {
    pub(crate) fn open(endpoint: &Endpoint) -> Result<Self, ScardCode> {
        let connection = Connection::open(endpoint)?;
        let descriptor =
            connection.descriptor().try_clone_to_owned().map_err(|_| ScardCode::NoMemory)?;
        let inner = Mutex::new(Inner { connection, handles: BTreeMap::new() });
        Ok(Self {
            endpoint: endpoint.clone(),
            descriptor,
            inner,
            wait: Wait::default(),
            is_lost: AtomicBool::new(false),
        })
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    pub(crate) fn call(&self, call: &Call) -> Reply {
        if let Call::Cancel { context } = call {
            return Ok(self.cancel(*context).map(|()| Answer::Done)?);
        }
        let mut inner = self.inner();
        let reply = match call {
            Call::StatusChange { timeout_ms, readers, .. } => {
                status_change::wait(&mut inner.connection, &self.wait, *timeout_ms, readers)
            }
            call => inner.call(call),
        };
        self.is_lost.store(inner.connection.is_lost(), Ordering::Relaxed);
        reply
    }

    /// Whether the connection is of no more use.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// On a connection of its own, without a version: that is how pcscd wants it. Without a wait nothing is sent, as in
    /// libpcsclite; pcscd knows only waits that are registered at this moment, the others see that they are cancelled.
    pub(crate) fn cancel(&self, context: ContextId) -> Result<(), ScardCode> {
        if !self.wait.cancel() {
            return Ok(());
        }
        match Connection::cancel(&self.endpoint, context) {
            Err(ScardCode::InvalidHandle) => Ok(()),
            said => said,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn call(&mut self, call: &Call) -> Reply {
        // Another thread may have closed the handle between two tries, and pcscd ends the connection of one who names a
        // handle that is not his.
        if card_of(call).is_some_and(|card| !self.handles.contains_key(&card)) {
            return Err(ScardCode::InvalidHandle.into());
        }
        match call {
            Call::EstablishContext { scope, character: _ } => {
                let reply = self.ask(&ClientRequest::establish(*scope))?;
                Ok(Answer::Context(reply.context()))
            }
            Call::ReleaseContext { context } => {
                self.handles.clear();
                self.done(&ClientRequest::release(*context))
            }
            Call::Connect { context, reader, share, protocols } => {
                let request = ClientRequest::connect(*context, reader, *share, *protocols)
                    .ok_or(ScardCode::UnknownReader)?;
                let reply = self.ask(&request)?;
                let (card, protocol) = (reply.card(), reply.protocol());
                self.handles.insert(card, Handle { reader: reader.clone(), protocol });
                Ok(Answer::Connected { card, protocol })
            }
            Call::Reconnect { card, share, protocols, initialization } => {
                let request = ClientRequest::reconnect(*card, *share, *protocols, *initialization);
                let protocol = self.ask(&request)?.protocol();
                if let Some(handle) = self.handles.get_mut(card) {
                    handle.protocol = protocol;
                }
                Ok(Answer::Reconnected { protocol })
            }
            Call::Disconnect { card, disposition } => {
                let answer = self.done(&ClientRequest::disconnect(*card, *disposition))?;
                self.handles.remove(card);
                Ok(answer)
            }
            Call::BeginTransaction { card } => self.done(&ClientRequest::begin(*card)),
            Call::EndTransaction { card, disposition } => {
                self.done(&ClientRequest::end(*card, *disposition))
            }
            Call::Transmit { card, protocol, command, receive_limit } => {
                self.transmit(*card, *protocol, command, *receive_limit)
            }
            Call::Control { card, code, input, output_limit } => {
                let request = ClientRequest::control(*card, *code, input.expose(), *output_limit)
                    .ok_or(ScardCode::InsufficientBuffer)?;
                Ok(Answer::Controlled(self.ask_for_bytes(&request)?))
            }
            Call::Status { card } => self.status(*card),
            Call::GetAttribute { card, tag } => {
                let reply = self.ask(&ClientRequest::attribute(*card, *tag))?;
                Ok(Answer::Attribute(reply.attribute().to_vec()))
            }
            Call::SetAttribute { card, tag, value } => {
                let request = ClientRequest::set_attribute(*card, *tag, value)
                    .ok_or(ScardCode::InsufficientBuffer)?;
                self.done(&request)
            }
            Call::ListReaders { .. } => {
                let names = self.readers()?.into_iter().map(|reader| reader.name);
                Ok(Answer::Readers(names.collect()))
            }
            Call::DescribeReaders => {
                let describe =
                    |entry| ReaderDescription { entry, driver: String::new(), holders: vec![] };
                Ok(Answer::Described(self.readers()?.into_iter().map(describe).collect()))
            }
            _ => Err(ScardCode::UnsupportedFeature.into()),
        }
    }

    /// The protocol of the answer is the one in use: what drivers put there is not to be relied on.
    fn transmit(
        &mut self,
        card: CardHandle,
        named: Option<Protocol>,
        command: &SecretBytes,
        receive_limit: u32,
    ) -> Reply {
        let in_use = self.handles.get(&card).and_then(|handle| handle.protocol);
        let request = ClientRequest::transmit(card, named, command.expose(), receive_limit)
            .ok_or(ScardCode::InsufficientBuffer)?;
        let response = self.ask_for_bytes(&request)?;
        let protocol = in_use.or(named).unwrap_or(Protocol::Raw);
        Ok(Answer::Transmitted { protocol, response })
    }

    /// pcscd says only whether the handle is in order; the rest stands in the table.
    fn status(&mut self, card: CardHandle) -> Reply {
        self.ask(&ClientRequest::status(card))?;
        let name = match self.handles.get(&card) {
            Some(handle) => ReaderName::new(handle.reader.as_str()),
            None => return Err(ScardCode::InvalidHandle.into()),
        };
        let named = |reader: &ReaderEntry| name.as_ref() == Ok(&reader.name);
        let reader = self.readers()?.into_iter().find(named);
        Ok(Answer::Status(reader.ok_or(ScardCode::ReaderUnavailable)?))
    }

    fn readers(&mut self) -> Result<Vec<ReaderEntry>, ScardCode> {
        Ok(self.connection.table()?.into_iter().flatten().collect())
    }

    fn done(&mut self, request: &ClientRequest<'_>) -> Reply {
        self.ask(request).map(|_| Answer::Done)
    }

    /// The reply, or the code in it.
    fn ask(&mut self, request: &ClientRequest<'_>) -> Result<ClientReply, Refusal> {
        let reply = self.connection.ask(request)?;
        match reply.result {
            Ok(()) => Ok(reply),
            Err(code) => Err(Refusal { code, needed: reply.needed }),
        }
    }

    fn ask_for_bytes(&mut self, request: &ClientRequest<'_>) -> Result<SecretBytes, Refusal> {
        let reply = self.ask(request)?;
        Ok(self.connection.payload(reply.payload_bytes)?)
    }
}

/// The handle that a call names.
const fn card_of(call: &Call) -> Option<CardHandle> {
    match call {
        Call::Reconnect { card, .. }
        | Call::Disconnect { card, .. }
        | Call::BeginTransaction { card }
        | Call::EndTransaction { card, .. }
        | Call::Transmit { card, .. }
        | Call::Control { card, .. }
        | Call::Status { card }
        | Call::GetAttribute { card, .. }
        | Call::SetAttribute { card, .. } => Some(*card),
        _ => None,
    }
}
