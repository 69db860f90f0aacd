//! SELECT, SP 800-73-4 part 2, 3.1.1.

use alloc::vec::Vec;

use scard_types::{CommandApdu, tlv};

use crate::PivCard;
use crate::status::{Answer, BAD_P1_P2, NOT_FOUND};

/// The whole application identifier; its last two bytes are the version, 1.0.
pub(crate) const AID: [u8; 11] = [0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00];
/// The provider's part of it, the least that selects the application.
const RID_BYTES: usize = 5;

impl PivCard {
    /// Selects by name, in full or cut on the right.
    ///
    /// PIV is the only application and the default one, so there is nothing to switch: selecting it again leaves the
    /// security state as it is, and so does the refusal of any other name. A YubiKey begins anew with each selection.
    pub(crate) fn select(&mut self, command: &CommandApdu) -> Answer {
        if (command.p1, command.p2) != (0x04, 0x00) {
            return Err(BAD_P1_P2);
        }
        let name = command.data.expose();
        if name.len() < RID_BYTES || !AID.starts_with(name) {
            return Err(NOT_FOUND);
        }
        if self.firmware.is_some() {
            self.forget();
        }
        Ok(application_property_template(self.firmware.is_none()).into())
    }
}

/// The application property template, SP 800-73-4 part 2, table 3.
fn application_property_template(labelled: bool) -> Vec<u8> {
    let (provider, extension) = AID.split_at_checked(RID_BYTES).unwrap_or_default();
    let mut template = tlv::element(0x4F, extension);
    tlv::write(&mut template, 0x79, &tlv::element(0x4F, provider));
    if labelled {
        tlv::write(&mut template, 0x50, b"scard virtual PIV card");
    }
    tlv::element(0x61, &template)
}
