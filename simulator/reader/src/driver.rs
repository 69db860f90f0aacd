//! The driver: announces the readers that were ordered and obeys commands.

use reader_api::{Announcement, DriverCommand, DriverFuture, NewReader, ReaderDriver};
use scard_types::{DeviceInstance, ReaderNaming};
use tokio::sync::mpsc;

use crate::bay::{Bay, Resident};
use crate::make::MakeError;
use crate::slot::{MODEL, SimEvents, SimSlot, VENDOR};
use crate::spec::{CardSpec, Line, Preset, SimSpec};

/// How a YubiKey's reader begins: programs look for "Yubico YubiKey", and for the interfaces behind it.
const YUBIKEY_NAME: &str = "Yubico YubiKey CCID";

/// Virtual readers with virtual cards.
#[derive(Default)]
pub struct SimDriver {
    orders: Vec<Order>,
    bays: Vec<Bay>,
    /// Made, and not yet announced.
    readers: Vec<NewReader>,
    last_order: u64,
    /// The number of the next reader, as its attributes tell it.
    next_reader: u32,
    /// The serial number of the next card that is ordered without.
    next_serial: u32,
}

/// An order that is carried out.
#[derive(Clone)]
struct Order {
    /// What its bays are marked with.
    number: u64,
    line: Line,
}

/// The readers of one order, made and not yet part of the driver.
struct Made {
    order: Order,
    readers: Vec<(Bay, NewReader)>,
}

impl SimDriver {
    /// A driver without readers; add some.
    #[must_use]
    pub fn new() -> Self {
        Self { next_serial: 1, ..Self::default() }
    }

    /// Makes the readers of one order. Keys are made later, when they are needed; files are read now.
    ///
    /// # Errors
    /// See [`MakeError`].
    pub fn add(&mut self, spec: &SimSpec) -> Result<(), MakeError> {
        let made = self.make_readers(spec)?;
        self.admit(made);
        Ok(())
    }

    /// Has exactly the readers of these orders from now on. Those of an order that was given before stay as they are,
    /// with their cards and whoever uses them; the others go. After an error nothing has changed.
    pub(crate) fn reorder(&mut self, wanted: &[SimSpec]) -> Result<(), MakeError> {
        let mut before = self.orders.clone();
        let mut kept = Vec::new();
        let mut new = Vec::new();
        for spec in wanted {
            match before.iter().position(|order| order.line == spec.line) {
                Some(at) => kept.push(before.remove(at)),
                None => new.push(self.make_readers(spec)?),
            }
        }
        self.orders = kept;
        self.bays.retain(|bay| self.orders.iter().any(|order| order.number == bay.order()));
        new.into_iter().for_each(|made| self.admit(made));
        Ok(())
    }

    fn admit(&mut self, made: Made) {
        self.orders.push(made.order);
        for (bay, reader) in made.readers {
            self.bays.push(bay);
            self.readers.push(reader);
        }
    }

    fn make_readers(&mut self, spec: &SimSpec) -> Result<Made, MakeError> {
        self.last_order = self.last_order.wrapping_add(1);
        let order = Order { number: self.last_order, line: spec.line.clone() };
        let naming = match &spec.reader.name {
            Some(name) => ReaderNaming::Verbatim(name.clone()),
            None => {
                let base = match spec.card.preset {
                    Some(Preset::Yubikey5) => YUBIKEY_NAME.to_owned(),
                    Some(Preset::Nist) | None => format!("{VENDOR} {MODEL}"),
                };
                ReaderNaming::Indexed { base, slot: 0 }
            }
        };
        // Until the resource manager says otherwise.
        let name = match &naming {
            ReaderNaming::Verbatim(name) => name.as_str(),
            ReaderNaming::Indexed { base, .. } => base,
        };
        let mut readers = Vec::new();
        for index in 0..spec.reader.count {
            let resident = self.make_card(&spec.card, index)?;
            let (mut bay, view, events) = Bay::new(name.to_owned(), resident, order.number);
            let occupied = !spec.reader.empty && bay.insert(None);
            let reader = NewReader {
                naming: naming.clone(),
                device: DeviceInstance {
                    id: format!("sim:{}:{index}", order.number),
                    slot: 0,
                    device_type: DeviceInstance::VENDOR,
                },
                occupied,
                slot: Box::new(SimSlot::new(view, self.next_reader)),
                events: Box::new(SimEvents(events)),
            };
            self.next_reader = self.next_reader.wrapping_add(1);
            readers.push((bay, reader));
        }
        Ok(Made { order, readers })
    }

    /// Makes the `index`th card of an order.
    pub(crate) fn make_card(&mut self, spec: &CardSpec, index: u32) -> Result<Resident, MakeError> {
        let serial = match spec.serial {
            Some(first) => first.wrapping_add(index),
            None => {
                let serial = self.next_serial;
                self.next_serial = serial.wrapping_add(1);
                serial
            }
        };
        let card = spec.make(serial)?;
        let serial = card.serial();
        Ok(Resident::new(card, serial))
    }

    async fn announce_new(&mut self, announce: &mpsc::Sender<Announcement>) {
        for reader in std::mem::take(&mut self.readers) {
            // Nobody listens any more: then nobody waits for the rest either.
            let _ = announce.send(Announcement::Reader(reader)).await;
        }
    }

    pub(crate) fn bays(&mut self) -> &mut [Bay] {
        &mut self.bays
    }
}

impl ReaderDriver for SimDriver {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn run(
        mut self: Box<Self>,
        announce: mpsc::Sender<Announcement>,
        mut commands: mpsc::Receiver<DriverCommand>,
    ) -> DriverFuture<'static, ()> {
        Box::pin(async move {
            self.announce_new(&announce).await;
            let _ = announce.send(Announcement::Settled).await;
            while let Some(DriverCommand { command, answer }) = commands.recv().await {
                let _ = answer.send(self.obey(&command));
                self.announce_new(&announce).await;
            }
            // No more commands will come; the readers stay until the driver is dropped.
            std::future::pending::<()>().await;
        })
    }
}
