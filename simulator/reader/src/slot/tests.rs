//! A slot with a card that answers when the test says so.

use std::sync::mpsc::{Receiver, Sender, channel};

use scard_types::abi::{pcsclite_control_code, windows_control_code};
use sim_card::default_atr;

use super::*;
use crate::bay::{Bay, Resident};

/// Answers `SLOW` only when it is told to, anything else at once.
struct Stubborn {
    begun: Sender<()>,
    answer: Receiver<()>,
}

const SLOW: &[u8] = &[0x00, 0x87, 0x11, 0x9A];
const QUICK: &[u8] = &[0x00, 0xA4, 0x04, 0x00];

impl sim_card::Card for Stubborn {
    fn atr(&self) -> Atr {
        default_atr()
    }

    fn reset(&mut self) {}

    fn transmit(&mut self, command: &[u8]) -> SecretBytes {
        if command == SLOW {
            self.begun.send(()).unwrap();
            self.answer.recv().unwrap();
        }
        vec![0x90, 0x00].into()
    }

    fn is_quick(&self, command: &[u8]) -> bool {
        command != SLOW
    }
}

struct Bench {
    bay: Bay,
    slot: SimSlot,
    begun: Receiver<()>,
    answer: Sender<()>,
}

fn bench() -> Bench {
    let (begun_sender, begun) = channel();
    let (answer, answer_receiver) = channel();
    let card = Stubborn { begun: begun_sender, answer: answer_receiver };
    let (mut bay, view, _) = Bay::new("Test".to_owned(), Resident::new(card, 1), 1);
    assert!(bay.insert(None));
    Bench { bay, slot: SimSlot::new(view, 3), begun, answer }
}

#[tokio::test]
async fn only_quick_commands_are_answered_now() {
    let Bench { bay: _bay, mut slot, begun: _begun, answer } = bench();
    let [slow, quick] = [SLOW, QUICK].map(SecretBytes::from);
    assert_eq!(slot.try_now(Protocol::T1, &quick), Some(Err(SlotError::NoCard)));
    slot.power_on().await.unwrap();
    assert!(slot.try_now(Protocol::T1, &quick).is_some_and(|answer| answer.is_ok()));
    assert_eq!(slot.try_now(Protocol::T1, &slow), None);
    answer.send(()).unwrap();
    assert!(slot.transmit(Protocol::T1, slow).await.is_ok());
}

#[tokio::test]
async fn removal_ends_an_exchange_that_is_under_way() {
    let Bench { mut bay, mut slot, begun, answer } = bench();
    slot.power_on().await.unwrap();
    let exchange = tokio::spawn(async move {
        let ended = slot.transmit(Protocol::T1, SLOW.into()).await;
        (slot, ended)
    });
    let begun = spawn_blocking(move || begun.recv().is_ok());
    assert!(begun.await.unwrap());
    assert!(bay.remove());
    let (mut slot, ended) = exchange.await.unwrap();
    assert_eq!(ended, Err(SlotError::NoCard));

    // The card is still at work when it is put back: power on waits for it.
    assert!(bay.insert(None));
    let quick = SecretBytes::from(QUICK);
    assert_eq!(slot.try_now(Protocol::T1, &quick), Some(Err(SlotError::NoCard)));
    answer.send(()).unwrap();
    slot.power_on().await.unwrap();
    assert!(slot.try_now(Protocol::T1, &quick).is_some_and(|answer| answer.is_ok()));
}

#[tokio::test]
async fn an_exchange_that_is_given_up_keeps_the_card_busy_until_its_end() {
    let Bench { bay: _bay, mut slot, begun, answer } = bench();
    slot.power_on().await.unwrap();
    let begun = spawn_blocking(move || begun.recv().is_ok());
    tokio::select! {
        _ = slot.transmit(Protocol::T1, SLOW.into()) => unreachable!("nobody lets it answer"),
        begun = begun => assert!(begun.unwrap()),
    }
    let quick = SecretBytes::from(QUICK);
    assert_eq!(slot.try_now(Protocol::T1, &quick), None);
    answer.send(()).unwrap();
    assert!(slot.transmit(Protocol::T1, quick).await.is_ok());
}

#[tokio::test]
async fn only_protocols_of_the_card_are_set() {
    let Bench { bay: _bay, mut slot, .. } = bench();
    slot.power_on().await.unwrap();
    assert_eq!(slot.set_protocol(Protocol::T0).await, Err(SlotError::ProtocolRefused));
    let current = slot.attribute(attribute::CURRENT_PROTOCOL_TYPE).await;
    assert_eq!(current, Err(SlotError::NoCard));
    assert_eq!(slot.set_protocol(Protocol::T1).await, Ok(()));
    let current = slot.attribute(attribute::CURRENT_PROTOCOL_TYPE).await;
    assert_eq!(current, Ok(2_u32.to_ne_bytes().to_vec()));
}

#[tokio::test]
async fn attributes_name_the_reader() {
    let Bench { bay: _bay, mut slot, .. } = bench();
    let cases: &[(u32, &[u8])] = &[
        (attribute::VENDOR_NAME, b"scard\0"),
        (attribute::VENDOR_IFD_TYPE, b"Virtual PIV Reader\0"),
        (attribute::VENDOR_IFD_VERSION, &0x0001_0000_u32.to_ne_bytes()),
        (attribute::VENDOR_IFD_SERIAL_NO, b"00000003\0"),
        (attribute::CHANNEL_ID, &0x00F0_0003_u32.to_ne_bytes()),
        (attribute::ASYNC_PROTOCOL_TYPES, &3_u32.to_ne_bytes()),
        (attribute::MAX_IFSD, &254_u32.to_ne_bytes()),
        (attribute::MAXINPUT, &65_544_u32.to_ne_bytes()),
    ];
    for (tag, value) in cases {
        assert_eq!(slot.attribute(*tag).await.as_deref(), Ok(*value), "{tag:X}");
    }
    assert_eq!(slot.attribute(attribute::MAX_CLK).await, Err(SlotError::NotSupported));
}

#[tokio::test]
async fn features_are_told_in_the_encoding_of_the_question() {
    let Bench { bay: _bay, mut slot, .. } = bench();
    for encode in [pcsclite_control_code, windows_control_code] {
        let features = slot.control(encode(3_400), SecretBytes::default(), 256).await.unwrap();
        let [0x12, 4, code @ ..] = features.expose() else { panic!("one feature: {features:?}") };
        let code = u32::from_be_bytes(code.try_into().unwrap());
        assert_eq!(code, encode(0x812));
        let properties = slot.control(code, SecretBytes::default(), 256).await.unwrap();
        assert_eq!(properties.expose(), [0x0A, 4, 0, 0, 1, 0]);
        let short = slot.control(code, SecretBytes::default(), 5).await;
        assert_eq!(short, Err(SlotError::AnswerTooLong { needed: 6 }));
        let other = slot.control(encode(1), SecretBytes::default(), 256).await;
        assert_eq!(other, Err(SlotError::NotSupported));
    }
}
