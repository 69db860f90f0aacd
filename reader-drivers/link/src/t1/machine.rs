//! The machine. Numbers of rules are those of ISO 7816-3:2006, 11.6.2 and 11.6.3.

use alloc::vec::Vec;
use core::ops::Range;

use scard_types::SecretBytes;
use scard_types::apdu::{ApduError, MAX_RESPONSE_BYTES};

use super::block::{Block, Edc, Invalid, Kind, Supervision, Trouble};
use crate::{Heard, LinkError, Step, T1Parameters};

/// What both may send before anything is agreed on (11.4.2).
const FIRST_IFSD: u8 = 32;
/// How often an invalid block is answered before both begin anew (rule 7.4.2).
const TRIES: u8 = 3;
/// How often a resynchronisation is asked for (rule 6.4).
const RESYNCHRONISATIONS: u8 = 3;
/// How many blocks a card may send in one exchange that bring neither data nor are a request for time.
const IDLE_BLOCKS: u8 = 16;
/// Status word.
const LEAST_ANSWER_BYTES: usize = 2;

/// One card's block protocol, from its reset or PPS on.
#[derive(Debug)]
pub struct T1 {
    edc: Edc,
    /// The most that the card takes in one block, at first and now.
    first_ifsc: u8,
    ifsc: u8,
    /// The most that it was told that we take.
    ifsd: u8,
    /// N(S) of our next I-block.
    next: bool,
    /// N(S) that the card's next I-block must have.
    expected: bool,
    phase: Phase,
    /// The block that was sent last, and what it was.
    last: SecretBytes,
    sent: Sent,
    /// Invalid blocks in a row.
    tries: u8,
    idle_blocks: u8,
}

#[derive(Debug)]
enum Phase {
    Idle,
    /// S(IFS request) is under way.
    Negotiating {
        ifsd: u8,
    },
    /// An I-block is under way: this part of the command.
    Sending {
        command: SecretBytes,
        part: Range<usize>,
    },
    /// The card has the whole command; so much of its answer is here.
    Receiving {
        parts: Vec<SecretBytes>,
        total: usize,
    },
    /// The card has aborted; it gets its answer to that, and then both begin anew.
    Aborting,
    /// S(RESYNCH request) is under way, for that reason.
    Resynchronising {
        why: LinkError,
        asked: u8,
    },
    /// Nothing helps any more.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Information,
    Ready,
    Request,
    Response,
}

impl T1 {
    /// The protocol of a card that was just reset, or has just agreed on it.
    #[must_use]
    pub fn new(card: T1Parameters) -> Self {
        Self {
            edc: if card.crc { Edc::Crc } else { Edc::Lrc },
            first_ifsc: clamp(card.ifsc),
            ifsc: clamp(card.ifsc),
            ifsd: FIRST_IFSD,
            next: false,
            expected: false,
            phase: Phase::Idle,
            last: SecretBytes::default(),
            sent: Sent::Information,
            tries: 0,
            idle_blocks: 0,
        }
    }

    /// The error detection code, for who reads blocks piece by piece.
    #[must_use]
    pub const fn edc(&self) -> Edc {
        self.edc
    }

    /// The longest information field that the card was told it may send.
    #[must_use]
    pub const fn ifsd(&self) -> u8 {
        self.ifsd
    }

