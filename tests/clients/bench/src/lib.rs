//! `cargo xtask bench`: how fast the resource manager is, beside pcscd and beside a bare socket.
//!
//! `main` runs the measurements of `measure`, each of which gives figures for the `report`. What is measured is done by
//! processes of `src/worker`, which are loaded with the library of the `side` that they stand for. No
//! measurement asserts a time: a figure that misses its bar says so, and that is all.
#![forbid(unsafe_code)]

pub mod client;
pub mod clock;
pub mod machine;
pub mod measure;
pub mod plan;
pub mod process;
pub mod report;
pub mod side;
pub mod statistics;
pub mod system_calls;
