//! The daemon as a process, spoken to in raw bytes over its socket.
#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail the test"
)]

mod access;
mod attacks;
mod bus;
mod database;
mod holders;
mod lifecycle;
mod native;
mod pcsclite;
mod support;
mod trace;
mod users;
mod vpcd;
mod waiting;
