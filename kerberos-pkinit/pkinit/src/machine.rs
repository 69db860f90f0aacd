//! The AS exchange (RFC 4120, 3.1, with RFC 4556) as a machine: an event in, the next action out.
//!
//! ```text
//! start -> SendToKdc -> reply: 25 -> Sign -> signed -> SendToKdc -> reply: AS-REP -> Done
//!                       reply: 68 -> Refer -> referred -> SendToKdc ...
//!                                            reply: 65, 37, 90 -> once more, each once
//! ```
//!
//! Nothing in a KRB-ERROR is authenticated. So an error may cost another round, and it may choose among what the
//! policy allows anyway; it never lowers anything.

mod reply;
mod request;

use krb5_words::ccache::Credential;
use krb5_words::crypto::EncryptionType;
use krb5_words::messages::{ErrorCode, KdcOptions, KrbError, PaData, PaType, read_method_data};
use krb5_words::{KerberosTime, Principal, Realm};
use zeroize::Zeroizing;

use crate::certificate;
use crate::error::{Part, PkinitError};
use crate::groups::Group;
use crate::kdc_certificate::{Identity, KdcPolicy};
use crate::kdf::Kdf;
use crate::messages::{TypedData, read_dh_parameters, read_typed_data};
use crate::signature::{PublicKey, SignatureAlgorithm};
use request::{Requested, Signing};

/// How many random bytes each event brings: a nonce, and the largest secret of a group.
pub const RANDOM_BYTES: usize = 64;
/// How often a KDC may send us on.
const MAX_REFERRALS: usize = 5;

/// Who wants which ticket.
#[derive(Clone, Debug)]
pub struct Logon {
    /// The client, in the realm whose KDC is asked first.
    pub client: Principal,
    /// Its certificate.
    pub certificate: Vec<u8>,
    /// What leads from it to an anchor of the KDC's, as far as we have it.
    pub intermediates: Vec<Vec<u8>>,
    /// What is wanted of the ticket. [`KdcOptions::CANONICALIZE`] lets the KDC change the name and refer us.
    pub options: KdcOptions,
    /// For how many seconds.
    pub lifetime: u32,
    /// For how many seconds it may be renewed, if at all.
    pub renew_lifetime: Option<u32>,
    /// The encryption types, the best first.
    pub etypes: Vec<EncryptionType>,
}

/// What is believed in a realm.
#[derive(Clone, Debug)]
pub struct RealmPolicy {
    /// Certificates that are believed: `pkinit_anchors`.
    pub anchors: Vec<Vec<u8>>,
    /// Certificates that may stand between: `pkinit_pool`.
    pub pool: Vec<Vec<u8>>,
    /// What makes a certificate the KDC's.
    pub kdc: KdcPolicy,
    /// The groups that will do; the first is tried first. No error of a KDC leads to another.
    pub groups: Vec<Group>,
    /// Whether the signature over the reply, and nothing else, may be made with SHA-1.
    pub sha1_signature: bool,
    /// Whether the reply key may be derived as RFC 4556 does it, with SHA-1, if the KDC knows nothing newer.
    pub octet_string_to_key: bool,
    /// Whether the request has paChecksum2 of MS-PKCA too, with which Heimdal 7 takes another way to the reply key.
    pub checksum2: bool,
}

impl RealmPolicy {
    /// The defaults, with these anchors.
    #[must_use]
    pub fn with_anchors(anchors: Vec<Vec<u8>>) -> Self {
        Self {
            anchors,
            pool: Vec::new(),
            kdc: KdcPolicy::default(),
            groups: Group::ALL.to_vec(),
            sha1_signature: true,
            octet_string_to_key: true,
            checksum2: false,
        }
    }
}

