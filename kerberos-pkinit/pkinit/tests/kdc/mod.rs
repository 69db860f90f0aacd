//! A KDC for the tests, as small as it can be, which lies on request.
#![allow(unreachable_pub, reason = "shared by test files")]

use krb5_words::crypto::{EncryptionType, Key, KeyUsage};
use krb5_words::der::{OBJECT_IDENTIFIER, Reader, SET, context};
use krb5_words::messages::{
    Checksum, EncKdcRepPart, EncryptedData, ErrorCode, Exchange, KdcRep, KdcReq, KdcReqBody,
    KrbError, PaData, PaType, Ticket, TicketFlags, write_method_data,
};
use krb5_words::{KerberosTime, NameType, Principal, PrincipalName, Realm};
use pkinit::cms::{ContentType, SignedData, Unsigned};
use pkinit::groups::{Ephemeral, Group};
use pkinit::kdf::{Binding, Kdf, derive, octet_string_to_key};
use pkinit::messages::{
    AuthPack, DhRepInfo, KdcDhKeyInfo, PaPkAsRep, PaPkAsReq, TypedData, write_dh_parameters,
    write_typed_data,
};
use pkinit::signature::{Hash, SignatureAlgorithm};

use crate::pki::{
    self, KP_KDC, NOW, Template, TestKey, ca, der, key_usage, names, principal_name, purposes,
};

pub const REALM: &str = "EXAMPLE.ORG";
const TOKEN: &[u8] = b"fresh";
const COOKIE: &[u8] = b"cookie";

/// What the KDC does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    SignedNonce,
    ForeignSignature,
    ContentType,
    NoSigner,
    PublicOne,
    DhKeyExpired,
    EncKeyPack,
    NoPkAsRep,
    Kdf,
    UnknownKdf,
    Etype,
    ReplyKey,
    Nonce,
    ClientRealm,
    ClientName,
    TicketService,
    TicketRealm,
    Service,
    ServiceRealm,
    AuthTime,
    StartTime,
    EndTime,
    EndsNow,
    NoChecksum,
    OtherChecksum,
}

pub struct Kdc {
    pub key: TestKey,
    pub certificate: Template,
    pub realm: Realm,
    pub clock: KerberosTime,
    pub groups: Vec<Group>,
    pub kdf: Option<Kdf>,
    pub algorithm: Option<SignatureAlgorithm>,
    /// Whether it knows of freshness tokens and cookies.
    pub is_new: bool,
    pub lie: Option<Lie>,
    /// Errors that it gives before anything else, the next one last.
    pub errors: Vec<KrbError>,
}

pub fn root_key() -> TestKey {
    TestKey::p256(1)
}

/// The root of everybody.
pub fn root() -> Vec<u8> {
    Template::new("Root", vec![ca(None), key_usage(0x06)]).self_signed(&root_key())
}

fn issuing_key() -> TestKey {
    TestKey::p256(2)
}

fn issuing() -> Vec<u8> {
    let template = Template::new("Issuing", vec![ca(Some(0)), key_usage(0x06)]);
    template.issue(&issuing_key(), "Root", &root_key())
}

impl Kdc {
    pub fn new(key: TestKey) -> Self {
        let san = names(&[principal_name(REALM, &["krbtgt", REALM])]);
        Self {
            key,
            certificate: Template::new("kdc", vec![san, purposes(&[KP_KDC])]),
            realm: Realm::new(REALM).unwrap(),
            clock: NOW,
            groups: Group::ALL.to_vec(),
            kdf: Some(Kdf::Sha256),
            algorithm: None,
            is_new: true,
            lie: None,
            errors: Vec::new(),
        }
    }

    pub fn error(&self, code: ErrorCode, data: Option<Vec<u8>>) -> KrbError {
        KrbError {
            ctime: None,
            stime: self.clock,
            susec: 0,
            code,
            crealm: None,
            cname: None,
            realm: self.realm.clone(),
            sname: PrincipalName::krbtgt(&self.realm),
            text: None,
            data,
        }
    }

    fn lies(&self, lie: Lie) -> bool {
        self.lie == Some(lie)
    }

