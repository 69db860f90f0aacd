//! The core chapter by chapter: small cases on a bench, each with its sentence.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod bench;
mod cache;
mod connect;
mod database;
mod exchange;
mod idle;
mod power;
mod quotas;
mod status_change;
mod transactions;
