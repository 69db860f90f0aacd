//! A daemon is restarted under a context: the context goes on, its cards do not, and whoever watches is told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod peer;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use peer::Peer;
use rustix::event::{PollFd, PollFlags, poll};
use scard_client::status_change::{
    CHANGED, EMPTY, IGNORE, PNP_READER, PRESENT, UNAVAILABLE, UNKNOWN,
};
use scard_client::{
    Card, Context, Disposition, Endpoint, KnownReader, Protocols, ScardCode, SeenReader, ShareMode,
};
use scard_types::call::{Answer, Call, CardHandle, ContextId, Reply};
use scard_types::{Protocol, ReaderName};
use scard_wire::native::Welcome;

/// Where one daemon after the other listens.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("scard-restart-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::at(self.0.join("socket"))
    }

    /// Takes the place of whoever listened here before.
    fn listen(&self) -> UnixListener {
        let path = self.0.join("socket");
        let _ = fs::remove_file(&path);
        UnixListener::bind(path).unwrap()
    }

    /// A context of the first daemon, whose number of it is 5, and the daemon's end of it.
    fn context(&self, first: &UnixListener) -> (Context, Peer) {
        thread::scope(|scope| {
            let daemon = scope.spawn(|| Peer::establish(accept(first), 5));
            let context = Context::establish_at(&self.endpoint()).unwrap();
            (context, daemon.join().unwrap())
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn accept(listener: &UnixListener) -> UnixStream {
    listener.accept().unwrap().0
}

/// Waits until somebody wants to be let in.
fn somebody_knocks(listener: &UnixListener) {
    poll(&mut [PollFd::new(listener, PollFlags::IN)], None).unwrap();
}

fn nobody_knocks(listener: &UnixListener) {
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    listener.set_nonblocking(false).unwrap();
}

/// Answers one call for the readers of a context.
fn list(peer: &mut Peer, context: u32) {
    let (number, call) = peer.call();
    assert_eq!(call, Call::ListReaders { context: ContextId(context) });
    peer.reply(number, &Ok(Answer::Readers(vec![name("r")])));
}

/// Answers one call for changes, and says how long it wanted to wait and of which readers it asked.
fn look(peer: &mut Peer, reply: &Reply) -> (Option<u32>, Vec<String>) {
    let (number, call) = peer.call();
    let Call::StatusChange { context, timeout_ms, readers } = call else { panic!("{call:?}") };
    assert_eq!(context, ContextId(9), "the number at this daemon");
    peer.reply(number, reply);
    (timeout_ms, readers.into_iter().map(|reader| reader.name).collect())
}

fn seen(states: &[u32]) -> Vec<SeenReader> {
    states.iter().map(|state| SeenReader { event_state: *state, atr: None }).collect()
}

fn unchanged(states: &[u32]) -> Reply {
    Ok(Answer::StatusChange { changed: false, readers: seen(states) })
}

fn known(readers: &[(&str, u32)]) -> Vec<KnownReader> {
    let known = |(name, current_state): &(&str, u32)| KnownReader {
        name: (*name).to_owned(),
        current_state: *current_state,
    };
    readers.iter().map(known).collect()
}

fn name(text: &str) -> ReaderName {
    ReaderName::new(text).unwrap()
}

#[test]
fn a_call_goes_on_with_the_next_daemon() {
    let place = Place::new();
    let first = place.listen();
    let (context, old) = place.context(&first);
    drop((old, first));
    let second = place.listen();
    thread::scope(|scope| {
        scope.spawn(|| list(&mut Peer::establish(accept(&second), 9), 9));
        assert_eq!(context.readers(), Ok(vec![name("r")]));
    });
    assert_eq!((context.id(), context.restarts()), (ContextId(9), 1));
}

#[test]
fn a_call_under_way_is_made_again() {
    let place = Place::new();
    let first = place.listen();
    let (context, mut old) = place.context(&first);
    thread::scope(|scope| {
        scope.spawn(move || {
            list_begins(&mut old);
            drop((old, first));
            let second = place.listen();
            list(&mut Peer::establish(accept(&second), 9), 9);
        });
        assert_eq!(context.readers(), Ok(vec![name("r")]));
    });

    fn list_begins(old: &mut Peer) {
        assert_eq!(old.call().1, Call::ListReaders { context: ContextId(5) });
    }
}

#[test]
fn a_waiter_sees_the_restart_as_a_change_of_every_reader() {
    let place = Place::new();
    let first = place.listen();
    let (context, mut old) = place.context(&first);
    let watched = [
        ("same", 0x1_0000 | PRESENT),
        ("gone", EMPTY),
        ("ignored", IGNORE),
        (PNP_READER, 0x3_0000),
    ];
    thread::scope(|scope| {
        scope.spawn(move || {
            old.call();
            drop((old, first));
            let second = place.listen();
            let mut new = Peer::establish(accept(&second), 9);
            for (name, reply) in [
                ("same", unchanged(&[0x1_0000 | PRESENT])),
                ("gone", Err(ScardCode::UnknownReader.into())),
                ("ignored", unchanged(&[IGNORE])),
                (PNP_READER, unchanged(&[0x3_0000])),
            ] {
                assert_eq!(look(&mut new, &reply), (Some(0), vec![name.to_owned()]));
            }
            // They were told: from now on it is a wait like any other.
            let still = unchanged(&[0x1_0000 | PRESENT]);
            assert_eq!(look(&mut new, &still), (Some(60_000), vec!["same".to_owned()]));
        });
        let told = context.status_change(known(&watched), None);
        let expected = [
            0x1_0000 | PRESENT | CHANGED,
            UNKNOWN | UNAVAILABLE | CHANGED,
            IGNORE,
            0x3_0000 | CHANGED,
        ];
        assert_eq!(told, Ok(seen(&expected)));
        let again = context.look(&known(&watched[..1]), Some(60_000));
        assert_eq!(again, Ok((false, seen(&[0x1_0000 | PRESENT]))));
    });
}

#[test]
fn who_did_not_wait_is_told_at_the_next_look_once_for_each_reader() {
    let place = Place::new();
    let first = place.listen();
    let (context, old) = place.context(&first);
    drop((old, first));
    let second = place.listen();
    let (a, b) = (("a", EMPTY), ("b", EMPTY));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut new = Peer::establish(accept(&second), 9);
            list(&mut new, 9);
            let unknown = Err(ScardCode::UnknownReader.into());
            assert_eq!(look(&mut new, &unknown).0, Some(0));
            assert_eq!(look(&mut new, &unchanged(&[EMPTY])).0, Some(0));
            assert_eq!(look(&mut new, &unchanged(&[EMPTY, EMPTY])).0, Some(0));
            assert_eq!(look(&mut new, &unchanged(&[EMPTY, EMPTY])).0, Some(60_000));
        });
        context.readers().unwrap();
        let look = |readers: &[(&str, u32)]| context.look(&known(readers), Some(60_000));
        assert_eq!(look(&[("gone", EMPTY)]), Err(ScardCode::UnknownReader));
        assert_eq!(look(&[a]), Ok((true, seen(&[EMPTY | CHANGED]))));
        assert_eq!(look(&[a, b]), Ok((true, seen(&[EMPTY, EMPTY | CHANGED]))));
        assert_eq!(look(&[a, b]), Ok((false, seen(&[EMPTY, EMPTY]))));
    });
}

