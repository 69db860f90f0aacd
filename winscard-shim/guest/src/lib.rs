//! What both C libraries need to live in a stranger's process: tables of contexts and card handles that a fork leaves
//! behind, and a border that no unwind crosses.
//!
//! Each library is linked with a copy of its own, so its numbers are worth nothing to the other.

mod edge;
mod process;
pub mod tables;

pub use edge::guard;
pub use process::PerProcess;
