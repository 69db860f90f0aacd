//! A blocking, safe client of the resource manager.
//!
//! Two layers: [`Session`] is one connection, on which any [`Call`](scard_types::call::Call) can be made from any number of threads;
//! [`Context`], [`Card`] and [`Transaction`] are PC/SC as a Rust program likes it. The daemon is ours
//! (`docs/native-wire.md`) or a stock pcscd of pcsc-lite 1.8.9 or later; programs see no difference but speed.
//!
//! When the daemon is restarted, contexts heal and cards do not; see [`Context`] and [`Card`].
//!
//! This crate lives in strangers' processes through the C libraries above it: it starts no thread, installs no signal
//! handler, raises no `SIGPIPE`, leaks no descriptor to child processes, and reads the environment in one function
//! ([`Endpoint::from_environment`]). It does not survive `fork`: a child must not use what its parent opened, and must
//! forget its contexts and cards instead of dropping them; [`Session::owner_pid`] tells whose a session is.
//!
//! ```no_run
//! use scard_client::{Context, Disposition, Protocols, ShareMode};
//!
//! # fn main() -> Result<(), scard_client::ScardCode> {
//! let context = Context::establish()?;
//! for reader in context.readers()? {
//!     let mut card = context.connect(reader.as_str(), ShareMode::Shared, Protocols::ANY)?;
//!     let transaction = card.transaction()?;
//!     let answer = transaction.transmit(&[0x00, 0xA4, 0x04, 0x00])?;
//!     println!("{reader}: {} bytes", answer.len());
//!     transaction.end(Disposition::Leave)?;
//! }
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod card;
mod context;
mod endpoint;
mod fallback;
mod healing;
mod native;
mod session;
mod socket;
mod status_changes;

pub use card::{Card, Transaction};
pub use context::Context;
pub use endpoint::{DEFAULT_SOCKET, Endpoint};
pub use scard_types::call::{KnownReader, ReaderEntry, SeenReader};
pub use scard_types::{
    Atr, Disposition, Protocol, Protocols, ReaderName, ScardCode, SecretBytes, ShareMode,
    status_change,
};
pub use session::Session;
