//! Long messages over a scripted card.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod script;

use card_key::{CardKeyError, Exchange, MAX_ANSWER_BYTES, send};
use scard_types::{CommandApdu, ScardCode, SecretBytes, StatusWord};
use script::{Line, ScriptedCard, to_hex};

/// Plays `lines` for `command` and compares what comes of it: data and status word in hexadecimal.
fn check(command: &CommandApdu, lines: &[Line<'_>], expected: &str) {
    let mut card = ScriptedCard::new(lines);
    let answer = send(&mut card, command).unwrap();
    assert_eq!(format!("{} {}", to_hex(answer.data.expose()), answer.status), expected);
    card.assert_finished();
}

fn reading() -> CommandApdu {
    CommandApdu::new(0x00, 0xCB, 0x3F, 0xFF).with_data(vec![0x5C, 0x00]).with_expected(256)
}

#[test]
fn a_short_answer_is_one_exchange() {
    check(&reading(), &[("00CB3FFF025C0000", "53009000")], "5300 9000");
}

#[test]
fn the_rest_is_fetched_with_the_length_that_the_card_names() {
    let lines =
        [("00CB3FFF025C0000", "0102 6102"), ("00C0000002", "0304 6100"), ("00C0000000", "05 9000")];
    check(&reading(), &lines, "0102030405 9000");
}

#[test]
fn the_right_le_is_taken_from_the_card_once() {
    let lines = [("00CB3FFF025C0000", "6C02"), ("00CB3FFF025C0002", "0102 9000")];
    check(&reading(), &lines, "0102 9000");
    let lines = [("00CB3FFF025C0000", "6C02"), ("00CB3FFF025C0002", "6C03")];
    check(&reading(), &lines, " 6C03");
    let lines = [("00CB3FFF025C0000", "6105"), ("00C0000005", "6C02"), ("00C0000002", "0102 9000")];
    check(&reading(), &lines, "0102 9000");
}

#[test]
fn the_rest_is_fetched_on_the_logical_channel_of_the_command() {
    let command = CommandApdu::new(0x02, 0xCB, 0x3F, 0xFF).with_expected(256);
    check(&command, &[("02CB3FFF00", "6101"), ("02C0000001", "AA9000")], "AA 9000");
}

#[test]
fn long_data_go_as_a_chain_of_255_bytes_a_part() {
    let data = vec![0xA5; 600];
    let part = "A5".repeat(255);
    let lines = [
        (format!("10870700FF{part}"), "9000"),
        (format!("10870700FF{part}"), "9000"),
        (format!("008707005A{}00", "A5".repeat(90)), "019000"),
    ];
    let lines: Vec<Line<'_>> =
        lines.iter().map(|(command, answer)| (&command[..], *answer)).collect();
    let command = CommandApdu::new(0x00, 0x87, 0x07, 0x00).with_data(data).with_expected(65_536);
    check(&command, &lines, "01 9000");
}

#[test]
fn a_chain_that_the_card_refuses_ends_with_its_refusal() {
    let command = CommandApdu::new(0x00, 0x87, 0x07, 0x00).with_data(vec![0; 256]);
    let first = format!("10870700FF{}", "00".repeat(255));
    check(&command, &[(&first, "6884")], " 6884");
}

#[test]
fn an_answer_without_a_status_word_is_an_error() {
    for (answer, got) in [("", 0), ("90", 1)] {
        let mut card = ScriptedCard::new(&[("00CB3FFF025C0000", answer)]);
        assert_eq!(send(&mut card, &reading()), Err(CardKeyError::NoStatusWord { got }));
    }
}

#[test]
fn a_card_that_goes_away_in_the_middle_is_an_error() {
    let mut card = ScriptedCard::new(&[("00CB3FFF025C0000", "0102 6102")]);
    let gone = Err(CardKeyError::Exchange(ScardCode::RemovedCard));
    assert_eq!(send(&mut card, &reading()), gone);
}

/// A card that never comes to an end.
struct Endless {
    part: Vec<u8>,
    rounds: usize,
}

impl Exchange for Endless {
    fn transmit(&mut self, _command: &[u8]) -> Result<SecretBytes, ScardCode> {
        self.rounds += 1;
        Ok(SecretBytes::from([&self.part[..], &[0x61, 0x00]].concat()))
    }
}

#[test]
fn an_endless_answer_is_given_up_by_size_and_by_count() {
    let mut long = Endless { part: vec![0; 256], rounds: 0 };
    assert_eq!(send(&mut long, &reading()), Err(CardKeyError::AnswerTooLong));
    assert_eq!(long.rounds, MAX_ANSWER_BYTES / 256 + 1);
    for part in [vec![], vec![0]] {
        let mut slow = Endless { part, rounds: 0 };
        assert_eq!(send(&mut slow, &reading()), Err(CardKeyError::TooManyRounds));
    }
}

#[test]
fn a_refusal_is_an_answer() {
    let mut card = ScriptedCard::new(&[("00CB3FFF025C0000", "6A82")]);
    assert_eq!(send(&mut card, &reading()).unwrap().status, StatusWord(0x6A82));
}
