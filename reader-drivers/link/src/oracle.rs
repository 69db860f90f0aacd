//! What must hold for any bytes whatever: the bodies of the fuzz targets. Each panics where a promise is broken.
#![expect(clippy::panic, reason = "an oracle says no by a panic")]

use alloc::vec::Vec;

use scard_types::apdu::MAX_RESPONSE_BYTES;
use scard_types::{Atr, Protocol, SecretBytes};

use crate::card_side::{Application, T1Card, T1Habits};
use crate::pps::{Plan, ReaderLimits, Request, choose};
use crate::t0::{Characters, Exchange, Mapping};
use crate::t1::{Block, T1};
use crate::{CardParameters, Heard, Line, LinkError, Rate, Step, T1Parameters};

/// An answer to reset: all numbers are such as the standard has, and all times can be counted.
pub fn parameters(bytes: &[u8]) {
    let Ok(atr) = Atr::new(bytes) else { return };
    let Ok(card) = CardParameters::of(&atr) else { return };
    assert!(card.t0.wi > 0 && (1..=254).contains(&card.t1.ifsc), "{card:?}");
    assert!(card.t1.bwi <= 9 && card.t1.cwi <= 15, "{card:?}");
    assert!(card.classes.a || card.classes.b || card.classes.c, "a card without power: {card:?}");
    assert_eq!(card.offered, atr.protocols(), "two views of what is offered");
    let clocks = [0, 1, 3_571, 20_000, u32::MAX];
    for line in clocks.map(|clock_khz| Line { clock_khz, rate: card.rate }) {
        let _ = (line.work_waiting_time(&card), line.guard_time(&card, true));
        assert!(line.block_waiting_time(&card) >= line.etu(11), "{line:?}");
        assert!(line.character_waiting_time(&card) >= line.etu(11), "{line:?}");
    }
}

/// An answer to reset (its length first) and what the card says to a PPS request: only what was proposed is agreed on,
/// and only what the reader can.
pub fn pps(bytes: &[u8]) {
    let Some((&[length, limit], rest)) = bytes.split_first_chunk::<2>() else { return };
    let Some((atr, response)) = rest.split_at_checked(usize::from(length)) else { return };
    let Some(card) = Atr::new(atr).ok().and_then(|atr| CardParameters::of(&atr).ok()) else {
        return;
    };
    let max_bits_per_second = u32::from(limit).saturating_mul(4_000);
    let rates = if limit & 1 == 0 { Vec::new() } else { [10_753, 21_505, 43_011, 125_000].into() };
    let reader = ReaderLimits { clock_khz: 4_000, max_bits_per_second, rates };
    let within = |rate: Rate| {
        rate == Rate::DEFAULT
            || rate.bits_per_second(4_000) <= max_bits_per_second.saturating_add(2)
    };
    for wanted in [Protocol::T0, Protocol::T1, Protocol::Raw] {
        match choose(&card, &reader, wanted) {
            Ok(Plan::Agreed(agreed)) => {
                assert!(agreed.protocol == wanted && within(agreed.rate), "{agreed:?}");
            }
            Ok(Plan::Negotiate(request)) => {
                negotiate(&request, response, within(request.proposed().rate));
            }
            Err(_) => {}
        }
    }
}

fn negotiate(request: &Request, response: &[u8], is_within: bool) {
    let proposed = request.proposed();
    assert!(is_within, "{proposed:?} is more than the reader can");
    let message = request.message();
    assert_eq!(request.understand(&message), Ok(proposed), "the request again is consent");
    if let Ok(agreed) = request.understand(response) {
        assert_eq!(agreed.protocol, proposed.protocol, "another protocol");
        let known = agreed.rate == proposed.rate || agreed.rate == Rate::DEFAULT;
        assert!(known, "{:?} was not proposed", agreed.rate);
        let pps0 = response.get(1).copied().unwrap_or(0);
        assert_eq!(response.len(), Request::response_bytes(pps0), "a response of another length");
    }
}