/// Opens a card, which gets the number 7 from every daemon.
fn connect(context: &Context) -> Card {
    context.connect("r", ShareMode::Shared, Protocols::ANY).unwrap()
}

fn connected(peer: &mut Peer) {
    let (number, call) = peer.call();
    assert!(matches!(call, Call::Connect { .. }), "{call:?}");
    let protocol = Some(Protocol::T1);
    peer.reply(number, &Ok(Answer::Connected { card: CardHandle(7), protocol }));
}

#[test]
fn a_card_of_the_dead_daemon_never_reaches_the_next_one() {
    let place = Place::new();
    let first = place.listen();
    let (context, mut old) = place.context(&first);
    let mut card = thread::scope(|scope| {
        scope.spawn(|| connected(&mut old));
        connect(&context)
    });
    drop((old, first));
    let second = place.listen();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut new = Peer::establish(accept(&second), 9);
            connected(&mut new);
            let (number, call) = new.call();
            assert!(matches!(call, Call::Transmit { .. }), "{call:?}");
            let response = vec![0x90, 0x00].into();
            new.reply(number, &Ok(Answer::Transmitted { protocol: Protocol::T1, response }));
            // The new card is closed; of the old one with the same number nothing comes.
            let (number, call) = new.call();
            assert!(matches!(call, Call::Disconnect { .. }), "{call:?}");
            new.reply(number, &Ok(Answer::Done));
        });
        let gone = ScardCode::ReaderUnavailable;
        assert_eq!(card.transmit(b"\0\xA4\x04\0").unwrap_err(), gone);
        let fresh = connect(&context);
        assert_eq!((fresh.handle(), context.restarts()), (card.handle(), 1));
        assert_eq!(card.transmit(b"\0\xA4\x04\0").unwrap_err(), gone);
        assert_eq!(card.status().unwrap_err(), gone);
        assert_eq!(card.attribute(1).unwrap_err(), gone);
        assert_eq!(card.control(1, b"").unwrap_err(), gone);
        assert_eq!(card.transaction().unwrap_err(), gone);
        let reconnect = card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::Reset);
        assert_eq!(reconnect, Err(gone));
        assert_eq!(card.disconnect(Disposition::Reset), Ok(()));
        assert!(fresh.transmit(b"\0\xA4\x04\0").is_ok());
        assert_eq!(fresh.disconnect(Disposition::Leave), Ok(()));
    });
}

