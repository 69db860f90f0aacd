//! The messages of PKINIT: RFC 4556, 3.2, with what RFC 8636, RFC 8070 and MS-PKCA put into them.

mod auth_pack;
mod pk_as;
mod principal;
mod typed_data;

pub use auth_pack::{AuthPack, Checksum2, PkAuthenticator};
pub use pk_as::{DhRepInfo, KdcDhKeyInfo, PaPkAsRep, PaPkAsReq, ReplyKeyPack};
pub use principal::{read_principal, write_principal};
pub use typed_data::{
    ExternalPrincipalIdentifier, TypedData, read_algorithms, read_dh_parameters, read_identifiers,
    read_typed_data, write_dh_parameters, write_typed_data,
};
