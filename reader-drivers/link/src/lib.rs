//! What a reader and a card say to each other below APDUs (ISO 7816-3:2006), for readers that leave it to their host.
//!
//! [`CardParameters`] is what an answer to reset says about that, [`pps`] agrees on protocol and speed, [`t0`] and
//! [`t1`] carry a command to the card and its answer back. Nothing here waits, sends or measures time: a machine gives
//! a [`Step`], its caller carries it out on whatever line there is and comes back with what was [`Heard`].
//!
//! [`card_side`] is the other end of both protocols, for virtual cards behind virtual readers and for the tests here.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

extern crate alloc;

pub mod card_side;
mod error;
#[doc(hidden)]
pub mod oracle;
mod parameters;
pub mod pps;
mod rate;
mod step;
pub mod t0;
pub mod t1;
mod timing;

pub use error::LinkError;
pub use parameters::{
    CardParameters, ClockStop, Mode, OperatingClasses, ParameterError, T0Parameters, T1Parameters,
};
pub use rate::Rate;
pub use step::{Heard, Step};
pub use timing::Line;
