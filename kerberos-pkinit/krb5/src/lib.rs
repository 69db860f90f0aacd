//! The words of Kerberos: what stands in its messages, files and configuration, as bytes and as values.
//!
//! Everything here is pure: no clock, no file, no socket, no chance. Random bytes and the time come in as arguments.
//! Messages are RFC 4120's, encryption types those of RFC 3962 and RFC 8009, files those that MIT, Heimdal and
//! sssd share.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

extern crate alloc;

mod binary;
pub mod ccache;
pub mod conf;
pub mod crypto;
pub mod der;
pub mod keytab;
pub mod messages;
mod name;
mod time;

pub use binary::FileError;
pub use name::{NameType, Principal, PrincipalError, PrincipalName, Realm};
pub use time::KerberosTime;
