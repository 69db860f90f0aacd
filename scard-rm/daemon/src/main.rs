//! The resource manager daemon.
#![forbid(unsafe_code)]

fn main() {}