/// Chunks: one byte of length, then so many bytes; 255 is silence, 254 damage.
struct Chunks<'i>(&'i [u8]);

impl<'i> Chunks<'i> {
    fn bytes(&mut self) -> &'i [u8] {
        match self.heard() {
            Heard::Bytes(bytes) => bytes,
            Heard::Silence | Heard::Garbled => &[],
        }
    }

    fn heard(&mut self) -> Heard<'i> {
        let Some((length, rest)) = self.0.split_first() else { return Heard::Silence };
        let (chunk, after) = match length {
            254 | 255 => (&[][..], rest),
            length => rest.split_at_checked(usize::from(*length)).unwrap_or((rest, &[])),
        };
        self.0 = after;
        match length {
            255 => Heard::Silence,
            254 => Heard::Garbled,
            _ => Heard::Bytes(chunk),
        }
    }
}

/// A command, and what a card says to each TPDU of it, and to each character of the same as a TPDU.
pub fn t0(bytes: &[u8]) {
    let mut chunks = Chunks(bytes);
    let command = chunks.bytes();
    let rest = chunks.0;
    for mapping in [Mapping::Whole, Mapping::AsItStands] {
        let (mut exchange, mut step) = Exchange::begin(command, mapping);
        let mut chunks = Chunks(rest);
        while let Step::Send { bytes, .. } = &step {
            check_tpdu(bytes.expose());
            step = exchange.hear(chunks.heard());
        }
        check_end(&step);
        assert_eq!(exchange.hear(Heard::Bytes(&[0x90, 0])), Step::Failed(LinkError::Lost));
    }
    let (mut characters, mut step) = Characters::begin(command);
    let mut chunks = Chunks(rest);
    let mut sent = 0_usize;
    while let Step::Send { bytes, expect, .. } = &step {
        sent = sent.saturating_add(bytes.len());
        assert!(sent <= command.len(), "more is sent than the command has");
        assert!(expect.is_some_and(|expect| (1..=256).contains(&expect)), "{expect:?}");
        step = characters.hear(chunks.heard());
    }
    check_end(&step);
}

fn check_tpdu(tpdu: &[u8]) {
    let [_, _, _, _, p3, data @ ..] = tpdu else { panic!("a TPDU of {} bytes", tpdu.len()) };
    assert!(data.is_empty() || data.len() == usize::from(*p3), "P3 does not count the data");
}

fn check_end(step: &Step) {
    if let Step::Done(answer) = step {
        assert!((2..=MAX_RESPONSE_BYTES).contains(&answer.len()), "{} bytes", answer.len());
    }
}

/// A command, and what a card says to each block of it.
pub fn t1(bytes: &[u8]) {
    let mut chunks = Chunks(bytes);
    let [ifsc, crc, ifsd] = *chunks.bytes().first_chunk().unwrap_or(&[32, 0, 254]);
    let mut reader = T1::new(T1Parameters { ifsc, bwi: 4, cwi: 13, crc: crc & 1 == 1 });
    let first = chunks.bytes();
    let _ = run_t1(&mut reader, &mut chunks, |reader| reader.negotiate(ifsd));
    for command in [first, &[0x00, 0xA4, 0x04, 0x00]] {
        let step = run_t1(&mut reader, &mut chunks, |reader| reader.transmit(command.into()));
        check_end(&step);
        assert_eq!(step == Step::Failed(LinkError::Lost), reader.is_lost(), "{step:?}");
    }
}

fn run_t1(reader: &mut T1, chunks: &mut Chunks<'_>, begin: impl FnOnce(&mut T1) -> Step) -> Step {
    let mut step = begin(reader);
    while let Step::Send { bytes, patience, .. } = &step {
        let block = Block::decode(bytes.expose(), reader.edc());
        assert!(block.is_ok_and(|block| block.nad == 0), "we send what is no block");
        assert!(*patience > 0, "no time at all");
        step = reader.hear(chunks.heard());
    }
    step
}

