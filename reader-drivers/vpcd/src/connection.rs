//! One card, from its connection to its end: orders of the slot become messages, its answers are believed only as far
//! as they make sense.

use std::future::Future;
use std::time::Duration;

use scard_types::{Atr, Protocol, SecretBytes, SlotError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::message::{Control, Inbox, encode};

/// A command of one byte would be taken for a control, and one of none is answered by no card that we know.
///
/// DIFFERS: stock vpcd sends them.
const MIN_COMMAND_BYTES: usize = 2;
/// A status word.
const MIN_ANSWER_BYTES: usize = 2;

/// A stream to a card.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {
    /// The beginning of a message came, and its sender may wait for an acknowledgement before it sends the rest.
    fn acknowledge(&self) {}
}

impl Wire for UnixStream {}

impl Wire for TcpStream {
    fn acknowledge(&self) {
        // The kernel falls back to delayed ones by itself, so this is for the moment; without it the rest comes later.
        let _ = rustix::net::sockopt::set_tcp_quickack(self, true);
    }
}

/// Where the result of an order goes. Nobody may be there any more; the card is worked with to the end all the same.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, SlotError>>;

/// What the slot wants of the card.
pub(crate) enum Order {
    /// [`Control::PowerOn`] or [`Control::Reset`], then the answer to reset.
    Power(Control, Reply<Atr>),
    PowerOff(Reply<()>),
    SetProtocol(Protocol, Reply<()>),
    Exchange(SecretBytes, Reply<SecretBytes>),
}

impl Order {
    /// The result where there is no card.
    pub(crate) fn without_card(self) {
        // Whoever gave the order may have given it up.
        match self {
            Self::Power(_, reply) => drop(reply.send(Err(SlotError::NoCard))),
            Self::PowerOff(reply) => drop(reply.send(Ok(()))),
            Self::SetProtocol(_, reply) => drop(reply.send(Err(SlotError::NoCard))),
            Self::Exchange(_, reply) => drop(reply.send(Err(SlotError::NoCard))),
        }
    }
}

/// Why a card is served no longer.
///
/// DIFFERS: stock vpcd waits for ever, and takes what comes unasked for the next answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It has closed the connection.
    Gone,
    /// It said something without being asked: its next answer might belong to any question.
    Unasked,
    /// It did not answer in time: if it does later, that would be taken for the next answer.
    Silent,
    /// Nobody gives orders any more.
    Unused,
}

impl End {
    const fn error(self) -> SlotError {
        match self {
            Self::Gone | Self::Unused => SlotError::NoCard,
            Self::Unasked => SlotError::Communication,
            Self::Silent => SlotError::Timeout,
        }
    }
}

/// What came of an order, or why the card is served no longer.
type Outcome<T> = Result<Result<T, SlotError>, End>;

/// A card that is connected.
pub(crate) struct Connection {
    wire: Box<dyn Wire>,
    inbox: Inbox,
    answer_within: Duration,
    /// Its answer to reset, while it is powered.
    powered: Option<Atr>,
}

impl Connection {
    pub(crate) fn new(wire: Box<dyn Wire>, answer_within: Duration) -> Self {
        Self { wire, inbox: Inbox::default(), answer_within, powered: None }
    }

    /// Obeys until there is a reason not to.
    pub(crate) async fn serve(mut self, orders: &mut mpsc::Receiver<Order>) -> End {
        loop {
            let order = tokio::select! {
                biased;
                end = self.disturbance() => return end,
                order = orders.recv() => order,
            };
            let Some(order) = order else { return End::Unused };
            if let Err(end) = self.obey(order).await {
                return end;
            }
        }
    }

    /// Waits for what should not happen between two orders.
    async fn disturbance(&mut self) -> End {
        if !self.inbox.is_empty() {
            return End::Unasked;
        }
        match self.wire.read(self.inbox.room()).await {
            Ok(0) | Err(_) => End::Gone,
            Ok(_) => End::Unasked,
        }
    }

    /// However many messages an order takes, they have one deadline.
    async fn obey(&mut self, order: Order) -> Result<(), End> {
        let limit = self.answer_within;
        match order {
            Order::Power(control, reply) => settle(reply, within(limit, self.power(control)).await),
            Order::PowerOff(reply) => settle(reply, within(limit, self.power_off()).await),
            Order::SetProtocol(protocol, reply) => settle(reply, Ok(self.set_protocol(protocol))),
            Order::Exchange(command, reply) => {
                settle(reply, within(limit, self.exchange(&command)).await)
            }
        }
    }

    async fn power(&mut self, control: Control) -> Outcome<Atr> {
        if self.powered.take().is_some() && control == Control::PowerOn {
            self.tell(Control::PowerOff).await?;
        }
        self.tell(control).await?;
        self.tell(Control::AnswerToReset).await?;
        let answer = self.receive().await?;
        if answer.is_empty() {
            return Ok(Err(SlotError::Mute));
        }
        self.powered = Atr::new(answer.expose()).ok();
        Ok(self.powered.ok_or(SlotError::BadAnswer))
    }

    async fn power_off(&mut self) -> Outcome<()> {
        self.powered = None;
        self.tell(Control::PowerOff).await.map(Ok)
    }

    /// The protocol of vpcd has no word for it; a card offers what it offers.
    fn set_protocol(&self, protocol: Protocol) -> Result<(), SlotError> {
        let atr = self.powered.ok_or(SlotError::NoCard)?;
        if atr.protocols().contains(&protocol) { Ok(()) } else { Err(SlotError::ProtocolRefused) }
    }

    /// DIFFERS: stock vpcd sends commands to a card that it has switched off.
    async fn exchange(&mut self, command: &SecretBytes) -> Outcome<SecretBytes> {
        if self.powered.is_none() {
            return Ok(Err(SlotError::NoCard));
        }
        if command.len() < MIN_COMMAND_BYTES {
            return Ok(Err(SlotError::NotSupported));
        }
        let Ok(message) = encode(command.expose()) else { return Ok(Err(SlotError::TooLong)) };
        self.send(&message).await?;
        let answer = self.receive().await?;
        if answer.len() < MIN_ANSWER_BYTES {
            return Ok(Err(SlotError::BadAnswer));
        }
        Ok(Ok(answer))
    }

    async fn tell(&mut self, control: Control) -> Result<(), End> {
        match encode(&[control.byte()]) {
            Ok(message) => self.send(&message).await,
            Err(_) => Ok(()),
        }
    }

    async fn send(&mut self, message: &SecretBytes) -> Result<(), End> {
        self.wire.write_all(message.expose()).await.map_err(|_| End::Gone)
    }

    async fn receive(&mut self) -> Result<SecretBytes, End> {
        loop {
            if let Some(content) = self.inbox.take() {
                return Ok(content);
            }
            if self.inbox.is_partial() {
                self.wire.acknowledge();
            }
            match self.wire.read(self.inbox.room()).await {
                Ok(0) | Err(_) => return Err(End::Gone),
                Ok(count) => self.inbox.fill(count),
            }
        }
    }
}

/// A card that does not answer, or that reads nothing, is silent.
async fn within<T>(limit: Duration, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    timeout(limit, work).await.unwrap_or(Err(End::Silent))
}

/// Tells the result to whoever gave the order.
fn settle<T>(reply: Reply<T>, outcome: Outcome<T>) -> Result<(), End> {
    let (result, goes_on) = match outcome {
        Ok(result) => (result, Ok(())),
        Err(end) => (Err(end.error()), Err(end)),
    };
    // An order that was given up has come to its end only now.
    let _ = reply.send(result);
    goes_on
}

#[cfg(test)]
mod tests;
