//! The two requests of an exchange: one that asks what the KDC wants, one with the proof.

use krb5_words::PrincipalName;
use krb5_words::crypto::EncryptionType;
use krb5_words::der::Writer;
use krb5_words::messages::{Exchange, KdcReq, KdcReqBody, PaData, PaType};
use krb5_words::{KerberosTime, Principal};

use super::{Machine, Moment};
use crate::cms::{ContentType, Unsigned};
use crate::error::PkinitError;
use crate::groups::Ephemeral;
use crate::kdf::Kdf;
use crate::messages::{AuthPack, Checksum2, PaPkAsReq, PkAuthenticator};
use crate::signature::Hash;

/// A request to which the signature is missing.
pub(super) struct Signing {
    pub(super) unsigned: Unsigned,
    body: Vec<u8>,
    nonce: u32,
    till: KerberosTime,
    ephemeral: Ephemeral,
}

/// A request that was sent, and what the reply is held to.
pub(super) struct Requested {
    /// The bytes that were sent: the reply key is bound to them.
    pub(super) request: Vec<u8>,
    pub(super) nonce: u32,
    pub(super) till: KerberosTime,
    pub(super) ephemeral: Ephemeral,
}

impl Machine {
    /// The service that is asked for: that which gives the other tickets.
    pub(super) fn service(&self) -> Principal {
        let realm = self.logon.client.realm.clone();
        Principal { name: PrincipalName::krbtgt(&realm), realm }
    }

    /// A request without a proof. It says that we know of freshness tokens (RFC 8070, 2.1).
    pub(super) fn first_request(&self, moment: &Moment) -> Result<Vec<u8>, PkinitError> {
        let (body, ..) = self.body(moment)?;
        let pa_data = [PaType::AS_FRESHNESS, PaType::REQ_ENC_PA_REP];
        let pa_data = pa_data.map(|pa_type| PaData::new(pa_type, [])).to_vec();
        Ok(KdcReq { exchange: Exchange::As, pa_data, body }.to_der())
    }

    /// What the key is to sign.
    pub(super) fn signing(&self, moment: &Moment) -> Result<Signing, PkinitError> {
        let (body, nonce, till) = self.body(moment)?;
        let group = self.group.ok_or(PkinitError::Random)?;
        let secret = moment.random.get(4..).unwrap_or_default();
        let ephemeral = Ephemeral::new(group, secret).ok_or(PkinitError::Random)?;
        let mut public = Writer::new();
        ephemeral.write_public_key(&mut public);
        let checksum2 = self
            .policy
            .checksum2
            .then(|| Checksum2 { checksum: Hash::Sha256.digest(&body), hash: Hash::Sha256 });
        let pack = AuthPack {
            authenticator: PkAuthenticator {
                cusec: moment.cusec.min(999_999),
                ctime: moment.now.plus(self.clock_offset),
                // MIT's KDC repeats the nonce of the body, the others this one: it is the same.
                nonce,
                checksum: Some(Hash::Sha1.digest(&body)),
                freshness_token: self.freshness_token.clone(),
                checksum2,
            },
            client_public_value: Some(public.into_bytes()),
            client_dh_nonce: None,
            supported_kdfs: Kdf::OFFERED.to_vec(),
        };
        let unsigned = Unsigned::new(
            ContentType::AuthData,
            pack.to_der(),
            &self.logon.certificate,
            &self.logon.intermediates,
            self.key.own_algorithm(),
        )
        .map_err(|_| PkinitError::OwnCertificate)?;
        Ok(Signing { unsigned, body, nonce, till, ephemeral })
    }

    /// The request with the proof.
    pub(super) fn request(&self, signing: Signing, signature: &[u8]) -> Requested {
        let Signing { unsigned, body, nonce, till, ephemeral } = signing;
        let proof = PaPkAsReq {
            signed_auth_pack: unsigned.sign(signature),
            trusted_certifiers: Vec::new(),
        };
        let mut pa_data = vec![PaData::new(PaType::PK_AS_REQ, proof.to_der())];
        pa_data.extend(self.cookie.as_ref().map(|it| PaData::new(PaType::FX_COOKIE, it.clone())));
        pa_data.push(PaData::new(PaType::REQ_ENC_PA_REP, []));
        let request = KdcReq { exchange: Exchange::As, pa_data, body }.to_der();
        Requested { request, nonce, till, ephemeral }
    }

    /// A body, its nonce, and the end that it asks for.
    fn body(&self, moment: &Moment) -> Result<(Vec<u8>, u32, KerberosTime), PkinitError> {
        let nonce = moment.random.first_chunk::<4>().ok_or(PkinitError::Random)?;
        // 31 bits: old KDCs read it signed.
        let nonce = u32::from_be_bytes(*nonce) & 0x7FFF_FFFF;
        let now = moment.now.plus(self.clock_offset);
        let till = now.plus(self.logon.lifetime.into());
        let body = KdcReqBody {
            options: self.logon.options,
            cname: Some(self.logon.client.name.clone()),
            realm: self.logon.client.realm.clone(),
            sname: Some(self.service().name),
            from: None,
            till,
            renew_till: self.logon.renew_lifetime.map(|seconds| now.plus(seconds.into())),
            nonce,
            etypes: self.logon.etypes.iter().copied().map(EncryptionType::number).collect(),
            authorization_data: None,
        };
        Ok((body.to_der(), nonce, till))
    }
}
