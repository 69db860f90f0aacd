//! What is secret is in no masked exchange, however it is cut, chained, fetched and mixed with other commands.
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

use proptest::collection::vec;
use proptest::prelude::*;
use scard_types::mask::{Mask, Masked};
use scard_types::secret_commands::Visibility;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}

/// Plays commands and says which are shown (`+`) and which are not (`-`); `!` before one: the card refuses it.
fn check(mask: &mut Mask, commands: &[&str], expected: &str) {
    let seen: String = commands
        .iter()
        .map(|command| {
            let (command, response) = match command.strip_prefix('!') {
                Some(command) => (command, [0x6A, 0x80]),
                None => (*command, [0x90, 0x00]),
            };
            let seen = mask.look(&bytes(command));
            mask.answered(&response);
            if seen == Visibility::Shown { '+' } else { '-' }
        })
        .collect();
    assert_eq!(seen, expected, "{commands:?}");
}

#[test]
fn pins_are_hidden_and_reading_is_not() {
    let commands = ["00A40400", "0020008008313233343536FFFF", "00CB3FFF055C035FC10500"];
    check(&mut Mask::new(), &commands, "+-+");
}

#[test]
fn a_hidden_chain_is_hidden_to_its_end() {
    // PUT DATA of the printed information: only its first part names the object. A part without a beginning is hidden.
    let parts = ["10DB3FFF055C035FC109", "10DB3FFF0102", "00DB3FFF0103", "00DB3FFF0104"];
    check(&mut Mask::new(), &parts, "----");
}

#[test]
fn a_shown_chain_is_shown_to_its_end_and_no_further() {
    let certificate = "10DB3FFF055C035FC105";
    let rest = "00DB3FFF0104";
    check(&mut Mask::new(), &[certificate, "10DB3FFF0102", rest, rest], "+++-");
    // Another client in between, another chain, a refusal: nobody knows what the next part belongs to.
    check(&mut Mask::new(), &[certificate, "00A40400", rest], "++-");
    check(&mut Mask::new(), &[certificate, "10DB3FFF055C035FC109", rest], "+--");
    check(&mut Mask::new(), &["!10DB3FFF055C035FC105", "10DB3FFF025C03", rest], "+--");
    check(&mut Mask::new(), &[certificate, "01DB3FFF0104"], "+-");
}

#[test]
fn what_is_fetched_after_a_hidden_command_is_hidden() {
    let commands = ["0087039B047C028000", "00C0000008", "00C0000008", "00CB3FFF055C035FC105"];
    check(&mut Mask::new(), &commands, "---+");
    check(&mut Mask::new(), &["0020008001", "80C0000008", "00A40400", "00C0000008"], "--++");
}

#[test]
fn after_a_pin_unknown_classes_are_hidden_until_the_card_is_reset() {
    let mut mask = Mask::new();
    check(&mut mask, &["84500000", "002000800131", "84500000"], "+--");
    assert!(mask.pin_seen());
    mask.reset();
    check(&mut mask, &["84500000"], "+");
}

#[test]
fn who_comes_in_the_middle_trusts_nothing_before_the_next_reset() {
    check(&mut Mask::joined(), &["00C0000008", "00DB3FFF0104", "84500000", "00A40400"], "---+");
    let mut mask = Mask::joined();
    mask.reset();
    assert_eq!(mask, Mask::new());
}

#[test]
fn a_masked_command_is_its_header_and_a_masked_response_its_status_word() {
    let command = Masked::command(&bytes("0020008002 3132"), Visibility::HeaderOnly);
    assert_eq!((command.shown(), command.hidden()), (&bytes("00200080")[..], Some(3)));
    let response = Masked::response(&bytes("3132 9000"), Visibility::HeaderOnly);
    assert_eq!((response.shown(), response.hidden()), (&bytes("9000")[..], Some(2)));
    assert_eq!(response.status().unwrap().0, 0x9000);
    for short in [&[][..], &[0x31], &[0x31, 0x32, 0x33]] {
        assert!(Masked::command(short, Visibility::HeaderOnly).shown().is_empty());
    }
    assert!(Masked::response(&[0x31], Visibility::HeaderOnly).shown().is_empty());
    let whole = Masked::response(&bytes("6A82"), Visibility::Shown);
    assert_eq!((whole.shown(), whole.hidden()), (&bytes("6A82")[..], None));
}

/// The bytes of which secrets are made here, and nothing else but a length now and then.
const DIGITS: std::ops::RangeInclusive<u8> = 0x30..=0x39;

