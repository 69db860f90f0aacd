//! The client against Debian's pcscd: pcsc-lite's wire as others made it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]
#![allow(clippy::print_stdout, reason = "a test that was not run says so")]

mod stock;

use std::thread;
use std::time::{Duration, Instant};

use scard_client::status_change::{CHANGED, EMPTY, INUSE, PNP_READER, PRESENT, UNAWARE};
use scard_client::{
    Context, Disposition, KnownReader, Protocol, Protocols, ScardCode, SeenReader, Session,
    ShareMode,
};
use scard_types::call::{Answer, Call, Refusal};
use scard_types::{Character, attribute};

const LONG: Option<Duration> = Some(Duration::from_secs(20));
const READER: &str = "Virtual PCD 00 00";

#[test]
fn act_as_card() {
    stock::act_as_card();
}

#[test]
fn a_stock_daemon_serves_our_client() {
    let Some(mut pcscd) = stock::Pcscd::start() else { return };
    let endpoint = pcscd.endpoint();

    // The first call of a session may be a status change: nothing of it stays in the socket.
    let context = Context::establish_at(&endpoint).unwrap();
    assert!(!context.session().is_native());
    let seen = context.status_change(vec![known(READER, UNAWARE)], LONG).unwrap();
    assert_eq!(seen, [SeenReader { event_state: CHANGED | EMPTY, atr: None }]);
    let empty = vec![known(READER, EMPTY)];
    assert_eq!(context.status_change(empty.clone(), Some(Duration::ZERO)), timed_out());
    assert_eq!(context.status_change(empty.clone(), Some(Duration::from_millis(50))), timed_out());
    let names: Vec<_> = context.readers().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, [READER, "Virtual PCD 00 01"]);
    let pnp = vec![known(PNP_READER, UNAWARE)];
    assert_eq!(context.status_change(pnp, Some(Duration::from_millis(10))), timed_out());
    let nobody = vec![known("Nobody 00 00", UNAWARE)];
    assert_eq!(context.status_change(nobody, LONG), Err(ScardCode::UnknownReader));
    assert_eq!(context.status_change(vec![], None), Ok(vec![]));
    let refused = |share, protocols| context.connect(READER, share, protocols).unwrap_err();
    assert_eq!(refused(ShareMode::Shared, Protocols::ANY), ScardCode::NoSmartcard);
    assert_eq!(refused(ShareMode::Shared, Protocols::NONE), ScardCode::ProtocolMismatch);

    a_wait_is_cancelled(&context);

    let inserted = thread::scope(|scope| {
        let waiter = scope.spawn(|| context.status_change(empty, LONG));
        let card = pcscd.insert_card();
        let seen = waiter.join().unwrap().unwrap();
        assert_eq!(seen[0].event_state, 0x1_0000 | CHANGED | PRESENT);
        assert_eq!(seen[0].atr.unwrap().as_bytes(), stock::ATR);
        card
    });

    commands_reach_the_card(&context);
    a_transaction_is_waited_for(&context, &Context::establish_at(&endpoint).unwrap());
    threads_of_one_session_do_not_lock_each_other_out(&endpoint);

    let present = vec![known(READER, PRESENT)];
    let card = context.connect(READER, ShareMode::Shared, Protocols::ANY).unwrap();
    let seen = context.status_change(present.clone(), Some(Duration::ZERO)).unwrap_err();
    assert_eq!(seen, ScardCode::Timeout, "from free to shared is no change");
    drop(inserted);
    let seen = context.status_change(vec![known(READER, PRESENT | INUSE)], LONG).unwrap();
    assert_eq!(seen, [SeenReader { event_state: 0x2_0000 | CHANGED | EMPTY, atr: None }]);
    assert_eq!(card.transmit(&[0, 0x84, 0, 0, 8]), Err(ScardCode::RemovedCard));

    let forever = vec![known(READER, 0x2_0000 | EMPTY)];
    thread::scope(|scope| {
        let waiter = scope.spawn(|| context.status_change(forever.clone(), None));
        pcscd.kill();
        let ended = waiter.join().unwrap();
        // Without a service if pcscd went before the wait began.
        assert!(matches!(ended, Err(ScardCode::CommError | ScardCode::NoService)), "{ended:?}");
    });
    assert_eq!(context.readers(), Err(ScardCode::NoService));
    assert_eq!(context.cancel(), Ok(()), "nothing waits");
    assert_eq!(Context::establish_at(&endpoint).unwrap_err(), ScardCode::NoService);
}

fn a_wait_is_cancelled(context: &Context) {
    assert_eq!(context.cancel(), Ok(()), "a cancel without a wait");
    let waited = thread::scope(|scope| {
        let waiter = scope.spawn(|| context.status_change(vec![known(READER, EMPTY)], None));
        // A cancel that comes before the wait cancels nothing.
        while !waiter.is_finished() {
            context.cancel().unwrap();
            thread::yield_now();
        }
        waiter.join().unwrap()
    });
    assert_eq!(waited, Err(ScardCode::Cancelled));
    assert_eq!(context.readers().unwrap().len(), 2, "the connection is in order afterwards");
}

