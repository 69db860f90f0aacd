//! Readers for virtual cards that connect with vpcd's protocol, as they do to pcscd's driver of that name: vicc,
//! piv-authenticator, jCardSim, `virt_cacard`, and `scard sim serve`.
//!
//! A [`Port`](PortSpec) is a reader that listens; a card is in it as long as it is connected. One card at a time: a
//! second connection is closed at once, because nobody shall push out a card that a program works with by connecting.
//! [`message`] is the protocol without any socket, for both of its sides.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod address;
mod connection;
mod driver;
mod listener;
pub mod message;
mod port;
mod slot;
mod spec;

pub use address::{Address, AddressError};
pub use driver::VpcdDriver;
pub use listener::ListenError;
pub use spec::{PortSpec, SpecError};
