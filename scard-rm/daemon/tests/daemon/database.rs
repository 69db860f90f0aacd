//! The smart-card database on disk, through kill -9.

use rustix::process::Signal;
use scard_types::call::{Answer, Call, ContextId};
use scard_types::database::{AtrPattern, CardType, DatabaseCall, Scope};

use crate::native::Native;
use crate::support::{Daemon, Directory};

/// How many times the daemon is killed, and at most so many changes are sent before each.
const KILLS: u32 = 12;
const CHANGES: u32 = 40;

fn daemon(state: &Directory) -> Daemon {
    let folder = state.join("");
    let state_dir = folder.to_str().expect("text");
    Daemon::with(&["--state-dir", state_dir, "--card-types", "/nowhere"], "")
}

/// The name says the change; the pattern says it again, so that half an entry would show.
fn card_type(number: u32) -> CardType {
    let [.., a, b] = number.to_be_bytes();
    CardType {
        name: format!("card type {number}"),
        pattern: AtrPattern::exactly(&[0x3B, a, b]).expect("a pattern"),
        primary: None,
        interfaces: vec![],
        providers: vec![(1, "x".repeat(1_000))],
        scope: Scope::System,
    }
}

fn introduce(context: ContextId, number: u32) -> Call {
    Call::Database { context, call: DatabaseCall::IntroduceCardType(card_type(number)) }
}

fn stored(daemon: &Daemon) -> Vec<CardType> {
    let (mut client, context) = Native::with_context(daemon);
    let call = Call::Database { context, call: DatabaseCall::CardTypes { names: vec![] } };
    match client.call(&call) {
        Ok(Answer::CardTypes(types)) => types,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_answered_outlives_a_daemon_that_is_killed_at_any_moment() {
    let state = Directory::new();
    let (mut sent, mut answered) = (0, 0);
    for round in 0..KILLS {
        let mut daemon = daemon(&state);
        // Whole, all that was answered, and nothing that was not asked for.
        let mut types = stored(&daemon);
        types.sort_by_key(|card_type| card_type.pattern.atr().to_vec());
        let kept = u32::try_from(types.len()).expect("a few");
        assert!((answered..=sent).contains(&kept), "{answered} answered, {kept} kept, {sent} sent");
        for (card_type, number) in types.iter().zip(0..) {
            assert_eq!(*card_type, self::card_type(number));
        }
        sent = kept;
        answered = kept;
        let (mut client, context) = Native::with_context(&daemon);
        let waited_for = round * 7 % CHANGES;
        for _ in 0..waited_for {
            assert_eq!(client.call(&introduce(context, sent)), Ok(Answer::Done));
            sent += 1;
            answered += 1;
        }
        // A few more are on their way when it dies.
        for _ in 0..round % 5 {
            client.ask(&introduce(context, sent));
            sent += 1;
        }
        daemon.signal(Signal::KILL);
        daemon.ended();
    }
    assert!(sent > 100, "{sent} changes");
}

#[test]
fn a_database_that_cannot_be_read_is_left_alone_and_the_daemon_serves() {
    let state = Directory::new();
    std::fs::write(state.join("database.redb"), "no database").expect("it can be written");
    let daemon = daemon(&state);
    let (mut client, context) = Native::with_context(&daemon);
    let refused = client.call(&introduce(context, 1)).map_err(|refusal| refusal.code);
    assert_eq!(refused, Err(scard_types::ScardCode::InternalError));
    assert!(daemon.log().contains("the database cannot be read"), "{}", daemon.log());
    let left = std::fs::read(state.join("database.redb")).expect("it is there");
    assert_eq!(left, b"no database");
}