/// What an event brings along: the time, and chance.
pub struct Moment {
    /// The host's time.
    pub now: KerberosTime,
    /// Its microseconds.
    pub cusec: u32,
    /// Random bytes, new for each event.
    pub random: Zeroizing<[u8; RANDOM_BYTES]>,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Action {
    /// Bring the request to a KDC of the realm, and its answer to [`Machine::reply`].
    SendToKdc {
        /// The realm.
        realm: Realm,
        /// The message, without the length that stands before it on TCP.
        request: Vec<u8>,
        /// Whether only TCP will do.
        tcp_only: bool,
    },
    /// Have the certificate's key sign, and bring the signature to [`Machine::signed`].
    Sign {
        /// How.
        algorithm: SignatureAlgorithm,
        /// What, before it is digested.
        message: Vec<u8>,
    },
    /// Find what is believed in another realm, and bring it to [`Machine::referred`].
    Refer {
        /// The realm.
        realm: Realm,
    },
    /// There is a ticket.
    Done(Box<Outcome>),
}

/// A ticket, and how it was got.
#[derive(Debug)]
pub struct Outcome {
    /// The ticket and its session key.
    pub credential: Credential,
    /// What made the certificate the KDC's.
    pub kdc: Identity,
    /// How the KDC signed: SHA-1 is to be logged.
    pub signature: SignatureAlgorithm,
    /// The group of the agreement.
    pub group: Group,
    /// The key derivation function of RFC 8636; `None` for the old one.
    pub kdf: Option<Kdf>,
    /// The KDC's clock less ours, in seconds, if that was needed.
    pub clock_offset: i64,
}

/// The exchange.
pub struct Machine {
    logon: Logon,
    policy: RealmPolicy,
    key: PublicKey,
    state: State,
    /// What the KDC gave with the error 25, to be given back.
    freshness_token: Option<Vec<u8>>,
    cookie: Option<Vec<u8>>,
    group: Option<Group>,
    clock_offset: i64,
    tcp_only: bool,
    realms: Vec<Realm>,
    /// Errors that had their one more try.
    retried: Vec<ErrorCode>,
}

enum State {
    Asked { request: Vec<u8> },
    Signing(Box<Signing>),
    Requested(Box<Requested>),
    Referred { realm: Realm },
    Over,
}

impl Machine {
    /// Begins an exchange.
    ///
    /// # Errors
    /// [`PkinitError`]: our own certificate will not do. Some KDCs give no reason for it, so it is found here.
    pub fn start(
        logon: Logon,
        policy: RealmPolicy,
        moment: &Moment,
    ) -> Result<(Self, Action), PkinitError> {
        let certificate =
            certificate::read(&logon.certificate).map_err(|_| PkinitError::OwnCertificate)?;
        let key = PublicKey::from_der(certificate.public_key().raw).map_err(PkinitError::OwnKey)?;
        let validity = certificate.validity();
        let not_before = KerberosTime::from_unix(validity.not_before.timestamp());
        let not_after = KerberosTime::from_unix(validity.not_after.timestamp());
        if moment.now < not_before {
            return Err(PkinitError::OwnNotBefore(not_before));
        }
        if moment.now > not_after {
            return Err(PkinitError::OwnNotAfter(not_after));
        }
        let mut machine = Self {
            group: policy.groups.first().copied(),
            realms: vec![logon.client.realm.clone()],
            logon,
            policy,
            key,
            state: State::Over,
            freshness_token: None,
            cookie: None,
            clock_offset: 0,
            tcp_only: false,
            retried: Vec::new(),
        };
        let action = machine.ask(moment)?;
        Ok((machine, action))
    }

    /// The KDC answered. Whatever is wrong with the answer ends the exchange.
    ///
    /// # Errors
    /// [`PkinitError`].
    pub fn reply(&mut self, reply: &[u8], moment: &Moment) -> Result<Action, PkinitError> {
        let state = std::mem::replace(&mut self.state, State::Over);
        let (request, requested) = match &state {
            State::Asked { request } => (request, None),
            State::Requested(requested) => (&requested.request, Some(&**requested)),
            State::Signing(_) | State::Referred { .. } | State::Over => {
                self.state = state;
                return Err(PkinitError::OutOfTurn);
            }
        };
        if !KrbError::is_one(reply) {
            let requested = requested.ok_or(PkinitError::NoProofAsked)?;
            let outcome = self.check(requested, reply, moment)?;
            return Ok(Action::Done(Box::new(outcome)));
        }
        let error =
            KrbError::from_der(reply).map_err(|error| PkinitError::Encoding(Part::Error, error))?;
        match (error.code, requested) {
            (ErrorCode::RESPONSE_TOO_BIG, _) if !self.tcp_only => {
                self.tcp_only = true;
                let action = self.send(request.clone());
                self.state = state;
                Ok(action)
            }
            (ErrorCode::WRONG_REALM, _) => self.refer(&error),
            (ErrorCode::PREAUTH_REQUIRED, None) => {
                self.read_offer(error.data.as_deref().unwrap_or_default())?;
                self.sign(moment)
            }
            (ErrorCode::DH_PARAMETERS_NOT_ACCEPTED, Some(requested)) => {
                self.group = Some(self.other_group(&error, requested.ephemeral.group())?);
                self.sign(moment)
            }
            (ErrorCode::CLOCK_SKEW, Some(_)) if self.may_retry(error.code) => {
                self.clock_offset = error.stime.unix().saturating_sub(moment.now.unix());
                self.sign(moment)
            }
            // The token or the cookie is too old: a person took long over the PIN.
            (ErrorCode::PREAUTH_EXPIRED, Some(_)) if self.may_retry(error.code) => self.ask(moment),
            _ => Err(refused(&error)),
        }
    }

