//! Which certificates are the KDC's, and for which reason others are not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod pki;

use krb5_words::Realm;
use krb5_words::der::{OBJECT_IDENTIFIER, context};
use pki::{
    CLIENT_AUTH, Extension, KP_KDC, SERVER_AUTH, Template, TestKey, der, dns_name, key_usage,
    names, principal_name, purposes,
};
use pkinit::kdc_certificate::{EkuChecking, Identity, KdcCertificateError, KdcPolicy, check};

fn judged(
    extensions: Vec<Extension>,
    eku_checking: EkuChecking,
) -> Result<Identity, KdcCertificateError> {
    let der = Template::new("kdc", extensions).self_signed(&TestKey::p256(1));
    let realm = Realm::new("EXAMPLE.ORG").unwrap();
    let hostnames = vec!["dc1.example.org".into(), "old.example.org.".into()];
    let policy = KdcPolicy { hostnames, eku_checking };
    check(&pkinit::certificate::read(&der).unwrap(), &realm, &policy)
}

fn krbtgt() -> Vec<u8> {
    principal_name("EXAMPLE.ORG", &["krbtgt", "EXAMPLE.ORG"])
}

fn purpose(identity: Identity, checking: EkuChecking) -> Result<Identity, KdcCertificateError> {
    Err(KdcCertificateError::Purpose { identity, checking })
}

#[test]
fn legitimate_shapes_are_accepted() {
    use EkuChecking::{KpKdc, KpServerAuth, None};
    let configured = Identity::Hostname("DC1.example.org".into());
    let directory = Identity::RealmDnsName("example.org".into());
    let dc1 = || names(&[dns_name("DC1.example.org")]);
    // As Active Directory issues them: the host, the domain, and no krbtgt.
    let ad = names(&[dns_name("dc7.example.org"), dns_name("example.org")]);
    for (extensions, checking, identity) in [
        (vec![names(&[krbtgt()]), purposes(&[KP_KDC])], KpKdc, Identity::Krbtgt),
        (vec![names(&[krbtgt()]), purposes(&[KP_KDC]), key_usage(0x80)], KpKdc, Identity::Krbtgt),
        (vec![names(&[krbtgt()]), purposes(&[SERVER_AUTH])], KpServerAuth, Identity::Krbtgt),
        (vec![names(&[krbtgt()])], None, Identity::Krbtgt),
        (vec![names(&[krbtgt()]), purposes(&[CLIENT_AUTH])], None, Identity::Krbtgt),
        (vec![dc1(), purposes(&[CLIENT_AUTH, KP_KDC])], KpKdc, configured.clone()),
        (vec![dc1(), purposes(&[SERVER_AUTH])], KpServerAuth, configured.clone()),
        (vec![dc1(), purposes(&[KP_KDC])], None, configured),
        (
            vec![names(&[dns_name("old.example.org")]), purposes(&[KP_KDC])],
            KpKdc,
            Identity::Hostname("old.example.org".into()),
        ),
        (vec![ad, purposes(&[KP_KDC, SERVER_AUTH])], KpKdc, directory),
        (
            vec![
                names(&[principal_name("OTHER", &["krbtgt", "OTHER"]), krbtgt()]),
                purposes(&[KP_KDC]),
            ],
            KpKdc,
            Identity::Krbtgt,
        ),
    ] {
        assert_eq!(judged(extensions, checking), Ok(identity));
    }
}

#[test]
fn a_purpose_that_is_missing_is_named() {
    use EkuChecking::{KpKdc, KpServerAuth, None};
    let configured = || Identity::Hostname("dc1.example.org".into());
    let directory = || Identity::RealmDnsName("example.org".into());
    let host = || names(&[dns_name("dc1.example.org")]);
    let domain = || names(&[dns_name("example.org")]);
    for (extensions, checking, identity) in [
        (vec![names(&[krbtgt()])], KpKdc, Identity::Krbtgt),
        (vec![names(&[krbtgt()])], KpServerAuth, Identity::Krbtgt),
        (vec![names(&[krbtgt()]), purposes(&[SERVER_AUTH])], KpKdc, Identity::Krbtgt),
        (vec![names(&[krbtgt()]), purposes(&[CLIENT_AUTH])], KpServerAuth, Identity::Krbtgt),
        (vec![host(), purposes(&[SERVER_AUTH])], KpKdc, configured()),
        (vec![host(), purposes(&[SERVER_AUTH])], None, configured()),
        (vec![host()], None, configured()),
        (vec![domain(), purposes(&[SERVER_AUTH])], KpServerAuth, directory()),
        (vec![domain()], None, directory()),
    ] {
        assert_eq!(judged(extensions, checking), purpose(identity, checking));
    }
}

#[test]
fn other_names_are_refused_and_told() {
    let kdc = || purposes(&[KP_KDC]);
    let principal = |text: &str| KdcCertificateError::OtherPrincipal(vec![text.into()]);
    let host = |text: &str| KdcCertificateError::OtherHost(vec![text.into()]);
    let broken = der(|writer| {
        writer.within(context(0), |other| {
            other.element(OBJECT_IDENTIFIER, &[0x2B, 0x06, 0x01, 0x05, 0x02, 0x02]);
            other.within(context(0), |value| value.integer(1));
        });
    });
    for (entries, error) in [
        (
            vec![principal_name("OTHER.ORG", &["krbtgt", "OTHER.ORG"])],
            principal("krbtgt/OTHER.ORG@OTHER.ORG"),
        ),
        // Case counts in realms.
        (
            vec![principal_name("example.org", &["krbtgt", "example.org"])],
            principal("krbtgt/example.org@example.org"),
        ),
        // A way to another realm is no KDC of this one.
        (
            vec![principal_name("EXAMPLE.ORG", &["krbtgt", "OTHER.ORG"])],
            principal("krbtgt/OTHER.ORG@EXAMPLE.ORG"),
        ),
        (
            vec![principal_name("OTHER.ORG", &["krbtgt", "EXAMPLE.ORG"])],
            principal("krbtgt/EXAMPLE.ORG@OTHER.ORG"),
        ),
        // A user's certificate with the purpose of a KDC, and one that carries the domain's name too.
        (vec![principal_name("EXAMPLE.ORG", &["alice"])], principal("alice@EXAMPLE.ORG")),
        (
            vec![principal_name("EXAMPLE.ORG", &["alice"]), dns_name("example.org")],
            principal("alice@EXAMPLE.ORG"),
        ),
        (vec![dns_name("web.example.org")], host("web.example.org")),
        (vec![dns_name("*.example.org")], host("*.example.org")),
        (vec![dns_name("dc1.example.org.evil.net")], host("dc1.example.org.evil.net")),
        (vec![der(|writer| writer.element(0x81, b"a@b"))], KdcCertificateError::NoName),
        (vec![broken], KdcCertificateError::Names),
    ] {
        assert_eq!(judged(vec![names(&entries), kdc()], EkuChecking::KpKdc), Err(error.clone()));
        assert_eq!(judged(vec![names(&entries), kdc()], EkuChecking::None), Err(error));
    }
    assert_eq!(judged(vec![kdc()], EkuChecking::KpKdc), Err(KdcCertificateError::NoName));
    let encrypts = vec![names(&[krbtgt()]), kdc(), key_usage(0x20)];
    assert_eq!(judged(encrypts, EkuChecking::KpKdc), Err(KdcCertificateError::KeyUsage));
}
