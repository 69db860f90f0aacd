//! AP-REQ and its authenticator, RFC 4120, 5.5.1: how a ticket is shown.

use alloc::vec::Vec;

use super::encrypted::{EncryptedData, read_key, write_key};
use super::ticket::Ticket;
use super::{PVNO, head};
use crate::crypto::{Key, KeyUsage};
use crate::der::{DerError, Reader, Result, Writer, application, context};
use crate::{KerberosTime, PrincipalName, Realm};

const AP_REQ: u8 = 14;
const AUTHENTICATOR: u8 = 2;

/// A keyed checksum with its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// Its type.
    pub kind: i32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Checksum {
    /// The checksum that belongs to a key.
    #[must_use]
    pub fn of(key: &Key, usage: KeyUsage, data: &[u8]) -> Self {
        Self { kind: key.etype().checksum_number(), bytes: key.checksum(usage, data) }
    }

    /// Whether it is the one that this key makes of the data.
    #[must_use]
    pub fn is_of(&self, key: &Key, usage: KeyUsage, data: &[u8]) -> bool {
        self.kind == key.etype().checksum_number() && key.verify(usage, data, &self.bytes).is_ok()
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.sequence(|fields| {
            Ok(Self {
                kind: fields.within(context(0), Reader::int32)?,
                bytes: fields.within(context(1), |field| field.octets().map(<[u8]>::to_vec))?,
            })
        })
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        writer.sequence(|fields| {
            fields.within(context(0), |field| field.integer(self.kind));
            fields.within(context(1), |field| field.octets(&self.bytes));
        });
    }
}

/// An authenticator: the proof that whoever shows the ticket has its session key, now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticator {
    /// The realm of the client.
    pub crealm: Realm,
    /// The client.
    pub cname: PrincipalName,
    /// What it is bound to.
    pub checksum: Option<Checksum>,
    /// Microseconds, 0 to 999,999.
    pub cusec: u32,
    /// The time.
    pub ctime: KerberosTime,
    /// A key for this exchange only.
    pub subkey: Option<Key>,
    /// Where counting begins.
    pub seq_number: Option<u32>,
}

impl Authenticator {
    /// Its DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.within(application(AUTHENTICATOR), |message| {
            message.sequence(|fields| {
                fields.within(context(0), |field| field.integer(PVNO));
                fields.within(context(1), |field| self.crealm.write(field));
                fields.within(context(2), |field| self.cname.write(field));
                let checksum = self.checksum.as_ref();
                fields.optional(context(3), checksum, |field, checksum| checksum.write(field));
                fields.within(context(4), |field| field.integer(self.cusec));
                fields.within(context(5), |field| self.ctime.write(field));
                let subkey = self.subkey.as_ref();
                fields.optional(context(6), subkey, |field, key| write_key(key, field));
                fields.optional(context(7), self.seq_number, Writer::integer);
            });
        });
        writer.into_bytes()
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, |reader| {
            reader.within(application(AUTHENTICATOR), |message| {
                message.sequence(|fields| {
                    if fields.within(context(0), Reader::int32)? != PVNO {
                        return Err(DerError::Value);
                    }
                    let read = Self {
                        crealm: fields.within(context(1), Realm::read)?,
                        cname: fields.within(context(2), PrincipalName::read)?,
                        checksum: fields.optional(context(3), Checksum::read)?,
                        cusec: fields.within(context(4), Reader::uint32)?,
                        ctime: fields.within(context(5), KerberosTime::read)?,
                        subkey: fields.optional(context(6), read_key)?,
                        seq_number: fields.optional(context(7), Reader::uint32)?,
                    };
                    fields.skip_extensions()?;
                    Ok(read)
                })
            })
        })
    }
}

/// A ticket with an authenticator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApReq {
    /// 32 bits, the first of them highest: use-session-key(1), mutual-required(2).
    pub options: u32,
    /// The ticket.
    pub ticket: Ticket,
    /// The authenticator, encrypted with the ticket's session key.
    pub authenticator: EncryptedData,
}

impl ApReq {
    /// Its DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.within(application(AP_REQ), |message| {
            message.sequence(|fields| {
                fields.within(context(0), |field| field.integer(PVNO));
                fields.within(context(1), |field| field.integer(AP_REQ));
                fields.within(context(2), |field| field.flags(self.options));
                fields.within(context(3), |field| field.raw(self.ticket.der()));
                fields.within(context(4), |field| self.authenticator.write(field));
            });
        });
        writer.into_bytes()
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, |reader| {
            reader.within(application(AP_REQ), |message| {
                message.sequence(|fields| {
                    head(fields, 0, AP_REQ)?;
                    Ok(Self {
                        options: fields.within(context(2), Reader::flags)?,
                        ticket: fields.within(context(3), Ticket::read)?,
                        authenticator: fields.within(context(4), EncryptedData::read)?,
                    })
                })
            })
        })
    }
}
