//! An APDU in TPDUs, ISO 7816-3:2006, 12.2.

use alloc::vec::Vec;

use scard_types::{CommandApdu, SecretBytes, StatusWord};

use super::{expected_bytes, is_carried};
use crate::{Heard, LinkError, Step};

const GET_RESPONSE: u8 = 0xC0;
const ENVELOPE: u8 = 0xC2;
/// The most data that a TPDU brings.
const MOST_DATA: usize = 255;

/// Who follows up what a card says about lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// We do: the program sees one answer, as under T=1.
    Whole,
    /// The program does, as it has to with other resource managers: 61xx and 6Cxx are answers.
    AsItStands,
}

/// A command APDU on its way. [`Step::Send`] carries a command TPDU; the response TPDU is data and status word.
#[derive(Debug)]
pub struct Exchange {
    header: [u8; 4],
    mapping: Mapping,
    /// Ne: what may be given to the program.
    wanted: usize,
    stage: Stage,
    /// P3 was corrected already for this TPDU.
    is_corrected: bool,
    /// How much data the TPDU that is under way may bring back.
    most: usize,
    parts: Vec<SecretBytes>,
    total: usize,
    is_over: bool,
}

#[derive(Debug)]
enum Stage {
    /// Case 1 or 2: nothing brought along.
    Plain,
    /// Case 3 or 4: data brought along.
    WithData,
    /// Pieces of a long command; from here on.
    Enveloped { command: SecretBytes, at: usize },
    /// GET RESPONSE; what the card said before, if that was a plain 9000.
    Fetching { after_success: bool },
}

impl Exchange {
    /// Sends the first TPDU of a command APDU.
    pub fn begin(command: &[u8], mapping: Mapping) -> (Self, Step) {
        let parsed = CommandApdu::parse(command);
        let mut exchange = Self {
            header: parsed.as_ref().map_or([0; 4], |c| [c.cla, c.ins, c.p1, c.p2]),
            mapping,
            wanted: 0,
            stage: Stage::Plain,
            is_corrected: false,
            most: 0,
            parts: Vec::new(),
            total: 0,
            is_over: false,
        };
        let step = match parsed {
            Err(error) => exchange.fail(LinkError::BadCommand(error)),
            Ok(CommandApdu { ins, .. }) if !is_carried(ins) => {
                exchange.fail(LinkError::BadInstruction { ins })
            }
            Ok(parsed) => exchange.send_command(command, &parsed),
        };
        (exchange, step)
    }

    fn send_command(&mut self, bytes: &[u8], command: &CommandApdu) -> Step {
        self.wanted = command.expected.and_then(|ne| usize::try_from(ne).ok()).unwrap_or(0);
        match command.data.len() {
            0 => self.send_header(self.header, self.wanted),
            length @ 1..=MOST_DATA => {
                self.stage = Stage::WithData;
                let p3 = u8::try_from(length).unwrap_or(0);
                self.most = 0;
                let [cla, ins, p1, p2] = self.header;
                let mut tpdu = Vec::with_capacity(length.saturating_add(5));
                tpdu.extend([cla, ins, p1, p2, p3]);
                tpdu.extend_from_slice(command.data.expose());
                Step::send(SecretBytes::new(tpdu))
            }
            _ => {
                let command = SecretBytes::from(bytes);
                self.stage = Stage::Enveloped { command, at: 0 };
                self.send_piece()
            }
        }
    }

    /// Takes what came of the last step. After silence or damage the card is to be reset.
    pub fn hear(&mut self, heard: Heard<'_>) -> Step {
        let response = match heard {
            _ if self.is_over => return Step::Failed(LinkError::Lost),
            Heard::Bytes(response) => response,
            Heard::Silence => return self.fail(LinkError::Silence),
            Heard::Garbled => return self.fail(LinkError::Garbled),
        };
        let Some((data, &[sw1, sw2])) = response.split_last_chunk::<2>() else {
            return self.fail(LinkError::ShortAnswer { got: response.len() });
        };
        if data.len() > self.most {
            return self.fail(LinkError::OutOfRules);
        }
        let status = StatusWord(u16::from_be_bytes([sw1, sw2]));
        match &mut self.stage {
            Stage::Plain => self.take(data, status),
            Stage::WithData => self.fetch_if_wanted(status),
            Stage::Enveloped { command, at } => {
                // A piece that is not full is the last, as the card knows.
                let was_full = command.len().saturating_sub(*at) >= MOST_DATA;
                if was_full && status == StatusWord::OK {
                    *at = at.saturating_add(MOST_DATA);
                    return self.send_piece();
                }
                self.fetch_if_wanted(status)
            }
            Stage::Fetching { after_success } => {
                let refused = *after_success && data.is_empty() && !is_good(status);
                if refused && sw1 != 0x6C {
                    // There was nothing to fetch, and the command has succeeded all the same.
                    return self.finish(StatusWord::OK);
                }
                self.take(data, status)
            }
        }
    }

