//! A card whose memory is in a file.
#![allow(clippy::unwrap_used, reason = "tests panic")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sim_card::Card;
use sim_reader::{CardSpec, VirtualCard};

const ASK_PIN: &[u8] = b"\x00\x20\x00\x80";
const WRONG_PIN: &[u8] = b"\x00\x20\x00\x80\x08999999\xFF\xFF";
const RIGHT_PIN: &[u8] = b"\x00\x20\x00\x80\x08123456\xFF\xFF";

fn make(order: &str, file: &Path) -> Result<VirtualCard, String> {
    let spec: CardSpec = format!("piv,{order}state={}", file.display()).parse().unwrap();
    spec.make(spec.serial.unwrap_or(1)).map_err(|error| error.to_string())
}

fn status(card: &mut VirtualCard, command: &[u8]) -> String {
    card.transmit(command).expose().iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn the_card_that_is_in_the_file_is_the_one_that_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card");
    let mut card = make("serial=5,9a=p384,", &file).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(status(&mut card, WRONG_PIN), "63C2");
    let atr = card.atr();
    drop(card);
    // What the order says of a card is for a new one.
    let mut again = make("serial=6,atr=3B00,9a=none,", &file).unwrap();
    assert_eq!((again.serial(), again.atr()), (5, atr));
    assert_eq!(status(&mut again, ASK_PIN), "63C2");
}

#[test]
fn the_counter_is_in_the_file_before_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card");
    let copy = folder.path().join("copy");
    let mut card = make("", &file).unwrap();
    for (command, answer, left) in
        [(WRONG_PIN, "63C2", "63C2"), (WRONG_PIN, "63C1", "63C1"), (RIGHT_PIN, "9000", "63C3")]
    {
        assert!(!card.is_quick(command), "it writes");
        assert_eq!(status(&mut card, command), answer);
        // What somebody finds who comes after a sudden end at this point.
        std::fs::copy(&file, &copy).unwrap();
        assert_eq!(status(&mut make("", &copy).unwrap(), ASK_PIN), left);
    }
    assert!(card.is_quick(ASK_PIN));
}

#[test]
fn what_was_left_half_written_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card");
    drop(make("serial=5,", &file).unwrap());
    std::fs::write(folder.path().join("card.new"), "half of it").unwrap();
    let mut card = make("", &file).unwrap();
    assert_eq!(card.serial(), 5);
    assert_eq!(status(&mut card, WRONG_PIN), "63C2");
}

#[test]
fn nothing_is_written_when_nothing_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card");
    let mut card = make("", &file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(status(&mut card, RIGHT_PIN), "9000");
    assert!(!file.exists());
}

#[test]
fn a_key_that_has_been_shown_is_in_the_file() {
    const READ_9A: &[u8] = b"\x00\xCB\x3F\xFF\x05\x5C\x03\x5F\xC1\x05";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card");
    let mut card = make("", &file).unwrap();
    let before = std::fs::read(&file).unwrap().len();
    let shown = status(&mut card, READ_9A);
    assert!(std::fs::read(&file).unwrap().len() > before, "key and certificate");
    drop(card);
    let mut again = make("", &file).unwrap();
    assert!(again.is_quick(READ_9A), "there is nothing left to be made");
    assert_eq!(status(&mut again, READ_9A), shown);
}

#[test]
fn a_change_that_cannot_be_kept_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card");
    let mut card = make("", &file).unwrap();
    drop(folder);
    assert_eq!(status(&mut card, WRONG_PIN), "6581");
}

#[test]
fn two_cards_do_not_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card");
    let card = make("", &file).unwrap();
    let error = make("", &file).err().unwrap();
    assert_eq!(error, format!("{}: another virtual card keeps its memory there", file.display()));
    drop(card);
    assert!(make("", &file).is_ok());
}

#[test]
fn a_file_with_something_else_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card");
    std::fs::write(&file, "a letter").unwrap();
    let error = make("", &file).err().unwrap();
    assert_eq!(error, format!("{}: it is not the memory of a virtual card", file.display()));
    assert_eq!(std::fs::read(&file).unwrap(), b"a letter");
}

/// CHANGE REFERENCE DATA from one number of six digits to the next.
fn change_pin(card: &mut VirtualCard, from: u32) -> String {
    let [old, new] = [from, from + 1].map(|pin| format!("{pin:06}"));
    let padding = &[0xFF, 0xFF][..];
    let pins = [old.as_bytes(), padding, new.as_bytes(), padding].concat();
    status(card, &[b"\x00\x24\x00\x80\x10", &pins[..]].concat())
}

/// Which file the process below works with.
const FILE_OF_THE_VICTIM: &str = "SIM_READER_TEST_VICTIM";

/// Not a test of its own: the process that the next one kills.
#[test]
fn victim() {
    let Ok(file) = std::env::var(FILE_OF_THE_VICTIM) else { return };
    let mut card = make("", Path::new(&file)).unwrap();
    for pin in 123_456.. {
        assert_eq!(change_pin(&mut card, pin), "9000");
        println!("\nanswered {pin}");
    }
}

#[test]
fn a_card_outlives_the_process_at_any_point() {
    let folder = tempfile::tempdir().unwrap();
    for answers in 1..=20 {
        let file = folder.path().join(format!("card {answers}"));
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["victim", "--exact", "--nocapture"])
            .env(FILE_OF_THE_VICTIM, &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let mut answered = lines.filter_map(|line| {
            line.unwrap().strip_prefix("answered ").map(|pin| pin.parse::<u32>().unwrap())
        });
        answered.nth(answers - 1).unwrap();
        victim.kill().unwrap();
        victim.wait().unwrap();
        // It may have come further before the end; what it has said stands, and at most one step more.
        let last = answered.last().unwrap_or(123_455 + u32::try_from(answers).unwrap());
        let mut card = make("", &file).unwrap();
        let stands = [last + 1, last + 2].map(|pin| change_pin(&mut card, pin));
        assert!(stands.contains(&"9000".to_owned()), "after {last}: {stands:?}");
    }
}
