//! The two questions by which programs recognise a YubiKey. Without a firmware version in its profile the card does
//! not know them.

use scard_types::CommandApdu;

use crate::PivCard;
use crate::status::{Answer, BAD_P1_P2, INS_NOT_SUPPORTED};

impl PivCard {
    /// GET VERSION: three bytes.
    pub(crate) fn firmware_version(&self, command: &CommandApdu) -> Answer {
        let firmware = self.firmware.ok_or(INS_NOT_SUPPORTED)?;
        without_parameters(command)?;
        Ok(firmware.as_slice().into())
    }

    /// GET SERIAL: four bytes, the most significant first.
    pub(crate) fn serial_number(&self, command: &CommandApdu) -> Answer {
        self.firmware.ok_or(INS_NOT_SUPPORTED)?;
        without_parameters(command)?;
        Ok(self.serial.to_be_bytes().as_slice().into())
    }
}

const fn without_parameters(command: &CommandApdu) -> Result<(), scard_types::StatusWord> {
    if command.p1 == 0 && command.p2 == 0 { Ok(()) } else { Err(BAD_P1_P2) }
}
