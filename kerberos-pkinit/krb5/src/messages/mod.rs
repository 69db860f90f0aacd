//! The messages of RFC 4120, and what later standards put into them.
//!
//! Where a checksum or a key derivation goes over bytes that were sent ([`KdcReqBody`], [`KdcReq`], [`Ticket`]), those
//! bytes are kept: nothing is written a second time.

mod ap_req;
mod encrypted;
mod flags;
mod kdc_rep;
mod kdc_req;
mod krb_error;
mod pa_data;
mod ticket;

pub use ap_req::{ApReq, Authenticator, Checksum};
pub use encrypted::{EncryptedData, read_key, write_key};
pub use flags::{KdcOptions, TicketFlags};
pub use kdc_rep::{EncKdcRepPart, KdcRep, LastRequest};
pub use kdc_req::{KdcReq, KdcReqBody};
pub use krb_error::{ErrorCode, KrbError};
pub use pa_data::{EtypeInfo, PaData, PaType, read_method_data, write_method_data};
pub use ticket::{AuthorizationData, EncTicketPart, Ticket};

/// The version of the protocol, in every message.
const PVNO: i32 = 5;

/// Which of two like messages it is. The number is that of the request; the reply's is one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// AS-REQ and AS-REP: with the authentication service, for the first ticket.
    As,
    /// TGS-REQ and TGS-REP: with the ticket-granting service, for every other.
    Tgs,
}

impl Exchange {
    const fn request(self) -> u8 {
        match self {
            Self::As => 10,
            Self::Tgs => 12,
        }
    }

    const fn reply(self) -> u8 {
        match self {
            Self::As => 11,
            Self::Tgs => 13,
        }
    }
}

use crate::der::{DerError, Reader, Result, context};

/// `pvno` and `msg-type` under these context tags, which must be the ones expected.
fn head(message: &mut Reader<'_>, first: u8, msg_type: u8) -> Result<()> {
    let pvno = message.within(context(first), Reader::int32)?;
    let got = message.within(context(first.wrapping_add(1)), Reader::int32)?;
    if pvno == PVNO && got == i32::from(msg_type) { Ok(()) } else { Err(DerError::Value) }
}
