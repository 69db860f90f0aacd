//! Each call by itself.

use std::time::Duration;

use pcsc::{Attribute, Card, Disposition, Protocols, ReaderState, ShareMode, State};

use crate::program::{Program, establish, timed};

/// Five bytes that every card answers at once: there is no such instruction.
const COMMAND: [u8; 5] = [0x00, 0x01, 0x00, 0x00, 0x00];
/// `CM_IOCTL_GET_FEATURE_REQUEST`.
const GET_FEATURE_REQUEST: u64 = 0x4200_0D48;

pub(crate) fn transmit(card: &Card) {
    let mut buffer = [0; pcsc::MAX_BUFFER_SIZE];
    card.transmit(&COMMAND, &mut buffer).expect("the card answers");
}

/// How long each of `count` calls took, in nanoseconds. An error is an answer too: readers differ in what they can.
pub(crate) fn times(program: &mut Program, call: &str, count: usize) -> Vec<u64> {
    match call {
        "establish+release" => timed(count, &mut || drop(establish())),
        "list-readers" => {
            let context = program.context().clone();
            timed(count, &mut || drop(context.list_readers_owned()))
        }
        "status-change" => {
            let reader = program.reader().to_owned();
            let context = program.context();
            timed(count, &mut || {
                let mut states = [ReaderState::new(reader.clone(), State::UNAWARE)];
                context.get_status_change(Duration::ZERO, &mut states).expect("it is known");
            })
        }
        "cancel" => {
            let context = program.context();
            timed(count, &mut || context.cancel().expect("nobody waits"))
        }
        "connect+disconnect" => {
            // Another handle stays, so that the card keeps its power.
            let reader = program.reader().to_owned();
            program.card();
            let context = program.context();
            timed(count, &mut || {
                let card = context.connect(&reader, ShareMode::Shared, Protocols::ANY);
                let card = card.expect("it can be shared");
                assert!(card.disconnect(Disposition::LeaveCard).is_ok());
            })
        }
        "reconnect" => {
            let card = program.card();
            timed(count, &mut || {
                let again =
                    card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::LeaveCard);
                again.expect("it can be shared");
            })
        }
        "begin+end" => {
            let card = program.card();
            timed(count, &mut || {
                let transaction = card.transaction().expect("nobody else is there");
                assert!(transaction.end(Disposition::LeaveCard).is_ok());
            })
        }
        "transmit" => {
            let card = program.card();
            timed(count, &mut || transmit(card))
        }
        "status" => {
            let card = program.card();
            let (mut names, mut atr) = ([0; 256], [0; pcsc::MAX_ATR_SIZE]);
            timed(count, &mut || {
                card.status2(&mut names, &mut atr).expect("the card is there");
            })
        }
        "control" => {
            let card = program.card();
            let mut buffer = [0; pcsc::MAX_BUFFER_SIZE];
            timed(count, &mut || {
                let _ = card.control(GET_FEATURE_REQUEST, &[], &mut buffer);
            })
        }
        "get-attribute" => {
            let card = program.card();
            let mut buffer = [0; pcsc::MAX_BUFFER_SIZE];
            timed(count, &mut || {
                let _ = card.get_attribute(Attribute::VendorName, &mut buffer);
            })
        }
        "set-attribute" => {
            let card = program.card();
            timed(count, &mut || {
                let _ = card.set_attribute(Attribute::SupressT1IfsRequest, &[0]);
            })
        }
        _ => panic!("no call is {call}"),
    }
}
