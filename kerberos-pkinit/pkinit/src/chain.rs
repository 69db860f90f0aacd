//! From a certificate to an anchor: RFC 5280, 6.
//!
//! The path grows from the end certificate upwards, and each step is checked as it is made, so a wrong turn costs one
//! signature. No policy is asked for, so those of certificates say nothing; a CA that demands one is not understood.
//! Revocation is another question, and asked only after the chain holds.

mod names;

use krb5_words::KerberosTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{NameConstraints, ParsedExtension};
use x509_parser::x509::X509Version;

use crate::certificate::read;
use crate::signature::{AlgorithmIdentifier, Hash, PublicKey, SignatureAlgorithm, SignatureError};

/// The most certificates of a path, its ends included.
const MAX_LENGTH: usize = 10;
/// The most steps that are tried: certificates of a hostile pool may all fit each other.
const MAX_STEPS: usize = 100;
/// The most extensions of a certificate.
const MAX_EXTENSIONS: usize = 64;

/// The certificate that is not believed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainError {
    /// Its subject.
    pub certificate: String,
    /// The rule that it breaks.
    pub rule: Rule,
}

/// A rule of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// It can be read.
    Readable,
    /// Its issuer is an anchor, or among the certificates at hand.
    IssuerKnown {
        /// The issuer.
        issuer: String,
    },
    /// Its time has begun.
    NotBefore(KerberosTime),
    /// Its time has not ended.
    NotAfter(KerberosTime),
    /// Its issuer's key signed it.
    Signature(SignatureError),
    /// The signature's digest is better than SHA-1.
    Digest(Hash),
    /// Whoever signs certificates is a CA (basicConstraints).
    IsCa,
    /// Whoever signs certificates has a key for that (keyUsage).
    KeyMaySign,
    /// No more CAs stand below it than it allows.
    PathLength(u32),
    /// Its names are within what a CA above it allows.
    Names {
        /// The CA.
        ca: String,
    },
    /// Its critical extensions are understood: the object identifier of the one that is not.
    CriticalExtension(String),
    /// Its extensions can be read, and each stands there once: the object identifier of the one that is not so.
    Extension(String),
    /// The path is not longer than any real one.
    Length,
    /// There are not more ways than anybody needs.
    Work,
}

impl std::fmt::Display for ChainError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the certificate of \"{}\" ", self.certificate)?;
        match &self.rule {
            Rule::Readable => f.write_str("cannot be read"),
            Rule::IssuerKnown { issuer } => {
                write!(f, "was issued by \"{issuer}\", which no anchor leads to")
            }
            Rule::NotBefore(time) => write!(f, "is not valid before {time}"),
            Rule::NotAfter(time) => write!(f, "expired at {time}"),
            Rule::Signature(error) => write!(f, "is not signed by its issuer: {error}"),
            Rule::Digest(hash) => write!(f, "is signed with {hash:?}, which is not accepted"),
            Rule::IsCa => f.write_str("is none of a CA"),
            Rule::KeyMaySign => f.write_str("is not for signing certificates"),
            Rule::PathLength(length) => write!(f, "allows only {length} CAs below it"),
            Rule::Names { ca } => write!(f, "has a name that the CA \"{ca}\" may not give"),
            Rule::CriticalExtension(oid) => {
                write!(f, "has a critical extension that is not understood ({oid})")
            }
            Rule::Extension(oid) => write!(f, "has a broken or double extension ({oid})"),
            Rule::Length => f.write_str("stands at the end of a path that is too long"),
            Rule::Work => f.write_str("has too many possible issuers"),
        }
    }
}

impl std::error::Error for ChainError {}

