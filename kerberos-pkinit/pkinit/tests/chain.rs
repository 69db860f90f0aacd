//! Paths that hold and paths that do not, one rule at a time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod pki;

use krb5_words::KerberosTime;
use krb5_words::der::{OBJECT_IDENTIFIER, context, implicit};
use pki::{
    DAY, Extension, NAME_CONSTRAINTS, NOW, Template, TestKey, ca, common_name, der, dns_name,
    key_usage, names,
};
use pkinit::chain::{Rule, validate};
use pkinit::signature::{Hash, SignatureAlgorithm, SignatureError};

/// keyCertSign and cRLSign.
const SIGNS: u8 = 0x06;

fn authority(name: &str, path_length: Option<u8>) -> Template {
    Template::new(name, vec![ca(path_length), key_usage(SIGNS)])
}

/// A root, an issuing CA and an end certificate, and what happens to them.
struct Pki {
    root: Template,
    issuing: Template,
    end: Template,
    issuing_signed_by: TestKey,
    now: KerberosTime,
}

impl Pki {
    fn new() -> Self {
        Self {
            root: authority("Root", None),
            issuing: authority("Issuing", Some(0)),
            end: Template::new("kdc", vec![names(&[dns_name("kdc.example.org")])]),
            issuing_signed_by: TestKey::p256(1),
            now: NOW,
        }
    }

    fn check(&self) -> Result<usize, (String, Rule)> {
        let (root_key, issuing_key) = (TestKey::p256(1), TestKey::p256(2));
        let root = self.root.self_signed(&root_key);
        let issuing = self.issuing.issue(&issuing_key, "Root", &self.issuing_signed_by);
        let end = self.end.issue(&TestKey::p256(3), "Issuing", &issuing_key);
        found(&end, &[&issuing], &[&root], self.now)
    }
}

fn found(
    end: &[u8],
    pool: &[&[u8]],
    anchors: &[&[u8]],
    now: KerberosTime,
) -> Result<usize, (String, Rule)> {
    let path =
        validate(end, pool, anchors, now).map_err(|error| (error.certificate, error.rule))?;
    assert_eq!(path[0], end);
    assert!(anchors.contains(path.last().unwrap()));
    Ok(path.len())
}

fn broken(change: impl FnOnce(&mut Pki)) -> (String, Rule) {
    let mut pki = Pki::new();
    change(&mut pki);
    pki.check().unwrap_err()
}

fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Extension {
    let value = der(|writer| {
        writer.sequence(|fields| {
            for (number, trees) in [(0, permitted), (1, excluded)] {
                if !trees.is_empty() {
                    fields.within(context(number), |list| {
                        trees.iter().for_each(|tree| list.sequence(|base| base.raw(tree)));
                    });
                }
            }
        });
    });
    (NAME_CONSTRAINTS.to_vec(), true, value)
}

#[test]
fn a_path_through_an_issuing_ca_holds() {
    assert_eq!(Pki::new().check(), Ok(3));
}

#[test]
fn rsa_and_both_curves_sign_certificates() {
    for root_key in [TestKey::rsa(1), TestKey::p384(1), TestKey::p256(1)] {
        let root = authority("Root", None).self_signed(&root_key);
        let end = Template::new("kdc", vec![]).issue(&TestKey::rsa(2), "Root", &root_key);
        assert_eq!(found(&end, &[], &[&root], NOW), Ok(2));
    }
}

#[test]
fn each_certificate_is_valid_now() {
    let past = NOW.plus(-1);
    let future = NOW.plus(1);
    let error = broken(|pki| pki.end.not_after = past);
    assert_eq!(error, ("CN=kdc".into(), Rule::NotAfter(past)));
    let error = broken(|pki| pki.issuing.not_after = past);
    assert_eq!(error, ("CN=Issuing".into(), Rule::NotAfter(past)));
    let error = broken(|pki| pki.root.not_after = past);
    assert_eq!(error, ("CN=Root".into(), Rule::NotAfter(past)));
    let error = broken(|pki| pki.end.not_before = future);
    assert_eq!(error, ("CN=kdc".into(), Rule::NotBefore(future)));
    let mut pki = Pki::new();
    pki.end.not_after = NOW;
    pki.end.not_before = NOW;
    assert_eq!(pki.check(), Ok(3), "both ends belong to the time");
}