    /// Whether nothing but a reset helps.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self.phase, Phase::Lost)
    }

    /// Tells the card how long an information field may be; best done before the first command. [`Step::Done`] brings
    /// nothing. A card that does not answer may go on without.
    pub fn negotiate(&mut self, ifsd: u8) -> Step {
        if !self.is_idle() {
            return Step::Failed(LinkError::Lost);
        }
        self.begin(Phase::Negotiating { ifsd: clamp(ifsd) });
        self.request(Supervision::InformationFieldSize, &[clamp(ifsd)])
    }

    /// Gives up an exchange in the middle, because nobody waits for it any more: both begin anew, and then it has
    /// failed with [`LinkError::Aborted`].
    pub fn give_up(&mut self) -> Step {
        match self.phase {
            Phase::Lost => Step::Failed(LinkError::Lost),
            _ => self.resynchronise(LinkError::Aborted),
        }
    }

    /// Sends a command APDU. One exchange at a time: what is not at its end is to be given up first.
    pub fn transmit(&mut self, command: SecretBytes) -> Step {
        if !self.is_idle() {
            return Step::Failed(LinkError::Lost);
        }
        if command.is_empty() {
            return Step::Failed(LinkError::BadCommand(ApduError::ShortHeader { got: 0 }));
        }
        self.begin(Phase::Idle);
        self.send_part(command, 0)
    }

    /// Takes what came of the last step.
    pub fn hear(&mut self, heard: Heard<'_>) -> Step {
        if matches!(self.phase, Phase::Idle | Phase::Lost) {
            return Step::Failed(LinkError::Lost);
        }
        if let Phase::Aborting = self.phase {
            return self.resynchronise(LinkError::Aborted);
        }
        let bytes = match heard {
            Heard::Bytes(bytes) => bytes,
            Heard::Silence => return self.invalid(Trouble::Other, LinkError::Silence),
            Heard::Garbled => return self.invalid(Trouble::Damaged, LinkError::Garbled),
        };
        match Block::decode(bytes, self.edc) {
            Ok(Block { nad: 0, kind, information }) => self.take(kind, information),
            Ok(_) | Err(Invalid(Trouble::Other)) => self.out_of_rules(),
            Err(Invalid(Trouble::Damaged)) => self.invalid(Trouble::Damaged, LinkError::Garbled),
        }
    }

    fn take(&mut self, kind: Kind, information: &[u8]) -> Step {
        if let Phase::Resynchronising { why, .. } = self.phase {
            return match kind {
                Kind::Response(Supervision::Resynchronise) => self.begin_anew(why),
                _ => self.out_of_rules(),
            };
        }
        match (kind, information) {
            (Kind::Information { sequence, more }, data) => self.take_part(sequence, more, data),
            (Kind::Ready { sequence, .. }, _) => self.take_ready(sequence),
            (Kind::Request(Supervision::WaitingTime), [multiplier @ 1..=255]) => {
                self.tries = 0;
                self.respond(Supervision::WaitingTime, information, *multiplier)
            }
            (Kind::Request(Supervision::InformationFieldSize), [ifsc @ 1..=254]) => {
                if self.is_idle_too_long() {
                    return self.resynchronise(LinkError::OutOfRules);
                }
                self.ifsc = *ifsc;
                self.tries = 0;
                self.respond(Supervision::InformationFieldSize, information, 1)
            }
            (Kind::Request(Supervision::Abort), _) => {
                self.phase = Phase::Aborting;
                self.respond(Supervision::Abort, &[], 1)
            }
            (Kind::Response(Supervision::InformationFieldSize), [said]) => match self.phase {
                Phase::Negotiating { ifsd } if ifsd == *said => {
                    self.ifsd = ifsd;
                    self.phase = Phase::Idle;
                    Step::Done(SecretBytes::default())
                }
                _ => self.out_of_rules(),
            },
            // Only we may ask for a resynchronisation (rule 6.1), and other responses answer nothing.
            _ => self.out_of_rules(),
        }
    }

    /// An I-block; where it comes in answer to our last one, it acknowledges that (rule 2.1).
    fn take_part(&mut self, sequence: bool, more: bool, data: &[u8]) -> Step {
        let is_in_turn = match &self.phase {
            Phase::Sending { command, part } => part.end == command.len(),
            Phase::Receiving { .. } => true,
            _ => false,
        };
        if !is_in_turn || sequence != self.expected {
            return self.out_of_rules();
        }
        let (mut parts, before) = match core::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Receiving { parts, total } => (parts, total),
            _ => {
                self.next = !self.next;
                (Vec::new(), 0)
            }
        };
        self.expected = !self.expected;
        self.tries = 0;
        let total = before.saturating_add(data.len());
        if total > MAX_RESPONSE_BYTES {
            return self.resynchronise(LinkError::TooLong);
        }
        parts.push(SecretBytes::from(data));
        if !more {
            return finish(&parts, total);
        }
        self.phase = Phase::Receiving { parts, total };
        if data.is_empty() && self.is_idle_too_long() {
            return self.resynchronise(LinkError::TooLong);
        }
        self.ready(None)
    }

    /// An R-block: the number says which of our I-blocks the card waits for.
    fn take_ready(&mut self, sequence: bool) -> Step {
        let Phase::Sending { command, part } = &mut self.phase else {
            // It has not understood our own R-block (rule 7.2), or the S-block.
            return self.out_of_rules();
        };
        if sequence == self.next {
            return self.repeat_part();
        }
        if part.end == command.len() {
            // It has the whole command and has not understood our R-block.
            return self.out_of_rules();
        }
        let (command, end) = (core::mem::take(command), part.end);
        self.next = !self.next;
        self.tries = 0;
        self.send_part(command, end)
    }

    fn send_part(&mut self, command: SecretBytes, begin: usize) -> Step {
        let end = begin.saturating_add(self.ifsc.into()).min(command.len());
        self.phase = Phase::Sending { command, part: begin..end };
        self.send_this_part()
    }

    /// The card has not taken our last I-block: it says so itself.
    fn repeat_part(&mut self) -> Step {
        if self.is_tried_enough() {
            return self.resynchronise(LinkError::Garbled);
        }
        self.send_this_part()
    }

    fn send_this_part(&mut self) -> Step {
        let Phase::Sending { command, part } = &self.phase else { return self.out_of_rules() };
        let kind = Kind::Information { sequence: self.next, more: part.end < command.len() };
        let information = command.expose().get(part.clone()).unwrap_or_default();
        let block = Block { nad: 0, kind, information }.encode(self.edc);
        self.send(Sent::Information, block, 1)
    }

    /// Rules 7.1 to 7.3: what was sent last decides what is said to an invalid block.
    fn invalid(&mut self, trouble: Trouble, why: LinkError) -> Step {
        if let Phase::Resynchronising { why, asked } = self.phase {
            if asked >= RESYNCHRONISATIONS {
                self.phase = Phase::Lost;
                return Step::Failed(LinkError::Lost);
            }
            self.phase = Phase::Resynchronising { why, asked: asked.saturating_add(1) };
            return self.send_again();
        }
        if self.is_tried_enough() {
            return self.resynchronise(why);
        }
        match self.sent {
            Sent::Information | Sent::Response => self.ready(Some(trouble)),
            Sent::Ready | Sent::Request => self.send_again(),
        }
    }

    fn out_of_rules(&mut self) -> Step {
        self.invalid(Trouble::Other, LinkError::OutOfRules)
    }

    fn is_tried_enough(&mut self) -> bool {
        self.tries = self.tries.saturating_add(1);
        self.tries > TRIES
    }

    fn is_idle_too_long(&mut self) -> bool {
        self.idle_blocks = self.idle_blocks.saturating_add(1);
        self.idle_blocks > IDLE_BLOCKS
    }

    /// Rule 6: both begin anew, and the exchange has failed.
    fn resynchronise(&mut self, why: LinkError) -> Step {
        self.phase = Phase::Resynchronising { why, asked: 1 };
        self.request(Supervision::Resynchronise, &[])
    }

    fn begin_anew(&mut self, why: LinkError) -> Step {
        (self.next, self.expected) = (false, false);
        // Sizes are as in the beginning for some cards and not for others: the less of both is right for all.
        self.ifsc = self.ifsc.min(self.first_ifsc);
        self.ifsd = FIRST_IFSD;
        self.phase = Phase::Idle;
        Step::Failed(why)
    }

    const fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle)
    }

    fn begin(&mut self, phase: Phase) {
        self.phase = phase;
        self.tries = 0;
        self.idle_blocks = 0;
    }

    fn ready(&mut self, trouble: Option<Trouble>) -> Step {
        let kind = Kind::Ready { sequence: self.expected, trouble };
        let block = Block { nad: 0, kind, information: &[] }.encode(self.edc);
        self.send(Sent::Ready, block, 1)
    }

    fn request(&mut self, what: Supervision, information: &[u8]) -> Step {
        let block = Block { nad: 0, kind: Kind::Request(what), information }.encode(self.edc);
        self.send(Sent::Request, block, 1)
    }

    fn respond(&mut self, what: Supervision, information: &[u8], patience: u8) -> Step {
        let block = Block { nad: 0, kind: Kind::Response(what), information }.encode(self.edc);
        self.send(Sent::Response, block, patience)
    }

    fn send(&mut self, sent: Sent, block: SecretBytes, patience: u8) -> Step {
        self.sent = sent;
        self.last = SecretBytes::from(block.expose());
        Step::Send { bytes: block, expect: None, patience }
    }

    fn send_again(&self) -> Step {
        Step::send(SecretBytes::from(self.last.expose()))
    }
}

/// The whole answer is here.
fn finish(parts: &[SecretBytes], total: usize) -> Step {
    if total < LEAST_ANSWER_BYTES {
        return Step::Failed(LinkError::ShortAnswer { got: total });
    }
    // One piece that never grows: a reallocation would leave a copy behind.
    let mut answer = Vec::with_capacity(total);
    parts.iter().for_each(|part| answer.extend_from_slice(part.expose()));
    Step::Done(SecretBytes::new(answer))
}

/// 0 and 255 are reserved.
const fn clamp(size: u8) -> u8 {
    match size {
        0 => 1,
        255 => 254,
        size => size,
    }
}
