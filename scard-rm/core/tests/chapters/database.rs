//! The smart-card database: layers, names of readers, groups, and the disk.

use scard_core::{Change, Key, Limits, Owner, Wire};
use scard_types::ScardCode::{
    DuplicateReader, InternalError, InvalidHandle, InvalidParameter, NoAccess, NoMemory,
    ServerTooBusy, UnknownCard, UnknownReader,
};
use scard_types::call::{Answer, Call, ContextId, KnownReader};
use scard_types::database::{AtrPattern, CardType, DEFAULT_READERS, DatabaseCall, Scope};
use scard_types::{CardEvent, Character, ScardCode, ShareMode};

use crate::bench::{Bench, connect};

const USER: u32 = 0;
const SYSTEM: u32 = 2;

type Done = Result<(), ScardCode>;

/// A client with a context whose calls change the entries of that scope.
fn client(bench: &mut Bench, client: u64, uid: u32, scope: u32) -> ContextId {
    bench.client(client, uid, Wire::Native);
    match bench.call(client, Call::EstablishContext { scope, character: Character::Windows }) {
        Ok(Answer::Context(context)) => context,
        other => panic!("{other:?}"),
    }
}

/// Asks, and lets the disk keep what is to be kept.
fn change(bench: &mut Bench, (client, context): (u64, ContextId), call: DatabaseCall) -> Done {
    let request = bench.ask(client, Call::Database { context, call });
    bench.keep(true);
    let reply = bench.answer(client, request).expect("an answer");
    reply.map(|answer| assert_eq!(answer, Answer::Done)).map_err(|refusal| refusal.code)
}