#[test]
fn only_a_ca_issues() {
    let error = broken(|pki| pki.issuing.extensions = vec![key_usage(SIGNS)]);
    assert_eq!(error, ("CN=Issuing".into(), Rule::IsCa));
    let error = broken(|pki| pki.issuing.extensions = vec![ca(None), key_usage(0x80)]);
    assert_eq!(error, ("CN=Issuing".into(), Rule::KeyMaySign));
    let error = broken(|pki| pki.root.extensions = vec![]);
    assert_eq!(error, ("CN=Root".into(), Rule::IsCa));
}

#[test]
fn no_more_cas_than_a_ca_allows() {
    let error = broken(|pki| pki.root = authority("Root", Some(0)));
    assert_eq!(error, ("CN=Root".into(), Rule::PathLength(0)));
    let mut pki = Pki::new();
    pki.root = authority("Root", Some(1));
    assert_eq!(pki.check(), Ok(3));
}

#[test]
fn the_issuers_key_made_the_signature() {
    let error = broken(|pki| pki.issuing_signed_by = TestKey::p256(9));
    assert_eq!(error, ("CN=Issuing".into(), Rule::Signature(SignatureError::Wrong)));
}

#[test]
fn nobody_believes_sha_1() {
    let (root_key, end_key) = (TestKey::rsa(1), TestKey::p256(3));
    let root = authority("Root", None).self_signed(&root_key);
    let mut end = Template::new("kdc", vec![]);
    end.algorithm = Some(SignatureAlgorithm::RsaPkcs1(Hash::Sha1));
    let end = end.issue(&end_key, "Root", &root_key);
    let error = ("CN=kdc".into(), Rule::Digest(Hash::Sha1));
    assert_eq!(found(&end, &[], &[&root], NOW), Err(error));
    // A root is believed because it was configured, whatever it signed itself with.
    let mut root = authority("Root", None);
    root.algorithm = Some(SignatureAlgorithm::RsaPkcs1(Hash::Sha1));
    let end = Template::new("kdc", vec![]).issue(&end_key, "Root", &root_key);
    assert_eq!(found(&end, &[], &[&root.self_signed(&root_key)], NOW), Ok(2));
}

#[test]
fn an_unknown_ca_is_named() {
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(3), "Else", &TestKey::p256(1));
    let root = authority("Root", None).self_signed(&TestKey::p256(1));
    let error = ("CN=kdc".into(), Rule::IssuerKnown { issuer: "CN=Else".into() });
    assert_eq!(found(&end, &[&root], &[&root], NOW), Err(error));
    // What the KDC sends is no anchor, be it a root or itself.
    let root = ("CN=Root".into(), Rule::IssuerKnown { issuer: "CN=Root".into() });
    let key = TestKey::p256(1);
    let own = authority("Root", None).self_signed(&key);
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(3), "Root", &key);
    assert_eq!(found(&end, &[&own], &[], NOW), Err(root));
}

#[test]
fn a_certificate_that_is_an_anchor_is_its_own_path() {
    let own = Template::new("kdc", vec![]).self_signed(&TestKey::p256(1));
    assert_eq!(found(&own, &[], &[&own], NOW), Ok(1));
    let expired = NOW.plus(366 * DAY);
    let rule = Rule::NotAfter(NOW.plus(365 * DAY));
    assert_eq!(found(&own, &[], &[&own], expired), Err(("CN=kdc".into(), rule)));
}

