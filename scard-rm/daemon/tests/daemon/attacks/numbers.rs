//! Numbers of contexts and handles: those of others are worth nothing, whoever guessed them.

use scard_types::call::{Answer, Call, KnownReader};
use scard_types::{Disposition, Protocols, ScardCode, ShareMode};

use crate::attacks::daemon;
use crate::native::{Native, transmit};
use crate::support::{CANCELLED, INVALID_HANDLE, READER, SELECT, SHARED, SUCCESS, Stock};
use crate::users;

#[test]
fn numbers_of_others_are_worth_nothing() {
    let daemon = daemon("");
    let mut owner = users::work_as(users::VICTIM, || Stock::new(&daemon, 4));
    let context = owner.establish();
    let (card, code) = owner.connect(context, READER, SHARED);
    assert_eq!(code, SUCCESS);
    assert_eq!(owner.begin(card), SUCCESS);
    for uid in [users::ATTACKER, users::VICTIM] {
        let mut thief = users::work_as(uid, || Stock::new(&daemon, 4));
        let own = thief.establish();
        assert_eq!(thief.transmit(card, SELECT), Err(INVALID_HANDLE));
        for (command, body) in [
            (0x02, vec![context, 0]),
            (0x05, vec![card, SHARED, 3, 1, 0, 0]),
            (0x06, vec![card, 1, 0]),
            (0x07, vec![card, 0]),
            (0x08, vec![card, 1, 0]),
            (0x0A, vec![card, 0x42FF_FFFF, 0, 264, 0, 0]),
            (0x0B, vec![card, 0]),
        ] {
            assert_eq!(thief.code(command, &body), INVALID_HANDLE, "command {command:#x}");
        }
        assert_eq!(thief.connect(context, READER, SHARED).1, INVALID_HANDLE);
        assert_eq!(thief.code(0x02, &[own, 0]), SUCCESS);
        assert_eq!(thief.code(0x02, &[own, 0]), INVALID_HANDLE, "released twice");
    }
    assert!(owner.transmit(card, SELECT).is_ok(), "the owner has no mark of it");
    assert_eq!(owner.end(card), SUCCESS, "nor has he lost his transaction");
}

#[test]
fn numbers_of_others_are_worth_nothing_on_our_wire() {
    let daemon = daemon("");
    let (mut owner, context) = users::work_as(users::VICTIM, || Native::with_context(&daemon));
    let card = owner.connect_to(context, READER);
    assert_eq!(owner.call(&Call::BeginTransaction { card }), Ok(Answer::Done));
    let (share, protocols) = (ShareMode::Shared, Protocols::ANY);
    for uid in [users::ATTACKER, users::VICTIM] {
        let mut thief = users::work_as(uid, || Native::new(&daemon));
        for call in [
            Call::ReleaseContext { context },
            Call::Connect { context, reader: READER.to_owned(), share, protocols },
            Call::Reconnect { card, share, protocols, initialization: Disposition::Reset },
            Call::Disconnect { card, disposition: Disposition::Reset },
            Call::BeginTransaction { card },
            Call::EndTransaction { card, disposition: Disposition::Reset },
            transmit(card),
            Call::Status { card },
            Call::GetAttribute { card, tag: 0x0009_0303 },
            Call::SetAttribute { card, tag: 0x0009_0303, value: vec![1] },
            Call::Control { card, code: 1, input: [].as_slice().into(), output_limit: 9 },
            Call::ListReaders { context },
        ] {
            let refused = thief.call(&call).expect_err(call.name());
            assert_eq!(refused.code, ScardCode::InvalidHandle, "{}", call.name());
        }
    }
    assert!(owner.select(card).is_ok(), "the owner has no mark of it");
    let end = Call::EndTransaction { card, disposition: Disposition::Leave };
    assert_eq!(owner.call(&end), Ok(Answer::Done), "nor has he lost his transaction");
}

#[test]
fn another_user_cancels_no_wait_although_he_guesses_its_number() {
    if !users::are_several() {
        return;
    }
    let daemon = daemon("");
    let mut waiter = users::work_as(users::VICTIM, || Stock::new(&daemon, 4));
    let context = waiter.establish();
    waiter.watch();
    let cancel = |uid| {
        let mut canceller = users::work_as(uid, || Stock::silent(&daemon));
        canceller.code(0x0D, &[context, 0])
    };
    assert_eq!(cancel(users::ATTACKER), INVALID_HANDLE);
    // What follows is the answer to this, so nothing came before it.
    waiter.stop_watching();
    assert_eq!(waiter.read_words(2), [0, SUCCESS], "it was still waiting");
    waiter.watch();
    assert_eq!(cancel(users::VICTIM), SUCCESS);
    assert_eq!(waiter.read_words(2), [0, CANCELLED]);
}

#[test]
fn another_user_cancels_no_wait_of_our_wire_either() {
    let daemon = daemon("");
    let (mut waiter, context) = users::work_as(users::VICTIM, || Native::with_context(&daemon));
    let known = KnownReader { name: READER.to_owned(), current_state: 0x0001_0020 };
    let call = Call::StatusChange { context, timeout_ms: None, readers: vec![known] };
    let wait = waiter.ask(&call);
    if users::are_several() {
        let mut other = users::work_as(users::ATTACKER, || Native::new(&daemon));
        let refused = other.call(&Call::Cancel { context });
        assert_eq!(refused, Err(ScardCode::InvalidHandle.into()));
        let mut other = users::work_as(users::ATTACKER, || Stock::silent(&daemon));
        assert_eq!(other.code(0x0D, &[context.0, 0]), INVALID_HANDLE);
    }
    let release = waiter.ask(&Call::ReleaseContext { context });
    assert_eq!(waiter.reply_to(wait), Err(ScardCode::Cancelled.into()), "now, and not before");
    assert_eq!(waiter.reply_to(release), Ok(Answer::Done));
}

#[test]
fn a_stranger_commands_no_driver() {
    if !users::are_several() {
        return;
    }
    let daemon = daemon("");
    let mut stranger = users::work_as(users::ATTACKER, || Native::new(&daemon));
    let reply = stranger.command("sim", &format!("remove {READER}"));
    assert_eq!(reply, Err(ScardCode::SecurityViolation.into()));
    let (mut client, card) = Stock::with_card(&daemon);
    assert!(client.transmit(card, SELECT).is_ok(), "the card is still there");
}
