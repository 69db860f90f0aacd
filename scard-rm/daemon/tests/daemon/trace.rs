//! A trace: complete for those who may see it, without secrets, and nobody's burden.

use scard_types::call::{Answer, Call, KnownReader};
use scard_types::trace::{Item, TraceEvent, Traced, TracedAnswer, TracedCall, Value};
use scard_types::{Disposition, ScardCode};

use crate::native::Native;
use crate::support::{Daemon, READER, Raw, SELECT, Stock, words};
use crate::users;

/// The virtual card's answer to reset.
const ATR: &str = "3B 9B 96 81 31 FE 45 80 73 C0 21 C0 55 73 63 61 72 64 E6";

fn tracer(daemon: &Daemon) -> Native {
    let mut tracer = Native::new(daemon);
    begin(&mut tracer);
    tracer
}

/// Begins a trace and reads what was there before.
fn begin(tracer: &mut Native) -> Vec<TraceEvent> {
    assert_eq!(tracer.call(&Call::Trace), Ok(Answer::Done));
    let events = std::iter::repeat_with(|| tracer.traced().event);
    events.take_while(|event| *event != TraceEvent::Begins).collect()
}

/// The next so many events, a line each, without what differs from run to run.
fn lines(tracer: &mut Native, count: usize) -> Vec<String> {
    (0..count).map(|_| line(&tracer.traced().event)).collect()
}

fn line(event: &TraceEvent) -> String {
    match event {
        TraceEvent::ClientArrived { dialect, .. } => format!("arrives {dialect:?}"),
        TraceEvent::ClientGone { unanswered, .. } => format!("leaves {unanswered}"),
        TraceEvent::Waits(call) => format!("{} waits", called(call)),
        TraceEvent::Answered(call, answer) => format!("{} -> {}", called(call), brought(answer)),
        TraceEvent::WatchFired { cancelled, .. } => format!("fired, cancelled: {cancelled}"),
        TraceEvent::Reader { reader, what } => format!("{reader}: {what:?}"),
        other => format!("{other:?}"),
    }
}

fn called(call: &TracedCall) -> String {
    let reader = call.reader.as_deref().unwrap_or("-");
    format!("{} {reader}{}", call.name, items(&call.arguments))
}

fn brought(answer: &TracedAnswer) -> String {
    let refusal = answer.refusal.map_or("ok", ScardCode::name);
    let exchange = answer.exchange.as_ref().map_or(String::new(), |exchange| {
        let response = exchange.response.as_ref().map(|response| response.shown().to_vec());
        format!(
            " {:02X?}+{:?} {:02X?}+{:?}",
            exchange.command.shown(),
            exchange.command.hidden(),
            response.unwrap_or_default(),
            exchange.response.as_ref().and_then(|response| response.hidden()),
        )
    });
    format!("{refusal}{}{exchange}", items(&answer.results))
}

fn items(items: &[Item]) -> String {
    let random = |item: &&Item| !matches!(&*item.name, "card" | "context" | "output_bytes");
    let shown = |item: &Item| match &item.value {
        Value::Number(number) => format!(" {}={number}", item.name),
        Value::Text(text) => format!(" {}={text}", item.name),
        Value::Texts(texts) => format!(" {}={texts:?}", item.name),
    };
    items.iter().filter(random).map(shown).collect()
}

