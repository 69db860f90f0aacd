//! Slots: one task for each, which owns the slot while it works. An idle slot lies in the engine, so that a session
//! can have an exchange done on the spot.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use reader_api::{CardEvents, NewReader, Slot};
use scard_core::{JobId, ReaderId, Work, WorkDone};
use scard_types::{ReaderName, SecretBytes, SlotError};
use tokio::sync::mpsc;
use tracing::{Instrument, info_span};

use crate::engine::Engine;

/// Where a slot's task gets its work, with the slot.
pub(crate) type Orders = mpsc::Sender<Order>;

/// Work that takes its time.
pub(crate) struct Order {
    slot: Box<dyn Slot>,
    job: JobId,
    work: Work,
}

/// A reader, as the engine sees it.
pub(crate) struct Reader {
    name: Option<ReaderName>,
    /// At home while nothing is to be done.
    slot: Option<Box<dyn Slot>>,
    orders: Orders,
    awaited: bool,
}

impl Reader {
    /// A reader whose slot is idle; `awaited` if it came with a card that has to answer yet.
    pub(crate) const fn new(slot: Box<dyn Slot>, orders: Orders, awaited: bool) -> Self {
        Self { name: None, slot: Some(slot), orders, awaited }
    }

    /// Its name, for the log.
    pub(crate) fn name(&self) -> &str {
        self.name.as_ref().map_or("", ReaderName::as_str)
    }

    /// Its name, once it has one.
    pub(crate) const fn full_name(&self) -> Option<&ReaderName> {
        self.name.as_ref()
    }

    /// The core has named it.
    pub(crate) fn set_name(&mut self, name: ReaderName) {
        if let Some(slot) = &mut self.slot {
            slot.named(&name);
        }
        self.name = Some(name);
    }

    /// Whether the start of the daemon waits for its card.
    pub(crate) const fn awaited(&self) -> bool {
        self.awaited
    }

    /// Its card has answered or is away; whether the start of the daemon waited for it until now.
    pub(crate) const fn no_longer_awaited(&mut self) -> bool {
        std::mem::replace(&mut self.awaited, false)
    }

    /// The slot is idle again.
    pub(crate) fn take_back(&mut self, slot: Box<dyn Slot>) {
        self.slot = Some(slot);
    }

    /// Has the slot work. The result at once, if it can be had at once; else it comes by [`Engine::work_done`].
    pub(crate) fn work(&mut self, job: JobId, work: Work) -> Option<WorkDone> {
        if let (Some(slot), Work::Transmit { protocol, command }) = (&mut self.slot, &work) {
            if let Some(response) = slot.try_now(*protocol, command) {
                return Some(WorkDone::Bytes(response));
            }
        }
        // The core asks for one piece at a time, so the slot is at home; it is not if its task is at its end.
        let Some(slot) = self.slot.take() else { return Some(reader_gone(&work)) };
        match self.orders.try_send(Order { slot, job, work }) {
            Ok(()) => None,
            Err(refused) => Some(reader_gone(&refused.into_inner().work)),
        }
    }
}

/// The answer of a reader that is no more.
pub(crate) const fn reader_gone(work: &Work) -> WorkDone {
    match work {
        Work::PowerOn | Work::WarmReset => WorkDone::Powered(Err(SlotError::ReaderGone)),
        Work::Transmit { .. } | Work::Control { .. } | Work::GetAttribute { .. } => {
            WorkDone::Bytes(Err(SlotError::ReaderGone))
        }
        _ => WorkDone::Done(Err(SlotError::ReaderGone)),
    }
}

/// Makes a reader known at once, and gives back what serves it until its departure, or until that is dropped.
pub(crate) fn serve(
    engine: &Arc<Engine>,
    driver: &'static str,
    new: NewReader,
) -> impl Future<Output = ()> + Send + use<> {
    let NewReader { naming, device, occupied, slot, events } = new;
    let (orders, taken) = mpsc::channel(1);
    let (id, name) = engine.reader_arrived(driver, (naming, device), slot, orders, occupied);
    let presence = Presence { engine: Arc::clone(engine), id };
    presence.serve(taken, events).instrument(info_span!("slot", reader = name))
}

/// A reader that the engine knows; dropping it, however that happens, is the reader's departure.
struct Presence {
    engine: Arc<Engine>,
    id: ReaderId,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.engine.reader_gone(self.id);
    }
}

impl Presence {
    async fn serve(self, mut orders: mpsc::Receiver<Order>, mut events: Box<dyn CardEvents>) {
        let mut working: Option<Working> = None;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => self.engine.card_event(self.id, event),
                    None => return,
                },
                Some(order) = orders.recv(), if working.is_none() => {
                    working = Some(Box::pin(perform(order)));
                }
                (slot, job, done) = finished(&mut working) => {
                    working = None;
                    self.engine.work_done(self.id, slot, job, done);
                }
            }
        }
    }
}

/// Work under way; it brings the slot back.
type Working = Pin<Box<dyn Future<Output = (Box<dyn Slot>, JobId, WorkDone)> + Send>>;

async fn finished(working: &mut Option<Working>) -> (Box<dyn Slot>, JobId, WorkDone) {
    match working {
        Some(working) => working.await,
        None => std::future::pending().await,
    }
}

async fn perform(order: Order) -> (Box<dyn Slot>, JobId, WorkDone) {
    let Order { mut slot, job, work } = order;
    let done = match work {
        Work::PowerOn => WorkDone::Powered(slot.power_on().await),
        Work::WarmReset => WorkDone::Powered(slot.warm_reset().await),
        Work::PowerOff => WorkDone::Done(slot.power_off().await),
        Work::SetProtocol(protocol) => WorkDone::Done(slot.set_protocol(protocol).await),
        Work::Transmit { protocol, command } => {
            WorkDone::Bytes(slot.transmit(protocol, command).await)
        }
        Work::Control { code, input, output_limit } => {
            WorkDone::Bytes(slot.control(code, input, output_limit).await)
        }
        Work::GetAttribute { tag } => {
            WorkDone::Bytes(slot.attribute(tag).await.map(SecretBytes::new))
        }
        Work::SetAttribute { tag, value } => WorkDone::Done(slot.set_attribute(tag, value).await),
        Work::Eject => WorkDone::Done(slot.eject().await),
        _ => WorkDone::Done(Err(SlotError::NotSupported)),
    };
    (slot, job, done)
}
