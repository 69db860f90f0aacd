//! What every driver must do, as one test: build a [`Bench`] and call [`check`] in a tokio runtime.
//!
//! The suite knows no reader. It plays the resource manager and moves the card with the hands that the bench lends
//! it; a driver for real readers runs it over a scripted reader.
#![expect(clippy::panic, reason = "a failed check is a panic with its sentence")]

use std::fmt::Debug;
use std::future::{Future, ready};
use std::time::Duration;

use scard_types::{Atr, CardEvent, Protocol, ReaderName, SecretBytes, SlotError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{Announcement, CardEvents, DriverCommand, DriverFuture, NewReader, ReaderDriver, Slot};

/// Longer than anything here takes: a check that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Moves the card; done when the reader can know of it.
pub type Hand = Box<dyn FnMut() -> DriverFuture<'static, ()> + Send>;

/// A driver with one reader and one card, and what the suite may do with them.
pub struct Bench {
    /// The driver; its first reader has the card in it.
    pub driver: Box<dyn ReaderDriver>,
    /// Commands for it, for hands that need them.
    pub commands: mpsc::Receiver<DriverCommand>,
    /// A protocol that the card speaks.
    pub protocol: Protocol,
    /// A command that the card answers with the same bytes each time.
    pub command: Vec<u8>,
    /// A command that takes the card a while.
    pub slow_command: Vec<u8>,
    /// Takes the card out.
    pub remove: Hand,
    /// Puts the same card in.
    pub insert: Hand,
}

/// Runs every check over the bench.
///
/// # Panics
/// With the sentence that does not hold.
pub async fn check(bench: Bench) {
    let Bench { driver, commands, protocol, command, slow_command, mut remove, mut insert } = bench;
    let (reader, running) = announced(driver, commands).await;
    let NewReader { occupied, slot, mut events, .. } = reader;
    assert!(occupied, "a reader with a card in it is announced as occupied");
    let mut subject = Subject { slot, protocol, command };

    subject.named();
    expect_event(&mut *events, CardEvent::Inserted).await;
    subject.is_silent_without_power().await;
    let atr = subject.answers_after_power_on().await;
    subject.resets_to_the_same_answer(atr).await;
    subject.survives_odd_requests().await;
    subject.survives_an_exchange_that_is_given_up(&slow_command).await;
    subject.loses_power_and_gets_it_back(atr).await;

    // Waiting for an event can be given up without losing one.
    tokio::select! {
        biased;
        event = events.next() => panic!("nothing moved, and there is an event: {event:?}"),
        () = ready(()) => {}
    }
    within("the card is taken out", remove()).await;
    expect_event(&mut *events, CardEvent::Removed).await;
    subject.has_no_card().await;
    within("the card is put in", insert()).await;
    expect_event(&mut *events, CardEvent::Inserted).await;
    subject.is_silent_without_power().await;
    assert_eq!(subject.answers_after_power_on().await, atr, "the same card, the same ATR");

    subject.ends_an_exchange_when_the_card_goes(&slow_command, remove()).await;
    within("the card is put in", insert()).await;
    // Away and back before anybody looked: one event or two, and never a card that seems powered.
    match next_event(&mut *events).await {
        CardEvent::Replaced => {}
        CardEvent::Removed => expect_event(&mut *events, CardEvent::Inserted).await,
        event @ CardEvent::Inserted => panic!("a removal comes before {event:?}"),
    }
    subject.is_silent_without_power().await;
    subject.answers_after_power_on().await;

    running.abort();
    let end = within("the events end with the driver", events.next()).await;
    assert_eq!(end, None, "the events end with the driver");
}

/// Starts the driver: its first reader.
async fn announced(
    driver: Box<dyn ReaderDriver>,
    commands: mpsc::Receiver<DriverCommand>,
) -> (NewReader, JoinHandle<()>) {
    assert!(!driver.name().is_empty(), "a driver has a name");
    let (announce, mut announcements) = mpsc::channel(1);
    let running = tokio::spawn(driver.run(announce, commands));
    let mut first = None;
    loop {
        match within("every reader is announced, then the end of the search", announcements.recv())
            .await
        {
            Some(Announcement::Reader(reader)) => first = first.or(Some(reader)),
            Some(Announcement::Settled) => break,
            None => panic!("the driver ends before its first search does"),
        }
    }
    let Some(first) = first else { panic!("the driver announces a reader") };
    (first, running)
}

/// A slot under test.
struct Subject {
    slot: Box<dyn Slot>,
    protocol: Protocol,
    command: Vec<u8>,
}

impl Subject {
    fn named(&mut self) {
        if let Ok(name) = ReaderName::new("Conformance 00 00") {
            self.slot.named(&name);
        }
    }

    async fn transmit(&mut self, command: &[u8]) -> Result<SecretBytes, SlotError> {
        let exchange = self.slot.transmit(self.protocol, command.into());
        within("an exchange ends", exchange).await
    }

    async fn is_silent_without_power(&mut self) {
        let command = self.command.clone();
        refused("an exchange without power", self.transmit(&command).await);
        if let Some(answer) = self.slot.try_now(self.protocol, &command.as_slice().into()) {
            refused("an immediate exchange without power", answer);
        }
        let protocol = self.slot.set_protocol(self.protocol);
        refused("a protocol without power", within("set_protocol ends", protocol).await);
    }

    /// Both ways of exchanging give the same.
    async fn answers(&mut self) {
        let command = self.command.clone();
        let answer = accepted("an exchange", self.transmit(&command).await);
        assert!((2..=65_538).contains(&answer.len()), "an answer has 2 to 65,538 bytes");
        if let Some(now) = self.slot.try_now(self.protocol, &command.as_slice().into()) {
            assert_eq!(accepted("an immediate exchange", now).expose(), answer.expose());
        }
    }

    async fn answers_after_power_on(&mut self) -> Atr {
        let atr = accepted("power on", within("power on ends", self.slot.power_on()).await);
        let protocol = self.slot.set_protocol(self.protocol);
        accepted("a protocol of the card", within("set_protocol ends", protocol).await);
        self.answers().await;
        atr
    }

    async fn resets_to_the_same_answer(&mut self, atr: Atr) {
        let warm = within("a warm reset ends", self.slot.warm_reset()).await;
        assert_eq!(accepted("a warm reset", warm), atr, "the same ATR after a warm reset");
        assert_eq!(self.answers_after_power_on().await, atr, "the same ATR after a cold one");
    }

    async fn loses_power_and_gets_it_back(&mut self, atr: Atr) {
        for _ in 0..2 {
            accepted("power off", within("power off ends", self.slot.power_off()).await);
        }
        self.is_silent_without_power().await;
        assert_eq!(self.answers_after_power_on().await, atr, "the same ATR after power off");
    }

    /// Whatever a client may ask for: an answer or an error, and the slot works afterwards.
    async fn survives_odd_requests(&mut self) {
        for length in [0, 1, 3, 4, 65_544, 65_545, 100_000] {
            if let Ok(answer) = self.transmit(&vec![0; length]).await {
                assert!(
                    answer.len() >= 2,
                    "{length} bytes are answered by less than a status word"
                );
            }
        }
        let unknown = self.slot.control(u32::MAX, SecretBytes::default(), 1_024);
        let unknown = within("a control code ends", unknown).await;
        assert_eq!(unknown, Err(SlotError::NotSupported), "an unknown control code");
        let unknown = within("an attribute ends", self.slot.attribute(u32::MAX)).await;
        assert_eq!(unknown, Err(SlotError::NotSupported), "an unknown attribute");
        let unknown = self.slot.set_attribute(u32::MAX, vec![0; 4]);
        let unknown = within("an attribute ends", unknown).await;
        assert_eq!(unknown, Err(SlotError::NotSupported), "an unknown attribute to set");
        self.answers().await;
    }

    async fn survives_an_exchange_that_is_given_up(&mut self, slow_command: &[u8]) {
        tokio::select! {
            biased;
            _ = self.slot.transmit(self.protocol, slow_command.into()) => {}
            () = ready(()) => {}
        }
        self.answers_after_power_on().await;
    }

    async fn has_no_card(&mut self) {
        let no_card = Some(SlotError::NoCard);
        let power_on = within("power on ends", self.slot.power_on()).await;
        assert_eq!(power_on.err(), no_card, "power on without a card");
        let command = self.command.clone();
        assert_eq!(self.transmit(&command).await.err(), no_card, "an exchange without a card");
        accepted("power off without a card", within("it ends", self.slot.power_off()).await);
    }

    /// The exchange ends at once with "no card", unless it was done already.
    async fn ends_an_exchange_when_the_card_goes(
        &mut self,
        slow_command: &[u8],
        remove: DriverFuture<'static, ()>,
    ) {
        let exchange = self.slot.transmit(self.protocol, slow_command.into());
        let both = async { tokio::join!(exchange, remove).0 };
        match within("the exchange ends when the card goes", both).await {
            Ok(_) | Err(SlotError::NoCard) => {}
            Err(error) => panic!("the card went during an exchange, it ended with: {error}"),
        }
    }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("waited too long: {what}"),
    }
}

async fn next_event(events: &mut dyn CardEvents) -> CardEvent {
    match within("an event comes", events.next()).await {
        Some(event) => event,
        None => panic!("the events ended while the driver is running"),
    }
}

async fn expect_event(events: &mut dyn CardEvents, expected: CardEvent) {
    assert_eq!(next_event(events).await, expected);
}

fn accepted<T>(what: &str, result: Result<T, SlotError>) -> T {
    result.unwrap_or_else(|error| panic!("{what} was refused: {error}"))
}

fn refused<T: Debug>(what: &str, result: Result<T, SlotError>) {
    if let Ok(answer) = result {
        panic!("{what} succeeded: {answer:?}");
    }
}