#[test]
fn what_a_client_does_is_told_call_by_call() {
    let daemon = Daemon::start();
    let mut tracer = tracer(&daemon);
    let (mut client, card) = Stock::with_card(&daemon);
    client.begin(card);
    client.transmit(card, SELECT).expect("the card answers");
    client.transmit(card, b"\x00\x20\x00\x80\x08123456\xff\xff").expect("the card answers");
    client.end(card);
    client.watch();
    client.stop_watching();
    client.read_words(1);
    client.disconnect(card);
    assert_eq!(
        lines(&mut tracer, 11),
        [
            "arrives PcscLite { minor: 4 }".to_owned(),
            "EstablishContext - scope=2 rules=pcsc-lite -> ok".to_owned(),
            format!(
                "Connect {READER} share=shared protocols=[\"T=0\", \"T=1\"] -> ok protocol=T=1"
            ),
            format!("BeginTransaction {READER} -> ok"),
            format!(
                "Transmit {READER} protocol=T=1 command_bytes=10 receive_limit=65548 -> ok \
                 protocol=T=1 response_bytes=45 \
                 [00, A4, 04, 00, 05, A0, 00, 00, 03, 08]+None \
                 [61, 29, 4F, 06, 00, 00, 10, 00, 01, 00, 79, 07, 4F, 05, A0, 00, 00, 03, 08, 50, \
                 16, 73, 63, 61, 72, 64, 20, 76, 69, 72, 74, 75, 61, 6C, 20, 50, 49, 56, 20, 63, \
                 61, 72, 64, 90, 00]+None"
            ),
            format!(
                "Transmit {READER} protocol=T=1 command_bytes=13 receive_limit=65548 -> ok \
                 protocol=T=1 response_bytes=2 [00, 20, 00, 80]+Some(9) [90, 00]+Some(0)"
            ),
            format!("EndTransaction {READER} disposition=leave -> ok"),
            "WatchReaders - -> ok".to_owned(),
            "ReaderTable - -> ok reader_count=1".to_owned(),
            "StopWatching - -> ok was_watching=yes".to_owned(),
            format!("Disconnect {READER} disposition=leave -> ok"),
        ]
    );
    drop(client);
    assert_eq!(lines(&mut tracer, 1), ["leaves 0"]);
}

#[test]
fn cards_and_waits_for_them_are_told_of() {
    let daemon = Daemon::start();
    let (mut waiter, context) = Native::with_context(&daemon);
    let mut tracer = Native::new(&daemon);
    assert_eq!(begin(&mut tracer).len(), 1, "one client was there");
    let known = KnownReader { name: READER.to_owned(), current_state: 0x0001_0020 };
    let wait = Call::StatusChange { context, timeout_ms: None, readers: vec![known] };
    let number = waiter.ask(&wait);
    let asked = format!(
        "StatusChange - timeout_ms=for ever reader_count=1 readers=[\"{READER}\"] \
         known=[\"present #1\"]"
    );
    assert_eq!(lines(&mut tracer, 1), [format!("{asked} waits")]);
    let mut other = Native::new(&daemon);
    assert!(other.command("sim", "remove 0").is_ok());
    assert!(waiter.reply_to(number).is_ok());
    assert!(other.command("sim", "insert 0").is_ok());
    let mut seen = lines(&mut tracer, 7);
    // The driver's answer and the card's event come each by its own way.
    seen.sort();
    assert_eq!(
        seen,
        [
            "DriverCommand - driver=sim command_bytes=8 -> ok".to_owned(),
            "DriverCommand - driver=sim command_bytes=8 -> ok".to_owned(),
            format!("{asked} -> ok changed=yes states=[\"changed empty #2\"]"),
            "arrives Native { version: 1 }".to_owned(),
            format!("{READER}: Inserted"),
            format!("{READER}: PoweredOn(Atr({ATR}))"),
            format!("{READER}: Removed"),
        ]
    );
}

#[test]
fn who_waits_for_a_transaction_is_told_of_when_he_begins_to_and_when_he_has_it() {
    let daemon = Daemon::start();
    let (mut holder, held) = Native::with_card(&daemon);
    let (mut next, wanted) = Native::with_card(&daemon);
    let mut tracer = tracer(&daemon);
    holder.call(&Call::BeginTransaction { card: held }).expect("the card is free");
    let number = next.ask(&Call::BeginTransaction { card: wanted });
    let begun = format!("BeginTransaction {READER}");
    assert_eq!(lines(&mut tracer, 2), [format!("{begun} -> ok"), format!("{begun} waits")]);
    let end = Call::EndTransaction { card: held, disposition: Disposition::Leave };
    holder.call(&end).expect("it was his");
    next.reply_to(number).expect("it is his now");
    let (first, second) = (tracer.traced(), tracer.traced());
    assert_eq!(line(&first.event), format!("EndTransaction {READER} disposition=leave -> ok"));
    assert_eq!(line(&second.event), format!("{begun} -> ok"));
    let TraceEvent::Answered(_, answer) = second.event else { panic!("no answer") };
    assert!(answer.took_us > 0, "the wait took its time");
    assert!(first.time_us <= second.time_us);
}