/// A command that takes a secret, as header and data.
fn taking(kind: usize, secret: &[u8]) -> ([u8; 4], Vec<u8>) {
    let (header, before) = match kind {
        0 => ("00200080", ""),
        1 => ("00240080", ""),
        2 => ("002C0080", ""),
        3 => ("00FFFFFF", "039B18"),
        4 => ("00FE119A", "0620"),
        5 => ("0087039B", "7C0A8008"),
        6 => ("00DB3FFF", "5C035FC1095310"),
        7 => ("00DB3FFF", "4D20B600"),
        8 => ("00280001", ""),
        9 => ("00DA00D3", ""),
        10 => ("00D60000", ""),
        11 => ("80200000", ""),
        12 => ("00C20000", "00200080"),
        _ => ("40240000", ""),
    };
    (bytes(header).try_into().unwrap(), [&bytes(before), secret].concat())
}

/// A command whose answer is a secret.
const GIVING: [&str; 5] = [
    "00CB3FFF055C035FC10900",
    "00CB3FFF055C035FC12300",
    "0087079D047C02820000",
    "0087119A067C048200850000",
    "002A808600",
];

/// Cuts `data` into chained parts of these sizes; the last part takes the rest, in the extended form if it has to.
fn chain([cla, ins, p1, p2]: [u8; 4], mut data: &[u8], sizes: &[usize]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    for size in sizes {
        if *size >= data.len() {
            break;
        }
        let (part, rest) = data.split_at(*size);
        let lc = u8::try_from(*size).unwrap();
        parts.push([&[cla | 0x10, ins, p1, p2, lc], part].concat());
        data = rest;
    }
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let lengths =
        if sizes.len() % 2 == 0 { vec![length[1]] } else { vec![0, length[0], length[1]] };
    parts.push([&[cla, ins, p1, p2], &lengths[..], data].concat());
    parts
}

#[derive(Clone, Debug)]
enum Step {
    /// A secret for the card, in parts; the second row says where another client comes in between.
    Take {
        kind: usize,
        secret: Vec<u8>,
        sizes: Vec<usize>,
        between: Vec<bool>,
        refused: bool,
    },
    /// A secret from the card, in parts.
    Give {
        kind: usize,
        secret: Vec<u8>,
        pieces: usize,
    },
    /// A certificate is written.
    Write(Vec<usize>),
    Reset,
}

fn steps() -> impl Strategy<Value = Step> {
    let secret = || vec(DIGITS, 6..64);
    prop_oneof![
        6 => (0..14_usize, secret(), vec(1..12_usize, 0..8), vec(any::<bool>(), 9), any::<bool>())
            .prop_map(|(kind, secret, sizes, between, refused)| {
                Step::Take { kind, secret, sizes, between, refused }
            }),
        3 => (0..GIVING.len(), secret(), 1..5_usize)
            .prop_map(|(kind, secret, pieces)| Step::Give { kind, secret, pieces }),
        2 => vec(8..20_usize, 0..4).prop_map(Step::Write),
        1 => Just(Step::Reset),
    ]
}

/// A card with its mask, and all that a trace of it would show.
struct Traced {
    mask: Mask,
    shown: Vec<Vec<u8>>,
}

impl Traced {
    fn exchange(&mut self, command: &[u8], response: &[u8]) {
        let seen = self.mask.look(command);
        self.mask.answered(response);
        self.shown.push(Masked::command(command, seen).shown().to_vec());
        self.shown.push(Masked::response(response, seen).shown().to_vec());
    }

    fn play(&mut self, step: &Step) {
        match step {
            Step::Take { kind, secret, sizes, between, refused } => {
                let (header, data) = taking(*kind, secret);
                let parts = chain(header, &data, sizes);
                for (at, part) in parts.iter().enumerate() {
                    if between.get(at) == Some(&true) {
                        self.exchange(&bytes("00A40400"), &[0x6A, 0x82]);
                    }
                    let last = if *refused { [0x69, 0x82] } else { [0x90, 0x00] };
                    self.exchange(part, &last);
                }
            }
            Step::Give { kind, secret, pieces } => {
                let size = secret.len().div_ceil(*pieces);
                let mut command = bytes(GIVING[*kind]);
                for piece in secret.chunks(size) {
                    self.exchange(&command, &[piece, &[0x61, 0x10]].concat());
                    command = bytes("00C0000000");
                }
            }
            Step::Write(sizes) => {
                let data = bytes("5C035FC1055320706161616161616161616161616161616161");
                for part in chain([0, 0xDB, 0x3F, 0xFF], &data, sizes) {
                    self.exchange(&part, &[0x90, 0x00]);
                }
            }
            Step::Reset => self.mask.reset(),
        }
    }
}

proptest! {
    #[test]
    fn no_secret_is_ever_shown(begun in any::<bool>(), steps in vec(steps(), 1..12)) {
        let mask = if begun { Mask::joined() } else { Mask::new() };
        let mut traced = Traced { mask, shown: Vec::new() };
        steps.iter().for_each(|step| traced.play(step));
        for shown in &traced.shown {
            let leak = shown.windows(2).any(|two| two.iter().all(|byte| DIGITS.contains(byte)));
            prop_assert!(!leak, "{shown:02X?} of {steps:?}");
        }
    }
}
