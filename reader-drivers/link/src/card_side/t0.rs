//! A card that speaks T=0, ISO 7816-3:2006, 10 and 12.2.

use alloc::vec::Vec;

use super::Application;

const GET_RESPONSE: u8 = 0xC0;
const ENVELOPE: u8 = 0xC2;

/// The card, asked with whole TPDUs.
#[derive(Debug)]
pub struct T0Card<A> {
    application: A,
    /// A command in envelopes, as far as it is there.
    enveloped: Vec<u8>,
    /// What is to be fetched: data, then the status word.
    waiting: Vec<u8>,
    /// The header of the command that the waiting answer belongs to, if it was told to come again with the right P3.
    again: Option<[u8; 4]>,
}

impl<A: Application> T0Card<A> {
    /// A card that was just reset.
    pub const fn new(application: A) -> Self {
        Self { application, enveloped: Vec::new(), waiting: Vec::new(), again: None }
    }

    /// What it does with APDUs.
    pub const fn application(&mut self) -> &mut A {
        &mut self.application
    }

    /// A command TPDU in (header, P3, data), a response TPDU out (data, status word).
    pub fn exchange(&mut self, tpdu: &[u8]) -> Vec<u8> {
        let Some((&[cla, ins, p1, p2, p3], data)) = tpdu.split_first_chunk::<5>() else {
            return status(0x67, 0x00);
        };
        let header = [cla, ins, p1, p2];
        if !data.is_empty() && usize::from(p3) != data.len() {
            return status(0x67, 0x00);
        }
        if ins == GET_RESPONSE || (self.again == Some(header) && data.is_empty()) {
            return self.give(p3);
        }
        self.waiting.clear();
        self.again = None;
        if ins == ENVELOPE {
            return self.open(data);
        }
        self.enveloped.clear();
        let command = [&header[..], &[p3], data].concat();
        self.waiting = self.application.perform(&command);
        if !data.is_empty() {
            return self.tell();
        }
        let there = self.waiting.len().saturating_sub(2);
        if there < wanted(p3) && there > 0 {
            self.again = Some(header);
            return status(0x6C, low(there));
        }
        self.give(p3)
    }

    /// Says that there is an answer, or gives it where it is but a status word.
    fn tell(&mut self) -> Vec<u8> {
        match self.waiting.len().saturating_sub(2) {
            0 => core::mem::take(&mut self.waiting),
            there => status(0x61, low(there.min(256))),
        }
    }

    /// So many bytes of what waits.
    fn give(&mut self, p3: u8) -> Vec<u8> {
        let there = self.waiting.len().saturating_sub(2);
        if self.waiting.is_empty() {
            return status(0x69, 0x85);
        }
        if p3 != 0 && wanted(p3) > there {
            return status(0x6C, low(there));
        }
        let given = wanted(p3).min(there);
        let mut answer: Vec<u8> = self.waiting.drain(..given).collect();
        self.again = None;
        if given == there {
            answer.append(&mut self.waiting);
        } else {
            answer.extend(status(0x61, low(there.saturating_sub(given).min(256))));
        }
        answer
    }

    /// A piece of a command; one that is not full, or empty, is the last (ISO 7816-4:2020, 11.7.2).
    fn open(&mut self, data: &[u8]) -> Vec<u8> {
        self.enveloped.extend_from_slice(data);
        if self.enveloped.len() > scard_types::apdu::MAX_COMMAND_BYTES {
            self.enveloped.clear();
            return status(0x67, 0x00);
        }
        if data.len() == 255 {
            return status(0x90, 0x00);
        }
        let command = core::mem::take(&mut self.enveloped);
        self.waiting = self.application.perform(&command);
        self.tell()
    }
}

fn status(sw1: u8, sw2: u8) -> Vec<u8> {
    alloc::vec![sw1, sw2]
}

fn wanted(p3: u8) -> usize {
    if p3 == 0 { 256 } else { p3.into() }
}

/// 256 is written as 00.
fn low(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(0)
}

/// The same card, asked character by character.
#[derive(Debug)]
pub struct CardCharacters<A> {
    card: T0Card<A>,
    tpdu: Vec<u8>,
    /// Asks for data one by one, and sends NULL before it works.
    is_slow: bool,
}

impl<A: Application> CardCharacters<A> {
    /// A card that takes all data at once, or slowly: one byte at a time, with NULLs in between.
    pub const fn new(card: T0Card<A>, is_slow: bool) -> Self {
        Self { card, tpdu: Vec::new(), is_slow }
    }

    /// The card behind it.
    pub const fn card(&mut self) -> &mut T0Card<A> {
        &mut self.card
    }

    /// Characters in, characters out: procedure bytes, data, status word.
    pub fn receive(&mut self, characters: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for character in characters {
            self.tpdu.push(*character);
            self.look(&mut out);
        }
        out
    }

    fn look(&mut self, out: &mut Vec<u8>) {
        let Some((&[cla, ins, p1, p2, p3], data)) = self.tpdu.split_first_chunk::<5>() else {
            return;
        };
        let brings = p3 > 0 && (ins == ENVELOPE || self.takes_data([cla, ins, p1, p2]));
        let missing = if brings { usize::from(p3).saturating_sub(data.len()) } else { 0 };
        if missing > 0 {
            if self.is_slow {
                out.extend([0x60, !ins]);
            } else if data.is_empty() {
                out.push(ins);
            }
            return;
        }
        let tpdu = core::mem::take(&mut self.tpdu);
        let mut answer = self.card.exchange(&tpdu);
        let status = answer.split_off(answer.len().saturating_sub(2));
        if self.is_slow {
            out.push(0x60);
            for byte in answer {
                out.extend([!ins, byte]);
            }
        } else if !answer.is_empty() {
            out.push(ins);
            out.extend(answer);
        }
        out.extend(status);
    }

    fn takes_data(&self, header: [u8; 4]) -> bool {
        let [_, ins, ..] = header;
        ins != GET_RESPONSE && self.card.application.takes_data(header)
    }
}