fn commands_reach_the_card(context: &Context) {
    let mut card = context.connect(READER, ShareMode::Shared, Protocols::ANY).unwrap();
    assert_eq!(card.protocol(), Some(Protocol::T1));
    let challenge = card.transmit(&[0, 0x84, 0, 0, 8]).unwrap();
    assert_eq!(challenge.expose(), [1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0]);
    for length in [1, 255, 256, 4096, 0xFFF0_u16] {
        let [high, low] = length.to_be_bytes();
        let answer = card.transmit(&[0, 0xCB, 0x3F, 0xFF, 0, high, low]).unwrap();
        assert_eq!(answer.len(), usize::from(length) + 2);
    }

    let status = card.status().unwrap();
    assert_eq!(status.name.as_str(), READER);
    assert_eq!(status.atr.unwrap().as_bytes(), stock::ATR);
    assert_eq!(status.protocol, Some(Protocol::T1));

    let short = Call::Transmit {
        card: card.handle(),
        protocol: None,
        command: vec![0, 0x84, 0, 0, 8].into(),
        receive_limit: 9,
    };
    let needed = Refusal { code: ScardCode::InsufficientBuffer, needed: Some(10) };
    assert_eq!(context.session().call(short), Err(needed));
    assert_eq!(card.control(0x4200_0D48, &[]), Err(ScardCode::UnsupportedFeature));
    assert_eq!(card.attribute(attribute::VENDOR_NAME), Err(ScardCode::UnsupportedFeature));
    assert!(card.set_attribute(0x7FFF_0007, vec![1]).is_err());

    card.reconnect(ShareMode::Shared, Protocols::ANY, Disposition::Reset).unwrap();
    let transaction = card.transaction().unwrap();
    assert_eq!(transaction.transmit(&[0, 0xA4, 4, 0]).unwrap().expose(), [0x90, 0]);
    transaction.end(Disposition::Leave).unwrap();
    assert_eq!(card.disconnect(Disposition::Leave), Ok(()));
}

fn a_transaction_is_waited_for(one: &Context, other: &Context) {
    let mut first = one.connect(READER, ShareMode::Shared, Protocols::ANY).unwrap();
    let mut second = other.connect(READER, ShareMode::Shared, Protocols::ANY).unwrap();
    let transaction = first.transaction().unwrap();
    other.session().set_no_blocking(true);
    assert_eq!(second.transmit(&[0, 0x84, 0, 0, 8]), Err(ScardCode::SharingViolation));
    assert_eq!(second.status().unwrap_err(), ScardCode::SharingViolation);
    assert_eq!(second.control(1, &[]), Err(ScardCode::SharingViolation));
    other.session().set_no_blocking(false);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let begun = second.transaction().map(|_| Instant::now());
            (begun, second.transmit(&[0, 0x84, 0, 0, 8]).map(|answer| answer.len()))
        });
        let ended = Instant::now();
        transaction.end(Disposition::Leave).unwrap();
        let (begun, answered) = waiter.join().unwrap();
        assert!(begun.unwrap() >= ended);
        assert_eq!(answered, Ok(10));
    });
    first.disconnect(Disposition::Leave).unwrap();
    second.disconnect(Disposition::Leave).unwrap();
}

/// One waits for a transaction that the other one's handle holds, on the same connection.
fn threads_of_one_session_do_not_lock_each_other_out(endpoint: &scard_client::Endpoint) {
    let session = Session::open(endpoint).unwrap();
    let establish = Call::EstablishContext { scope: 2, character: Character::PcscLite };
    let Ok(Answer::Context(context)) = session.call(establish) else { panic!("no context") };
    let connect = || {
        let (reader, share) = (READER.to_owned(), ShareMode::Shared);
        let connect = Call::Connect { context, reader, share, protocols: Protocols::ANY };
        let Ok(Answer::Connected { card, .. }) = session.call(connect) else { panic!("no card") };
        card
    };
    let (first, second) = (connect(), connect());
    assert_eq!(session.call(Call::BeginTransaction { card: first }), Ok(Answer::Done));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| session.call(Call::BeginTransaction { card: second }));
        let end = Call::EndTransaction { card: first, disposition: Disposition::Leave };
        assert_eq!(session.call(end), Ok(Answer::Done));
        assert_eq!(waiter.join().unwrap(), Ok(Answer::Done));
    });
    assert_eq!(session.call(Call::ReleaseContext { context }), Ok(Answer::Done));
}

fn known(name: &str, current_state: u32) -> KnownReader {
    KnownReader { name: name.into(), current_state }
}

fn timed_out() -> Result<Vec<SeenReader>, ScardCode> {
    Err(ScardCode::Timeout)
}
