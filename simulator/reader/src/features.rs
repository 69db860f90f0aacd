//! Control codes: what a program can learn about the reader by PC/SC part 10.

use scard_types::abi::{control_function, pcsclite_control_code, windows_control_code};
use scard_types::tlv;
use scard_types::{SecretBytes, SlotError};

/// `CM_IOCTL_GET_FEATURE_REQUEST`, PC/SC part 10, 2.2.
const GET_FEATURE_REQUEST: u32 = 3400;
/// `FEATURE_GET_TLV_PROPERTIES`, the tag of a feature.
const TLV_PROPERTIES: u8 = 0x12;
/// The function number behind which this reader offers it.
const GET_TLV_PROPERTIES: u32 = 0x0812;

/// `dwMaxAPDUDataSize`: 65,536 means extended lengths, PC/SC part 10, 2.6.14.
const MAX_APDU_DATA_SIZE: u8 = 0x0A;

/// Answers a control code in the encoding of either ABI.
pub(crate) fn control(code: u32, output_limit: u32) -> Result<SecretBytes, SlotError> {
    let answer = match control_function(code) {
        Some(GET_FEATURE_REQUEST) => features(code),
        Some(GET_TLV_PROPERTIES) => {
            tlv::element(MAX_APDU_DATA_SIZE.into(), &65_536_u32.to_le_bytes())
        }
        _ => return Err(SlotError::NotSupported),
    };
    match u32::try_from(answer.len()) {
        Ok(needed) if needed > output_limit => Err(SlotError::AnswerTooLong { needed }),
        _ => Ok(answer.into()),
    }
}

/// Feature by feature a control code, most significant byte first, in the encoding of the question.
fn features(code: u32) -> Vec<u8> {
    let offered = if code == windows_control_code(GET_FEATURE_REQUEST) {
        windows_control_code(GET_TLV_PROPERTIES)
    } else {
        pcsclite_control_code(GET_TLV_PROPERTIES)
    };
    tlv::element(TLV_PROPERTIES.into(), &offered.to_be_bytes())
}
