//! Commands and answers as data: `exchanges/*.txt`.
//!
//! A line `= title` begins a case with a new card (PIN 123456, PUK 12345678, the well-known management key, P-256
//! everywhere). `COMMAND -> ANSWER` is one exchange, in hexadecimal; `*` at the beginning of an answer stands for any
//! data. Words in capitals stand for bytes: see `WORDS`. `reset` resets the card, `open` authenticates with the
//! well-known management key (`open AES128` with one of another cipher), `firmware 5.4.3` takes a YubiKey instead,
//! `global` one with a global PIN (OTHER-PIN),
//! `again` another card with the memory of the one that was there. `#` begins a comment.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

mod host;

use std::fmt::Write;

use host::Host;
use scard_types::Pin;
use sim_card::{Card, Firmware, ManagementAlgorithm, PivCard};

/// Bytes that come again and again.
const WORDS: &[(&str, &str)] = &[
    ("AID", "A0 00 00 03 08 00 00 10 00 01 00"),
    ("PIN", "31 32 33 34 35 36 FF FF"),
    ("OTHER-PIN", "36 35 34 33 32 31 FF FF"),
    ("PUK", "31 32 33 34 35 36 37 38"),
    ("OTHER-PUK", "38 37 36 35 34 33 32 31"),
    (
        "SHA-256",
        "E3 B0 C4 42 98 FC 1C 14 9A FB F4 C8 99 6F B9 24 27 AE 41 E4 64 9B 93 4C A4 95 99 1B 78 52 B8 55",
    ),
];

fn bytes(text: &str) -> Vec<u8> {
    let mut hex = String::new();
    for word in text.split_whitespace() {
        let meaning = WORDS.iter().find(|(name, _)| *name == word);
        hex.extend(meaning.map_or(word, |(_, bytes)| bytes).split_whitespace());
    }
    assert!(hex.len() % 2 == 0, "an odd number of digits in {text:?}");
    (0..hex.len())
        .step_by(2)
        .map(|at| {
            u8::from_str_radix(&hex[at..at + 2], 16).unwrap_or_else(|_| panic!("no hex: {text:?}"))
        })
        .collect()
}

fn check(text: &str) {
    let mut host = Host::new();
    let mut case = "";
    let mut failures = String::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(title) = line.strip_prefix("= ") {
            case = title;
            host = Host::new();
        } else if line == "reset" {
            host.0.reset();
        } else if line == "global" {
            let mut profile = host::profile();
            profile.global_pin = Some(Pin::new(b"654321").unwrap());
            host = Host(PivCard::new(profile).unwrap());
        } else if line == "again" {
            host = Host(PivCard::from_memory(host.0.memory().expose(), [0; 32]).unwrap());
        } else if let Some(version) = line.strip_prefix("firmware ") {
            let version: Vec<u8> = version.split('.').map(|part| part.parse().unwrap()).collect();
            let firmware = Firmware(version.try_into().unwrap());
            host = Host(PivCard::new(host::profile().as_yubikey(firmware)).unwrap());
        } else if let Some(cipher) = line.strip_prefix("open") {
            host.open_management(match cipher.trim() {
                "AES128" => ManagementAlgorithm::Aes128,
                "AES192" => ManagementAlgorithm::Aes192,
                _ => ManagementAlgorithm::TripleDes,
            });
        } else if !line.is_empty() {
            let (command, expected) = line.split_once("->").unwrap();
            let got = host.0.transmit(&bytes(command));
            let fits = match expected.trim().strip_prefix('*') {
                Some(end) => got.expose().ends_with(&bytes(end)),
                None => got.expose() == bytes(expected),
            };
            if !fits {
                let got = got.expose();
                let at = number + 1;
                writeln!(failures, "line {at} ({case}): {line}, got {got:02X?}").unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn selection() {
    check(include_str!("exchanges/select.txt"));
}

#[test]
fn pins() {
    check(include_str!("exchanges/pin.txt"));
}

#[test]
fn objects() {
    check(include_str!("exchanges/objects.txt"));
}

#[test]
fn keys() {
    check(include_str!("exchanges/keys.txt"));
}

#[test]
fn long_messages() {
    check(include_str!("exchanges/long.txt"));
}

#[test]
fn extensions_of_yubico() {
    check(include_str!("exchanges/yubico.txt"));
}

#[test]
fn memory() {
    check(include_str!("exchanges/memory.txt"));
}

#[test]
fn malformed_commands() {
    check(include_str!("exchanges/malformed.txt"));
}