    pub fn answer(&mut self, bytes: &[u8]) -> Vec<u8> {
        if let Some(error) = self.errors.pop() {
            return error.to_der();
        }
        let (request, body) = KdcReq::from_der(bytes).unwrap();
        assert_eq!(body.realm, self.realm);
        let Some(proof) = PaData::find(&request.pa_data, PaType::PK_AS_REQ) else {
            assert_eq!(PaData::find(&request.pa_data, PaType::AS_FRESHNESS), Some(&[][..]));
            let mut offer = vec![PaData::new(PaType::PK_AS_REQ, [])];
            if self.is_new {
                offer.push(PaData::new(PaType::AS_FRESHNESS, TOKEN));
                offer.push(PaData::new(PaType::FX_COOKIE, COOKIE));
            }
            let data = write_method_data(&offer);
            return self.error(ErrorCode::PREAUTH_REQUIRED, Some(data)).to_der();
        };
        let cookie = PaData::find(&request.pa_data, PaType::FX_COOKIE);
        assert_eq!(cookie, self.is_new.then_some(COOKIE));
        let proof = PaPkAsReq::from_der(proof).unwrap();
        let signed = SignedData::from_der(&proof.signed_auth_pack).unwrap();
        signed.verify(ContentType::AuthData).unwrap();
        let pack = AuthPack::from_der(signed.content).unwrap();
        let authenticator = &pack.authenticator;
        assert_eq!(authenticator.checksum, Some(Hash::Sha1.digest(&request.body)));
        assert_eq!(authenticator.freshness_token.as_deref(), self.is_new.then_some(TOKEN));
        if authenticator.ctime.distance(self.clock) > 300 {
            return self.error(ErrorCode::CLOCK_SKEW, None).to_der();
        }
        let mut public = Reader::new(pack.client_public_value.as_deref().unwrap());
        let (group, public) = public
            .sequence(|info| Ok((Group::read_algorithm(info)?.unwrap(), info.bits()?)))
            .unwrap();
        if !self.groups.contains(&group) {
            let value = write_dh_parameters(&self.groups);
            let data = [TypedData { data_type: TypedData::DH_PARAMETERS, value }];
            let data = Some(write_typed_data(&data));
            return self.error(ErrorCode::DH_PARAMETERS_NOT_ACCEPTED, data).to_der();
        }
        let ephemeral = Ephemeral::new(group, &[0x5A; 64]).unwrap();
        let secret = ephemeral.agree(public).unwrap();
        let pk_as_rep = self.pk_as_rep(&ephemeral, authenticator.nonce);
        let etype = body.etypes.iter().find_map(|etype| EncryptionType::from_number(*etype));
        let etype = if self.lies(Lie::Etype) { EncryptionType::Aes128Sha1 } else { etype.unwrap() };
        let service =
            Principal { name: PrincipalName::krbtgt(&self.realm), realm: self.realm.clone() };
        let key = match self.kdf {
            Some(kdf) if pack.supported_kdfs.contains(&kdf) => {
                let client =
                    Principal { name: body.cname.clone().unwrap(), realm: body.realm.clone() };
                let binding = Binding {
                    client: &client,
                    server: &service,
                    as_req: bytes,
                    pk_as_rep: &pk_as_rep,
                };
                derive(kdf, etype, &secret, &binding)
            }
            _ => octet_string_to_key(etype, &secret, None),
        };
        self.as_rep(bytes, &body, &key.unwrap(), pk_as_rep)
    }

    fn pk_as_rep(&self, ephemeral: &Ephemeral, nonce: u32) -> Vec<u8> {
        if self.lies(Lie::EncKeyPack) {
            return PaPkAsRep::EncKeyPack(vec![0x30, 0]).to_der();
        }
        let info = KdcDhKeyInfo {
            public_key: match self.lie {
                Some(Lie::PublicOne) => vec![2, 1, 1],
                _ => ephemeral.public().to_vec(),
            },
            nonce: if self.lies(Lie::SignedNonce) { nonce ^ 1 } else { nonce },
            key_expiration: self.lies(Lie::DhKeyExpired).then(|| self.clock.plus(-301)),
        };
        let kdf = match self.lie {
            Some(Lie::Kdf) => Some(Some(Kdf::Sha1)),
            _ => self.kdf.map(Some),
        };
        let signed_data = self.sign(info.to_der());
        let mut bytes =
            PaPkAsRep::DhInfo(DhRepInfo { signed_data, server_dh_nonce: None, kdf }).to_der();
        if self.lies(Lie::UnknownKdf) {
            *bytes.last_mut().unwrap() = 99;
        }
        bytes
    }

