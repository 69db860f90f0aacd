//! What stands in the objects of a new card, SP 800-73-4 part 1, appendix A.

use alloc::vec::Vec;

use scard_types::tlv;
use sha2::{Digest, Sha256};

use crate::certificate::Validity;
use crate::select::AID;

/// FASC-N of a card that no federal agency issued (agency 9999), as test cards carry it.
const FASC_N: [u8; 25] = [
    0xD4, 0xE7, 0x39, 0xDA, 0x73, 0x9C, 0xED, 0x39, 0xCE, 0x73, 0x9D, 0x83, 0x68, 0x58, 0x21, 0x08,
    0x42, 0x10, 0x84, 0x21, 0xC8, 0x42, 0x10, 0xC3, 0xEB,
];

/// Error detection code: always there, always empty.
const ERROR_DETECTION_CODE: u32 = 0xFE;

/// Card holder unique identifier. Windows and OpenSC make the card's serial number from its GUID.
pub(crate) fn chuid(serial: u32, validity: &Validity) -> Vec<u8> {
    let mut object = tlv::element(0x30, &FASC_N);
    tlv::write(&mut object, 0x34, &guid(serial));
    tlv::write(&mut object, 0x35, validity.last_day().as_bytes());
    // Issuer's signature: there is no issuer.
    tlv::write(&mut object, 0x3E, &[]);
    tlv::write(&mut object, ERROR_DETECTION_CODE, &[]);
    object
}

/// Card capability container. The card identifier: GSC-RID, manufacturer FF, card type 02 (Java card), then bytes
/// of its own.
pub(crate) fn capabilities(serial: u32) -> Vec<u8> {
    let mut identifier = Vec::from([0xA0, 0x00, 0x00, 0x01, 0x16, 0xFF, 0x02]);
    identifier.extend(guid(serial).iter().take(14));
    let mut object = tlv::element(0xF0, &identifier);
    tlv::write(&mut object, 0xF1, &[0x21]);
    tlv::write(&mut object, 0xF2, &[0x21]);
    tlv::write(&mut object, 0xF3, &[]);
    tlv::write(&mut object, 0xF4, &[0x00]);
    tlv::write(&mut object, 0xF5, &[0x10]);
    for empty in [0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, ERROR_DETECTION_CODE] {
        tlv::write(&mut object, empty, &[]);
    }
    object
}

/// Discovery object: the application, and a PIN policy that says "PIV PIN, no global PIN" or "both, the PIV PIN first".
pub(crate) fn discovery(global_pin: bool) -> Vec<u8> {
    let policy = if global_pin { [0x60, 0x10] } else { [0x40, 0x00] };
    let mut object = tlv::element(0x4F, &AID);
    tlv::write(&mut object, 0x5F2F, &policy);
    object
}

/// Key history: so many retired keys with their certificates on the card, none elsewhere. OpenSC looks for as many
/// certificates, from that of 82 on.
pub(crate) fn key_history(retired: u8) -> Vec<u8> {
    let mut object = tlv::element(0xC1, &[retired]);
    tlv::write(&mut object, 0xC2, &[0]);
    tlv::write(&mut object, ERROR_DETECTION_CODE, &[]);
    object
}

/// A certificate as it stands in its object: plain, not compressed.
pub(crate) fn certificate(certificate: &[u8]) -> Vec<u8> {
    let mut object = tlv::element(0x70, certificate);
    tlv::write(&mut object, 0x71, &[0x00]);
    tlv::write(&mut object, ERROR_DETECTION_CODE, &[]);
    object
}

/// A UUID of version 8 (RFC 9562, 5.8) that two serial numbers do not share.
fn guid(serial: u32) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix(b"scard virtual PIV card");
    hash.update(serial.to_be_bytes());
    let mut guid = [0; 16];
    for (place, byte) in guid.iter_mut().zip(hash.finalize()) {
        *place = byte;
    }
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut guid;
    *version = 0x80 | (*version & 0x0F);
    *variant = 0x80 | (*variant & 0x3F);
    guid
}