#[test]
fn critical_extensions_are_understood_and_none_stands_twice() {
    let odd = |critical| (vec![0x2A, 0x03], critical, vec![5, 0]);
    let error = broken(|pki| pki.end.extensions.push(odd(true)));
    assert_eq!(error, ("CN=kdc".into(), Rule::CriticalExtension("1.2.3".into())));
    let mut pki = Pki::new();
    pki.end.extensions.push(odd(false));
    assert_eq!(pki.check(), Ok(3));
    let error = broken(|pki| pki.issuing.extensions.push(ca(None)));
    assert_eq!(error, ("CN=Issuing".into(), Rule::Extension("2.5.29.19".into())));
    let error = broken(|pki| {
        pki.end.extensions.push((pki::BASIC_CONSTRAINTS.to_vec(), false, vec![0x31, 1]));
    });
    assert_eq!(error, ("CN=kdc".into(), Rule::Extension("2.5.29.19".into())));
    let policy = der(|writer| writer.sequence(|fields| fields.element(implicit(0), &[0])));
    let error = broken(|pki| {
        pki.issuing.extensions.push((vec![0x55, 0x1D, 0x24], true, policy));
    });
    assert_eq!(error, ("CN=Issuing".into(), Rule::CriticalExtension("2.5.29.36".into())));
}

#[test]
fn a_ca_gives_only_the_names_that_it_may() {
    let directory =
        |name: &str| der(|writer| writer.within(context(4), |field| field.raw(&common_name(name))));
    let address = |bytes: &[u8]| der(|writer| writer.element(implicit(7), bytes));
    let mail = |text: &str| der(|writer| writer.element(implicit(1), text.as_bytes()));
    let uri = |text: &str| der(|writer| writer.element(implicit(6), text.as_bytes()));
    let other = pki::principal_name("EXAMPLE.ORG", &["krbtgt", "EXAMPLE.ORG"]);
    type Trees = Vec<Vec<u8>>;
    let cases: Vec<(Vec<u8>, Trees, Trees, bool)> = vec![
        (dns_name("kdc.example.org"), vec![dns_name("example.org")], vec![], true),
        (dns_name("KDC.EXAMPLE.ORG"), vec![dns_name("example.org")], vec![], true),
        (dns_name("example.org"), vec![dns_name("example.org")], vec![], true),
        (dns_name("kdc.badexample.org"), vec![dns_name("example.org")], vec![], false),
        (dns_name("badexample.org"), vec![dns_name("example.org")], vec![], false),
        (dns_name("kdc.example.net"), vec![dns_name("a.b"), dns_name("example.net")], vec![], true),
        (dns_name("kdc.example.org"), vec![], vec![dns_name("example.org")], false),
        (dns_name("kdc.example.org"), vec![], vec![dns_name("example.net")], true),
        (dns_name("kdc.example.org"), vec![mail("example.net")], vec![], true),
        (dns_name("k"), vec![directory("kdc")], vec![], true),
        (dns_name("k"), vec![directory("KDC ")], vec![], true),
        (dns_name("k"), vec![directory("other")], vec![], false),
        (dns_name("k"), vec![], vec![directory("kdc")], false),
        (address(&[10, 1, 2, 3]), vec![address(&[10, 0, 0, 0, 255, 0, 0, 0])], vec![], true),
        (address(&[11, 1, 2, 3]), vec![address(&[10, 0, 0, 0, 255, 0, 0, 0])], vec![], false),
        (address(&[11, 1, 2, 3]), vec![], vec![address(&[10, 0, 0])], false),
        (mail("a@example.org"), vec![mail("example.org")], vec![], true),
        (mail("a@kdc.example.org"), vec![mail("example.org")], vec![], false),
        (mail("a@kdc.example.org"), vec![mail(".example.org")], vec![], true),
        (mail("a@example.org"), vec![mail("b@example.org")], vec![], false),
        (uri("ldap://a@h.example.org:1/x"), vec![uri(".example.org")], vec![], true),
        (uri("ldap://h.example.org/x"), vec![uri("example.org")], vec![], false),
        (uri("urn:x"), vec![uri("example.org")], vec![], false),
        // Constraints that we cannot judge are kept to by refusing.
        (other.clone(), vec![other.clone()], vec![], false),
        (other.clone(), vec![], vec![other.clone()], false),
        (dns_name("k"), vec![other.clone()], vec![], true),
    ];
    for (number, (name, permitted, excluded, is_allowed)) in cases.into_iter().enumerate() {
        for at_root in [false, true] {
            let mut pki = Pki::new();
            pki.end.extensions = vec![names(std::slice::from_ref(&name))];
            // A constraint on the root binds the issuing CA too.
            if at_root {
                pki.issuing.subject = "kdc".into();
            }
            let who = if at_root { &mut pki.root } else { &mut pki.issuing };
            who.extensions.push(constraints(&permitted, &excluded));
            let (root_key, issuing_key) = (TestKey::p256(1), TestKey::p256(2));
            let root = pki.root.self_signed(&root_key);
            let issuing = pki.issuing.issue(&issuing_key, "Root", &root_key);
            let end = pki.end.issue(&TestKey::p256(3), &pki.issuing.subject, &issuing_key);
            let result = found(&end, &[&issuing], &[&root], NOW);
            assert_eq!(result.is_ok(), is_allowed, "case {number}, root {at_root}: {result:?}");
            if let Err((_, rule)) = result {
                assert!(matches!(rule, Rule::Names { .. }), "case {number}: {rule:?}");
            }
        }
    }
}