#[test]
fn a_card_call_under_way_fails_and_a_transaction_is_over() {
    let place = Place::new();
    let first = place.listen();
    let (context, mut old) = place.context(&first);
    thread::scope(|scope| {
        let daemon = scope.spawn(move || {
            connected(&mut old);
            let (number, call) = old.call();
            assert!(matches!(call, Call::BeginTransaction { .. }), "{call:?}");
            old.reply(number, &Ok(Answer::Done));
            assert!(matches!(old.call().1, Call::Transmit { .. }));
            drop(first);
        });
        let mut card = connect(&context);
        let transaction = card.transaction().unwrap();
        assert_eq!(transaction.transmit(b"\0\xA4\x04\0").unwrap_err(), ScardCode::CommError);
        daemon.join().unwrap();
        assert_eq!(
            transaction.transmit(b"\0\xA4\x04\0").unwrap_err(),
            ScardCode::ReaderUnavailable
        );
        assert_eq!(transaction.end(Disposition::Leave), Err(ScardCode::ReaderUnavailable));
    });
    assert_eq!(context.restarts(), 0, "a card heals nothing");
    assert_eq!(context.release(), Ok(()), "and there is nothing left to give up");
}

#[test]
fn of_many_threads_one_heals() {
    const THREADS: usize = 8;
    let place = Place::new();
    let first = place.listen();
    let (context, mut old) = place.context(&first);
    thread::scope(|scope| {
        scope.spawn(|| {
            (0..THREADS).for_each(|_| drop(old.call()));
            drop((old, first));
            let second = place.listen();
            let mut new = Peer::establish(accept(&second), 9);
            (0..THREADS).for_each(|_| list(&mut new, 9));
            nobody_knocks(&second);
        });
        for _ in 0..THREADS {
            scope.spawn(|| assert_eq!(context.readers(), Ok(vec![name("r")])));
        }
    });
    assert_eq!(context.restarts(), 1);
}

#[test]
fn nobody_comes_back_and_then_somebody_does() {
    let place = Place::new();
    let first = place.listen();
    let (context, old) = place.context(&first);
    drop((old, first));
    // Whether the socket of the dead one lies there or is gone.
    assert_eq!(context.readers(), Err(ScardCode::NoService));
    fs::remove_file(place.0.join("socket")).unwrap();
    assert_eq!(context.readers(), Err(ScardCode::NoService));
    assert_eq!(context.status_change(known(&[("r", 0)]), None), Err(ScardCode::NoService));
    assert_eq!(context.cancel(), Ok(()), "nobody waits");
    let second = place.listen();
    thread::scope(|scope| {
        scope.spawn(|| list(&mut Peer::establish(accept(&second), 9), 9));
        assert_eq!(context.readers(), Ok(vec![name("r")]));
    });
}

#[test]
fn whoever_connects_while_the_service_manager_holds_the_socket_waits() {
    let place = Place::new();
    let held = place.listen();
    let (context, old) = place.context(&held);
    drop(old);
    thread::scope(|scope| {
        let caller = scope.spawn(|| context.readers());
        somebody_knocks(&held);
        list(&mut Peer::establish(accept(&held), 9), 9);
        assert_eq!(caller.join().unwrap(), Ok(vec![name("r")]));
    });
}

