//! Attributes that the resource manager answers itself, for every reader alike; a driver is asked for the others.

use alloc::vec::Vec;

use scard_types::call::{Answer, Reply};
use scard_types::{ScardCode, SlotState, abi, attribute};

use crate::Core;
use crate::readers::Reader;

impl Core {
    /// The value of an attribute that needs no driver.
    pub(crate) fn own_attribute(&self, reader: &Reader, tag: u32) -> Option<Reply> {
        let name = reader.name.as_str();
        let value = match tag {
            attribute::ATR_STRING => match reader.state.atr() {
                Some(atr) => atr.as_bytes().to_vec(),
                None => return Some(Err(ScardCode::NoSmartcard.into())),
            },
            attribute::DEVICE_FRIENDLY_NAME_A | attribute::DEVICE_SYSTEM_NAME_A => {
                name.bytes().chain([0]).collect()
            }
            attribute::DEVICE_FRIENDLY_NAME_W | attribute::DEVICE_SYSTEM_NAME_W => {
                name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
            }
            attribute::ICC_PRESENCE => match reader.state {
                SlotState::Mute | SlotState::Present { .. } => alloc::vec![2],
                SlotState::Empty | SlotState::Unknown => alloc::vec![0],
            },
            // An open handle keeps the power on; without, programs see a card as powered too.
            attribute::ICC_INTERFACE_STATUS => {
                alloc::vec![u8::from(reader.state.atr().is_some())]
            }
            attribute::ICC_TYPE_PER_ATR => match reader.state.atr() {
                Some(_) => alloc::vec![1],
                None => return Some(Err(ScardCode::NoSmartcard.into())),
            },
            attribute::DEVICE_IN_USE => word(u32::from(!reader.handles.is_empty())),
            attribute::CURRENT_PROTOCOL_TYPE => match reader.protocol {
                Some(protocol) => word(abi::pcsclite_protocol_number(Some(protocol))),
                None => return Some(Err(ScardCode::NoSmartcard.into())),
            },
            _ => return None,
        };
        Some(Ok(Answer::Attribute(value)))
    }
}

fn word(value: u32) -> Vec<u8> {
    value.to_ne_bytes().to_vec()
}
