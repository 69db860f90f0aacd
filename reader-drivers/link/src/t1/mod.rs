//! T=1, ISO 7816-3:2006, 11: the reader's side of the block protocol.
//!
//! A command is sent to the card at most once, unless the card itself says that it has not understood a block. Where
//! all asking again does not help, both begin anew (S(RESYNCH)) and the exchange has failed: nobody knows whether the
//! card has carried the command out, and the caller decides what that means for it.

mod block;
mod machine;

pub use block::{
    Block, Edc, Invalid, Kind, MAX_INFORMATION_BYTES, PROLOGUE_BYTES, Supervision, Trouble,
};
pub use machine::T1;
