//! How `libwinscard.so.1` is linked.
#![forbid(unsafe_code)]

#[path = "../link.rs"]
mod link;

fn main() {
    link::link("libwinscard.so.1");
}
