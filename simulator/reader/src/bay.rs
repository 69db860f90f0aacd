//! The place for a card in a reader: driver commands fill and empty it, the slot looks into it.

use std::sync::Arc;

use scard_types::{Atr, CardEvent, SlotError};
use sim_card::Card;
use tokio::sync::{Mutex, mpsc, watch};

/// A card, and who works with it now. The lock is held for one exchange; one that was given up goes on to its end.
pub(crate) type SharedCard = Arc<Mutex<Box<dyn Card>>>;

/// Which insertion it is, counted from the first: a card that was away and is back is not powered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Insertion(u64);

/// A card that belongs to a reader, in it or beside it.
#[derive(Clone)]
pub(crate) struct Resident {
    pub(crate) card: SharedCard,
    pub(crate) serial: u32,
    pub(crate) atr: Atr,
}

impl Resident {
    pub(crate) fn new(card: impl Card, serial: u32) -> Self {
        Self { serial, atr: card.atr(), card: Arc::new(Mutex::new(Box::new(card))) }
    }
}

/// What both sides see.
pub(crate) struct BayState {
    /// What the resource manager calls the reader, as far as it has said.
    pub(crate) name: String,
    pub(crate) resident: Resident,
    pub(crate) inserted: Option<Insertion>,
}

/// The side of the driver: its end is the end of the reader.
pub(crate) struct Bay {
    state: Arc<watch::Sender<BayState>>,
    events: mpsc::UnboundedSender<CardEvent>,
    insertions: u64,
    order: u64,
}

impl Bay {
    /// A bay with its card beside it, the view of the slot, and the events.
    pub(crate) fn new(
        name: String,
        resident: Resident,
        order: u64,
    ) -> (Self, BayView, mpsc::UnboundedReceiver<CardEvent>) {
        let (events, queue) = mpsc::unbounded_channel();
        let state = Arc::new(watch::Sender::new(BayState { name, resident, inserted: None }));
        let view = BayView { seen: state.subscribe(), state: Arc::clone(&state) };
        (Self { state, events, insertions: 0, order }, view, queue)
    }

    pub(crate) fn state(&self) -> watch::Ref<'_, BayState> {
        self.state.borrow()
    }

    /// The order that it belongs to.
    pub(crate) const fn order(&self) -> u64 {
        self.order
    }

    /// Puts a card in: the given one, or the one that was there before. False if there is one already.
    pub(crate) fn insert(&mut self, other: Option<Resident>) -> bool {
        if self.state().inserted.is_some() {
            return false;
        }
        self.insertions = self.insertions.saturating_add(1);
        self.state.send_modify(|state| {
            state.inserted = Some(Insertion(self.insertions));
            if let Some(other) = other {
                state.resident = other;
            }
        });
        self.tell(CardEvent::Inserted);
        true
    }

    /// Takes the card out and keeps it. False if there is none.
    pub(crate) fn remove(&self) -> bool {
        let mut was_there = false;
        self.state.send_modify(|state| was_there = state.inserted.take().is_some());
        if was_there {
            self.tell(CardEvent::Removed);
        }
        was_there
    }

    fn tell(&self, event: CardEvent) {
        // A resource manager that listens no more is about to go.
        let _ = self.events.send(event);
    }
}

/// The side of the slot.
pub(crate) struct BayView {
    seen: watch::Receiver<BayState>,
    state: Arc<watch::Sender<BayState>>,
}

impl BayView {
    pub(crate) fn name(&self, name: &str) {
        self.state.send_modify(|state| name.clone_into(&mut state.name));
    }

    /// The card that is in now, and since which insertion.
    pub(crate) fn inserted(&self) -> Result<(Insertion, SharedCard), SlotError> {
        let state = self.seen.borrow();
        let insertion = state.inserted.ok_or(SlotError::NoCard)?;
        Ok((insertion, Arc::clone(&state.resident.card)))
    }

    /// Looks at the card without taking a share of it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(Option<Insertion>, &SharedCard) -> T) -> T {
        let state = self.seen.borrow();
        look(state.inserted, &state.resident.card)
    }

    /// Waits until the card of that insertion is gone.
    pub(crate) async fn gone(&self, insertion: Insertion) {
        let mut seen = self.seen.clone();
        // An error would mean that no sender is left; this view holds one.
        let _ = seen.wait_for(|state| state.inserted != Some(insertion)).await;
    }
}
