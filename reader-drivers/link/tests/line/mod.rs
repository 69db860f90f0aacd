//! A line with faults, and a card behind it whose answers tell which command they belong to.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

use std::collections::{BTreeMap, VecDeque};

use card_link::Heard;
use card_link::card_side::Application;
use scard_types::CommandApdu;

/// Random numbers from a seed (xorshift64*, after Vigna, 2016).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let thrown = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(thrown).unwrap() % end.max(1)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

/// How many of a hundred messages suffer what, in each direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    pub(crate) lost: usize,
    pub(crate) repeated: usize,
    /// One byte is another, which LRC and CRC always notice.
    pub(crate) corrupted: usize,
    pub(crate) cut: usize,
    /// The reader notices by itself that a character is damaged.
    pub(crate) garbled: usize,
}

impl Faults {
    pub(crate) const NONE: Self = Self { lost: 0, repeated: 0, corrupted: 0, cut: 0, garbled: 0 };

    pub(crate) fn some(dice: &mut Dice) -> Self {
        let mut often = || [0, 0, 1, 3, 10, 25][dice.below(6)];
        Self {
            lost: often(),
            repeated: often(),
            corrupted: often(),
            cut: often(),
            garbled: often(),
        }
    }
}

/// What comes out of the line at the reader's end.
#[derive(Clone, Debug)]
pub(crate) enum Arrived {
    Bytes(Vec<u8>),
    Silence,
    Garbled,
}

impl Arrived {
    pub(crate) fn as_heard(&self) -> Heard<'_> {
        match self {
            Self::Bytes(bytes) => Heard::Bytes(bytes),
            Self::Silence => Heard::Silence,
            Self::Garbled => Heard::Garbled,
        }
    }
}

/// The line, with the card at its end. What the card says waits in it until it is read.
pub(crate) struct Wire<C> {
    card: C,
    faults: Faults,
    dice: Dice,
    waiting: VecDeque<Arrived>,
}

impl<C> Wire<C> {
    pub(crate) fn new(card: C, faults: Faults, seed: u64) -> Self {
        Self { card, faults, dice: Dice::new(seed ^ 0xFA17), waiting: VecDeque::new() }
    }

    pub(crate) fn card(&mut self) -> &mut C {
        &mut self.card
    }

    /// A message to the card; the next message from it, if there is one.
    pub(crate) fn pass(
        &mut self,
        message: &[u8],
        mut hear: impl FnMut(&mut C, &[u8]) -> Vec<u8>,
    ) -> Arrived {
        for arrived in self.suffer(message) {
            // A card notices damaged characters too, and then the whole is damaged.
            let bytes = match arrived {
                Arrived::Bytes(bytes) => bytes,
                Arrived::Silence => continue,
                Arrived::Garbled => Vec::new(),
            };
            let said = hear(&mut self.card, &bytes);
            let arrived = self.suffer(&said);
            self.waiting.extend(arrived);
        }
        self.waiting.pop_front().unwrap_or(Arrived::Silence)
    }

    fn suffer(&mut self, message: &[u8]) -> Vec<Arrived> {
        let Faults { lost, repeated, corrupted, cut, garbled } = self.faults;
        let mut strikes = |percent| self.dice.below(100) < percent;
        let (lost, repeated) = (strikes(lost), strikes(repeated));
        let (corrupted, cut, garbled) = (strikes(corrupted), strikes(cut), strikes(garbled));
        let mut bytes = message.to_vec();
        if corrupted && !bytes.is_empty() {
            let at = self.dice.below(bytes.len());
            bytes[at] ^= self.dice.byte().max(1);
        } else if cut {
            bytes.truncate(self.dice.below(bytes.len()));
        }
        let arrived = if garbled { Arrived::Garbled } else { Arrived::Bytes(bytes) };
        match (lost, repeated) {
            (true, _) => Vec::new(),
            (false, false) => vec![arrived],
            (false, true) => vec![arrived.clone(), arrived],
        }
    }
}

/// A command with a number in it, so many bytes of data, and so many expected.
pub(crate) fn command(number: u8, sent: usize, wanted: usize, dice: &mut Dice) -> Vec<u8> {
    let ins = if sent == 0 { 0xB0 } else { 0xD6 };
    let mut command = CommandApdu::new(0x80, ins, number, dice.byte());
    command = command.with_data((0..sent).map(|_| dice.byte()).collect::<Vec<u8>>());
    if wanted > 0 {
        command = command.with_expected(u32::try_from(wanted).unwrap());
    }
    command.to_bytes().expose().to_vec()
}

/// What the card answers: as many bytes as are expected, made of the command's own.
pub(crate) fn answer_to(command: &[u8]) -> Vec<u8> {
    let expected = CommandApdu::parse(command).ok().and_then(|command| command.expected);
    answer_of(command, usize::try_from(expected.unwrap_or(0)).unwrap())
}

fn answer_of(command: &[u8], length: usize) -> Vec<u8> {
    let Ok(parsed) = CommandApdu::parse(command) else { return vec![0x67, 0x00] };
    // Lengths are not part of it: T=0 writes them in its own way.
    let head = [parsed.cla, parsed.ins, parsed.p1, parsed.p2];
    let add = |sum: u8, byte: &u8| sum.rotate_left(1).wrapping_add(*byte);
    let sum = head.iter().chain(parsed.data.expose()).fold(1_u8, add);
    let byte = |at: usize| sum.wrapping_mul(u8::try_from(at % 251).unwrap()) ^ parsed.p1;
    (0..length).map(byte).chain([0x90, 0x00]).collect()
}

/// A card that counts what it has done.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    done: BTreeMap<Vec<u8>, usize>,
    /// How long its next answers are; else as long as the command says, which a card does not always see under T=0.
    pub(crate) length: Option<usize>,
}

impl Ledger {
    pub(crate) fn no_command_was_carried_out_twice(&self) {
        for (command, count) in &self.done {
            assert_eq!(*count, 1, "{:02X?} was carried out {count} times", &command[..4]);
        }
    }
}

impl Application for Ledger {
    fn perform(&mut self, command: &[u8]) -> Vec<u8> {
        *self.done.entry(command.to_vec()).or_default() += 1;
        self.length.map_or_else(|| answer_to(command), |length| answer_of(command, length))
    }

    fn takes_data(&self, [_, ins, ..]: [u8; 4]) -> bool {
        ins == 0xD6
    }
}