/// Finds a path from the end certificate to one of the anchors, by way of the pool. The certificates of the path, the
/// end first.
///
/// An anchor is believed because it was configured; all that is asked of it is that it is valid now, and that it keeps
/// the bounds that it sets itself. An end certificate that is an anchor is its own path.
///
/// # Errors
/// [`ChainError`], of the path that came furthest.
pub fn validate<'a>(
    end: &'a [u8],
    pool: &[&'a [u8]],
    anchors: &[&'a [u8]],
    now: KerberosTime,
) -> Result<Vec<&'a [u8]>, ChainError> {
    let unreadable = || ChainError { certificate: String::new(), rule: Rule::Readable };
    let end_link = Link { certificate: read(end).map_err(|_| unreadable())?, is_anchor: false };
    let link = |is_anchor| {
        move |der: &&'a [u8]| read(der).ok().map(|certificate| Link { certificate, is_anchor })
    };
    // Anchors first: the shortest path is found first.
    let issuers: Vec<Link<'a>> =
        anchors.iter().filter_map(link(true)).chain(pool.iter().filter_map(link(false))).collect();
    end_link.check(now)?;
    if anchors.contains(&end) {
        return Ok(vec![end]);
    }
    let mut search = Search { issuers: &issuers, now, steps: 0, best: None };
    let mut path = vec![&end_link];
    if search.extend(&mut path) {
        return Ok(path.iter().map(|link| link.certificate.as_raw()).collect());
    }
    Err(search.best.map_or_else(unreadable, |(_, error)| error))
}

struct Link<'a> {
    certificate: X509Certificate<'a>,
    is_anchor: bool,
}

struct Search<'s, 'a> {
    issuers: &'s [Link<'a>],
    now: KerberosTime,
    steps: usize,
    /// How far the best path came, and what stopped it.
    best: Option<(usize, ChainError)>,
}

impl<'s, 'a> Search<'s, 'a> {
    /// Whether the path reaches an anchor; then it is whole.
    fn extend(&mut self, path: &mut Vec<&'s Link<'a>>) -> bool {
        let Some(last) = path.last().copied() else { return false };
        if last.is_anchor {
            return true;
        }
        if path.len() >= MAX_LENGTH {
            self.stopped(path.len(), last.error(Rule::Length));
            return false;
        }
        for issuer in self.issuers {
            let is_candidate = names::same(
                issuer.certificate.subject().as_raw(),
                last.certificate.issuer().as_raw(),
            ) && !path.iter().any(|link| link.is_same_entity(issuer));
            if !is_candidate {
                continue;
            }
            self.steps = self.steps.saturating_add(1);
            if self.steps > MAX_STEPS {
                self.stopped(MAX_LENGTH, last.error(Rule::Work));
                return false;
            }
            match issuer.may_issue(path, self.now) {
                Ok(()) => {
                    path.push(issuer);
                    if self.extend(path) {
                        return true;
                    }
                    path.pop();
                }
                // A candidate that fails says more than that there was none.
                Err(error) => self.stopped(path.len(), error),
            }
        }
        let issuer = last.certificate.issuer().to_string();
        self.stopped(path.len(), last.error(Rule::IssuerKnown { issuer }));
        false
    }

    /// Keeps the error of the longest path, the first of these.
    fn stopped(&mut self, length: usize, error: ChainError) {
        if self.best.as_ref().is_none_or(|(best, _)| length > *best) {
            self.best = Some((length, error));
        }
    }
}

impl<'a> Link<'a> {
    fn error(&self, rule: Rule) -> ChainError {
        ChainError { certificate: self.certificate.subject().to_string(), rule }
    }

    fn is_self_issued(&self) -> bool {
        names::same(self.certificate.subject().as_raw(), self.certificate.issuer().as_raw())
    }

    /// Whether both speak of the same key of the same name: a path with both goes in a circle.
    fn is_same_entity(&self, other: &Self) -> bool {
        self.certificate.public_key().raw == other.certificate.public_key().raw
            && names::same(
                self.certificate.subject().as_raw(),
                other.certificate.subject().as_raw(),
            )
    }

