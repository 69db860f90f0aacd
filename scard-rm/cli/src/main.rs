//! The command line of scard.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    scard::main()
}
