//! The interface of reader drivers.
//!
//! A driver is a folder: it implements [`ReaderDriver`], announces readers (one per slot) and hands over a [`Slot`]
//! and a [`CardEvents`] for each. It never learns who is asking. Two halves, so that waiting for a card event never
//! keeps a slot from being used.
#![forbid(unsafe_code)]

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod order;

use std::future::Future;
use std::pin::Pin;

use scard_types::{
    Atr, CardEvent, DeviceInstance, Protocol, ReaderName, ReaderNaming, SecretBytes, SlotError,
};
use tokio::sync::{mpsc, oneshot};

/// What a slot or driver returns while it works. Dropping it must leave the slot usable or report [`SlotError::ReaderGone`] from then on.
pub type DriverFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One slot of a reader. One task at a time owns it; it takes and gives owned bytes.
pub trait Slot: Send + 'static {
    /// The resource manager tells how it calls the reader: once, before anything else.
    fn named(&mut self, name: &ReaderName) {
        let _ = name;
    }

    /// Cold reset: power off if it is on, power on, answer to reset.
    fn power_on(&mut self) -> DriverFuture<'_, Result<Atr, SlotError>>;

    /// Warm reset. A reader that cannot does a cold one.
    fn warm_reset(&mut self) -> DriverFuture<'_, Result<Atr, SlotError>> {
        self.power_on()
    }

    /// Power off. Without a card: success.
    fn power_off(&mut self) -> DriverFuture<'_, Result<(), SlotError>>;

    /// Agree on a protocol after power on. Readers that negotiate by themselves answer success.
    fn set_protocol(&mut self, protocol: Protocol) -> DriverFuture<'_, Result<(), SlotError>>;

    /// One exchange. The answer has 2 to 65,538 bytes.
    fn transmit(
        &mut self,
        protocol: Protocol,
        command: SecretBytes,
    ) -> DriverFuture<'_, Result<SecretBytes, SlotError>>;

    /// The same exchange, if it can be done in microseconds and without waiting: then nothing is handed to another
    /// task. `None` means: not this one, use [`Slot::transmit`]; nothing has happened to the card.
    fn try_now(
        &mut self,
        protocol: Protocol,
        command: &SecretBytes,
    ) -> Option<Result<SecretBytes, SlotError>> {
        let _ = (protocol, command);
        None
    }

    /// A control code in either ABI's encoding.
    fn control(
        &mut self,
        code: u32,
        input: SecretBytes,
        output_limit: u32,
    ) -> DriverFuture<'_, Result<SecretBytes, SlotError>> {
        let _ = (code, input, output_limit);
        Box::pin(async { Err(SlotError::NotSupported) })
    }

    /// An attribute (`scard_types::attribute`). Names, ATR and presence are answered by the core.
    fn attribute(&mut self, tag: u32) -> DriverFuture<'_, Result<Vec<u8>, SlotError>> {
        let _ = tag;
        Box::pin(async { Err(SlotError::NotSupported) })
    }

    /// Sets an attribute.
    fn set_attribute(
        &mut self,
        tag: u32,
        value: Vec<u8>,
    ) -> DriverFuture<'_, Result<(), SlotError>> {
        let _ = (tag, value);
        Box::pin(async { Err(SlotError::NotSupported) })
    }

    /// Ejects the card where the reader can.
    fn eject(&mut self) -> DriverFuture<'_, Result<(), SlotError>> {
        Box::pin(async { Err(SlotError::NotSupported) })
    }
}

/// The other half of a slot: what it reports of its own accord.
pub trait CardEvents: Send + 'static {
    /// Waits for the next event. A card that is there when the slot is announced is reported as inserted at once,
    /// so the first call answers immediately for a full slot. `None` means that the reader is gone. Cancel safe.
    fn next(&mut self) -> DriverFuture<'_, Option<CardEvent>>;
}

/// A reader (one slot) that a driver has found.
pub struct NewReader {
    /// How it wants to be called.
    pub naming: ReaderNaming,
    /// Which device it belongs to; no two readers that are there at a time have the same one and slot.
    pub device: DeviceInstance,
    /// Whether a card is in it now; the service waits with its clients until those cards have answered.
    pub occupied: bool,
    /// Its slot.
    pub slot: Box<dyn Slot>,
    /// Its events; their end is the end of the reader.
    pub events: Box<dyn CardEvents>,
}

/// What a driver says to the resource manager.
pub enum Announcement {
    /// A reader came.
    Reader(NewReader),
    /// The first search is over: every reader that was there at start has been announced.
    Settled,
}

/// A command for a driver that travels through the resource manager unread (insert a virtual card, for instance).
/// Only the daemon's own user and root may send one.
pub struct DriverCommand {
    /// In a format that the driver documents.
    pub command: Vec<u8>,
    /// Where the answer goes, in the same format; dropping it tells the client that the command failed.
    pub answer: oneshot::Sender<Vec<u8>>,
}

/// Finds readers.
pub trait ReaderDriver: Send + 'static {
    /// A short word: `sim`, `ccid`, `vpcd`.
    fn name(&self) -> &'static str;

    /// Searches, announces and serves commands until it is dropped; ends early only if it can never find a reader again.
    fn run(
        self: Box<Self>,
        announce: mpsc::Sender<Announcement>,
        commands: mpsc::Receiver<DriverCommand>,
    ) -> DriverFuture<'static, ()>;
}
