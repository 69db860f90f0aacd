//! What must hold for any bytes whatever: one function for each fuzz target.
//!
//! An oracle takes one input and panics where a promise is broken. `cargo xtask fuzz` looks for inputs that break one
//! (tests/fuzz); `cargo test` replays all that are kept in tests/fuzz/corpus. Oracles that look into a room stand in that
//! room; those that join several, or ask a vocabulary, stand here.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "an oracle says no by a panic")]

mod apdu;
mod atr;
mod input;
mod lying_card;
mod lying_daemon;
mod sessions;
mod tlv;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the program in tests/fuzz/targets, and of its folder in tests/fuzz/corpus.
    pub name: &'static str,
    /// Takes one input; panics where a promise is broken.
    pub oracle: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("apdu", apdu::check),
    target("atr", atr::check),
    target("atr_explanation", scard::oracle::explanation),
    target("ber_tlv", tlv::check),
    target("card_parameters", card_link::oracle::parameters),
    target("configuration", scard_rm::oracle::configuration),
    target("lying_card", lying_card::check),
    target("lying_daemon", lying_daemon::check),
    target("native_client", scard_wire::oracle::native_client),
    target("native_server", scard_wire::oracle::native_server),
    target("pcsclite_client", scard_wire::oracle::pcsclite_client),
    target("pcsclite_server", scard_wire::oracle::pcsclite_server),
    target("piv_card", sim_card::oracle::check),
    target("piv_memory", sim_card::oracle::check_memory),
    target("pps", card_link::oracle::pps),
    target("reader_orders", scard_rm::oracle::reader_order),
    target("sessions", sessions::check),
    target("t0", card_link::oracle::t0),
    target("t1", card_link::oracle::t1),
    target("t1_line", card_link::oracle::t1_line),
    target("vpcd", vpcd),
];

const fn target(name: &'static str, oracle: fn(&[u8])) -> Target {
    Target { name, oracle }
}

/// Asks the oracle of that name.
///
/// # Panics
/// If a promise is broken, or there is no such target.
pub fn ask(name: &str, input: &[u8]) {
    match TARGETS.iter().find(|target| target.name == name) {
        Some(target) => (target.oracle)(input),
        None => panic!("no target is called {name}"),
    }
}

/// The first byte says how the stream of the rest is cut.
fn vpcd(input: &[u8]) {
    if let Some((cut, stream)) = input.split_first() {
        reader_vpcd::message::check(stream, usize::from(*cut));
    }
}
