//! Why a logon failed: who, and by which rule.

use krb5_words::der::DerError;
use krb5_words::messages::{ErrorCode, PaType};
use krb5_words::{KerberosTime, Principal, Realm};

use crate::chain::ChainError;
use crate::cms::CmsError;
use crate::groups::{Group, GroupError};
use crate::kdc_certificate::KdcCertificateError;
use crate::kdf::Kdf;
use crate::messages::TypedData;
use crate::signature::SignatureError;

/// What a message from the KDC is, where it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// KRB-ERROR.
    Error,
    /// METHOD-DATA in the error 25.
    MethodData,
    /// AS-REP.
    AsRep,
    /// PA-PK-AS-REP.
    PaPkAsRep,
    /// `KDCDHKeyInfo`.
    DhKeyInfo,
    /// The encrypted part of the AS-REP.
    EncPart,
    /// PA-REQ-ENC-PA-REP within it.
    EncPaRep,
    /// TGS-REP.
    TgsRep,
    /// A ticket.
    Ticket,
}

/// A field of the reply that is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// The realm of the client.
    ClientRealm,
    /// The client, which may change only if canonicalisation was asked for.
    ClientName,
    /// The service of the ticket.
    TicketService,
    /// The service in the encrypted part.
    Service,
    /// The number of the request.
    Nonce,
    /// When the client proved who it is: now.
    AuthTime,
    /// When the ticket begins: now.
    StartTime,
    /// When it ends: later than it begins, and no later than asked.
    EndTime,
}

/// Why there is no ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PkinitError {
    /// An event came that the machine did not wait for.
    OutOfTurn,
    /// The random bytes make no secret of the group, which happens once in 2^32; or no group is configured.
    Random,
    /// Our certificate cannot be read.
    OwnCertificate,
    /// Our key is of a kind that cannot be used.
    OwnKey(SignatureError),
    /// Our certificate is not valid before that time.
    OwnNotBefore(KerberosTime),
    /// Our certificate expired at that time.
    OwnNotAfter(KerberosTime),
    /// The key that signed is not the one of our certificate.
    OwnSignature(SignatureError),
    /// A message from the KDC is broken.
    Encoding(Part, DerError),
    /// The KDC does not offer PKINIT to this client: what it offers.
    NotOffered(Vec<PaType>),
    /// The KDC gave a ticket without a proof.
    NoProofAsked,
    /// The KDC says no.
    Refused {
        /// Why, in its own numbers.
        code: ErrorCode,
        /// Why, in its own words.
        text: Option<String>,
        /// More.
        data: Vec<TypedData>,
    },
    /// The KDC takes none of the groups that we do: those of its list that we know.
    NoCommonGroup(Vec<Group>),
    /// The KDC sends us to another realm, and that to another, without an end or in a circle.
    Referral(Realm),
    /// The reply has no PA-PK-AS-REP.
    NoPkAsRep,
    /// The KDC encrypted the reply key for our RSA key, though we offered an agreement.
    EncKeyPack,
    /// The KDC's signature is not believed.
    Cms(CmsError),
    /// The KDC signed with SHA-1, and the realm's policy refuses that.
    Sha1Signature,
    /// The KDC's certificate leads to no anchor.
    Chain(ChainError),
    /// The certificate is not the KDC's.
    KdcCertificate(KdcCertificateError),
    /// The KDC signed for another request.
    SignedNonce {
        /// Ours.
        expected: u32,
        /// The one signed.
        got: u32,
    },
    /// The KDC's half of the agreement expired at that time.
    DhKeyExpired(KerberosTime),
    /// There is no agreement.
    Agreement(GroupError),
    /// The KDC chose a key derivation function that we did not offer; `None` is one that we do not know.
    Kdf(Option<Kdf>),
    /// The KDC knows no key derivation function of RFC 8636, and the realm's policy wants one.
    NoKdf,
    /// The reply is encrypted with a type that we did not ask for.
    Etype(i32),
    /// The reply key does not open the reply.
    ReplyKey,
    /// A field of the reply is not what was asked for.
    Field(Field),
    /// Somebody changed our request on its way (RFC 6806, 11).
    RequestChanged,
    /// The host's keytab has no key for its ticket: it is old, or another host's.
    NoHostKey {
        /// The type of the key that the ticket wants.
        etype: i32,
        /// Its version.
        kvno: Option<u32>,
    },
    /// The ticket for this host was not made with the host's key: whoever answered is not the realm's KDC.
    HostKey,
    /// The ticket for this host speaks of another client, or has another session key.
    HostTicket(Principal),
}

