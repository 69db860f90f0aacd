//! The daemon as a process, spoken to in raw bytes over its socket.
#![forbid(unsafe_code)]

mod hostile;
mod lifecycle;
mod native;
mod pcsclite;
mod quotas;
mod support;
mod waiting;