    /// What follows data that came along (cases 3 and 4).
    fn fetch_if_wanted(&mut self, status: StatusWord) -> Step {
        let [sw1, sw2] = status.0.to_be_bytes();
        let fetches = self.wanted > 0 && self.mapping == Mapping::Whole;
        match (sw1, sw2) {
            (0x90, 0x00) if fetches => self.fetch(self.wanted, true),
            (0x61, there) if fetches => self.fetch(expected_bytes(there), false),
            _ => self.finish(status),
        }
    }

    /// An answer to a TPDU that brought no data.
    fn take(&mut self, data: &[u8], status: StatusWord) -> Step {
        let [sw1, sw2] = status.0.to_be_bytes();
        if self.mapping == Mapping::AsItStands {
            self.keep(data);
            return self.finish(status);
        }
        if sw1 == 0x6C && data.is_empty() && self.wanted > 0 && !self.is_corrected {
            self.is_corrected = true;
            let [cla, ins, p1, p2] = match self.stage {
                Stage::Fetching { .. } => self.fetching_header(),
                _ => self.header,
            };
            self.most = expected_bytes(sw2);
            return Step::send(SecretBytes::new(alloc::vec![cla, ins, p1, p2, sw2]));
        }
        self.keep(data);
        if sw1 == 0x61 && self.total < self.wanted {
            // What brings nothing could go on for ever.
            if data.is_empty() && matches!(self.stage, Stage::Fetching { .. }) {
                return self.fail(LinkError::OutOfRules);
            }
            return self.fetch(expected_bytes(sw2), false);
        }
        self.finish(status)
    }

    fn fetch(&mut self, there: usize, after_success: bool) -> Step {
        self.stage = Stage::Fetching { after_success };
        let count = there.min(self.wanted.saturating_sub(self.total));
        self.send_header(self.fetching_header(), count)
    }

    /// GET RESPONSE on the channel of the command; a class of its maker's own is kept as it is.
    const fn fetching_header(&self) -> [u8; 4] {
        let [cla, ..] = self.header;
        let cla = match cla {
            0x00..=0x3F => cla & 0x03,
            0x40..=0x7F => 0x40 | cla & 0x0F,
            _ => cla,
        };
        [cla, GET_RESPONSE, 0, 0]
    }

    /// A TPDU without data; more than 256 bytes come in parts.
    fn send_header(&mut self, [cla, ins, p1, p2]: [u8; 4], count: usize) -> Step {
        self.is_corrected = false;
        // 256 is written as 00, and so is that nothing is wanted.
        let p3 = u8::try_from(count).unwrap_or(0);
        self.most = expected_bytes(p3);
        Step::send(SecretBytes::new(alloc::vec![cla, ins, p1, p2, p3]))
    }

    fn send_piece(&mut self) -> Step {
        let Stage::Enveloped { command, at } = &self.stage else {
            return self.fail(LinkError::OutOfRules);
        };
        let rest = command.expose().get(*at..).unwrap_or_default();
        let piece = rest.get(..MOST_DATA).unwrap_or(rest);
        let [cla, ..] = self.fetching_header();
        let mut tpdu = Vec::with_capacity(piece.len().saturating_add(5));
        tpdu.extend([cla, ENVELOPE, 0, 0, u8::try_from(piece.len()).unwrap_or(0)]);
        tpdu.extend_from_slice(piece);
        self.most = 0;
        Step::send(SecretBytes::new(tpdu))
    }

    /// Keeps as much as the program takes.
    fn keep(&mut self, data: &[u8]) {
        let most = match self.mapping {
            Mapping::Whole => self.wanted.saturating_sub(self.total),
            Mapping::AsItStands => data.len(),
        };
        let kept = data.get(..most).unwrap_or(data);
        self.total = self.total.saturating_add(kept.len());
        self.parts.push(SecretBytes::from(kept));
    }

    fn finish(&mut self, status: StatusWord) -> Step {
        self.is_over = true;
        // One piece that never grows: a reallocation would leave a copy behind.
        let mut answer = Vec::with_capacity(self.total.saturating_add(2));
        self.parts.iter().for_each(|part| answer.extend_from_slice(part.expose()));
        answer.extend(status.0.to_be_bytes());
        Step::Done(SecretBytes::new(answer))
    }

    fn fail(&mut self, error: LinkError) -> Step {
        self.is_over = true;
        Step::Failed(error)
    }
}

/// 9000, 61xx, 62xx, 63xx: the card has something to say.
const fn is_good(status: StatusWord) -> bool {
    matches!(status.0 >> 8, 0x61..=0x63 | 0x90)
}
