//! The daemon as a process, spoken to in raw bytes over its socket.
#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail the test"
)]

mod attacks;
mod lifecycle;
mod native;
mod pcsclite;
mod support;
mod vpcd;
mod waiting;
