//! What is checked on the reply, in order: nothing is done with a part before what guards it holds.

use krb5_words::ccache::Credential;
use krb5_words::crypto::{EncryptionType, Key, KeyUsage};
use krb5_words::der::{DerError, Reader};
use krb5_words::messages::{
    Checksum, EncKdcRepPart, Exchange, KdcOptions, KdcRep, PaData, PaType, TicketFlags,
};
use krb5_words::{KerberosTime, Principal};

use super::request::Requested;
use super::{Machine, Moment, Outcome};
use crate::cms::{ContentType, SignedData, Verified};
use crate::error::{Field, Part, PkinitError};
use crate::kdc_certificate::{self, Identity};
use crate::kdf::{Binding, Kdf, derive, octet_string_to_key};
use crate::messages::{DhRepInfo, KdcDhKeyInfo, PaPkAsRep};
use crate::signature::Hash;
use crate::{certificate, chain};

/// How far two clocks may be apart, in seconds.
const CLOCK_SKEW: i64 = 300;

impl Machine {
    /// Checks the reply to a request.
    pub(super) fn check(
        &self,
        requested: &Requested,
        reply: &[u8],
        moment: &Moment,
    ) -> Result<Outcome, PkinitError> {
        let broken = |part| move |error: DerError| PkinitError::Encoding(part, error);
        let kdc_time = moment.now.plus(self.clock_offset);

        let reply = KdcRep::from_der(Exchange::As, reply).map_err(broken(Part::AsRep))?;
        let pk_as_rep =
            PaData::find(&reply.pa_data, PaType::PK_AS_REP).ok_or(PkinitError::NoPkAsRep)?;
        let PaPkAsRep::DhInfo(info) =
            PaPkAsRep::from_der(pk_as_rep).map_err(broken(Part::PaPkAsRep))?
        else {
            return Err(PkinitError::EncKeyPack);
        };

        let signed = SignedData::from_der(&info.signed_data).map_err(PkinitError::Cms)?;
        let verified = signed.verify(ContentType::DhKeyData).map_err(PkinitError::Cms)?;
        if verified.algorithm.hash() == Hash::Sha1 && !self.policy.sha1_signature {
            return Err(PkinitError::Sha1Signature);
        }
        let kdc = self.check_signer(&signed, &verified, moment.now)?;

        let half = KdcDhKeyInfo::from_der(signed.content).map_err(broken(Part::DhKeyInfo))?;
        if half.nonce != requested.nonce {
            let (expected, got) = (requested.nonce, half.nonce);
            return Err(PkinitError::SignedNonce { expected, got });
        }
        if let Some(end) = half.key_expiration.filter(|end| end.plus(CLOCK_SKEW) < kdc_time) {
            return Err(PkinitError::DhKeyExpired(end));
        }
        let number = reply.enc_part.etype;
        let etype = EncryptionType::from_number(number)
            .filter(|etype| self.logon.etypes.contains(etype))
            .ok_or(PkinitError::Etype(number))?;
        let key = self.reply_key(requested, &half, &info, pk_as_rep, etype)?;

        let plain =
            reply.enc_part.open(&key, KeyUsage::AS_REP).map_err(|_| PkinitError::ReplyKey)?;
        let part = EncKdcRepPart::from_der(&plain).map_err(broken(Part::EncPart))?;
        self.check_fields(requested, &reply, &part, kdc_time)?;
        check_request(requested, &part, &key)?;

        let client = Principal { name: reply.cname, realm: reply.crealm };
        let credential = Credential::of_a_reply(client, self.service(), &part, &reply.ticket);
        Ok(Outcome {
            credential,
            kdc,
            signature: verified.algorithm,
            group: requested.ephemeral.group(),
            kdf: info.kdf.flatten(),
            clock_offset: self.clock_offset,
        })
    }

