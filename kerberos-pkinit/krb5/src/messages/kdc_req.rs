//! AS-REQ and TGS-REQ, RFC 4120, 5.4.1.

use alloc::vec::Vec;

use super::encrypted::EncryptedData;
use super::flags::KdcOptions;
use super::pa_data::PaData;
use super::{Exchange, PVNO, head};
use crate::der::{DerError, Reader, Result, Writer, application, context};
use crate::{KerberosTime, PrincipalName, Realm};

/// KDC-REQ-BODY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KdcReqBody {
    /// What the client wants of the ticket.
    pub options: KdcOptions,
    /// The client, in an AS-REQ.
    pub cname: Option<PrincipalName>,
    /// The realm of the KDC.
    pub realm: Realm,
    /// The service.
    pub sname: Option<PrincipalName>,
    /// When the ticket is to begin.
    pub from: Option<KerberosTime>,
    /// When it is to end.
    pub till: KerberosTime,
    /// Until when it may be renewed.
    pub renew_till: Option<KerberosTime>,
    /// A random number that the reply repeats: 31 bits, as old KDCs read it signed.
    pub nonce: u32,
    /// The encryption types that the client takes, the best first.
    pub etypes: Vec<i32>,
    /// In a TGS-REQ: authorization data, encrypted.
    pub authorization_data: Option<EncryptedData>,
}

impl KdcReqBody {
    /// Its DER, over which checksums go.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.sequence(|body| {
            body.within(context(0), |field| field.flags(self.options.0));
            body.optional(context(1), self.cname.as_ref(), |field, name| name.write(field));
            body.within(context(2), |field| self.realm.write(field));
            body.optional(context(3), self.sname.as_ref(), |field, name| name.write(field));
            body.optional(context(4), self.from, |field, time| time.write(field));
            body.within(context(5), |field| self.till.write(field));
            body.optional(context(6), self.renew_till, |field, time| time.write(field));
            body.within(context(7), |field| field.integer(self.nonce));
            body.within(context(8), |field| {
                field.sequence_of(&self.etypes, |list, etype| list.integer(*etype));
            });
            let data = self.authorization_data.as_ref();
            body.optional(context(10), data, |field, data| data.write(field));
        });
        writer.into_bytes()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.sequence(|body| {
            let read = Self {
                options: KdcOptions(body.within(context(0), Reader::flags)?),
                cname: body.optional(context(1), PrincipalName::read)?,
                realm: body.within(context(2), Realm::read)?,
                sname: body.optional(context(3), PrincipalName::read)?,
                from: body.optional(context(4), KerberosTime::read)?,
                till: body.within(context(5), KerberosTime::read)?,
                renew_till: body.optional(context(6), KerberosTime::read)?,
                nonce: body.within(context(7), Reader::uint32)?,
                etypes: body.within(context(8), |field| field.sequence_of(Reader::int32))?,
                authorization_data: {
                    // addresses(9) are of no use to anybody.
                    body.optional(context(9), Reader::skip_extensions)?;
                    body.optional(context(10), EncryptedData::read)?
                },
            };
            body.skip_extensions()?;
            Ok(read)
        })
    }
}

/// A request, around a body whose bytes are fixed already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KdcReq {
    /// Which of the two.
    pub exchange: Exchange,
    /// Pre-authentication data, in order.
    pub pa_data: Vec<PaData>,
    /// The DER of the body.
    pub body: Vec<u8>,
}

impl KdcReq {
    /// The message as it is sent.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let number = self.exchange.request();
        writer.within(application(number), |message| {
            message.sequence(|fields| {
                fields.within(context(1), |field| field.integer(PVNO));
                fields.within(context(2), |field| field.integer(number));
                if !self.pa_data.is_empty() {
                    fields.within(context(3), |field| {
                        field.sequence_of(&self.pa_data, |list, data| data.write(list));
                    });
                }
                fields.within(context(4), |field| field.raw(&self.body));
            });
        });
        writer.into_bytes()
    }

    /// Reads a request, as a KDC does.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn from_der(bytes: &[u8]) -> Result<(Self, KdcReqBody)> {
        let mut reader = Reader::new(bytes);
        let exchange = match reader.peek() {
            Some(tag) if tag == application(Exchange::As.request()) => Exchange::As,
            Some(tag) if tag == application(Exchange::Tgs.request()) => Exchange::Tgs,
            Some(got) => {
                return Err(DerError::Tag { expected: application(Exchange::As.request()), got });
            }
            None => return Err(DerError::Short),
        };
        let request = reader.within(application(exchange.request()), |message| {
            message.sequence(|fields| {
                head(fields, 1, exchange.request())?;
                let pa_data =
                    fields.optional(context(3), |field| field.sequence_of(PaData::read))?;
                let body = fields.value(context(4))?.to_vec();
                Ok(Self { exchange, pa_data: pa_data.unwrap_or_default(), body })
            })
        })?;
        reader.end()?;
        let mut body = Reader::new(&request.body);
        let read = KdcReqBody::read(&mut body)?;
        body.end()?;
        Ok((request, read))
    }
}