fn card_types(bench: &mut Bench, (client, context): (u64, ContextId)) -> Vec<(String, Scope)> {
    let call = DatabaseCall::CardTypes { names: vec![] };
    match bench.call(client, Call::Database { context, call }) {
        Ok(Answer::CardTypes(types)) => {
            types.into_iter().map(|one| (one.name, one.scope)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn groups(bench: &mut Bench, (client, context): (u64, ContextId)) -> Vec<(String, Vec<String>)> {
    match bench.call(client, Call::Database { context, call: DatabaseCall::ReaderGroups }) {
        Ok(Answer::ReaderGroups(groups)) => {
            groups.into_iter().map(|group| (group.name, group.readers)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn card_type(name: &str) -> CardType {
    CardType {
        name: name.into(),
        pattern: AtrPattern::exactly(&[0x3B, 0x00]).unwrap(),
        primary: None,
        interfaces: vec![],
        providers: vec![],
        scope: Scope::User,
    }
}

fn introduce(name: &str) -> DatabaseCall {
    DatabaseCall::IntroduceCardType(card_type(name))
}

fn alias(name: &str, device: &str) -> DatabaseCall {
    DatabaseCall::IntroduceReader { name: name.into(), device: device.into() }
}

fn add(reader: &str, group: &str) -> DatabaseCall {
    DatabaseCall::AddReaderToGroup { reader: reader.into(), group: group.into() }
}

fn remove(reader: &str, group: &str) -> DatabaseCall {
    DatabaseCall::RemoveReaderFromGroup { reader: reader.into(), group: group.into() }
}

#[test]
fn a_user_sees_its_own_card_types_before_those_of_the_system_and_of_files() {
    let mut bench = Bench::new();
    bench.core.load_database(vec![card_type("A"), card_type("B")], vec![]);
    let root = (1, client(&mut bench, 1, 0, SYSTEM));
    let user = (2, client(&mut bench, 2, 1_000, USER));
    let other = (3, client(&mut bench, 3, 1_001, USER));
    assert_eq!(change(&mut bench, root, introduce("B")), Ok(()));
    assert_eq!(change(&mut bench, root, introduce("C")), Ok(()));
    assert_eq!(change(&mut bench, user, introduce("C")), Ok(()));
    assert_eq!(change(&mut bench, user, introduce("D")), Ok(()));
    let seen = |types: &[(&str, Scope)]| {
        types.iter().map(|(name, scope)| (String::from(*name), *scope)).collect::<Vec<_>>()
    };
    use Scope::{System, User};
    let theirs = seen(&[("A", System), ("B", System), ("C", System)]);
    assert_eq!(card_types(&mut bench, other), theirs);
    let mine = seen(&[("A", System), ("B", System), ("C", User), ("D", User)]);
    assert_eq!(card_types(&mut bench, user), mine);

    let forget = |name: &str| DatabaseCall::ForgetCardType { name: name.into() };
    assert_eq!(change(&mut bench, user, forget("C")), Ok(()));
    assert_eq!(change(&mut bench, user, forget("C")), Err(UnknownCard), "only one's own");
    assert_eq!(change(&mut bench, root, forget("A")), Err(NoAccess), "it stands in a file");
    assert_eq!(change(&mut bench, root, forget("B")), Ok(()));
    assert_eq!(card_types(&mut bench, other), theirs, "the file's is seen again");
    let call = DatabaseCall::CardTypes { names: vec!["C".into(), "?".into()] };
    assert_eq!(bench.code(3, Call::Database { context: other.1, call }), Err(UnknownCard));
}

#[test]
fn the_systems_entries_are_changed_by_root_and_the_daemons_own_user() {
    let mut bench = Bench::with_limits(Limits { administrator: 77, ..Limits::default() });
    for (number, uid, expected) in [(1, 0, Ok(())), (2, 77, Ok(())), (3, 1_000, Err(NoAccess))] {
        let caller = (number, client(&mut bench, number, uid, SYSTEM));
        assert_eq!(change(&mut bench, caller, introduce("A")), expected, "uid {uid}");
    }
    let foreign = Call::Database { context: ContextId(1), call: introduce("B") };
    assert_eq!(bench.code(3, foreign), Err(InvalidHandle));
}

#[test]
fn a_provider_that_a_user_sets_is_that_users() {
    let mut bench = Bench::new();
    bench.core.load_database(vec![card_type("A")], vec![]);
    let user = (1, client(&mut bench, 1, 1_000, USER));
    let set = |name: &str, value: &str| DatabaseCall::SetCardTypeProvider {
        name: name.into(),
        provider: 0x8000_0001,
        value: value.into(),
    };
    assert_eq!(change(&mut bench, user, set("A", "/one.so")), Ok(()));
    assert_eq!(change(&mut bench, user, set("A", "/two.so")), Ok(()));
    assert_eq!(change(&mut bench, user, set("?", "/two.so")), Err(UnknownCard));
    assert_eq!(change(&mut bench, user, set("A", "")), Err(InvalidParameter));
    let providers = |bench: &mut Bench, client, context| {
        let call = DatabaseCall::CardTypes { names: vec!["A".into()] };
        match bench.call(client, Call::Database { context, call }) {
            Ok(Answer::CardTypes(types)) => types[0].providers.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(providers(&mut bench, 1, user.1), [(0x8000_0001, "/two.so".into())]);
    let other = client(&mut bench, 2, 1_001, USER);
    assert_eq!(providers(&mut bench, 2, other), []);
}

#[test]
fn another_name_stays_with_the_device_and_is_good_wherever_a_name_is() {
    let mut bench = Bench::new();
    bench.device(1, "R 00 00", "serial 5");
    bench.card(1, CardEvent::Inserted);
    let user = (1, client(&mut bench, 1, 1_000, USER));
    assert_eq!(change(&mut bench, user, alias("Desk", "R 00 00")), Ok(()));
    assert_eq!(change(&mut bench, user, alias("Desk", "R 00 00")), Err(DuplicateReader));
    assert_eq!(change(&mut bench, user, alias("R 00 00", "Desk")), Err(DuplicateReader));
    assert_eq!(change(&mut bench, user, alias("X", "?")), Err(UnknownReader));
    assert_eq!(change(&mut bench, user, alias("", "Desk")), Err(InvalidParameter));
    bench.unplug(1);
    assert_eq!(bench.code(1, connect(user.1, "Desk", ShareMode::Shared)), Err(UnknownReader));
    bench.device(2, "S 00 00", "serial 6");
    bench.device(3, "R 01 00", "serial 5");
    bench.card(3, CardEvent::Inserted);
    assert_eq!(bench.code(1, connect(user.1, "Desk", ShareMode::Shared)), Ok(()));
    assert_eq!(
        groups(&mut bench, user),
        [(DEFAULT_READERS.into(), vec!["S 00 00".into(), "R 01 00".into(), "Desk".into()])]
    );

    let status_change = |name: &str| Call::StatusChange {
        context: user.1,
        timeout_ms: None,
        readers: vec![KnownReader { name: name.into(), current_state: 0x0001_0122 }],
    };
    let waiting = bench.ask(1, status_change("Desk"));
    assert_eq!(bench.answer(1, waiting), None);
    bench.card(3, CardEvent::Removed);
    let reply = bench.answer(1, waiting).expect("the wait ends");
    assert!(matches!(reply, Ok(Answer::StatusChange { changed: true, .. })), "{reply:?}");

    let other = client(&mut bench, 2, 1_001, USER);
    assert_eq!(bench.code(2, connect(other, "Desk", ShareMode::Direct)), Err(UnknownReader));
    let forget = DatabaseCall::ForgetReader { name: "Desk".into() };
    assert_eq!(change(&mut bench, user, forget), Ok(()));
    assert_eq!(bench.code(1, status_change("Desk")), Err(UnknownReader));
}

#[test]
fn groups_are_made_by_their_first_reader_and_gone_with_their_last() {
    let mut bench = Bench::new();
    bench.reader(1, "A");
    bench.reader(2, "B");
    let root = (1, client(&mut bench, 1, 0, SYSTEM));
    let user = (2, client(&mut bench, 2, 1_000, USER));
    let all = |list: &[(&str, &[&str])]| -> Vec<(String, Vec<String>)> {
        let texts = |names: &[&str]| names.iter().map(|name| String::from(*name)).collect();
        list.iter().map(|(group, names)| (String::from(*group), texts(names))).collect()
    };
    assert_eq!(groups(&mut bench, user), all(&[(DEFAULT_READERS, &["A", "B"])]));
    assert_eq!(change(&mut bench, root, add("A", "Desk")), Ok(()));
    assert_eq!(change(&mut bench, user, add("B", "Desk")), Ok(()));
    let (both, one) = (&["A", "B"][..], &["A"][..]);
    assert_eq!(groups(&mut bench, user), all(&[("Desk", both), (DEFAULT_READERS, both)]));
    assert_eq!(groups(&mut bench, root), all(&[("Desk", one), (DEFAULT_READERS, both)]));

    assert_eq!(change(&mut bench, user, remove("A", "Desk")), Ok(()), "hidden for this user");
    assert_eq!(change(&mut bench, user, remove("A", DEFAULT_READERS)), Ok(()));
    let b = &["B"][..];
    assert_eq!(groups(&mut bench, user), all(&[("Desk", b), (DEFAULT_READERS, b)]));
    assert_eq!(change(&mut bench, user, add("A", DEFAULT_READERS)), Ok(()));
    let forget = DatabaseCall::ForgetReaderGroup { group: "Desk".into() };
    assert_eq!(change(&mut bench, user, forget), Ok(()));
    assert_eq!(groups(&mut bench, user), groups(&mut bench, root));
    assert_eq!(change(&mut bench, root, remove("A", "Desk")), Ok(()));
    assert_eq!(groups(&mut bench, root), all(&[(DEFAULT_READERS, both)]));
    for group in ["SCard$AllReaders", "SCard$LocalReaders", "SCard$SystemReaders", ""] {
        assert_eq!(change(&mut bench, root, add("A", group)), Err(InvalidParameter), "{group}");
    }
    assert_eq!(change(&mut bench, root, add("?", "Desk")), Err(UnknownReader));
}

#[test]
fn a_change_is_answered_when_the_disk_has_it_and_taken_back_when_it_has_not() {
    let mut bench = Bench::new();
    let user = (1, client(&mut bench, 1, 1_000, USER));
    let context = user.1;
    let ask = |bench: &mut Bench, call| bench.ask(1, Call::Database { context, call });
    let first = ask(&mut bench, introduce("A"));
    assert_eq!(bench.answer(1, first), None);
    let [(_, changes)] = &bench.stores[..] else { panic!("one change") };
    let [Change { owner: Owner::User(1_000), key: Key::CardType(name), value: Some(_) }] =
        &changes[..]
    else {
        panic!("{changes:?}")
    };
    assert_eq!(name, "A");
    bench.keep(false);
    let code = bench.answer(1, first).expect("an answer").map_err(|refusal| refusal.code);
    assert_eq!(code, Err(InternalError));
    assert_eq!(card_types(&mut bench, user), []);

    // A client that dies while its change is on the way leaves the change.
    ask(&mut bench, introduce("A"));
    bench.gone(1);
    bench.keep(true);
    let again = (2, client(&mut bench, 2, 1_000, USER));
    assert_eq!(card_types(&mut bench, again).len(), 1);
}

#[test]
fn one_user_can_keep_the_disk_busy_for_so_long_and_no_longer() {
    let mut bench = Bench::new();
    let user = (1, client(&mut bench, 1, 1_000, USER));
    for _ in 0..32 {
        bench.ask(1, Call::Database { context: user.1, call: introduce("A") });
    }
    assert_eq!(change(&mut bench, user, introduce("A")), Err(ServerTooBusy));
    assert_eq!(change(&mut bench, user, introduce("A")), Ok(()), "the disk has caught up");
}

#[test]
fn one_user_can_introduce_so_many_and_no_more() {
    let mut bench = Bench::new();
    let user = (1, client(&mut bench, 1, 1_000, USER));
    for number in 0..256 {
        assert_eq!(change(&mut bench, user, introduce(&number.to_string())), Ok(()));
    }
    assert_eq!(change(&mut bench, user, introduce("more")), Err(NoMemory));
    assert_eq!(change(&mut bench, user, introduce("7")), Ok(()), "in its own place");
    let other = (2, client(&mut bench, 2, 1_001, USER));
    assert_eq!(change(&mut bench, other, introduce("more")), Ok(()));
}