#[test]
fn a_cross_signed_ca_is_reached_by_the_way_that_holds() {
    let (old_key, new_key, issuing_key) = (TestKey::p256(1), TestKey::p256(2), TestKey::p256(3));
    let new_root = authority("New", None).self_signed(&new_key);
    let mut by_old = authority("Issuing", None);
    by_old.not_after = NOW.plus(-DAY);
    let by_old = by_old.issue(&issuing_key, "Old", &old_key);
    let by_new = authority("Issuing", None).issue(&issuing_key, "New", &new_key);
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(4), "Issuing", &issuing_key);
    let old_root = authority("Old", None).self_signed(&old_key);
    for pool in [[&by_old[..], &by_new], [&by_new[..], &by_old]] {
        assert_eq!(found(&end, &pool, &[&old_root, &new_root], NOW), Ok(3));
    }
    // Another CA of the same name with another key is passed by.
    let namesake = authority("Issuing", None).issue(&TestKey::p256(8), "New", &new_key);
    assert_eq!(found(&end, &[&namesake, &by_new], &[&new_root], NOW), Ok(3));
}

#[test]
fn a_self_issued_ca_counts_for_nothing() {
    let (old_key, new_key) = (TestKey::p256(1), TestKey::p256(2));
    let root = authority("Root", Some(0)).self_signed(&old_key);
    let rollover = authority("Root", Some(0)).issue(&new_key, "Root", &old_key);
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(4), "Root", &new_key);
    assert_eq!(found(&end, &[&rollover], &[&root], NOW), Ok(3));
}

#[test]
fn names_are_the_same_in_another_spelling() {
    let key = TestKey::p256(1);
    let root = authority("The  Root", None).self_signed(&key);
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(4), "the root ", &key);
    assert_eq!(found(&end, &[], &[&root], NOW), Ok(2));
}

#[test]
fn a_hostile_pool_costs_a_bounded_number_of_steps() {
    // Every one of these may stand above every other.
    let keys: Vec<TestKey> = (1..12).map(TestKey::p256).collect();
    let mut pool = Vec::new();
    for subject in &keys {
        for issuer in &keys {
            pool.push(authority("Loop", None).issue(subject, "Loop", issuer));
        }
    }
    let pool: Vec<&[u8]> = pool.iter().map(Vec::as_slice).collect();
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(100), "Loop", &keys[0]);
    let root = authority("Root", None).self_signed(&TestKey::p256(99));
    let (_, rule) = found(&end, &pool, &[&root], NOW).unwrap_err();
    assert!(matches!(rule, Rule::Work | Rule::Length), "{rule:?}");
    // A long chain without any circle ends too.
    let mut chain = Vec::new();
    for number in 1..12_u8 {
        let issuer = format!("CA {}", number + 1);
        let template = authority(&format!("CA {number}"), None);
        chain.push(template.issue(&TestKey::p256(number), &issuer, &TestKey::p256(number + 1)));
    }
    let anchor = authority("CA 12", None).self_signed(&TestKey::p256(12));
    let pool: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(100), "CA 1", &TestKey::p256(1));
    let error = ("CN=CA 9".into(), Rule::Length);
    assert_eq!(found(&end, &pool, &[&anchor], NOW), Err(error));
}