#[test]
fn a_client_that_dies_is_told_of_with_what_it_left_behind() {
    let daemon = Daemon::start();
    let (mut holder, held) = Native::with_card(&daemon);
    let (mut next, wanted) = Native::with_card(&daemon);
    let mut tracer = tracer(&daemon);
    holder.call(&Call::BeginTransaction { card: held }).expect("the card is free");
    next.ask(&Call::BeginTransaction { card: wanted });
    assert_eq!(lines(&mut tracer, 2).len(), 2);
    drop(next);
    assert_eq!(lines(&mut tracer, 1), ["leaves 1"]);
    drop(holder);
    assert_eq!(
        lines(&mut tracer, 2),
        ["leaves 0".to_owned(), format!("{READER}: Reset(Atr({ATR}))")]
    );
}

/// Calls that are answered at once, and nothing else.
fn be_busy(client: &mut Native, calls: u64) {
    for _ in 0..calls {
        assert!(client.call(&Call::DescribeReaders).is_ok());
    }
}

/// How many events came, those included that were lost, until there were `expected`.
fn count(tracer: &mut Native, expected: u64) -> (u64, u64) {
    let (mut seen, mut lost) = (0, 0);
    while seen + lost < expected {
        match tracer.traced().event {
            TraceEvent::Lost { events } => lost += events,
            _ => seen += 1,
        }
    }
    (seen, lost)
}

#[test]
fn who_does_not_read_loses_events_is_told_how_many_and_keeps_nobody_waiting() {
    const CALLS: u64 = 6_000;
    let config = "[limits]\nquiet-ms = 300\n";
    let daemon = Daemon::with(&["--reader", "sim:piv"], config);
    let (mut busy, _) = Native::with_context(&daemon);
    let (mut deaf, mut attentive) = (tracer(&daemon), tracer(&daemon));
    // The trace of the second tracer is the first one's event.
    let before = daemon.status("VmRSS");
    for _ in 0..CALLS / 100 {
        be_busy(&mut busy, 100);
        assert_eq!(count(&mut attentive, 100), (100, 0), "who reads misses nothing");
    }
    let grown = daemon.status("VmRSS").saturating_sub(before);
    assert!(grown < 1_024, "{grown} KiB for one who does not read");
    // A connection without a word is closed when the time is over; the one who does not read is none of those.
    Raw::connect(&daemon.socket()).until_closed();
    Raw::connect(&daemon.socket()).until_closed();
    // The arrival of the other tracer and its Trace.
    let (seen, lost) = count(&mut deaf, CALLS + 2);
    assert!(seen > 100 && lost > 100, "{seen} seen, {lost} lost");
    be_busy(&mut busy, 10);
    assert_eq!(count(&mut deaf, 10), (10, 0), "from now on all is there again");
}

#[test]
fn nobody_is_told_of_himself() {
    let daemon = Daemon::start();
    let mut first = tracer(&daemon);
    first.call(&Call::DescribeReaders).expect("it is answered");
    let mut second = Native::new(&daemon);
    assert_eq!(begin(&mut second).len(), 1);
    assert_eq!(lines(&mut first, 2), ["arrives Native { version: 1 }", "Trace - -> ok"]);
}

#[test]
fn a_user_sees_his_own_clients_and_root_sees_all() {
    if !users::are_several() {
        return;
    }
    let daemon = Daemon::start();
    let mut root = tracer(&daemon);
    let nobodys = || users::work_as(users::ATTACKER, || Native::new(&daemon));
    let mut tracer = nobodys();
    assert!(begin(&mut tracer).is_empty(), "nobody else is seen");
    // Root's client connects, gives a PIN and resets the card meanwhile.
    let (mut client, card) = Stock::with_card(&daemon);
    client.transmit(card, SELECT).expect("the card answers");
    client.code(0x06, &[card, 1, 0]);
    nobodys().call(&Call::DescribeReaders).expect("it is answered");
    let mut seen = lines(&mut tracer, 2);
    while seen.last().is_none_or(|line| !line.starts_with("DescribeReaders")) {
        seen.extend(lines(&mut tracer, 1));
    }
    let heard = seen.join("\n");
    for foreign in ["Connect", "Transmit", "PcscLite", "EstablishContext", "leaves"] {
        assert!(!heard.contains(foreign), "{heard}");
    }
    assert!(heard.contains(&format!("{READER}: Reset")), "cards are everybody's: {heard}");
    assert!(heard.contains("arrives Native { version: 1 }\nDescribeReaders - -> ok"), "{heard}");

    let arrived = std::iter::repeat_with(|| root.traced().event).take(30).find(
        |event| matches!(event, TraceEvent::ClientArrived { peer, .. } if peer.uid == users::ATTACKER),
    );
    assert!(arrived.is_some(), "root sees who comes");
}

