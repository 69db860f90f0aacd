//! Bytes of each version of pcsc-lite's wire, as files: what a client sends, what the core is asked, what it says, what
//! goes back.
//!
//! `>` from the client, `<` to the client, `?` the call, `=` the reply, `!` the watch. Bytes are hexadecimal,
//! `00*12` is a byte twelve times, text stands in quotes.
#![cfg(target_endian = "little")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

use scard_types::call::{Answer, CardHandle, ContextId, ReaderEntry, Refusal, Reply, Sharing};
use scard_types::{Atr, CardState, Protocol, ReaderName, ScardCode};
use scard_wire::pcsclite::Server;

#[test]
fn version_4_3() {
    check(include_str!("transcripts/4_3.txt"));
}

#[test]
fn version_4_4() {
    check(include_str!("transcripts/4_4.txt"));
}

#[test]
fn version_4_5() {
    check(include_str!("transcripts/4_5.txt"));
}

#[test]
fn version_4_6() {
    check(include_str!("transcripts/4_6.txt"));
}

#[test]
fn arguments_are_looked_at_in_the_documented_order() {
    check(include_str!("transcripts/any_version.txt"));
}

/// Plays a transcript with whole messages, then byte by byte, then in pieces of 100.
fn check(transcript: &str) {
    for piece in [usize::MAX, 1, 100] {
        play(transcript, piece);
    }
}

fn play(transcript: &str, piece: usize) {
    let mut server = Server::new(0);
    let (mut sent, mut call) = (Vec::new(), None);
    let next = |server: &mut Server, sent: &mut Vec<u8>| server.next_call(sent).unwrap();
    for (at, line) in transcript.lines().enumerate() {
        let Some((mark, rest)) = line.split_at_checked(2) else { continue };
        match mark.trim() {
            ">" => {
                assert_eq!(sent, [], "unexpected bytes before line {}", at + 1);
                for piece in bytes(rest).chunks(piece) {
                    assert_eq!(call, None);
                    server.extend(piece);
                    call = next(&mut server, &mut sent);
                }
            }
            "?" => {
                let asked = call.take().or_else(|| next(&mut server, &mut sent));
                let asked = asked.unwrap_or_else(|| panic!("nothing is asked in line {}", at + 1));
                assert_eq!(unordered(&format!("{asked:?}")), unordered(rest), "line {}", at + 1);
            }
            "=" => {
                let reply = reply(rest);
                let tail = server.answer(&reply, &mut sent);
                sent.extend_from_slice(tail);
            }
            "!" if rest == "fired" => server.fired(Ok(()), &mut sent),
            "!" => server.fired(Err(ScardCode::Cancelled), &mut sent),
            "<" => {
                let expected = bytes(rest);
                assert!(sent.len() >= expected.len(), "too few bytes in line {}", at + 1);
                let now: Vec<u8> = sent.drain(..expected.len()).collect();
                assert_eq!(hex(&now), hex(&expected), "line {}", at + 1);
            }
            _ => assert!(line.starts_with('#'), "line {} is not understood", at + 1),
        }
    }
    assert_eq!(sent, [], "bytes that the transcript does not have");
    assert!(!server.is_mid_message());
}

/// Sets of protocols may print in any order.
fn unordered(text: &str) -> String {
    text.replace("{T1, T0}", "{T0, T1}")
}

fn reply(text: &str) -> Reply {
    let mut words = text.split(' ');
    let what = words.next().unwrap();
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let number = |hex: &str| u32::from_le_bytes(bytes(hex).try_into().unwrap());
    let protocol = |name: &str| match name {
        "T0" => Protocol::T0,
        _ => Protocol::T1,
    };
    Ok(match what {
        "done" => Answer::Done,
        "context" => Answer::Context(ContextId(number(first))),
        "connected" => {
            Answer::Connected { card: CardHandle(number(first)), protocol: Some(protocol(second)) }
        }
        "reconnected" => Answer::Reconnected { protocol: Some(protocol(first)) },
        "transmitted" => {
            Answer::Transmitted { protocol: protocol(first), response: bytes(second).into() }
        }
        "controlled" => Answer::Controlled(bytes(first).into()),
        "attribute" => Answer::Attribute(bytes(first)),
        "stopped" => Answer::Stopped { was_watching: first == "true" },
        "events" => Answer::ReaderEvents(first.parse().unwrap()),
        "empty" => Answer::ReaderTable(Vec::new()),
        "table" if first == "of" => {
            let count: u32 = second.parse().unwrap();
            Answer::ReaderTable((0..count).map(|n| Some(empty(&format!("r{n}")))).collect())
        }
        "table" => Answer::ReaderTable(table()),
        "refused" => {
            let number = u32::from_str_radix(&first.replace('_', ""), 16).unwrap();
            let code = ScardCode::from_number(number).unwrap();
            return Err(Refusal { code, needed: second.parse().ok() });
        }
        other => panic!("no reply is called {other}"),
    })
}

fn table() -> Vec<Option<ReaderEntry>> {
    let twin = ReaderEntry {
        event_counter: 0x5_0001,
        state: CardState::Specific,
        sharing: Sharing::Shared(1),
        atr: Some(Atr::new(&[0x3B, 0x80, 0x80]).unwrap()),
        protocol: Some(Protocol::T1),
        ..empty("Gemalto PC Twin Reader 00 00")
    };
    vec![
        Some(twin),
        None,
        Some(ReaderEntry { sharing: Sharing::Exclusive, ..empty("Other 01 00") }),
    ]
}

fn empty(name: &str) -> ReaderEntry {
    ReaderEntry {
        name: ReaderName::new(name).unwrap(),
        event_counter: 0,
        state: CardState::Absent,
        sharing: Sharing::Free,
        atr: None,
        protocol: None,
    }
}

fn bytes(mut text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(start) = text.find('"') {
        bytes.extend(hex_words(&text[..start]));
        let quoted = &text[start + 1..];
        let end = quoted.find('"').unwrap();
        bytes.extend_from_slice(&quoted.as_bytes()[..end]);
        text = &quoted[end + 1..];
    }
    bytes.extend(hex_words(text));
    bytes
}

fn hex_words(text: &str) -> Vec<u8> {
    let byte = |digits: &str| u8::from_str_radix(digits, 16).unwrap();
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once('*') {
            Some((digits, times)) => {
                bytes.extend(vec![byte(digits); times.parse().unwrap()]);
            }
            None => bytes.extend((0..word.len()).step_by(2).map(|at| byte(&word[at..at + 2]))),
        }
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