/// Commands to an honest card over a line whose faults the input decides: the right answer or none, and no command is
/// carried out twice.
pub fn t1_line(bytes: &[u8]) {
    let Some((&[how, ifsc, ifsd], faults)) = bytes.split_first_chunk::<3>() else { return };
    let habits = T1Habits {
        crc: how & 1 == 1,
        ifsc: ifsc.clamp(1, 254),
        time_extensions: how >> 1 & 1,
        other_ifsc: (how & 4 == 4).then_some(16),
    };
    let mut line = FaultyLine { card: T1Card::new(Echo(0), habits), faults, waiting: Vec::new() };
    let parameters = T1Parameters { ifsc: habits.ifsc, bwi: 4, cwi: 13, crc: habits.crc };
    let mut reader = T1::new(parameters);
    let _ = line.run(&mut reader, |reader| reader.negotiate(ifsd));
    for number in 1..=4 {
        let command = [&[0x80, number][..], &[number; 60]].concat();
        match line.run(&mut reader, |reader| reader.transmit(SecretBytes::from(&command[..]))) {
            Step::Done(answer) => assert_eq!(answer.expose(), answer_to(number), "a wrong answer"),
            Step::Failed(LinkError::Lost) => return,
            Step::Failed(_) | Step::Send { .. } => {}
        }
    }
}

fn answer_to(number: u8) -> Vec<u8> {
    [&[number; 50][..], &[0x90, 0x00]].concat()
}

/// Commands carry growing numbers, and each comes once.
struct Echo(u8);

impl Application for Echo {
    fn perform(&mut self, command: &[u8]) -> Vec<u8> {
        let number = command.get(1).copied().unwrap_or(0);
        assert!(number > self.0, "command {number} is carried out after {}", self.0);
        self.0 = number;
        answer_to(number)
    }

    fn takes_data(&self, _header: [u8; 4]) -> bool {
        true
    }
}

struct FaultyLine<'i> {
    card: T1Card<Echo>,
    faults: &'i [u8],
    waiting: Vec<Option<Vec<u8>>>,
}

impl FaultyLine<'_> {
    fn run(&mut self, reader: &mut T1, begin: impl FnOnce(&mut T1) -> Step) -> Step {
        let mut step = begin(reader);
        while let Step::Send { bytes, .. } = &step {
            for block in self.suffer(bytes.expose()) {
                let said = self.card.receive(&block.unwrap_or_default());
                let arrived = self.suffer(&said);
                self.waiting.extend(arrived);
            }
            let heard = if self.waiting.is_empty() { None } else { Some(self.waiting.remove(0)) };
            step = reader.hear(match &heard {
                None => Heard::Silence,
                Some(None) => Heard::Garbled,
                Some(Some(block)) => Heard::Bytes(block),
            });
        }
        step
    }

    /// A byte decides what happens to a block; without one, nothing does.
    fn suffer(&mut self, block: &[u8]) -> Vec<Option<Vec<u8>>> {
        let (fault, rest) = self.faults.split_first().unwrap_or((&0, &[]));
        self.faults = rest;
        let mut damaged = block.to_vec();
        match fault & 7 {
            1 => Vec::new(),
            2 => [Some(damaged.clone()), Some(damaged)].into(),
            3 => {
                // One byte is another, which both codes always notice.
                let at = usize::from(fault >> 3).checked_rem(damaged.len()).unwrap_or(0);
                if let Some(byte) = damaged.get_mut(at) {
                    *byte ^= fault;
                }
                [Some(damaged)].into()
            }
            4 => {
                damaged.truncate(usize::from(fault >> 3));
                [Some(damaged)].into()
            }
            5 => [None].into(),
            _ => [Some(damaged)].into(),
        }
    }
}