/// Pseudo-random numbers, the same each time (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 0xFFFF_FFFF).expect("32 bits") % limit
    }

    fn secret(&mut self, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|_| u8::try_from(self.below(256)).expect("a byte")).collect()
    }
}

/// Commands that take a secret: header, and what stands before it.
const TAKING: [([u8; 4], &[u8]); 8] = [
    ([0x00, 0x20, 0x00, 0x80], b""),
    ([0x00, 0x24, 0x00, 0x80], b""),
    ([0x00, 0x2C, 0x00, 0x80], b""),
    ([0x00, 0x87, 0x03, 0x9B], b"\x7c\x0a\x80\x08"),
    ([0x00, 0xFF, 0xFF, 0xFF], b"\x03\x9b\x18"),
    ([0x00, 0xFE, 0x11, 0x9A], b"\x06\x20"),
    ([0x00, 0xDB, 0x3F, 0xFF], b"\x5c\x03\x5f\xc1\x09\x53\x20\x88\x1e\x89\x1c"),
    ([0x84, 0x50, 0x00, 0x00], b""),
];

#[test]
fn no_secret_is_in_a_trace_or_in_a_log_however_it_is_sent() {
    let daemon = Daemon::with(&["--reader", "sim:piv", "--log", "trace"], "");
    let mut tracer = Native::new(&daemon);
    begin(&mut tracer);
    let (mut client, card) = Stock::with_card(&daemon);
    let mut random = Random(0x5EED_CA4D_0000_0001);
    let (mut secrets, mut calls) = (Vec::new(), 0);
    client.transmit(card, b"\x00\x20\x00\x80\x08123456\xff\xff").expect("the card answers");
    for round in 0..160 {
        let (header, before) = TAKING[round % TAKING.len()];
        let secret = random.secret(16);
        let data = [before, &secret].concat();
        let mut rest = data.as_slice();
        while !rest.is_empty() {
            let (part, later) = rest.split_at(rest.len().min(1 + random.below(24)));
            rest = later;
            let [cla, ins, p1, p2] = header;
            let cla = if rest.is_empty() { cla } else { cla | 0x10 };
            let length = u8::try_from(part.len()).expect("parts are short");
            let lengths = if random.below(2) == 0 { vec![length] } else { vec![0, 0, length] };
            let _ = client.transmit(card, &[&[cla, ins, p1, p2], &lengths[..], part].concat());
            calls += 1;
        }
        // A control code, too, may carry a PIN.
        client.raw.send(&control(card, &secret));
        client.read_words(6);
        secrets.push(secret);
    }
    let mut wire = Vec::new();
    let mut transmits = 0;
    while transmits < calls + 1 {
        let event = tracer.traced().event;
        transmits += usize::from(line(&event).starts_with("Transmit"));
        scard_wire::native::encode_trace(&Traced { time_us: 0, event }, &mut wire);
    }
    let log = daemon.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log says everything");
    for secret in secrets {
        for piece in secret.windows(6) {
            assert!(!wire.windows(6).any(|seen| seen == piece), "{piece:02X?} on the wire");
            for (style, text) in [
                ("packed", piece.iter().map(|byte| format!("{byte:02x}")).collect()),
                ("spaced", format!("{piece:02x?}")),
                ("decimal", format!("{piece:?}")),
            ] {
                let text: String = text;
                let text = text.trim_matches(['[', ']']);
                assert!(!log.to_lowercase().contains(text), "{piece:02X?} in the log, {style}");
            }
        }
    }
    assert!(!log.contains("123456"), "the PIN is in the log");
}

/// `SCardControl` on pcsc-lite's wire.
fn control(card: u32, input: &[u8]) -> Vec<u8> {
    let length = u32::try_from(input.len()).expect("inputs are short");
    [words(&[24, 0x0A, card, 0x4200_0001, length, 264, 0, 0]), input.to_vec()].concat()
}
