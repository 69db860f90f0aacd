//! Death in the middle of everything: of a message, a call, a wait, a transaction; nothing of the dead stays.

use scard_types::call::{Call, CardHandle, ContextId, KnownReader};
use scard_types::{Disposition, Protocols, ShareMode};
use scard_wire::native::encode_call;

use crate::attacks::{daemon, withstand};
use crate::native::{Native, transmit};
use crate::support::{
    DEADLINE, Daemon, EXCLUSIVE, READER, SELECT, SHARED, SUCCESS, Stock, within, words,
};

/// The next client can have the card for himself: nobody has it open any more.
fn nobody_is_left(daemon: &Daemon) {
    let mut owner = Stock::new(daemon, 4);
    let context = owner.establish();
    within(DEADLINE, "nobody is left", || owner.connect(context, READER, EXCLUSIVE).1 == SUCCESS);
}

#[test]
fn a_client_may_die_at_any_step_and_in_the_middle_of_any_message() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        for (step, cut) in (0..8).flat_map(|step| [1, 7, 8, 20, 41, 99].map(|cut| (step, cut))) {
            let mut client = Stock::new(&daemon, 4);
            let context = client.establish();
            let card = if step > 1 { client.connect(context, READER, SHARED).0 } else { 0 };
            if step > 2 {
                client.watch();
            }
            if step > 5 {
                assert_eq!(client.begin(card), SUCCESS);
            }
            let message = match step {
                0 => words(&[12, 0x01, 2, 0, 0]),
                1 => {
                    [words(&[152, 0x04]), Stock::connect_request(context, READER, SHARED)].concat()
                }
                2 | 6 => Stock::transmit_request(card, SELECT),
                3 => words(&[0, 0x14]),
                4 => words(&[12, 0x06, card, 0, 0]),
                5 => words(&[8, 0x02, context, 0]),
                _ => words(&[12, 0x08, card, 1, 0]),
            };
            client.raw.send(&message[..message.len().min(cut)]);
        }
        victim.works();
        nobody_is_left(&daemon);
    });
}

/// A call of each kind.
fn calls(context: ContextId, card: CardHandle) -> Vec<Call> {
    let (share, protocols) = (ShareMode::Shared, Protocols::ANY);
    let known = KnownReader { name: READER.to_owned(), current_state: 0x0000_0020 };
    vec![
        Call::ReleaseContext { context },
        Call::Connect { context, reader: READER.to_owned(), share, protocols },
        Call::Reconnect { card, share, protocols, initialization: Disposition::Reset },
        Call::Disconnect { card, disposition: Disposition::Unpower },
        Call::BeginTransaction { card },
        Call::EndTransaction { card, disposition: Disposition::Reset },
        transmit(card),
        Call::Control { card, code: 1, input: SELECT.into(), output_limit: 9 },
        Call::Status { card },
        Call::GetAttribute { card, tag: 0x0009_0303 },
        Call::SetAttribute { card, tag: 1, value: vec![1; 99] },
        Call::ListReaders { context },
        Call::StatusChange { context, timeout_ms: None, readers: vec![known] },
        Call::Cancel { context },
        Call::DescribeReaders,
        Call::Subscribe,
    ]
}

#[test]
fn a_client_of_our_wire_may_die_in_the_middle_of_any_frame() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        for which in 0..calls(ContextId(0), CardHandle(0)).len() {
            for (in_transaction, cut) in
                [(false, 1), (true, 11), (false, 12), (true, 15), (true, usize::MAX)]
            {
                let (mut client, context) = Native::with_context(&daemon);
                let card = client.connect_to(context, READER);
                if in_transaction {
                    assert!(client.call(&Call::BeginTransaction { card }).is_ok());
                }
                let call = &calls(context, card)[which];
                let mut frame = Vec::new();
                let (_, tail) = encode_call(99, call, &mut frame).expect("the call fits");
                frame.extend_from_slice(tail);
                // Whole, its sender is gone before the answer.
                client.raw.send(&frame[..frame.len().min(cut)]);
            }
        }
        victim.works();
        nobody_is_left(&daemon);
    });
}

#[test]
fn many_die_at_once_with_all_that_they_have() {
    let daemon = daemon("");
    withstand(&daemon, |victim| {
        let mut clients: Vec<_> =
            (0..100).map(|_| (Stock::with_card(&daemon), Native::with_card(&daemon))).collect();
        for (number, ((stock, card), (native, natives))) in clients.iter_mut().enumerate() {
            let (card, natives) = (*card, *natives);
            match number % 4 {
                0 => stock.raw.send(&words(&[8, 0x07, card, 0])),
                1 => stock.send(0x13, &[]),
                2 => stock.begin_transmit(card, SELECT),
                _ => {}
            }
            native.ask(&Call::BeginTransaction { card: natives });
            native.ask(&transmit(natives));
            native.ask(&Call::Subscribe);
        }
        drop(clients);
        victim.works();
        nobody_is_left(&daemon);
    });
}
