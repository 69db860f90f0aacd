//! The driver: announces the readers that were ordered and obeys commands.

use reader_api::{
    Announcement, DriverCommand, DriverFuture, NewReader, ReaderDriver, ReaderNaming,
};
use tokio::sync::mpsc;

use crate::bay::{Bay, Resident};
use crate::make::MakeError;
use crate::slot::{MODEL, SimEvents, SimSlot, VENDOR};
use crate::spec::{CardSpec, Line, SimSpec};

/// Virtual readers with virtual cards.
#[derive(Default)]
pub struct SimDriver {
    orders: Vec<Order>,
    last_order: u64,
    bays: Vec<Bay>,
    readers: Vec<NewReader>,
    /// The serial number of the next card that is ordered without.
    next_serial: u32,
}

/// An order that is carried out.
struct Order {
    /// What its bays are marked with.
    number: u64,
    line: Line,
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
        self.last_order = self.last_order.wrapping_add(1);
        self.orders.push(Order { number: self.last_order, line: spec.line.clone() });
        for index in 0..spec.reader.count {
            let resident = self.make(&spec.card, index)?;
            let naming = match &spec.reader.name {
                Some(name) => ReaderNaming::Verbatim(name.clone()),
                None => ReaderNaming::Indexed { base: format!("{VENDOR} {MODEL}"), slot: 0 },
            };
            let base = match &naming {
                ReaderNaming::Verbatim(name) => name.as_str().to_owned(),
                ReaderNaming::Indexed { base, .. } => base.clone(),
            };
            let number = u32::try_from(self.bays.len()).unwrap_or(u32::MAX);
            let (mut bay, view, events) = Bay::new(base, resident, self.last_order);
            let occupied = !spec.reader.empty && bay.insert(None);
            self.bays.push(bay);
            self.readers.push(NewReader {
                naming,
                occupied,
                slot: Box::new(SimSlot::new(view, number)),
                events: Box::new(SimEvents(events)),
            });
        }
        Ok(())
    }

    /// Has exactly the readers of these orders from now on. Those of an order that was given before stay as they are,
    /// with their cards and whoever uses them; the others go.
    pub(crate) fn reorder(&mut self, wanted: &[SimSpec]) -> Result<(), MakeError> {
        let mut before = std::mem::take(&mut self.orders);
        let mut new = Vec::new();
        for spec in wanted {
            match before.iter().position(|order| order.line == spec.line) {
                Some(at) => self.orders.push(before.remove(at)),
                None => new.push(spec),
            }
        }
        self.bays.retain(|bay| self.orders.iter().any(|order| order.number == bay.order()));
        new.into_iter().try_for_each(|spec| self.add(spec))
    }

    /// Makes the `index`th card of an order.
    pub(crate) fn make(&mut self, spec: &CardSpec, index: u32) -> Result<Resident, MakeError> {
        let serial = match spec.serial {
            Some(first) => first.wrapping_add(index),
            None => {
                let serial = self.next_serial;
                self.next_serial = serial.wrapping_add(1);
                serial
            }
        };
        Ok(Resident::new(spec.make(serial)?, serial))
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
