//! AS-REP and TGS-REP, RFC 4120, 5.4.2.

use alloc::vec::Vec;

use super::encrypted::{EncryptedData, read_key, write_key};
use super::flags::TicketFlags;
use super::pa_data::PaData;
use super::ticket::Ticket;
use super::{Exchange, PVNO, head};
use crate::crypto::Key;
use crate::der::{Reader, Result, Writer, application, context};
use crate::{KerberosTime, PrincipalName, Realm};

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KdcRep {
    /// Which of the two.
    pub exchange: Exchange,
    /// Pre-authentication data.
    pub pa_data: Vec<PaData>,
    /// The realm of the client.
    pub crealm: Realm,
    /// The client.
    pub cname: PrincipalName,
    /// The ticket.
    pub ticket: Ticket,
    /// For the client alone.
    pub enc_part: EncryptedData,
}

impl KdcRep {
    /// Reads a reply to a request of that kind.
    ///
    /// # Errors
    /// [`DerError`](crate::der::DerError).
    pub fn from_der(exchange: Exchange, bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, |reader| {
            reader.within(application(exchange.reply()), |message| {
                message.sequence(|fields| {
                    head(fields, 0, exchange.reply())?;
                    let pa_data =
                        fields.optional(context(2), |field| field.sequence_of(PaData::read))?;
                    Ok(Self {
                        exchange,
                        pa_data: pa_data.unwrap_or_default(),
                        crealm: fields.within(context(3), Realm::read)?,
                        cname: fields.within(context(4), PrincipalName::read)?,
                        ticket: fields.within(context(5), Ticket::read)?,
                        enc_part: fields.within(context(6), EncryptedData::read)?,
                    })
                })
            })
        })
    }

    /// Writes it, as a KDC does.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let number = self.exchange.reply();
        writer.within(application(number), |message| {
            message.sequence(|fields| {
                fields.within(context(0), |field| field.integer(PVNO));
                fields.within(context(1), |field| field.integer(number));
                if !self.pa_data.is_empty() {
                    fields.within(context(2), |field| {
                        field.sequence_of(&self.pa_data, |list, data| data.write(list));
                    });
                }
                fields.within(context(3), |field| self.crealm.write(field));
                fields.within(context(4), |field| self.cname.write(field));
                fields.within(context(5), |field| field.raw(self.ticket.der()));
                fields.within(context(6), |field| self.enc_part.write(field));
            });
        });
        writer.into_bytes()
    }
}

/// One entry of `LastReq`: its type and a time (RFC 4120, 5.4.2).
pub type LastRequest = (i32, KerberosTime);

/// The encrypted part of a reply: what the client is told of its ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncKdcRepPart {
    /// The session key.
    pub key: Key,
    /// When the client last asked, and when its password ends.
    pub last_requests: Vec<LastRequest>,
    /// The number of the request.
    pub nonce: u32,
    /// When the client's key ends (deprecated).
    pub key_expiration: Option<KerberosTime>,
    /// The ticket's flags.
    pub flags: TicketFlags,
    /// When the client proved who it is.
    pub authtime: KerberosTime,
    /// When the ticket begins, if not then.
    pub starttime: Option<KerberosTime>,
    /// When it ends.
    pub endtime: KerberosTime,
    /// Until when it may be renewed.
    pub renew_till: Option<KerberosTime>,
    /// The realm of the service.
    pub srealm: Realm,
    /// The service.
    pub sname: PrincipalName,
    /// Data that only the client sees (RFC 6806, RFC 6113).
    pub encrypted_pa_data: Vec<PaData>,
}

impl EncKdcRepPart {
    /// The tag that it must have in a reply of a kind. In an AS-REP MIT writes that of the TGS-REP, as RFC 4120, 5.4.2
    /// allows.
    const fn number(exchange: Exchange) -> u8 {
        match exchange {
            Exchange::As => 25,
            Exchange::Tgs => 26,
        }
    }

    /// Reads it from what was decrypted.
    ///
    /// # Errors
    /// [`DerError`](crate::der::DerError).
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let tag = match reader.peek() {
            Some(tag) if tag == application(Self::number(Exchange::Tgs)) => tag,
            _ => application(Self::number(Exchange::As)),
        };
        let part = reader.within(tag, |part| {
            part.sequence(|fields| {
                let key = fields.within(context(0), read_key)?;
                let last_requests = fields.within(context(1), |field| {
                    field.sequence_of(|list| {
                        list.sequence(|entry| {
                            let kind = entry.within(context(0), Reader::int32)?;
                            Ok((kind, entry.within(context(1), KerberosTime::read)?))
                        })
                    })
                })?;
                let nonce = fields.within(context(2), Reader::uint32)?;
                let key_expiration = fields.optional(context(3), KerberosTime::read)?;
                let flags = TicketFlags(fields.within(context(4), Reader::flags)?);
                let authtime = fields.within(context(5), KerberosTime::read)?;
                let starttime = fields.optional(context(6), KerberosTime::read)?;
                let endtime = fields.within(context(7), KerberosTime::read)?;
                let renew_till = fields.optional(context(8), KerberosTime::read)?;
                let srealm = fields.within(context(9), Realm::read)?;
                let sname = fields.within(context(10), PrincipalName::read)?;
                // Addresses: of no use to anybody.
                fields.optional(context(11), Reader::skip_extensions)?;
                let encrypted =
                    fields.optional(context(12), |field| field.sequence_of(PaData::read))?;
                fields.skip_extensions()?;
                Ok(Self {
                    key,
                    last_requests,
                    nonce,
                    key_expiration,
                    flags,
                    authtime,
                    starttime,
                    endtime,
                    renew_till,
                    srealm,
                    sname,
                    encrypted_pa_data: encrypted.unwrap_or_default(),
                })
            })
        })?;
        reader.end()?;
        Ok(part)
    }

    /// Writes it, as a KDC does.
    #[must_use]
    pub fn to_der(&self, exchange: Exchange) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.within(application(Self::number(exchange)), |part| {
            part.sequence(|fields| {
                fields.within(context(0), |field| write_key(&self.key, field));
                fields.within(context(1), |field| {
                    field.sequence_of(&self.last_requests, |list, (kind, time)| {
                        list.sequence(|entry| {
                            entry.within(context(0), |field| field.integer(*kind));
                            entry.within(context(1), |field| time.write(field));
                        });
                    });
                });
                fields.within(context(2), |field| field.integer(self.nonce));
                fields.optional(context(3), self.key_expiration, |field, time| time.write(field));
                fields.within(context(4), |field| field.flags(self.flags.0));
                fields.within(context(5), |field| self.authtime.write(field));
                fields.optional(context(6), self.starttime, |field, time| time.write(field));
                fields.within(context(7), |field| self.endtime.write(field));
                fields.optional(context(8), self.renew_till, |field, time| time.write(field));
                fields.within(context(9), |field| self.srealm.write(field));
                fields.within(context(10), |field| self.sname.write(field));
                if !self.encrypted_pa_data.is_empty() {
                    fields.within(context(12), |field| {
                        field.sequence_of(&self.encrypted_pa_data, |list, data| data.write(list));
                    });
                }
            });
        });
        writer.into_bytes()
    }
}
