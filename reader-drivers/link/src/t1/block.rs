//! Blocks, ISO 7816-3:2006, 11.3: NAD, PCB, LEN, up to 254 bytes of information, and LRC or CRC.

use alloc::vec::Vec;

use scard_types::SecretBytes;

/// NAD, PCB, LEN.
pub const PROLOGUE_BYTES: usize = 3;
/// The longest information field; a LEN of 255 is reserved.
pub const MAX_INFORMATION_BYTES: usize = 254;

/// In PCB of an I-block: N(S).
const SEQUENCE: u8 = 0x40;
/// In PCB of an I-block: more data follow.
const MORE: u8 = 0x20;
/// In PCB of an R-block: N(R).
const READY_SEQUENCE: u8 = 0x10;
/// In PCB of an S-block: it is a response.
const RESPONSE: u8 = 0x20;

/// The error detection code at the end of a block, ISO 7816-3:2006, 11.4.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edc {
    /// The exclusive or of all bytes before it.
    Lrc,
    /// CRC of ISO/IEC 13239, polynomial x^16 + x^12 + x^5 + 1, the high byte first.
    Crc,
}

impl Edc {
    /// How many bytes it has.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Lrc => 1,
            Self::Crc => 2,
        }
    }

    fn append(self, block: &mut Vec<u8>) {
        match self {
            Self::Lrc => block.push(block.iter().fold(0, |sum, byte| sum ^ byte)),
            Self::Crc => block.extend(crc(block).to_be_bytes()),
        }
    }

    fn is_right(self, covered: &[u8], code: &[u8]) -> bool {
        match self {
            Self::Lrc => code == [covered.iter().fold(0, |sum, byte| sum ^ byte)],
            Self::Crc => code == crc(covered).to_be_bytes(),
        }
    }
}

fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { crc >> 1 ^ 0x8408 } else { crc >> 1 }
            },
        )
    })
}

/// A block without its error detection code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// Node address: who sends to whom.
    pub nad: u8,
    /// What it is.
    pub kind: Kind,
    /// The information field.
    pub information: &'a [u8],
}

/// What a block is, by its PCB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// I-block: part of an APDU.
    Information {
        /// N(S).
        sequence: bool,
        /// M: the rest follows in further blocks.
        more: bool,
    },
    /// R-block: waits for the I-block of that number.
    Ready {
        /// N(R).
        sequence: bool,
        /// Why, if that is no acknowledgement.
        trouble: Option<Trouble>,
    },
    /// S-block that asks.
    Request(Supervision),
    /// S-block that answers.
    Response(Supervision),
}

/// Why an R-block asks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The error detection code or a parity bit was wrong.
    Damaged,
    /// Anything else.
    Other,
}

/// What an S-block is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supervision {
    /// Begin anew.
    Resynchronise,
    /// The information field size of who sends this.
    InformationFieldSize,
    /// End of a chain.
    Abort,
    /// More time.
    WaitingTime,
}

/// Bytes that are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid(pub Trouble);

impl Supervision {
    const ALL: [Self; 4] =
        [Self::Resynchronise, Self::InformationFieldSize, Self::Abort, Self::WaitingTime];

    const fn number(self) -> u8 {
        match self {
            Self::Resynchronise => 0,
            Self::InformationFieldSize => 1,
            Self::Abort => 2,
            Self::WaitingTime => 3,
        }
    }

    /// How many bytes of information it carries.
    const fn bytes(self) -> usize {
        match self {
            Self::Resynchronise | Self::Abort => 0,
            Self::InformationFieldSize | Self::WaitingTime => 1,
        }
    }
}

impl Kind {
    fn pcb(self) -> u8 {
        let bit = |set, bit| if set { bit } else { 0 };
        match self {
            Self::Information { sequence, more } => bit(sequence, SEQUENCE) | bit(more, MORE),
            Self::Ready { sequence, trouble } => {
                let trouble = match trouble {
                    None => 0,
                    Some(Trouble::Damaged) => 1,
                    Some(Trouble::Other) => 2,
                };
                0x80 | bit(sequence, READY_SEQUENCE) | trouble
            }
            Self::Request(what) => 0xC0 | what.number(),
            Self::Response(what) => 0xC0 | RESPONSE | what.number(),
        }
    }

    /// The kind of a PCB; `None` for those that are reserved. The VPP error of cards from before 2006 is one of these.
    fn of(pcb: u8) -> Option<Self> {
        match pcb {
            0..=0x7F if pcb & 0x1F == 0 => {
                Some(Self::Information { sequence: pcb & SEQUENCE != 0, more: pcb & MORE != 0 })
            }
            0..=0x7F => None,
            0x80..=0xBF => {
                let trouble = match pcb & 0x2F {
                    0 => None,
                    1 => Some(Trouble::Damaged),
                    2 => Some(Trouble::Other),
                    _ => return None,
                };
                Some(Self::Ready { sequence: pcb & READY_SEQUENCE != 0, trouble })
            }
            0xC0..=0xFF => {
                let number = pcb & 0x1F;
                let what = Supervision::ALL.into_iter().find(|what| what.number() == number)?;
                Some(if pcb & RESPONSE == 0 { Self::Request(what) } else { Self::Response(what) })
            }
        }
    }

    const fn information_bytes(self) -> Option<usize> {
        match self {
            Self::Information { .. } => None,
            Self::Ready { .. } => Some(0),
            Self::Request(what) | Self::Response(what) => Some(what.bytes()),
        }
    }
}