    fn sign(&self, content: Vec<u8>) -> Vec<u8> {
        let certificate = self.certificate.issue(&self.key, "Issuing", &issuing_key());
        let algorithm = self.algorithm.unwrap_or_else(|| self.key.algorithm());
        let content_type = match self.lie {
            Some(Lie::ContentType) => ContentType::AuthData,
            _ => ContentType::DhKeyData,
        };
        if self.lies(Lie::NoSigner) {
            return unsigned(&content);
        }
        let data =
            Unsigned::new(content_type, content, &certificate, &[issuing()], algorithm).unwrap();
        let foreign = match &self.key {
            TestKey::Rsa(_) => TestKey::rsa(2),
            TestKey::P256(_) => TestKey::p256(77),
            TestKey::P384(_) => TestKey::p384(77),
        };
        let key = if self.lies(Lie::ForeignSignature) { &foreign } else { &self.key };
        let signature = key.sign(algorithm, data.to_be_signed());
        data.sign(&signature)
    }

    fn as_rep(&self, request: &[u8], body: &KdcReqBody, key: &Key, pk_as_rep: Vec<u8>) -> Vec<u8> {
        let realm = |lie, good: &Realm| {
            if self.lies(lie) { Realm::new("OTHER.ORG").unwrap() } else { good.clone() }
        };
        let name = |lie, good: PrincipalName| match self.lies(lie) {
            true => PrincipalName::new(NameType::PRINCIPAL, &["mallory"]),
            false => good,
        };
        let krbtgt = || PrincipalName::krbtgt(&self.realm);
        let seen = if self.lies(Lie::OtherChecksum) { b"another" } else { request };
        let mut checksum = krb5_words::der::Writer::new();
        Checksum::of(key, KeyUsage::AS_REQ_CHECKSUM, seen).write(&mut checksum);
        let checksum = PaData::new(PaType::REQ_ENC_PA_REP, checksum.into_bytes());
        let late = |lie| if self.lies(lie) { self.clock.plus(-400) } else { self.clock };
        let part = EncKdcRepPart {
            key: Key::new(EncryptionType::Aes256Sha1, &[9; 32]).unwrap(),
            last_requests: vec![(0, self.clock)],
            nonce: if self.lies(Lie::Nonce) { body.nonce ^ 1 } else { body.nonce },
            key_expiration: None,
            flags: TicketFlags::INITIAL.with(TicketFlags::ENC_PA_REP),
            authtime: late(Lie::AuthTime),
            starttime: Some(late(Lie::StartTime)),
            endtime: match self.lie {
                Some(Lie::EndTime) => body.till.plus(1),
                Some(Lie::EndsNow) => self.clock,
                _ => body.till,
            },
            renew_till: None,
            srealm: realm(Lie::ServiceRealm, &self.realm),
            sname: name(Lie::Service, krbtgt()),
            encrypted_pa_data: if self.lies(Lie::NoChecksum) { vec![] } else { vec![checksum] },
        };
        let other = Key::new(key.etype(), &vec![1; key.etype().key_bytes()]).unwrap();
        let seal = if self.lies(Lie::ReplyKey) { &other } else { key };
        let pa_data = match self.lies(Lie::NoPkAsRep) {
            true => vec![],
            false => vec![PaData::new(PaType::PK_AS_REP, pk_as_rep)],
        };
        let secret = EncryptedData { etype: 18, kvno: Some(1), cipher: vec![7; 64] };
        KdcRep {
            exchange: Exchange::As,
            pa_data,
            crealm: realm(Lie::ClientRealm, &body.realm),
            cname: name(Lie::ClientName, body.cname.clone().unwrap()),
            ticket: Ticket::new(
                realm(Lie::TicketRealm, &self.realm),
                name(Lie::TicketService, krbtgt()),
                secret,
            ),
            enc_part: EncryptedData::seal(
                seal,
                KeyUsage::AS_REP,
                [3; 16],
                &part.to_der(Exchange::As),
            ),
        }
        .to_der()
    }
}

/// The anonymous form: content that nobody signed.
fn unsigned(content: &[u8]) -> Vec<u8> {
    der(|writer| {
        writer.sequence(|info| {
            let oid = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
            info.element(OBJECT_IDENTIFIER, &oid);
            info.within(context(0), |inner| {
                inner.sequence(|data| {
                    data.integer(3);
                    data.within(SET, |_| {});
                    data.sequence(|inner| {
                        inner.element(OBJECT_IDENTIFIER, &ContentType::DhKeyData.oid());
                        inner.within(context(0), |field| field.octets(content));
                    });
                    data.within(SET, |_| {});
                });
            });
        });
    })
}

/// A user's certificate.
pub fn user(key: &TestKey) -> Vec<u8> {
    let san = names(&[principal_name(REALM, &["alice"])]);
    let extensions = vec![san, purposes(&[pki::CLIENT_AUTH])];
    Template::new("alice", extensions).issue(key, "Issuing", &issuing_key())
}
