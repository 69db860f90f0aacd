//! How `libpcsclite.so.1` is linked.
#![forbid(unsafe_code)]

#[path = "../link.rs"]
mod link;

fn main() {
    link::link("libpcsclite.so.1");
}