    /// The key signed. A signature of ECDSA is the DER of r and s.
    ///
    /// # Errors
    /// [`PkinitError::OwnSignature`]: the key is not the one of the certificate.
    pub fn signed(&mut self, signature: &[u8]) -> Result<Action, PkinitError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Signing(signing) => {
                let message = signing.unsigned.to_be_signed();
                self.key
                    .verify(signing.unsigned.algorithm(), message, signature)
                    .map_err(PkinitError::OwnSignature)?;
                let requested = self.request(*signing, signature);
                let action = self.send(requested.request.clone());
                self.state = State::Requested(Box::new(requested));
                Ok(action)
            }
            state => {
                self.state = state;
                Err(PkinitError::OutOfTurn)
            }
        }
    }

    /// What is believed in the realm that we were referred to.
    ///
    /// # Errors
    /// [`PkinitError::OutOfTurn`].
    pub fn referred(
        &mut self,
        policy: RealmPolicy,
        moment: &Moment,
    ) -> Result<Action, PkinitError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Referred { realm } => {
                self.group = policy.groups.first().copied();
                self.policy = policy;
                self.logon.client.realm = realm;
                self.clock_offset = 0;
                self.tcp_only = false;
                self.retried.clear();
                self.ask(moment)
            }
            state => {
                self.state = state;
                Err(PkinitError::OutOfTurn)
            }
        }
    }

    fn ask(&mut self, moment: &Moment) -> Result<Action, PkinitError> {
        let request = self.first_request(moment)?;
        let action = self.send(request.clone());
        self.state = State::Asked { request };
        Ok(action)
    }

    fn sign(&mut self, moment: &Moment) -> Result<Action, PkinitError> {
        let signing = self.signing(moment)?;
        let algorithm = signing.unsigned.algorithm();
        let message = signing.unsigned.to_be_signed().to_vec();
        self.state = State::Signing(Box::new(signing));
        Ok(Action::Sign { algorithm, message })
    }

    fn send(&self, request: Vec<u8>) -> Action {
        let realm = self.logon.client.realm.clone();
        Action::SendToKdc { realm, request, tcp_only: self.tcp_only }
    }

    /// Whether an error may have one more try; from now on it had it.
    fn may_retry(&mut self, code: ErrorCode) -> bool {
        let is_first = !self.retried.contains(&code);
        self.retried.push(code);
        is_first
    }

    fn read_offer(&mut self, data: &[u8]) -> Result<(), PkinitError> {
        let offer = read_method_data(data)
            .map_err(|error| PkinitError::Encoding(Part::MethodData, error))?;
        if PaData::find(&offer, PaType::PK_AS_REQ).is_none() {
            return Err(PkinitError::NotOffered(offer.iter().map(|data| data.pa_type).collect()));
        }
        let keep = |pa_type| PaData::find(&offer, pa_type).map(<[u8]>::to_vec);
        self.freshness_token = keep(PaType::AS_FRESHNESS);
        self.cookie = keep(PaType::FX_COOKIE);
        Ok(())
    }

    /// The first group of the KDC's list that the policy allows; once.
    fn other_group(&mut self, error: &KrbError, refused_one: Group) -> Result<Group, PkinitError> {
        let data = error.data.as_deref().unwrap_or_default();
        let list = read_typed_data(data).unwrap_or_default();
        let groups = TypedData::find(&list, TypedData::DH_PARAMETERS).unwrap_or_default();
        let groups = read_dh_parameters(groups).unwrap_or_default();
        let other = groups
            .iter()
            .copied()
            .find(|group| *group != refused_one && self.policy.groups.contains(group));
        match other {
            Some(group) if self.may_retry(error.code) => Ok(group),
            _ => Err(PkinitError::NoCommonGroup(groups)),
        }
    }

    fn refer(&mut self, error: &KrbError) -> Result<Action, PkinitError> {
        let realm = error.crealm.clone().ok_or_else(|| refused(error))?;
        if !self.logon.options.has(KdcOptions::CANONICALIZE) {
            return Err(refused(error));
        }
        if self.realms.contains(&realm) || self.realms.len() > MAX_REFERRALS {
            return Err(PkinitError::Referral(realm));
        }
        self.realms.push(realm.clone());
        self.state = State::Referred { realm: realm.clone() };
        Ok(Action::Refer { realm })
    }
}

/// What a KDC says that says no.
pub(crate) fn refused(error: &KrbError) -> PkinitError {
    let data = read_typed_data(error.data.as_deref().unwrap_or_default()).unwrap_or_default();
    PkinitError::Refused { code: error.code, text: error.text.clone(), data }
}
