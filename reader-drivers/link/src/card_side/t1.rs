//! A card that speaks T=1, ISO 7816-3:2006, 11.

use alloc::vec::Vec;

use super::Application;

/// How a card speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct T1Habits {
    /// Blocks end with CRC instead of LRC.
    pub crc: bool,
    /// The longest information field that it takes, as its answer to reset says.
    pub ifsc: u8,
    /// How often it asks for more time before each answer.
    pub time_extensions: u8,
    /// Another size that it tells before its first answer.
    pub other_ifsc: Option<u8>,
}

/// The card.
#[derive(Debug)]
pub struct T1Card<A> {
    application: A,
    habits: T1Habits,
    ifsd: usize,
    /// N(S) of the reader's next I-block.
    expected: u8,
    /// N(S) of our next I-block.
    next: u8,
    command: Vec<u8>,
    answer: Answer,
    /// What was said last, for a reader that has not understood it.
    said: Vec<u8>,
}

/// Where the answer is.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// There is none.
    None,
    /// It is ready, after so many requests for time; and after a new size was told.
    Later { answer: Vec<u8>, extensions: u8, ifsc: Option<u8> },
    /// On its way: the whole, where the part ends that was sent last, and its block.
    Sent { answer: Vec<u8>, end: usize, block: Vec<u8> },
}

impl<A: Application> T1Card<A> {
    /// A card that was just reset.
    pub const fn new(application: A, habits: T1Habits) -> Self {
        Self {
            application,
            habits,
            ifsd: 32,
            expected: 0,
            next: 0,
            command: Vec::new(),
            answer: Answer::None,
            said: Vec::new(),
        }
    }

    /// What it does with APDUs.
    pub const fn application(&mut self) -> &mut A {
        &mut self.application
    }

    /// A block comes in, perhaps a damaged one; a block goes out. A card answers everything.
    pub fn receive(&mut self, block: &[u8]) -> Vec<u8> {
        let code_bytes = if self.habits.crc { 2 } else { 1 };
        let (covered, code) = block.split_at(block.len().saturating_sub(code_bytes));
        let ([0, pcb, length], data) = (match covered {
            [nad, pcb, length, data @ ..] if code == self.code(covered) => {
                ([*nad, *pcb, *length], data)
            }
            _ => return self.refuse(1),
        }) else {
            return self.refuse(2);
        };
        if usize::from(length) != data.len() {
            return self.refuse(2);
        }
        match (pcb, data) {
            // I-blocks: N(S) in bit 7, M in bit 6.
            (0x00 | 0x20 | 0x40 | 0x60, _) => {
                if pcb >> 6 != self.expected {
                    return self.refuse(2);
                }
                self.take(data, pcb & 0x20 != 0)
            }
            // R-blocks: N(R) in bit 5.
            (0x80..=0x82 | 0x90..=0x92, []) => self.asked_for(pcb >> 4 & 1),
            (0xC0, []) => {
                (self.expected, self.next, self.ifsd) = (0, 0, 32);
                self.command.clear();
                self.answer = Answer::None;
                self.say(0xE0, &[])
            }
            (0xC1, [1..=254]) => {
                self.ifsd = data.first().copied().map_or(32, usize::from);
                self.say(0xE1, data)
            }
            (0xC2, []) => {
                self.command.clear();
                self.answer = Answer::None;
                self.say(0xE2, &[])
            }
            (0xE1, [size]) => self.told_size(*size),
            (0xE3, [_]) => self.given_time(),
            _ => self.refuse(2),
        }
    }

    /// An I-block in its turn.
    fn take(&mut self, data: &[u8], more: bool) -> Vec<u8> {
        self.expected ^= 1;
        if self.command.is_empty() {
            self.answer = Answer::None;
        }
        self.command.extend_from_slice(data);
        if self.command.len() > scard_types::apdu::MAX_COMMAND_BYTES {
            self.command.clear();
            return self.say(0xC2, &[]);
        }
        if more {
            return self.say(0x80 | self.expected << 4, &[]);
        }
        let command = core::mem::take(&mut self.command);
        let answer = self.application.perform(&command);
        let ifsc = self.habits.other_ifsc.take();
        self.answer = Answer::Later { answer, extensions: self.habits.time_extensions, ifsc };
        self.go_on()
    }

