//! The command line of scard.
#![forbid(unsafe_code)]

fn main() {}