#[test]
fn what_cannot_be_read_is_refused_or_passed_by() {
    let key = TestKey::p256(1);
    let root = authority("Root", None).self_signed(&key);
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(4), "Root", &key);
    assert_eq!(found(&end, &[&[7]], &[&[], &root], NOW), Ok(2));
    for cut in 0..end.len() {
        let (_, rule) = found(&end[..cut], &[], &[&root], NOW).unwrap_err();
        assert_eq!(rule, Rule::Readable);
    }
    let longer = [&end[..], &[0]].concat();
    assert!(found(&longer, &[], &[&root], NOW).is_err());
    // Whatever is changed in it, it holds no more.
    for at in 0..end.len() {
        let mut changed = end.clone();
        changed[at] ^= 0x01;
        assert!(found(&changed, &[], &[&root], NOW).is_err(), "byte {at}");
    }
    let no_oid = der(|writer| writer.element(OBJECT_IDENTIFIER, &[]));
    assert!(found(&no_oid, &[], &[&root], NOW).is_err());
}

#[test]
fn a_root_of_version_1_is_a_ca_because_it_was_configured() {
    let key = TestKey::p256(1);
    let mut root = Template::new("Root", vec![]);
    root.is_old = true;
    let root = root.self_signed(&key);
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(4), "Root", &key);
    assert_eq!(found(&end, &[], &[&root], NOW), Ok(2));
    let top = authority("Top", None).self_signed(&TestKey::p256(9));
    let mut between = Template::new("Root", vec![]);
    between.is_old = true;
    let between = between.issue(&key, "Top", &TestKey::p256(9));
    let error = Err(("CN=Root".into(), Rule::IsCa));
    assert_eq!(found(&end, &[&between], &[&top], NOW), error);
}

#[test]
fn both_labels_of_a_signature_agree() {
    let error = broken(|pki| {
        pki.end.inner_algorithm = Some(SignatureAlgorithm::Ecdsa(Hash::Sha384));
    });
    assert_eq!(error, ("CN=kdc".into(), Rule::Signature(SignatureError::OtherKind)));
}

#[test]
fn no_certificate_has_more_extensions_than_any_real_one() {
    let error = broken(|pki| {
        pki.end.extensions =
            (0..65).map(|number| (vec![0x2A, number], false, vec![5, 0])).collect();
    });
    assert_eq!(error, ("CN=kdc".into(), Rule::Extension("1.2.64".into())));
}

#[test]
fn a_ca_that_changes_its_key_is_not_bound_by_its_own_constraints_but_the_end_is() {
    let tree = der(|writer| writer.within(context(4), |field| field.raw(&common_name("kdc"))));
    let (old_key, new_key) = (TestKey::p256(1), TestKey::p256(2));
    let mut root = authority("Root", None);
    root.extensions.push(constraints(&[tree], &[]));
    let root = root.self_signed(&old_key);
    let rollover = authority("Root", None).issue(&new_key, "Root", &old_key);
    let end = Template::new("kdc", vec![]).issue(&TestKey::p256(4), "Root", &new_key);
    assert_eq!(found(&end, &[&rollover], &[&root], NOW), Ok(3));
    let end = Template::new("Root", vec![]).issue(&TestKey::p256(4), "Root", &new_key);
    let error = Err(("CN=Root".into(), Rule::Names { ca: "CN=Root".into() }));
    assert_eq!(found(&end, &[&rollover], &[&root], NOW), error);
}