impl<'a> Block<'a> {
    /// The block with its error detection code. More than 254 bytes of information are cut.
    #[must_use]
    pub fn encode(&self, edc: Edc) -> SecretBytes {
        let information = self.information.get(..MAX_INFORMATION_BYTES).unwrap_or(self.information);
        let length = u8::try_from(information.len()).unwrap_or(0);
        let most = PROLOGUE_BYTES.saturating_add(information.len()).saturating_add(edc.bytes());
        let mut block = Vec::with_capacity(most);
        block.extend([self.nad, self.kind.pcb(), length]);
        block.extend(information);
        edc.append(&mut block);
        SecretBytes::new(block)
    }

    /// Reads one block, from its first byte to its last.
    ///
    /// # Errors
    /// [`Invalid`]: damaged where the error detection code is wrong or bytes are missing, else a PCB or LEN that the
    /// standard reserves.
    pub fn decode(bytes: &'a [u8], edc: Edc) -> Result<Self, Invalid> {
        let damaged = Invalid(Trouble::Damaged);
        let other = Invalid(Trouble::Other);
        let at = bytes.len().checked_sub(edc.bytes()).ok_or(damaged)?;
        let (covered, code) = bytes.split_at_checked(at).ok_or(damaged)?;
        if !edc.is_right(covered, code) {
            return Err(damaged);
        }
        let ([nad, pcb, length], information) = covered.split_first_chunk().ok_or(damaged)?;
        if usize::from(*length) != information.len() || information.len() > MAX_INFORMATION_BYTES {
            return Err(other);
        }
        let kind = Kind::of(*pcb).ok_or(other)?;
        match kind.information_bytes() {
            Some(need) if need != information.len() => Err(other),
            _ => Ok(Self { nad: *nad, kind, information }),
        }
    }

    /// How many bytes follow a prologue.
    #[must_use]
    pub fn rest_bytes(prologue: [u8; PROLOGUE_BYTES], edc: Edc) -> usize {
        let [_, _, length] = prologue;
        usize::from(length).saturating_add(edc.bytes())
    }
}

/// Shows no information.
impl core::fmt::Debug for Block<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:?} [{} bytes]", self.kind, self.information.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn the_check_value_of_the_crc() {
        assert_eq!(crc(b"123456789"), 0x6F91);
    }

    #[test]
    fn blocks_of_the_standard() {
        let no = &[][..];
        let information = |sequence, more| Kind::Information { sequence, more };
        for (kind, bytes, encoded) in [
            (information(false, false), &[0, 0xA4][..], &[0, 0x00, 2, 0, 0xA4, 0xA6][..]),
            (information(true, true), &[7], &[0, 0x60, 1, 7, 0x66]),
            (Kind::Ready { sequence: true, trouble: None }, no, &[0, 0x90, 0, 0x90]),
            (
                Kind::Ready { sequence: false, trouble: Some(Trouble::Damaged) },
                no,
                &[0, 0x81, 0, 0x81],
            ),
            (Kind::Request(Supervision::Resynchronise), no, &[0, 0xC0, 0, 0xC0]),
            (Kind::Response(Supervision::Resynchronise), no, &[0, 0xE0, 0, 0xE0]),
            (Kind::Request(Supervision::InformationFieldSize), &[0xFE], &[0, 0xC1, 1, 0xFE, 0x3E]),
            (Kind::Response(Supervision::WaitingTime), &[2], &[0, 0xE3, 1, 2, 0xE0]),
            (Kind::Request(Supervision::Abort), no, &[0, 0xC2, 0, 0xC2]),
        ] {
            let block = Block { nad: 0, kind, information: bytes };
            assert_eq!(block.encode(Edc::Lrc).expose(), encoded);
            for edc in [Edc::Lrc, Edc::Crc] {
                let encoded = block.encode(edc);
                assert_eq!(Block::decode(encoded.expose(), edc), Ok(block));
                let prologue = *encoded.expose().first_chunk().unwrap();
                let whole = PROLOGUE_BYTES + Block::rest_bytes(prologue, edc);
                assert_eq!(whole, encoded.len());
            }
        }
    }

    #[test]
    fn one_changed_byte_or_a_cut_is_always_noticed() {
        let kind = Kind::Information { sequence: true, more: false };
        for edc in [Edc::Lrc, Edc::Crc] {
            let good = Block { nad: 0, kind, information: b"a block" }.encode(edc);
            for at in 0..good.len() {
                for change in 1..=255 {
                    let mut bad = good.expose().to_vec();
                    bad[at] ^= change;
                    let read = Block::decode(&bad, edc);
                    assert_eq!(read, Err(Invalid(Trouble::Damaged)), "{at} {change}");
                }
                assert!(Block::decode(&good.expose()[..at], edc).is_err());
            }
        }
    }

    #[test]
    fn what_the_standard_reserves_is_refused() {
        let sealed = |pcb: u8, information: &[u8]| {
            let length = u8::try_from(information.len()).unwrap();
            let mut block = [&[0, pcb, length], information].concat();
            Edc::Lrc.append(&mut block);
            block
        };
        // Reserved bits of I-blocks and R-blocks, unknown S-blocks, the VPP error of 1989.
        for pcb in [0x01, 0x50, 0xA0, 0x83, 0xC4, 0xE4, 0xDF] {
            let block = sealed(pcb, &[]);
            assert_eq!(Block::decode(&block, Edc::Lrc), Err(Invalid(Trouble::Other)), "{pcb:02X}");
        }
        for (pcb, information) in [(0x80, &[1][..]), (0xC0, &[1]), (0xC3, &[]), (0xC1, &[1, 2])] {
            let block = sealed(pcb, information);
            assert_eq!(Block::decode(&block, Edc::Lrc), Err(Invalid(Trouble::Other)), "{pcb:02X}");
        }
        assert!(Block::decode(&sealed(0, &vec![7; 254]), Edc::Lrc).is_ok());
        assert!(Block::decode(&sealed(0, &vec![7; 255]), Edc::Lrc).is_err());
    }
}
