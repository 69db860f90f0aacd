//! pcsc-lite's C ABI: `libpcsclite.so.1`.
//!
//! Eighteen `SCard*` calls, `pcsc_stringify_error` and three constants, in the shapes and numbers of pcsc-lite on
//! this machine. Each call checks its arguments in pcsc-lite's order, finds its context or card in a table of this
//! process ([`scard_guest`]) and asks the resource manager through [`scard_client`]. One context is one connection at a time:
//! it outlives the resource manager, and a card handle does not.
//!
//! The library lives in strangers' processes: it starts no thread, installs no handler, keeps no lock while a call
//! waits, lets no unwind out (`edge`), and works after a fork ([`scard_guest`]). Nothing in it runs at exit, and no
//! thread-local value has a destructor, so that it can be unloaded.
//!
//! What it does otherwise than pcsc-lite is marked `DIFFERS:`.
#![expect(
    non_snake_case,
    reason = "functions and parameters carry the names of pcsc-lite's headers"
)]
#![expect(unreachable_pub, reason = "what is public is called from C")]

mod attributes;
mod codes;
mod connecting;
mod contexts;
mod control;
mod edge;
mod memory;
mod readers;
mod status;
mod status_change;
mod texts;
mod transactions;
mod transmit;
mod types;