    /// What comes next on the way to the answer.
    fn go_on(&mut self) -> Vec<u8> {
        match &mut self.answer {
            Answer::None => self.refuse(2),
            Answer::Later { ifsc: Some(size), .. } => {
                let size = *size;
                self.say(0xC1, &[size])
            }
            Answer::Later { extensions: 1.., .. } => self.say(0xC3, &[2]),
            Answer::Later { answer, .. } => {
                let answer = core::mem::take(answer);
                self.send_part(answer, 0)
            }
            Answer::Sent { .. } => self.said.clone(),
        }
    }

    fn told_size(&mut self, size: u8) -> Vec<u8> {
        match &mut self.answer {
            Answer::Later { ifsc, .. } if *ifsc == Some(size) => {
                *ifsc = None;
                self.go_on()
            }
            _ => self.refuse(2),
        }
    }

    fn given_time(&mut self) -> Vec<u8> {
        match &mut self.answer {
            Answer::Later { ifsc: None, extensions, .. } if *extensions > 0 => {
                *extensions = extensions.saturating_sub(1);
                self.go_on()
            }
            _ => self.refuse(2),
        }
    }

    /// An R-block: either our last I-block again, or the next one.
    fn asked_for(&mut self, number: u8) -> Vec<u8> {
        match &mut self.answer {
            Answer::None => self.refuse_or_repeat(),
            Answer::Later { .. } => self.said.clone(),
            Answer::Sent { answer, end, .. } if number == self.next && *end < answer.len() => {
                let (answer, end) = (core::mem::take(answer), *end);
                self.send_part(answer, end)
            }
            Answer::Sent { block, .. } if number != self.next => block.clone(),
            Answer::Sent { .. } => self.refuse(2),
        }
    }

    /// The reader has not understood what was said, and that was no part of an answer.
    fn refuse_or_repeat(&mut self) -> Vec<u8> {
        match self.said.get(1) {
            Some(0xE0..) => self.said.clone(),
            _ => self.say(0x80 | self.expected << 4, &[]),
        }
    }

    fn send_part(&mut self, answer: Vec<u8>, begin: usize) -> Vec<u8> {
        let end = begin.saturating_add(self.ifsd).min(answer.len());
        let more = if end < answer.len() { 0x20 } else { 0 };
        let pcb = self.next << 6 | more;
        self.next ^= 1;
        let block = self.say(pcb, answer.get(begin..end).unwrap_or_default());
        self.answer = Answer::Sent { answer, end, block: block.clone() };
        block
    }

    fn refuse(&mut self, error: u8) -> Vec<u8> {
        self.say(0x80 | self.expected << 4 | error, &[])
    }

    fn say(&mut self, pcb: u8, data: &[u8]) -> Vec<u8> {
        let mut block = alloc::vec![0, pcb, u8::try_from(data.len()).unwrap_or(0)];
        block.extend_from_slice(data);
        let code = self.code(&block);
        block.extend(code);
        self.said.clone_from(&block);
        block
    }

    fn code(&self, covered: &[u8]) -> Vec<u8> {
        if self.habits.crc {
            crc(covered).to_be_bytes().to_vec()
        } else {
            alloc::vec![covered.iter().copied().reduce(|sum, byte| sum ^ byte).unwrap_or(0)]
        }
    }
}

/// ISO/IEC 13239, bit by bit as the bits come over the line.
fn crc(bytes: &[u8]) -> u16 {
    let mut register = 0xFFFF_u16;
    for byte in bytes {
        for at in 0..8 {
            let bit = u16::from(byte >> at & 1);
            let top = register >> 15;
            register = register << 1 ^ if top ^ bit == 1 { 0x1021 } else { 0 };
        }
    }
    register.reverse_bits()
}
