//! Programs as judges: the same journeys with pcsc-lite's library and with ours, on our daemon and on Debian's.
//!
//! A [`Journey`](journey::Journey) is a text file of what several programs do and are told. Each program is a process
//! of its own (`src/bin/actor.rs`, over the `pcsc` crate), so that a test chooses its library and can kill it.
#![forbid(unsafe_code)]

pub mod actor;
pub mod c_program;
pub mod child;
pub mod daemon;
pub mod differential;
pub mod journey;
pub mod judge;
pub mod stage;
