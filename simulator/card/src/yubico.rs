//! The instructions that Yubico added to the standard, for cards that claim to be a YubiKey: those whose profile has a
//! firmware version. Other cards do not know them.

use scard_types::{CommandApdu, StatusWord};

use crate::PivCard;
use crate::key::KeyAlgorithm;
use crate::management::ManagementAlgorithm;
use crate::status::{Answer, BAD_P1_P2, INS_NOT_SUPPORTED};

mod attestation;
mod import;
mod maintenance;
mod metadata;

pub(crate) const MOVE_KEY: u8 = 0xF6;
pub(crate) const GET_METADATA: u8 = 0xF7;
const GET_SERIAL: u8 = 0xF8;
pub(crate) const ATTEST: u8 = 0xF9;
pub(crate) const SET_RETRIES: u8 = 0xFA;
pub(crate) const RESET: u8 = 0xFB;
const GET_VERSION: u8 = 0xFD;
pub(crate) const IMPORT_KEY: u8 = 0xFE;
pub(crate) const SET_MANAGEMENT_KEY: u8 = 0xFF;

/// The instructions that change what stays when the power goes.
pub(crate) const CHANGING: [u8; 5] = [MOVE_KEY, SET_RETRIES, RESET, IMPORT_KEY, SET_MANAGEMENT_KEY];

/// The firmware version of a YubiKey: what it can do follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Firmware(pub [u8; 3]);

impl Firmware {
    /// The first one.
    pub const FIRST: Self = Self([1, 0, 0]);
    /// Keys that the card made are attested.
    pub const ATTESTS: Self = Self([4, 3, 0]);
    /// Metadata of keys and PINs. Programs that find it or a later one do not go on without them.
    pub const HAS_METADATA: Self = Self([5, 3, 0]);
    /// AES for the management key.
    pub const HAS_AES: Self = Self([5, 4, 0]);
    /// RSA 3072 and 4096, keys that move, AES from the start.
    pub const HAS_LONG_RSA: Self = Self([5, 7, 0]);
    /// The first one whose programs may expect more than the card knows.
    pub const BEYOND: Self = Self([5, 8, 0]);

    /// The cipher of the management key when it is new.
    pub(crate) fn first_cipher(self) -> ManagementAlgorithm {
        if self >= Self::HAS_LONG_RSA {
            ManagementAlgorithm::Aes192
        } else {
            ManagementAlgorithm::TripleDes
        }
    }
}

impl PivCard {
    /// A command that the standard does not have.
    pub(crate) fn extension(&mut self, command: &CommandApdu) -> Answer {
        type Perform = fn(&mut PivCard, &CommandApdu) -> Answer;
        let firmware = self.firmware.ok_or(INS_NOT_SUPPORTED)?;
        let (since, perform): (Firmware, Perform) = match command.ins {
            MOVE_KEY => (Firmware::HAS_LONG_RSA, Self::move_key),
            GET_METADATA => (Firmware::HAS_METADATA, Self::metadata),
            GET_SERIAL => (Firmware::FIRST, Self::serial_number),
            ATTEST => (Firmware::ATTESTS, Self::attest),
            SET_RETRIES => (Firmware::FIRST, Self::set_retries),
            RESET => (Firmware::FIRST, Self::start_over),
            GET_VERSION => (Firmware::FIRST, Self::firmware_version),
            IMPORT_KEY => (Firmware::FIRST, Self::import_key),
            SET_MANAGEMENT_KEY => (Firmware::FIRST, Self::set_management_key),
            _ => return Err(INS_NOT_SUPPORTED),
        };
        if firmware < since {
            return Err(INS_NOT_SUPPORTED);
        }
        perform(self, command)
    }

    /// Whether keys of that kind may be brought to the card or made on it.
    pub(crate) fn knows(&self, algorithm: KeyAlgorithm) -> bool {
        match algorithm {
            KeyAlgorithm::Rsa3072 | KeyAlgorithm::Rsa4096 => {
                self.firmware.is_none_or(|firmware| firmware >= Firmware::HAS_LONG_RSA)
            }
            KeyAlgorithm::Rsa2048 | KeyAlgorithm::P256 | KeyAlgorithm::P384 => true,
        }
    }

    /// GET VERSION: three bytes.
    fn firmware_version(&mut self, command: &CommandApdu) -> Answer {
        without_parameters(command)?;
        Ok(self.firmware.map(|Firmware(version)| version).unwrap_or_default().as_slice().into())
    }

    /// GET SERIAL: four bytes, the most significant first.
    fn serial_number(&mut self, command: &CommandApdu) -> Answer {
        without_parameters(command)?;
        Ok(self.serial.to_be_bytes().as_slice().into())
    }
}

const fn without_parameters(command: &CommandApdu) -> Result<(), StatusWord> {
    if command.p1 == 0 && command.p2 == 0 { Ok(()) } else { Err(BAD_P1_P2) }
}
