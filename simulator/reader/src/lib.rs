//! A reader driver whose slots hold virtual cards.
//!
//! A reader is ordered with one line of text, a [`SimSpec`]; [`SimDriver`] announces it like any other reader. Cards
//! come and go at run time by driver commands, see [`command`].
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod bay;
pub mod command;
mod driver;
mod features;
mod keep;
mod make;
mod slot;
pub mod spec;

pub use driver::SimDriver;
pub use keep::{MemoryFileError, VirtualCard};
pub use make::MakeError;
pub use spec::{CardSpec, Preset, ReaderSpec, SimSpec, SlotSpec, SpecError};
