//! Pre-authentication data, RFC 4120, 5.2.7, and the list of types in use.

use alloc::string::String;
use alloc::vec::Vec;

use crate::der::{Reader, Result, Writer, context};
use crate::name::text;

/// A type of pre-authentication data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaType(pub i32);

impl PaType {
    /// PA-TGS-REQ: the AP-REQ of a TGS-REQ.
    pub const TGS_REQ: Self = Self(1);
    /// PA-ENC-TIMESTAMP: a password's proof.
    pub const ENC_TIMESTAMP: Self = Self(2);
    /// PKINIT of draft 9, not spoken here.
    pub const PK_AS_REQ_OLD: Self = Self(14);
    /// PA-PK-AS-REQ (RFC 4556).
    pub const PK_AS_REQ: Self = Self(16);
    /// PA-PK-AS-REP (RFC 4556).
    pub const PK_AS_REP: Self = Self(17);
    /// PA-PK-OCSP-RESPONSE (RFC 4557).
    pub const PK_OCSP_RESPONSE: Self = Self(18);
    /// PA-ETYPE-INFO2.
    pub const ETYPE_INFO2: Self = Self(19);
    /// PA-PAC-REQUEST (MS-KILE).
    pub const PAC_REQUEST: Self = Self(128);
    /// PA-FX-COOKIE (RFC 6113): to be echoed.
    pub const FX_COOKIE: Self = Self(133);
    /// PA-FX-FAST (RFC 6113).
    pub const FX_FAST: Self = Self(136);
    /// PA-FX-ERROR (RFC 6113).
    pub const FX_ERROR: Self = Self(137);
    /// PA-PKINIT-KX (RFC 6112).
    pub const PKINIT_KX: Self = Self(147);
    /// PA-REQ-ENC-PA-REP (RFC 6806).
    pub const REQ_ENC_PA_REP: Self = Self(149);
    /// PA-AS-FRESHNESS (RFC 8070).
    pub const AS_FRESHNESS: Self = Self(150);
}

/// One piece of pre-authentication data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaData {
    /// What it is.
    pub pa_type: PaType,
    /// What it says; may be empty.
    pub value: Vec<u8>,
}

impl PaData {
    /// A piece.
    #[must_use]
    pub fn new(pa_type: PaType, value: impl Into<Vec<u8>>) -> Self {
        Self { pa_type, value: value.into() }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`](crate::der::DerError).
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.sequence(|data| {
            Ok(Self {
                pa_type: PaType(data.within(context(1), Reader::int32)?),
                value: data.within(context(2), |field| field.octets().map(<[u8]>::to_vec))?,
            })
        })
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        writer.sequence(|data| {
            data.within(context(1), |field| field.integer(self.pa_type.0));
            data.within(context(2), |field| field.octets(&self.value));
        });
    }

    /// The value of the first piece of a type.
    #[must_use]
    pub fn find(list: &[Self], pa_type: PaType) -> Option<&[u8]> {
        list.iter().find(|data| data.pa_type == pa_type).map(|data| data.value.as_slice())
    }
}

/// Reads METHOD-DATA, which stands in the error 25.
///
/// # Errors
/// [`DerError`](crate::der::DerError).
pub fn read_method_data(bytes: &[u8]) -> Result<Vec<PaData>> {
    Reader::whole(bytes, |reader| reader.sequence_of(PaData::read))
}

/// Writes METHOD-DATA.
#[must_use]
pub fn write_method_data(list: &[PaData]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.sequence_of(list, |writer, data| data.write(writer));
    writer.into_bytes()
}

/// An entry of ETYPE-INFO2: how a password becomes a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtypeInfo {
    /// The encryption type, which may be none that we know.
    pub etype: i32,
    /// The salt; absent means the usual one.
    pub salt: Option<String>,
    /// Parameters of string-to-key: four bytes of rounds for AES.
    pub parameters: Option<Vec<u8>>,
}

impl EtypeInfo {
    /// Reads a whole ETYPE-INFO2.
    ///
    /// # Errors
    /// [`DerError`](crate::der::DerError).
    pub fn read_list(bytes: &[u8]) -> Result<Vec<Self>> {
        Reader::whole(bytes, |reader| {
            reader.sequence_of(|list| {
                list.sequence(|entry| {
                    Ok(Self {
                        etype: entry.within(context(0), Reader::int32)?,
                        salt: entry.optional(context(1), text)?,
                        parameters: entry
                            .optional(context(2), |field| field.octets().map(<[u8]>::to_vec))?,
                    })
                })
            })
        })
    }

    /// Writes a whole ETYPE-INFO2.
    #[must_use]
    pub fn write_list(list: &[Self]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.sequence_of(list, |writer, entry| {
            writer.sequence(|fields| {
                fields.within(context(0), |field| field.integer(entry.etype));
                let salt = entry.salt.as_deref();
                fields.optional(context(1), salt, |field, salt| field.string(salt.as_bytes()));
                let parameters = entry.parameters.as_deref();
                fields.optional(context(2), parameters, Writer::octets);
            });
        });
        writer.into_bytes()
    }
}