#[test]
fn a_cancel_ends_a_wait_for_the_next_daemon() {
    let place = Place::new();
    let held = place.listen();
    let (context, old) = place.context(&held);
    drop(old);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| context.status_change(known(&[("r", EMPTY)]), None));
        somebody_knocks(&held);
        let lister = scope.spawn(|| context.readers());
        assert_eq!(context.cancel(), Ok(()));
        assert_eq!(waiter.join().unwrap(), Err(ScardCode::Cancelled));
        // Who does not wait for a change is not meant, and goes on healing.
        let mut abandoned = accept(&held);
        let _ = abandoned.read_to_end(&mut Vec::new());
        list(&mut Peer::establish(accept(&held), 9), 9);
        assert_eq!(lister.join().unwrap(), Ok(vec![name("r")]));
    });
}

#[test]
fn a_release_ends_the_healing() {
    let place = Place::new();
    let held = place.listen();
    let (context, old) = place.context(&held);
    drop(old);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| context.status_change(known(&[("r", EMPTY)]), None));
        somebody_knocks(&held);
        assert_eq!(context.release(), Ok(()));
        assert_eq!(waiter.join().unwrap(), Err(ScardCode::Cancelled));
        assert_eq!(context.readers(), Err(ScardCode::InvalidHandle));
    });
    assert_eq!(context.restarts(), 0);
}

#[test]
fn daemons_that_go_again_are_followed_by_one_that_stays() {
    let place = Place::new();
    let held = place.listen();
    let (context, old) = place.context(&held);
    drop(old);
    thread::scope(|scope| {
        scope.spawn(|| {
            // One stops before it has read the hello, one before it has established the context.
            drop(accept(&held));
            Peer::greet(accept(&held)).call();
            list(&mut Peer::establish(accept(&held), 9), 9);
        });
        assert_eq!(context.readers(), Ok(vec![name("r")]));
    });
    assert_eq!(context.restarts(), 1);
}

#[test]
fn a_daemon_that_refuses_is_believed_until_the_next_call() {
    let place = Place::new();
    let held = place.listen();
    let (context, old) = place.context(&held);
    drop(old);
    let refuse = |welcome: &Welcome| {
        let mut stream = accept(&held);
        stream.read_exact(&mut [0; 8]).unwrap();
        stream.write_all(&welcome.encode()).unwrap();
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            // Quotas, of connections and of contexts; a version that is too new or too old on either wire.
            refuse(&Welcome::Refused(ScardCode::NoMemory));
            let mut full = Peer::greet(accept(&held));
            let (number, _) = full.call();
            full.reply(number, &Err(ScardCode::NoMemory.into()));
            refuse(&Welcome::NoCommonVersion);
            let mut stranger = accept(&held);
            stranger.read_exact(&mut [0; 20]).unwrap();
            stranger.write_all(&words(&[5, 0, 0x8010_001E])).unwrap();
            list(&mut Peer::establish(accept(&held), 9), 9);
        });
        assert_eq!(context.readers(), Err(ScardCode::NoMemory));
        assert_eq!(context.readers(), Err(ScardCode::NoMemory));
        assert_eq!(context.readers(), Err(ScardCode::ServiceStopped));
        assert_eq!(context.readers(), Ok(vec![name("r")]));
    });
    assert_eq!(context.restarts(), 1);
}

#[test]
fn a_stock_pcscd_takes_over_and_gives_way_again() {
    let place = Place::new();
    let held = place.listen();
    let (context, old) = place.context(&held);
    drop(old);
    thread::scope(|scope| {
        scope.spawn(|| {
            // It does not understand the hello, but what pcsc-lite's library says: version, context, an empty table.
            accept(&held).read_exact(&mut [0; 8]).unwrap();
            let mut pcscd = accept(&held);
            for (asked, answer) in [(20, &[4, 6, 0][..]), (20, &[2, 77, 0]), (8, &[0]), (8, &[])] {
                pcscd.read_exact(&mut vec![0; asked]).unwrap();
                pcscd.write_all(&words(answer)).unwrap();
            }
            drop(pcscd);
            list(&mut Peer::establish(accept(&held), 9), 9);
        });
        assert_eq!(context.readers(), Ok(vec![]));
        assert!(!context.session().is_native());
        assert_eq!(context.id(), ContextId(77));
        assert_eq!(context.readers(), Ok(vec![name("r")]));
        assert!(context.session().is_native());
    });
    assert_eq!(context.restarts(), 2);
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}
