//! Which protocol reader and card agree on.

use alloc::vec::Vec;

use scard_types::{Protocol, Protocols, SlotState};

/// What to agree on: T=1 if it is offered and accepted, else T=0.
pub(crate) fn choose(state: &SlotState, accepted: Protocols) -> Option<Protocol> {
    let offered = offered(state);
    [Protocol::T1, Protocol::T0]
        .into_iter()
        .find(|protocol| accepted.contains(*protocol) && offered.contains(protocol))
}

/// What the card offers, its default first; in specific mode there is nothing to choose (ISO 7816-3:2006, 8.2.3).
pub(crate) fn offered(state: &SlotState) -> Vec<Protocol> {
    let Some(atr) = state.atr() else { return Vec::new() };
    match atr.specific_protocol() {
        Some(protocol) => alloc::vec![protocol],
        None => atr.protocols(),
    }
}
