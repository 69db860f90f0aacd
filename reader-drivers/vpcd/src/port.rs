//! A port: one card after the other, and never two.

use std::convert::Infallible;
use std::time::Duration;

use scard_types::CardEvent;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::connection::{Connection, End, Order, Wire};
use crate::listener::Listener;

/// The reader behind a slot: it accepts cards and has them obey the slot's orders.
pub(crate) struct Port {
    pub(crate) listener: Listener,
    /// The card that was there before anybody looked.
    pub(crate) first: Option<Box<dyn Wire>>,
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) events: mpsc::Sender<CardEvent>,
    pub(crate) answer_within: Duration,
}

impl Port {
    /// Serves cards until nobody gives orders or hears events any more.
    pub(crate) async fn run(mut self) {
        while let Some(wire) = self.next_card().await {
            if self.events.send(CardEvent::Inserted).await.is_err() {
                return;
            }
            let card = Connection::new(wire, self.answer_within);
            let end = tokio::select! {
                // The end of one card is seen before the next one knocks.
                biased;
                end = card.serve(&mut self.orders) => end,
                never = refuse_others(&self.listener) => match never {},
            };
            match end {
                End::Gone => debug!("the card has closed its connection"),
                End::Unasked => warn!("the card spoke without being asked: connection closed"),
                End::Silent => {
                    let seconds = self.answer_within.as_secs();
                    warn!("the card has not answered within {seconds} s: connection closed");
                }
                End::Unused => return,
            }
            if self.events.send(CardEvent::Removed).await.is_err() {
                return;
            }
        }
    }

    async fn next_card(&mut self) -> Option<Box<dyn Wire>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            tokio::select! {
                card = self.listener.accept() => return Some(card),
                order = self.orders.recv() => order?.without_card(),
            }
        }
    }
}

/// Closes every further connection while a card is in: its other side reads the end at once instead of waiting.
///
/// DIFFERS: stock vpcd accepts nobody meanwhile, so that the second card waits without knowing.
async fn refuse_others(listener: &Listener) -> Infallible {
    loop {
        drop(listener.accept().await);
        debug!("a second card was refused: one is connected");
    }
}