impl std::fmt::Display for PkinitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutOfTurn => f.write_str("the exchange waits for something else"),
            Self::Random => f.write_str("the random bytes make no key of the group"),
            Self::OwnCertificate => f.write_str("your certificate cannot be read"),
            Self::OwnKey(error) => write!(f, "your key cannot be used: {error}"),
            Self::OwnNotBefore(time) => write!(f, "your certificate is not valid before {time}"),
            Self::OwnNotAfter(time) => write!(f, "your certificate expired at {time}"),
            Self::OwnSignature(error) => {
                write!(f, "the card's key is not the one of the certificate: {error}")
            }
            Self::Encoding(part, error) => {
                write!(f, "a message of the KDC is broken ({part:?}): {error}")
            }
            Self::NotOffered(_) => f.write_str("the KDC offers no logon with a certificate"),
            Self::NoProofAsked => f.write_str("the KDC gave a ticket without asking for a proof"),
            Self::Refused { code, text, .. } => {
                write!(f, "the KDC refuses: {code}")?;
                text.as_ref().map_or(Ok(()), |text| write!(f, " ({})", text.escape_default()))
            }
            Self::NoCommonGroup(_) => {
                f.write_str("the KDC accepts no Diffie-Hellman group that is strong enough")
            }
            Self::Referral(realm) => write!(f, "the KDCs send us around (last to {realm})"),
            Self::NoPkAsRep => f.write_str("the KDC's reply has no PKINIT data"),
            Self::EncKeyPack => f.write_str("the KDC ignored the key agreement"),
            Self::Cms(error) => write!(f, "the KDC's signature: {error}"),
            Self::Sha1Signature => f.write_str("the KDC signs with SHA-1, which is refused here"),
            Self::Chain(error) => write!(f, "the KDC is not trusted: {error}"),
            Self::KdcCertificate(error) => write!(f, "{error}"),
            Self::SignedNonce { .. } => f.write_str("the KDC's signature is for another request"),
            Self::DhKeyExpired(time) => write!(f, "the KDC's key of the agreement ended at {time}"),
            Self::Agreement(error) => write!(f, "{error}"),
            Self::Kdf(_) => f.write_str("the KDC derives the key in a way that was not offered"),
            Self::NoKdf => f.write_str("the KDC derives the key with SHA-1, which is refused here"),
            Self::Etype(etype) => write!(f, "the KDC uses encryption type {etype}, not asked for"),
            Self::ReplyKey => f.write_str("the reply does not open with the agreed key"),
            Self::Field(field) => write!(f, "the reply is for another request ({field:?})"),
            Self::RequestChanged => f.write_str("the request was changed on its way to the KDC"),
            Self::NoHostKey { etype, kvno } => write!(
                f,
                "the keytab of this host has no key of type {etype}, version {}",
                kvno.map_or_else(|| "any".into(), |kvno| kvno.to_string())
            ),
            Self::HostKey => f.write_str(
                "the ticket for this host was not made with its key: this is not the realm's KDC",
            ),
            Self::HostTicket(client) => {
                write!(f, "the ticket for this host speaks of another client ({client})")
            }
        }
    }
}

impl std::error::Error for PkinitError {}
