//! The two halves of a reader, as the resource manager sees them.

use reader_api::{CardEvents, DriverFuture, Slot};
use scard_types::{Atr, CardEvent, Protocol, SecretBytes, SlotError};
use tokio::sync::{mpsc, oneshot};

use crate::connection::{Order, Reply};
use crate::message::Control;

/// Hands orders to the port, which carries each out to its end even if nobody waits for it any more.
///
/// DIFFERS: no attribute can be set, and a caller is told so; stock vpcd fails in a way of its own.
pub(crate) struct VpcdSlot(pub(crate) mpsc::Sender<Order>);

impl VpcdSlot {
    async fn ask<T>(&self, order: impl FnOnce(Reply<T>) -> Order) -> Result<T, SlotError> {
        let (reply, result) = oneshot::channel();
        self.0.send(order(reply)).await.map_err(|_| SlotError::ReaderGone)?;
        result.await.unwrap_or(Err(SlotError::ReaderGone))
    }
}

impl Slot for VpcdSlot {
    fn power_on(&mut self) -> DriverFuture<'_, Result<Atr, SlotError>> {
        Box::pin(self.ask(|reply| Order::Power(Control::PowerOn, reply)))
    }

    fn warm_reset(&mut self) -> DriverFuture<'_, Result<Atr, SlotError>> {
        Box::pin(self.ask(|reply| Order::Power(Control::Reset, reply)))
    }

    fn power_off(&mut self) -> DriverFuture<'_, Result<(), SlotError>> {
        Box::pin(self.ask(Order::PowerOff))
    }

    fn set_protocol(&mut self, protocol: Protocol) -> DriverFuture<'_, Result<(), SlotError>> {
        Box::pin(self.ask(move |reply| Order::SetProtocol(protocol, reply)))
    }

    fn transmit(
        &mut self,
        _: Protocol,
        command: SecretBytes,
    ) -> DriverFuture<'_, Result<SecretBytes, SlotError>> {
        Box::pin(self.ask(|reply| Order::Exchange(command, reply)))
    }
}

/// Connections that come and go.
pub(crate) struct VpcdEvents(pub(crate) mpsc::Receiver<CardEvent>);

impl CardEvents for VpcdEvents {
    fn next(&mut self) -> DriverFuture<'_, Option<CardEvent>> {
        Box::pin(self.0.recv())
    }
}
