//! PKINIT (RFC 4556, RFC 5349, RFC 8636, RFC 8070): a ticket for a certificate.
//!
//! Everything is pure: signatures, random bytes, the time and the KDC's answers come in, requests and errors go out. So
//! the same code runs with a PIV card, a PKCS#11 token, a test key, a real KDC and a hostile one.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod certificate;
pub mod chain;
pub mod cms;
pub mod error;
pub mod groups;
pub mod kdc_certificate;
pub mod kdf;
pub mod machine;
pub mod messages;
pub mod signature;
pub mod tgs;