    fn parsed<'s, T>(&'s self, pick: impl Fn(&'s ParsedExtension<'a>) -> Option<T>) -> Option<T> {
        self.certificate.extensions().iter().find_map(|one| pick(one.parsed_extension()))
    }

    /// What is asked of each certificate, wherever it stands.
    fn check(&self, now: KerberosTime) -> Result<(), ChainError> {
        let validity = self.certificate.validity();
        let not_before = KerberosTime::from_unix(validity.not_before.timestamp());
        let not_after = KerberosTime::from_unix(validity.not_after.timestamp());
        if now < not_before {
            return Err(self.error(Rule::NotBefore(not_before)));
        }
        if now > not_after {
            return Err(self.error(Rule::NotAfter(not_after)));
        }
        let extensions = self.certificate.extensions();
        for (at, extension) in extensions.iter().enumerate() {
            let oid = || extension.oid.to_id_string();
            let is_double = extensions.iter().take(at).any(|other| other.oid == extension.oid);
            let is_broken = extension.parsed_extension().error().is_some();
            if is_double || is_broken || at >= MAX_EXTENSIONS {
                return Err(self.error(Rule::Extension(oid())));
            }
            let is_understood = match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(_)
                | ParsedExtension::KeyUsage(_)
                | ParsedExtension::ExtendedKeyUsage(_)
                | ParsedExtension::SubjectAlternativeName(_)
                | ParsedExtension::NameConstraints(_)
                | ParsedExtension::AuthorityKeyIdentifier(_)
                | ParsedExtension::SubjectKeyIdentifier(_)
                | ParsedExtension::CertificatePolicies(_)
                | ParsedExtension::PolicyMappings(_)
                | ParsedExtension::InhibitAnyPolicy(_) => true,
                ParsedExtension::PolicyConstraints(policy) => {
                    policy.require_explicit_policy.is_none()
                }
                _ => false,
            };
            if extension.critical && !is_understood {
                return Err(self.error(Rule::CriticalExtension(oid())));
            }
        }
        Ok(())
    }

    /// Whether this one may stand above a path as the issuer of its last certificate.
    fn may_issue(&self, path: &[&Self], now: KerberosTime) -> Result<(), ChainError> {
        self.check(now)?;
        let constraints = self.parsed(|extension| match extension {
            ParsedExtension::BasicConstraints(constraints) => Some(constraints),
            _ => None,
        });
        // Before version 3 nothing told a CA; such a root is one because it was configured.
        let is_old_anchor = self.is_anchor && self.certificate.version() != X509Version::V3;
        if !is_old_anchor && !constraints.is_some_and(|constraints| constraints.ca) {
            return Err(self.error(Rule::IsCa));
        }
        let usage = self.parsed(|extension| match extension {
            ParsedExtension::KeyUsage(usage) => Some(usage),
            _ => None,
        });
        if usage.is_some_and(|usage| !usage.key_cert_sign()) {
            return Err(self.error(Rule::KeyMaySign));
        }
        if let Some(most) = constraints.and_then(|constraints| constraints.path_len_constraint) {
            let cas = path.iter().skip(1).filter(|link| !link.is_self_issued()).count();
            if u32::try_from(cas).is_ok_and(|cas| cas > most) {
                return Err(self.error(Rule::PathLength(most)));
            }
        }
        let allowed = self.parsed(|extension| match extension {
            ParsedExtension::NameConstraints(allowed) => Some(allowed),
            _ => None,
        });
        if let Some(allowed) = allowed {
            self.check_names(allowed, path)?;
        }
        path.last().map_or(Ok(()), |last| last.is_signed_by(self))
    }

    fn check_names(&self, allowed: &NameConstraints<'_>, path: &[&Self]) -> Result<(), ChainError> {
        for (at, link) in path.iter().enumerate() {
            // A CA may change its key without its own constraints in the way (RFC 5280, 6.1.4, b).
            let is_free = at > 0 && link.is_self_issued();
            if !is_free && !names::are_allowed(&link.certificate, allowed) {
                let ca = self.certificate.subject().to_string();
                return Err(link.error(Rule::Names { ca }));
            }
        }
        Ok(())
    }

    fn is_signed_by(&self, issuer: &Self) -> Result<(), ChainError> {
        let wrong = |error| self.error(Rule::Signature(error));
        let whole = self.certificate.as_raw();
        let (to_be_signed, identifier, inner, signature) =
            crate::certificate::signed_parts(whole).map_err(|error| wrong(error.into()))?;
        if identifier != inner {
            return Err(wrong(SignatureError::OtherKind));
        }
        let algorithm = AlgorithmIdentifier::from_der(identifier)
            .map_err(SignatureError::from)
            .and_then(SignatureAlgorithm::read)
            .map_err(wrong)?;
        if algorithm.hash() == Hash::Sha1 {
            return Err(self.error(Rule::Digest(Hash::Sha1)));
        }
        let key = PublicKey::from_der(issuer.certificate.public_key().raw).map_err(wrong)?;
        key.verify(algorithm, to_be_signed, signature).map_err(wrong)
    }
}
