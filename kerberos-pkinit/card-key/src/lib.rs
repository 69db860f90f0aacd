//! Certificates, PINs and signatures of a card, seen from the side of the program that uses it.
//!
//! [`piv`] is the host side of the PIV card edge (SP 800-73-4 part 2). It runs over anything that can carry a
//! command to a card and bring the answer back ([`Exchange`]), so the same code serves a card behind the resource
//! manager and a script in a test. What a card sends is never trusted: sizes and counts are bounded, and every
//! deviation has an error of its own.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod error;
mod exchange;
pub mod piv;

pub use error::{CardKeyError, Malformation, Operation};
pub use exchange::{Exchange, MAX_ANSWER_BYTES, MAX_ROUNDS, send};
