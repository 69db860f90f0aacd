//! The words of the smart-card field, shared by every room of the house.
//!
//! Nothing here does input or output, reads a clock or keeps global state; the crate builds without `std`.
//! The numbers that the two C ABIs give to these words stand in [`abi`] and nowhere else.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

extern crate alloc;

pub mod abi;
pub mod apdu;
pub mod atr;
pub mod attribute;
pub mod cache;
pub mod call;
mod code;
pub mod database;
pub mod mask;
mod modes;
mod reader;
mod secret;
pub mod secret_commands;
pub mod status_change;
mod time;
pub mod tlv;
pub mod trace;

pub use apdu::{CommandApdu, ResponseApdu, StatusWord};
pub use atr::Atr;
pub use code::ScardCode;
pub use modes::{Character, Disposition, Protocol, Protocols, ShareMode};
pub use reader::{
    CardEvent, CardState, DeviceInstance, MAX_READER_NAME_BYTES, ReaderName, ReaderNameError,
    ReaderNaming, SlotError, SlotState,
};
pub use secret::{Pin, PinError, SecretBytes};
pub use time::Millis;