    /// The signer leads to an anchor by the host's clock, and is the realm's KDC.
    fn check_signer(
        &self,
        signed: &SignedData<'_>,
        verified: &Verified<'_>,
        now: KerberosTime,
    ) -> Result<Identity, PkinitError> {
        let ours = self.policy.pool.iter().map(Vec::as_slice);
        let pool: Vec<&[u8]> = ours.chain(signed.certificates.iter().copied()).collect();
        let anchors: Vec<&[u8]> = self.policy.anchors.iter().map(Vec::as_slice).collect();
        chain::validate(verified.certificate, &pool, &anchors, now).map_err(PkinitError::Chain)?;
        let certificate = certificate::read(verified.certificate)
            .map_err(|error| PkinitError::Cms(error.into()))?;
        kdc_certificate::check(&certificate, &self.logon.client.realm, &self.policy.kdc)
            .map_err(PkinitError::KdcCertificate)
    }

    fn reply_key(
        &self,
        requested: &Requested,
        half: &KdcDhKeyInfo,
        info: &DhRepInfo,
        pk_as_rep: &[u8],
        etype: EncryptionType,
    ) -> Result<Key, PkinitError> {
        let secret = requested.ephemeral.agree(&half.public_key).map_err(PkinitError::Agreement)?;
        let key = match info.kdf {
            Some(Some(kdf)) if Kdf::OFFERED.contains(&kdf) => {
                let binding = Binding {
                    client: &self.logon.client,
                    server: &self.service(),
                    as_req: &requested.request,
                    pk_as_rep,
                };
                derive(kdf, etype, &secret, &binding)
            }
            Some(other) => return Err(PkinitError::Kdf(other)),
            None if self.policy.octet_string_to_key => {
                let server = info.server_dh_nonce.as_deref();
                octet_string_to_key(etype, &secret, server.map(|server| (&[][..], server)))
            }
            None => return Err(PkinitError::NoKdf),
        };
        key.ok_or(PkinitError::ReplyKey)
    }

    fn check_fields(
        &self,
        requested: &Requested,
        reply: &KdcRep,
        part: &EncKdcRepPart,
        kdc_time: KerberosTime,
    ) -> Result<(), PkinitError> {
        let (client, service) = (&self.logon.client, self.service());
        let may_rename = self.logon.options.has(KdcOptions::CANONICALIZE);
        let is_now = |time: KerberosTime| time.distance(kdc_time) <= CLOCK_SKEW.unsigned_abs();
        let start = part.starttime.unwrap_or(part.authtime);
        for (holds, field) in [
            (part.nonce == requested.nonce, Field::Nonce),
            (reply.crealm == client.realm, Field::ClientRealm),
            (may_rename || reply.cname.is(&client.name), Field::ClientName),
            (
                reply.ticket.realm == service.realm && reply.ticket.sname.is(&service.name),
                Field::TicketService,
            ),
            (part.srealm == service.realm && part.sname.is(&service.name), Field::Service),
            (is_now(part.authtime), Field::AuthTime),
            (is_now(start), Field::StartTime),
            (part.endtime > start.max(kdc_time) && part.endtime <= requested.till, Field::EndTime),
        ] {
            if !holds {
                return Err(PkinitError::Field(field));
            }
        }
        Ok(())
    }
}

/// A KDC that says so has seen the request as we sent it (RFC 6806, 11).
fn check_request(
    requested: &Requested,
    part: &EncKdcRepPart,
    key: &Key,
) -> Result<(), PkinitError> {
    let seen = PaData::find(&part.encrypted_pa_data, PaType::REQ_ENC_PA_REP);
    match seen {
        None if part.flags.has(TicketFlags::ENC_PA_REP) => Err(PkinitError::RequestChanged),
        None => Ok(()),
        Some(bytes) => {
            let mut reader = Reader::new(bytes);
            let checksum = Checksum::read(&mut reader)
                .and_then(|checksum| reader.end().map(|()| checksum))
                .map_err(|error| PkinitError::Encoding(Part::EncPaRep, error))?;
            if checksum.is_of(key, KeyUsage::AS_REQ_CHECKSUM, &requested.request) {
                Ok(())
            } else {
                Err(PkinitError::RequestChanged)
            }
        }
    }
}
