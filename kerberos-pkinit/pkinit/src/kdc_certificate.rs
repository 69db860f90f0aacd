//! Whether a certificate is one of the realm's KDC: RFC 4556, 3.2.4, and what Active Directory does.
//!
//! The chain says that a CA which we trust made the certificate. Every user's certificate may come from the same CA,
//! so what makes a KDC is its name and its purpose.

use krb5_words::der::{Reader, context};
use krb5_words::{PrincipalName, Realm};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, ParsedExtension};

use crate::messages::read_principal;

/// 1.3.6.1.5.2.2, id-pkinit-san.
const PKINIT_SAN: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x02, 0x02];
/// 1.3.6.1.5.2.3.5, id-pkinit-KPKdc.
const KP_KDC: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x02, 0x03, 0x05];

/// Which purposes make a KDC: `pkinit_eku_checking` of krb5.conf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EkuChecking {
    /// `kpKDC`: that of a KDC.
    #[default]
    KpKdc,
    /// `kpServerAuth`: that of a TLS server too, for certificates of old domain controllers.
    KpServerAuth,
    /// `none`: any purpose, and none, if the certificate names the realm's krbtgt. Whoever is named by a host only
    /// still needs that of a KDC: every web server is named so.
    None,
}

/// What is asked of the KDC's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KdcPolicy {
    /// Hosts that are KDCs of the realm: `pkinit_kdc_hostname`.
    pub hostnames: Vec<String>,
    /// Which purposes do.
    pub eku_checking: EkuChecking,
}

/// What made the certificate the KDC's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// It names the realm's krbtgt.
    Krbtgt,
    /// It names a host that was configured.
    Hostname(String),
    /// It names the realm's own DNS name and is for a KDC, as those of Active Directory are.
    RealmDnsName(String),
}

/// Why a certificate is not the KDC's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KdcCertificateError {
    /// Its key is not for signatures (keyUsage).
    KeyUsage,
    /// Its alternative names are broken.
    Names,
    /// It names principals, none of which is the realm's krbtgt: the KDC of another realm, or a user.
    OtherPrincipal(Vec<String>),
    /// It names hosts only, none of which was configured or is the realm.
    OtherHost(Vec<String>),
    /// It names nobody.
    NoName,
    /// It is the KDC's by name, but not for that purpose.
    Purpose {
        /// By which name.
        identity: Identity,
        /// The one who asks.
        checking: EkuChecking,
    },
}

impl std::fmt::Display for KdcCertificateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KeyUsage => f.write_str("the KDC's certificate is not for signatures"),
            Self::Names => f.write_str("the names in the KDC's certificate are broken"),
            Self::OtherPrincipal(names) => {
                write!(f, "the KDC's certificate is that of {}", names.join(", "))
            }
            Self::OtherHost(names) => write!(
                f,
                "the KDC's certificate names the hosts {} (pkinit_kdc_hostname allows none of them)",
                names.join(", ")
            ),
            Self::NoName => f.write_str("the KDC's certificate names nobody"),
            Self::Purpose { identity: Identity::Krbtgt, checking: EkuChecking::KpKdc } => {
                f.write_str("the KDC's certificate is not for a KDC (see pkinit_eku_checking)")
            }
            Self::Purpose { .. } => f.write_str("the KDC's certificate is not for this purpose"),
        }
    }
}

impl std::error::Error for KdcCertificateError {}

/// Checks the key usage, the names and the purposes, in this order.
///
/// # Errors
/// [`KdcCertificateError`].
pub fn check(
    certificate: &X509Certificate<'_>,
    realm: &Realm,
    policy: &KdcPolicy,
) -> Result<Identity, KdcCertificateError> {
    let extensions = || certificate.extensions().iter().map(|one| one.parsed_extension());
    let signs = extensions().find_map(|extension| match extension {
        ParsedExtension::KeyUsage(usage) => Some(usage.digital_signature()),
        _ => None,
    });
    if signs == Some(false) {
        return Err(KdcCertificateError::KeyUsage);
    }
    let identity = identity(extensions(), realm, policy)?;
    let usage = extensions().find_map(|extension| match extension {
        ParsedExtension::ExtendedKeyUsage(usage) => Some(usage),
        _ => None,
    });
    let is_for_kdc = usage.is_some_and(is_for_kdc);
    let is_for_server = usage.is_some_and(|usage| usage.server_auth);
    let is_fit = match (&identity, policy.eku_checking) {
        _ if is_for_kdc => true,
        (Identity::RealmDnsName(_), _) | (_, EkuChecking::KpKdc) => false,
        (Identity::Krbtgt | Identity::Hostname(_), EkuChecking::KpServerAuth) => is_for_server,
        (Identity::Krbtgt, EkuChecking::None) => true,
        (Identity::Hostname(_), EkuChecking::None) => false,
    };
    if is_fit {
        Ok(identity)
    } else {
        Err(KdcCertificateError::Purpose { identity, checking: policy.eku_checking })
    }
}

fn is_for_kdc(usage: &ExtendedKeyUsage<'_>) -> bool {
    usage.other.iter().any(|oid| oid.as_bytes() == KP_KDC)
}

fn identity<'a>(
    extensions: impl Iterator<Item = &'a ParsedExtension<'a>>,
    realm: &Realm,
    policy: &KdcPolicy,
) -> Result<Identity, KdcCertificateError> {
    let names = extensions.filter_map(|extension| match extension {
        ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
        _ => None,
    });
    let krbtgt = PrincipalName::krbtgt(realm);
    let (mut principals, mut hosts) = (Vec::new(), Vec::new());
    for name in names.flatten() {
        match name {
            GeneralName::OtherName(oid, value) if oid.as_bytes() == PKINIT_SAN => {
                let principal = Reader::new(value)
                    .within(context(0), read_principal)
                    .map_err(|_| KdcCertificateError::Names)?;
                if principal.realm == *realm && principal.name.is(&krbtgt) {
                    return Ok(Identity::Krbtgt);
                }
                principals.push(principal.to_string());
            }
            GeneralName::DNSName(host) => hosts.push((*host).to_owned()),
            _ => {}
        }
    }
    let is_host = |host: &&String, name: &str| {
        host.trim_end_matches('.').eq_ignore_ascii_case(name.trim_end_matches('.'))
    };
    let is_configured = |host: &&String| policy.hostnames.iter().any(|name| is_host(host, name));
    if let Some(host) = hosts.iter().find(is_configured) {
        return Ok(Identity::Hostname(host.clone()));
    }
    // Who says that it is somebody else is not believed because of a host name that nobody configured.
    if !principals.is_empty() {
        return Err(KdcCertificateError::OtherPrincipal(principals));
    }
    if let Some(host) = hosts.iter().find(|host| is_host(host, realm.as_str())) {
        return Ok(Identity::RealmDnsName(host.clone()));
    }
    if hosts.is_empty() {
        Err(KdcCertificateError::NoName)
    } else {
        Err(KdcCertificateError::OtherHost(hosts))
    }
}
