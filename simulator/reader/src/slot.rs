//! The slot: power, exchanges, attributes.

use scard_types::apdu::MAX_COMMAND_BYTES;
use scard_types::{Atr, CardEvent, Protocol, ReaderName, SecretBytes, SlotError, attribute};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use reader_api::{CardEvents, DriverFuture, Slot};

use crate::bay::{BayView, Insertion};
use crate::features;

/// Maker and model, as attributes and in the default name.
pub(crate) const VENDOR: &str = "scard";
pub(crate) const MODEL: &str = "Virtual PIV Reader";

/// `0xMMmmbbbb`: this crate's version.
const VERSION: u32 = 0x0001_0000;
/// Kind of the channel: F0 to FF are the makers' own (`SCARD_ATTR_CHANNEL_ID`).
const CHANNEL_KIND: u32 = 0x00F0_0000;
/// The longest block of T=1, ISO 7816-3:2006, 11.4.2.
const MAX_IFSD: u32 = 254;

/// A slot of a virtual reader.
pub(crate) struct SimSlot {
    bay: BayView,
    number: u32,
    /// Since which insertion the card is powered.
    powered: Option<Insertion>,
    protocol: Option<Protocol>,
}

impl SimSlot {
    pub(crate) const fn new(bay: BayView, number: u32) -> Self {
        Self { bay, number, powered: None, protocol: None }
    }

    async fn reset(&mut self) -> Result<Atr, SlotError> {
        (self.powered, self.protocol) = (None, None);
        let (insertion, card) = self.bay.inserted()?;
        let mut card = card.lock_owned().await;
        if self.bay.inserted()?.0 != insertion {
            return Err(SlotError::NoCard);
        }
        card.reset();
        self.powered = Some(insertion);
        Ok(card.atr())
    }

    async fn exchange(&self, command: SecretBytes) -> Result<SecretBytes, SlotError> {
        let (insertion, card) = self.bay.inserted()?;
        self.check(Some(insertion), &command)?;
        let work = async {
            let mut card = card.lock_owned().await;
            if card.is_quick(command.expose()) {
                return Ok(card.transmit(command.expose()));
            }
            spawn_blocking(move || card.transmit(command.expose()))
                .await
                .map_err(|_| SlotError::Mute)
        };
        tokio::select! {
            biased;
            () = self.bay.gone(insertion) => Err(SlotError::NoCard),
            answer = work => answer,
        }
    }

    /// Whether this command can go to the card of that insertion.
    fn check(&self, inserted: Option<Insertion>, command: &SecretBytes) -> Result<(), SlotError> {
        if inserted.is_none() || inserted != self.powered {
            return Err(SlotError::NoCard);
        }
        if command.len() > MAX_COMMAND_BYTES {
            return Err(SlotError::TooLong);
        }
        Ok(())
    }
}

impl Slot for SimSlot {
    fn named(&mut self, name: &ReaderName) {
        self.bay.name(name.as_str());
    }

    fn power_on(&mut self) -> DriverFuture<'_, Result<Atr, SlotError>> {
        Box::pin(self.reset())
    }

    fn power_off(&mut self) -> DriverFuture<'_, Result<(), SlotError>> {
        // What the loss of power clears is cleared before the next power on; nobody can look at it until then.
        (self.powered, self.protocol) = (None, None);
        Box::pin(async { Ok(()) })
    }

    fn set_protocol(&mut self, protocol: Protocol) -> DriverFuture<'_, Result<(), SlotError>> {
        Box::pin(async move {
            let (insertion, card) = self.bay.inserted()?;
            if self.powered != Some(insertion) {
                return Err(SlotError::NoCard);
            }
            if !card.lock().await.atr().protocols().contains(&protocol) {
                return Err(SlotError::ProtocolRefused);
            }
            self.protocol = Some(protocol);
            Ok(())
        })
    }

    fn transmit(
        &mut self,
        _: Protocol,
        command: SecretBytes,
    ) -> DriverFuture<'_, Result<SecretBytes, SlotError>> {
        Box::pin(self.exchange(command))
    }

    fn try_now(
        &mut self,
        _: Protocol,
        command: &SecretBytes,
    ) -> Option<Result<SecretBytes, SlotError>> {
        self.bay.look(|inserted, card| {
            if let Err(error) = self.check(inserted, command) {
                return Some(Err(error));
            }
            let mut card = card.try_lock().ok()?;
            card.is_quick(command.expose()).then(|| Ok(card.transmit(command.expose())))
        })
    }

    fn control(
        &mut self,
        code: u32,
        input: SecretBytes,
        output_limit: u32,
    ) -> DriverFuture<'_, Result<SecretBytes, SlotError>> {
        let _ = input;
        Box::pin(async move { features::control(code, output_limit) })
    }

    fn attribute(&mut self, tag: u32) -> DriverFuture<'_, Result<Vec<u8>, SlotError>> {
        let value = match tag {
            attribute::VENDOR_NAME => Ok(text(VENDOR)),
            attribute::VENDOR_IFD_TYPE => Ok(text(MODEL)),
            attribute::VENDOR_IFD_VERSION => Ok(number(VERSION)),
            attribute::VENDOR_IFD_SERIAL_NO => Ok(text(&format!("{:08}", self.number))),
            attribute::CHANNEL_ID => Ok(number(CHANNEL_KIND | (self.number & 0xFFFF))),
            attribute::ASYNC_PROTOCOL_TYPES => Ok(number(0x0000_0001 | 0x0000_0002)),
            attribute::MAX_IFSD => Ok(number(MAX_IFSD)),
            attribute::MAXINPUT => Ok(number(u32::try_from(MAX_COMMAND_BYTES).unwrap_or(u32::MAX))),
            attribute::CURRENT_PROTOCOL_TYPE => match self.protocol {
                Some(Protocol::T0) => Ok(number(1)),
                Some(Protocol::T1) => Ok(number(2)),
                Some(Protocol::Raw) | None => Err(SlotError::NoCard),
            },
            _ => Err(SlotError::NotSupported),
        };
        Box::pin(async { value })
    }
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

fn number(number: u32) -> Vec<u8> {
    number.to_ne_bytes().to_vec()
}

/// The events of a virtual reader, in the order in which they were made.
pub(crate) struct SimEvents(pub(crate) mpsc::UnboundedReceiver<CardEvent>);

impl CardEvents for SimEvents {
    fn next(&mut self) -> DriverFuture<'_, Option<CardEvent>> {
        Box::pin(self.0.recv())
    }
}

#[cfg(test)]
mod tests;
