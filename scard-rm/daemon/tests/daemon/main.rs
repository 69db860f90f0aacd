//! The daemon as a process, spoken to in raw bytes over its socket.
#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests fail the test"
)]

mod access;
mod bus;
mod holders;
mod hostile;
mod lifecycle;
mod native;
mod pcsclite;
mod quotas;
mod support;
mod trace;
mod vpcd;
mod waiting;
