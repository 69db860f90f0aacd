//! T=0, ISO 7816-3:2006, 10 and 12.2: the reader's side.
//!
//! [`Exchange`] carries an APDU in TPDUs: it fetches answers (GET RESPONSE), corrects expected lengths (6Cxx) and puts
//! long commands into envelopes. [`Characters`] carries one TPDU in characters, for readers that leave even procedure
//! bytes to their host. T=0 has no numbers and no code over a message: what a card says too late would be taken for the
//! next answer, so after a failure on the line the card is to be reset.

mod characters;
mod exchange;

pub use characters::Characters;
pub use exchange::{Exchange, Mapping};

/// CLA INS P1 P2 P3.
const HEADER_BYTES: usize = 5;

/// Whether T=0 can carry an instruction: 6X and 9X would be taken for the first byte of a status word.
const fn is_carried(ins: u8) -> bool {
    !matches!(ins >> 4, 6 | 9)
}

/// What P3 stands for in a command that brings no data.
fn expected_bytes(p3: u8) -> usize {
    if p3 == 0 { 256 } else { p3.into() }
}
