//! Tickets, RFC 4120, 5.3.

use alloc::string::String;
use alloc::vec::Vec;

use super::PVNO;
use super::encrypted::{EncryptedData, read_key, write_key};
use super::flags::TicketFlags;
use crate::crypto::Key;
use crate::der::{DerError, Reader, Result, Writer, application, context};
use crate::{KerberosTime, PrincipalName, Realm};

/// A ticket. A client cannot look into it, and passes it on as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The realm of the service.
    pub realm: Realm,
    /// The service.
    pub sname: PrincipalName,
    /// For the service alone.
    pub enc_part: EncryptedData,
    /// All of it as it came.
    der: Vec<u8>,
}

impl Ticket {
    /// A ticket, as a KDC makes it.
    #[must_use]
    pub fn new(realm: Realm, sname: PrincipalName, enc_part: EncryptedData) -> Self {
        let mut writer = Writer::new();
        writer.within(application(1), |ticket| {
            ticket.sequence(|fields| {
                fields.within(context(0), |field| field.integer(PVNO));
                fields.within(context(1), |field| realm.write(field));
                fields.within(context(2), |field| sname.write(field));
                fields.within(context(3), |field| enc_part.write(field));
            });
        });
        Self { realm, sname, enc_part, der: writer.into_bytes() }
    }

    /// All of it, as it came.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mut ahead = *reader;
        let (_, _, der) = ahead.any()?;
        reader.within(application(1), |ticket| {
            ticket.sequence(|fields| {
                if fields.within(context(0), Reader::int32)? != PVNO {
                    return Err(DerError::Value);
                }
                Ok(Self {
                    realm: fields.within(context(1), Realm::read)?,
                    sname: fields.within(context(2), PrincipalName::read)?,
                    enc_part: fields.within(context(3), EncryptedData::read)?,
                    der: der.to_vec(),
                })
            })
        })
    }

    /// Reads one that is all there is.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, Self::read)
    }
}

/// `AuthorizationData`: elements with their types and bytes.
pub type AuthorizationData = Vec<(i32, Vec<u8>)>;

/// The encrypted part of a ticket: what the service is told of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncTicketPart {
    /// What it may be used for.
    pub flags: TicketFlags,
    /// The session key.
    pub key: Key,
    /// The realm of the client.
    pub crealm: Realm,
    /// The client.
    pub cname: PrincipalName,
    /// The realms on the way: type and contents.
    pub transited: (i32, Vec<u8>),
    /// When the client proved who it is.
    pub authtime: KerberosTime,
    /// When the ticket begins, if not then.
    pub starttime: Option<KerberosTime>,
    /// When it ends.
    pub endtime: KerberosTime,
    /// Until when it may be renewed.
    pub renew_till: Option<KerberosTime>,
    /// What the KDC says of the client's rights (a PAC).
    pub authorization_data: Option<AuthorizationData>,
}

impl EncTicketPart {
    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, |reader| {
            reader.within(application(3), |part| {
                part.sequence(|fields| {
                    let read = Self {
                        flags: TicketFlags(fields.within(context(0), Reader::flags)?),
                        key: fields.within(context(1), read_key)?,
                        crealm: fields.within(context(2), Realm::read)?,
                        cname: fields.within(context(3), PrincipalName::read)?,
                        transited: fields.within(context(4), |field| {
                            field.sequence(|transited| {
                                let kind = transited.within(context(0), Reader::int32)?;
                                let contents = transited.within(context(1), Reader::octets)?;
                                Ok((kind, contents.to_vec()))
                            })
                        })?,
                        authtime: fields.within(context(5), KerberosTime::read)?,
                        starttime: fields.optional(context(6), KerberosTime::read)?,
                        endtime: fields.within(context(7), KerberosTime::read)?,
                        renew_till: fields.optional(context(8), KerberosTime::read)?,
                        authorization_data: {
                            fields.optional(context(9), Reader::skip_extensions)?;
                            fields.optional(context(10), read_authorization_data)?
                        },
                    };
                    fields.skip_extensions()?;
                    Ok(read)
                })
            })
        })
    }

    /// Writes it, as a KDC does.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.within(application(3), |part| {
            part.sequence(|fields| {
                fields.within(context(0), |field| field.flags(self.flags.0));
                fields.within(context(1), |field| write_key(&self.key, field));
                fields.within(context(2), |field| self.crealm.write(field));
                fields.within(context(3), |field| self.cname.write(field));
                fields.within(context(4), |field| {
                    field.sequence(|transited| {
                        transited.within(context(0), |field| field.integer(self.transited.0));
                        transited.within(context(1), |field| field.octets(&self.transited.1));
                    });
                });
                fields.within(context(5), |field| self.authtime.write(field));
                fields.optional(context(6), self.starttime, |field, time| time.write(field));
                fields.within(context(7), |field| self.endtime.write(field));
                fields.optional(context(8), self.renew_till, |field, time| time.write(field));
                let data = self.authorization_data.as_ref();
                fields.optional(context(10), data, |field, data| {
                    write_authorization_data(data, field);
                });
            });
        });
        writer.into_bytes()
    }
}

fn read_authorization_data(reader: &mut Reader<'_>) -> Result<AuthorizationData> {
    reader.sequence_of(|list| {
        list.sequence(|element| {
            let kind = element.within(context(0), Reader::int32)?;
            let data = element.within(context(1), Reader::octets)?;
            Ok((kind, data.to_vec()))
        })
    })
}

fn write_authorization_data(data: &AuthorizationData, writer: &mut Writer) {
    writer.sequence_of(data, |list, (kind, bytes)| {
        list.sequence(|element| {
            element.within(context(0), |field| field.integer(*kind));
            element.within(context(1), |field| field.octets(bytes));
        });
    });
}

impl EncTicketPart {
    /// AD-IF-RELEVANT, RFC 4120, 5.2.6.1.
    pub const AD_IF_RELEVANT: i32 = 1;
    /// AD-WIN2K-PAC, MS-PAC.
    pub const AD_WIN2K_PAC: i32 = 128;

    /// The PAC, wrapped once in AD-IF-RELEVANT as every KDC does it.
    #[must_use]
    pub fn pac(&self) -> Option<Vec<u8>> {
        let outer = self.authorization_data.as_ref()?;
        outer.iter().filter(|(kind, _)| *kind == Self::AD_IF_RELEVANT).find_map(|(_, bytes)| {
            let mut reader = Reader::new(bytes);
            let inner = read_authorization_data(&mut reader).ok()?;
            let pac = inner.into_iter().find(|(kind, _)| *kind == Self::AD_WIN2K_PAC)?;
            Some(pac.1)
        })
    }

    /// Whom the ticket speaks of, as text.
    #[must_use]
    pub fn client(&self) -> String {
        alloc::format!("{}@{}", self.cname, self.crealm)
    }
}
