//! The whole exchange with an honest KDC, and with one that lies about one thing after the other.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod kdc;
mod pki;

use kdc::{Kdc, Lie, REALM, root, user};
use krb5_words::crypto::EncryptionType;
use krb5_words::messages::{ErrorCode, KdcOptions, PaType, write_method_data};
use krb5_words::{KerberosTime, Principal, Realm};
use pki::{DAY, KP_KDC, NOW, SERVER_AUTH, TestKey, dns_name, names, principal_name, purposes};
use pkinit::chain::{ChainError, Rule};
use pkinit::cms::CmsError;
use pkinit::error::{Field, Part, PkinitError};
use pkinit::groups::{Group, GroupError};
use pkinit::kdc_certificate::{Identity, KdcCertificateError};
use pkinit::kdf::Kdf;
use pkinit::machine::{Action, Logon, Machine, Moment, Outcome, RealmPolicy};
use pkinit::signature::{Hash, SignatureAlgorithm, SignatureError};

fn moment(seed: u8) -> Moment {
    let random: [u8; 64] = std::array::from_fn(|at| u8::try_from(at).unwrap() ^ seed);
    Moment { now: NOW, cusec: 5, random: random.into() }
}

fn logon(key: &TestKey) -> Logon {
    Logon {
        client: Principal::parse("alice@EXAMPLE.ORG", None).unwrap(),
        certificate: user(key),
        intermediates: vec![],
        options: KdcOptions::FORWARDABLE,
        lifetime: 36_000,
        renew_lifetime: None,
        etypes: vec![EncryptionType::Aes256Sha384, EncryptionType::Aes256Sha1],
    }
}

fn policy() -> RealmPolicy {
    RealmPolicy::with_anchors(vec![root()])
}

/// Runs an exchange to its end.
struct Run {
    key: TestKey,
    logon: Logon,
    policy: RealmPolicy,
    requests: Vec<Vec<u8>>,
    replies: Vec<Vec<u8>>,
    signatures: usize,
}

impl Run {
    fn new(key: TestKey) -> Self {
        let logon = logon(&key);
        let policy = policy();
        Self { key, logon, policy, requests: vec![], replies: vec![], signatures: 0 }
    }

    fn with(&mut self, kdc: &mut Kdc) -> Result<Outcome, PkinitError> {
        let (mut machine, mut action) =
            Machine::start(self.logon.clone(), self.policy.clone(), &moment(0))?;
        for round in 1..30 {
            action = match action {
                Action::SendToKdc { realm, request, .. } => {
                    assert_eq!(realm, kdc.realm);
                    let reply = kdc.answer(&request);
                    self.requests.push(request);
                    self.replies.push(reply.clone());
                    machine.reply(&reply, &moment(round))?
                }
                Action::Sign { algorithm, message } => {
                    self.signatures += 1;
                    machine.signed(&self.key.sign(algorithm, &message))?
                }
                Action::Refer { realm } => {
                    kdc.realm = realm;
                    machine.referred(self.policy.clone(), &moment(round))?
                }
                Action::Done(outcome) => return Ok(*outcome),
            };
        }
        panic!("the exchange does not end");
    }
}

fn result(change: impl FnOnce(&mut Run, &mut Kdc)) -> Result<Outcome, PkinitError> {
    let (mut run, mut kdc) = (Run::new(TestKey::p256(5)), Kdc::new(TestKey::p256(6)));
    // The small curve is the fastest one here.
    run.policy.groups = vec![Group::P256, Group::Modp14];
    change(&mut run, &mut kdc);
    run.with(&mut kdc)
}

fn failure(change: impl FnOnce(&mut Run, &mut Kdc)) -> PkinitError {
    result(change).unwrap_err()
}

#[test]
fn rsa_and_ec_keys_get_a_ticket_in_every_group() {
    let keys = [TestKey::rsa(1), TestKey::p256(5), TestKey::p384(5)];
    for (key, group) in keys.into_iter().cycle().zip(Group::ALL) {
        for kdc_key in [TestKey::rsa(2), TestKey::p384(6)] {
            let (mut run, mut kdc) = (Run::new(key.clone()), Kdc::new(kdc_key));
            run.policy.groups = vec![group];
            let outcome = run.with(&mut kdc).unwrap();
            assert_eq!(outcome.group, group);
            assert_eq!(outcome.kdf, Some(Kdf::Sha256));
            assert_eq!(outcome.kdc, Identity::Krbtgt);
            assert_eq!(outcome.signature, kdc.key.algorithm());
            let credential = &outcome.credential;
            assert_eq!(credential.client.to_string(), "alice@EXAMPLE.ORG");
            assert_eq!(credential.server.to_string(), "krbtgt/EXAMPLE.ORG@EXAMPLE.ORG");
            assert_eq!(*credential.key.bytes, [9; 32]);
            assert_eq!(credential.endtime, NOW.plus(36_000));
            assert_eq!(run.requests.len(), 2, "two round trips");
            assert_eq!(run.signatures, 1);
        }
    }
}

#[test]
fn old_kdcs_get_no_token_and_derive_with_sha_1() {
    let old = |_: &mut Run, kdc: &mut Kdc| {
        kdc.key = TestKey::rsa(1);
        kdc.is_new = false;
        kdc.kdf = None;
        kdc.algorithm = Some(SignatureAlgorithm::RsaPkcs1(Hash::Sha1));
    };
    let outcome = result(old).unwrap();
    assert_eq!(outcome.kdf, None);
    assert_eq!(outcome.signature.hash(), Hash::Sha1, "to be logged");
    let error = failure(|run, kdc| {
        old(run, kdc);
        run.policy.sha1_signature = false;
    });
    assert_eq!(error, PkinitError::Sha1Signature);
    let error = failure(|run, kdc| {
        old(run, kdc);
        run.policy.octet_string_to_key = false;
    });
    assert_eq!(error, PkinitError::NoKdf);
}

#[test]
fn every_lie_has_its_own_error() {
    let field = PkinitError::Field;
    for (lie, error) in [
        (Lie::NoPkAsRep, PkinitError::NoPkAsRep),
        (Lie::EncKeyPack, PkinitError::EncKeyPack),
        (Lie::ForeignSignature, PkinitError::Cms(CmsError::Signature(SignatureError::Wrong))),
        (Lie::ContentType, PkinitError::Cms(CmsError::ContentType(vec![0x2B, 6, 1, 5, 2, 3, 1]))),
        (Lie::NoSigner, PkinitError::Cms(CmsError::Signers(0))),
        (Lie::DhKeyExpired, PkinitError::DhKeyExpired(NOW.plus(-301))),
        (Lie::PublicOne, PkinitError::Agreement(GroupError::PublicValue)),
        (Lie::Kdf, PkinitError::Kdf(Some(Kdf::Sha1))),
        (Lie::UnknownKdf, PkinitError::Kdf(None)),
        (Lie::Etype, PkinitError::Etype(17)),
        (Lie::ReplyKey, PkinitError::ReplyKey),
        (Lie::Nonce, field(Field::Nonce)),
        (Lie::ClientRealm, field(Field::ClientRealm)),
        (Lie::ClientName, field(Field::ClientName)),
        (Lie::TicketService, field(Field::TicketService)),
        (Lie::TicketRealm, field(Field::TicketService)),
        (Lie::Service, field(Field::Service)),
        (Lie::ServiceRealm, field(Field::Service)),
        (Lie::AuthTime, field(Field::AuthTime)),
        (Lie::StartTime, field(Field::StartTime)),
        (Lie::EndTime, field(Field::EndTime)),
        (Lie::EndsNow, field(Field::EndTime)),
        (Lie::NoChecksum, PkinitError::RequestChanged),
        (Lie::OtherChecksum, PkinitError::RequestChanged),
    ] {
        for group in [Group::P256, Group::Modp14] {
            let got = failure(|run, kdc| {
                run.policy.groups = vec![group];
                kdc.lie = Some(lie);
            });
            assert_eq!(got, error, "{lie:?}");
            assert!(!got.to_string().is_empty());
        }
    }
    let error = failure(|_, kdc| kdc.lie = Some(Lie::SignedNonce));
    assert!(
        matches!(error, PkinitError::SignedNonce { expected, got } if expected == got ^ 1),
        "{error:?}"
    );
}

#[test]
fn only_the_realms_kdc_is_believed() {
    let certificate =
        |extensions| move |_: &mut Run, kdc: &mut Kdc| kdc.certificate.extensions = extensions;
    let other = |name: &str| {
        PkinitError::KdcCertificate(KdcCertificateError::OtherPrincipal(vec![name.into()]))
    };
    let san = names(&[principal_name("OTHER.ORG", &["krbtgt", "OTHER.ORG"])]);
    let error = failure(certificate(vec![san, purposes(&[KP_KDC])]));
    assert_eq!(error, other("krbtgt/OTHER.ORG@OTHER.ORG"));
    let san = names(&[principal_name(REALM, &["alice"])]);
    let error = failure(certificate(vec![san, purposes(&[KP_KDC])]));
    assert_eq!(error, other("alice@EXAMPLE.ORG"));
    let san = names(&[principal_name(REALM, &["krbtgt", REALM])]);
    let error = failure(certificate(vec![san, purposes(&[SERVER_AUTH])]));
    assert!(matches!(error, PkinitError::KdcCertificate(KdcCertificateError::Purpose { .. })));
    let ad = names(&[dns_name("dc1.example.org"), dns_name("example.org")]);
    let outcome = result(certificate(vec![ad, purposes(&[KP_KDC])])).unwrap();
    assert_eq!(outcome.kdc, Identity::RealmDnsName("example.org".into()));
}

#[test]
fn only_what_leads_to_an_anchor_is_believed() {
    let chain = |certificate: &str, rule| {
        PkinitError::Chain(ChainError { certificate: certificate.into(), rule })
    };
    let expired = NOW.plus(-1);
    let error = failure(|_, kdc| kdc.certificate.not_after = expired);
    assert_eq!(error, chain("CN=kdc", Rule::NotAfter(expired)));
    let error = failure(|run, _| run.policy.anchors = vec![]);
    assert_eq!(error, chain("CN=Issuing", Rule::IssuerKnown { issuer: "CN=Root".into() }));
    // The KDC's clock does not judge certificates.
    let error = failure(|_, kdc| {
        kdc.clock = NOW.plus(-3 * DAY);
        kdc.certificate.not_after = expired;
    });
    assert_eq!(error, chain("CN=kdc", Rule::NotAfter(expired)));
}

#[test]
fn a_reply_to_another_request_is_refused() {
    let (mut first, mut kdc) = (Run::new(TestKey::p256(5)), Kdc::new(TestKey::p256(6)));
    first.with(&mut kdc).unwrap();
    let (mut machine, _) = Machine::start(logon(&first.key), policy(), &moment(40)).unwrap();
    let Action::Sign { algorithm, message } =
        machine.reply(&first.replies[0], &moment(41)).unwrap()
    else {
        panic!("the machine signs next")
    };
    machine.signed(&first.key.sign(algorithm, &message)).unwrap();
    let error = machine.reply(&first.replies[1], &moment(42)).unwrap_err();
    assert!(matches!(error, PkinitError::SignedNonce { .. }), "{error:?}");
}

/// A machine that waits for the reply to its proof, for as often as it is wanted.
fn waiting(run: &Run) -> Machine {
    let (mut machine, _) =
        Machine::start(run.logon.clone(), run.policy.clone(), &moment(0)).unwrap();
    let Action::Sign { algorithm, message } = machine.reply(&run.replies[0], &moment(1)).unwrap()
    else {
        panic!("the machine signs next")
    };
    machine.signed(&run.key.sign(algorithm, &message)).unwrap();
    machine
}

#[test]
fn what_is_cut_off_or_changed_ends_the_exchange() {
    let (mut run, mut kdc) = (Run::new(TestKey::p256(5)), Kdc::new(TestKey::p256(6)));
    run.policy.groups = vec![Group::P256];
    run.with(&mut kdc).unwrap();
    let reply = run.replies[1].clone();
    for cut in (0..reply.len()).step_by(7) {
        let mut machine = waiting(&run);
        let error = machine.reply(&reply[..cut], &moment(3)).unwrap_err();
        assert!(matches!(error, PkinitError::Encoding(Part::AsRep, _)), "{cut}: {error:?}");
        assert_eq!(machine.reply(&reply, &moment(3)).unwrap_err(), PkinitError::OutOfTurn);
    }
    for cut in 0..run.replies[0].len() {
        let (mut machine, _) = Machine::start(run.logon.clone(), policy(), &moment(0)).unwrap();
        assert!(machine.reply(&run.replies[0][..cut], &moment(1)).is_err());
    }
}

#[test]
fn a_group_is_chosen_among_those_of_the_policy_and_once() {
    let outcome = result(|run, kdc| {
        run.policy.groups = vec![Group::Modp14, Group::P256, Group::P384];
        kdc.groups = vec![Group::Modp16, Group::P384, Group::P256];
    });
    assert_eq!(outcome.unwrap().group, Group::P384, "the first of the KDC's that is ours");
    let error = failure(|run, kdc| {
        run.policy.groups = vec![Group::P384];
        kdc.groups = vec![Group::Modp16, Group::P256];
    });
    assert_eq!(error, PkinitError::NoCommonGroup(vec![Group::Modp16, Group::P256]));
    let error = failure(|_, kdc| kdc.groups = vec![]);
    assert_eq!(error, PkinitError::NoCommonGroup(vec![]));
    // A KDC that asks for what it refuses is not asked again.
    let error = failure(|_, kdc| {
        let value = pkinit::messages::write_dh_parameters(&[Group::P256]);
        let data_type = pkinit::messages::TypedData::DH_PARAMETERS;
        let data = [pkinit::messages::TypedData { data_type, value }];
        let data = Some(pkinit::messages::write_typed_data(&data));
        kdc.errors = vec![
            kdc.error(ErrorCode::DH_PARAMETERS_NOT_ACCEPTED, data),
            kdc.error(ErrorCode::PREAUTH_REQUIRED, Some(offer())),
        ];
        kdc.is_new = false;
    });
    assert_eq!(error, PkinitError::NoCommonGroup(vec![Group::P256]));
    // A KDC that refuses what it asked for is not asked a third time.
    let error = failure(|run, kdc| {
        run.policy.groups = vec![Group::Modp14, Group::P256];
        let data = |groups: &[Group]| {
            let value = pkinit::messages::write_dh_parameters(groups);
            let data_type = pkinit::messages::TypedData::DH_PARAMETERS;
            let data = [pkinit::messages::TypedData { data_type, value }];
            Some(pkinit::messages::write_typed_data(&data))
        };
        let code = ErrorCode::DH_PARAMETERS_NOT_ACCEPTED;
        kdc.errors = vec![
            kdc.error(code, data(&[Group::Modp14])),
            kdc.error(code, data(&[Group::P256])),
            kdc.error(ErrorCode::PREAUTH_REQUIRED, Some(offer())),
        ];
    });
    assert_eq!(error, PkinitError::NoCommonGroup(vec![Group::Modp14]));
}

fn offer() -> Vec<u8> {
    write_method_data(&[krb5_words::messages::PaData::new(PaType::PK_AS_REQ, [])])
}

#[test]
fn another_clock_is_followed_for_this_exchange_only() {
    for offset in [-3600, 3600] {
        let outcome = result(|_, kdc| kdc.clock = NOW.plus(offset)).unwrap();
        assert_eq!(outcome.clock_offset, offset);
    }
    for offset in [-240, 240] {
        let outcome = result(|_, kdc| kdc.clock = NOW.plus(offset)).unwrap();
        assert_eq!(outcome.clock_offset, 0, "four minutes are near enough");
    }
    let error = failure(|_, kdc| {
        let skew = kdc.error(ErrorCode::CLOCK_SKEW, None);
        let first = kdc.error(ErrorCode::PREAUTH_REQUIRED, Some(offer()));
        kdc.errors = vec![skew.clone(), skew, first];
    });
    assert!(matches!(error, PkinitError::Refused { code: ErrorCode::CLOCK_SKEW, .. }));
}

#[test]
fn a_reply_that_is_too_big_is_asked_for_again_with_the_same_bytes() {
    let (mut run, mut kdc) = (Run::new(TestKey::p256(5)), Kdc::new(TestKey::p256(6)));
    kdc.errors = vec![kdc.error(ErrorCode::RESPONSE_TOO_BIG, None)];
    run.with(&mut kdc).unwrap();
    assert_eq!(run.requests[0], run.requests[1]);
    assert_eq!(run.requests.len(), 3);
    let error = failure(|_, kdc| {
        let big = kdc.error(ErrorCode::RESPONSE_TOO_BIG, None);
        kdc.errors = vec![big.clone(), big];
    });
    assert!(matches!(error, PkinitError::Refused { code: ErrorCode::RESPONSE_TOO_BIG, .. }));
}

#[test]
fn an_old_token_is_replaced_once() {
    let (mut run, mut kdc) = (Run::new(TestKey::p256(5)), Kdc::new(TestKey::p256(6)));
    kdc.errors = vec![
        kdc.error(ErrorCode::PREAUTH_EXPIRED, None),
        kdc.error(ErrorCode::PREAUTH_REQUIRED, Some(offer())),
    ];
    run.with(&mut kdc).unwrap();
    assert_eq!((run.requests.len(), run.signatures), (4, 2));
}

#[test]
fn a_referral_is_followed_if_it_was_asked_for() {
    let other = Realm::new("OTHER.ORG").unwrap();
    let send_on = |kdc: &Kdc, realm: &Realm| {
        let mut error = kdc.error(ErrorCode::WRONG_REALM, None);
        error.crealm = Some(realm.clone());
        error
    };
    let outcome = result(|run, kdc| {
        run.logon.options = KdcOptions::CANONICALIZE;
        kdc.errors = vec![send_on(kdc, &other)];
        let san = names(&[principal_name("OTHER.ORG", &["krbtgt", "OTHER.ORG"])]);
        kdc.certificate.extensions = vec![san, purposes(&[KP_KDC])];
        kdc.lie = Some(Lie::ClientName);
    });
    let credential = outcome.unwrap().credential;
    assert_eq!(credential.client.to_string(), "mallory@OTHER.ORG", "a name may be made canonical");
    assert_eq!(credential.server.to_string(), "krbtgt/OTHER.ORG@OTHER.ORG");
    // The KDC that we were sent to is held to its own realm.
    let error = failure(|run, kdc| {
        run.logon.options = KdcOptions::CANONICALIZE;
        kdc.errors = vec![send_on(kdc, &other)];
    });
    assert!(matches!(error, PkinitError::KdcCertificate(KdcCertificateError::OtherPrincipal(_))));
    let error = failure(|_, kdc| kdc.errors = vec![send_on(kdc, &other)]);
    assert!(matches!(error, PkinitError::Refused { code: ErrorCode::WRONG_REALM, .. }));
    let error = failure(|run, kdc| {
        run.logon.options = KdcOptions::CANONICALIZE;
        let back = send_on(kdc, &kdc.realm);
        kdc.errors = vec![back, send_on(kdc, &other)];
    });
    assert_eq!(error, PkinitError::Referral(Realm::new(REALM).unwrap()));
    let error = failure(|run, kdc| {
        run.logon.options = KdcOptions::CANONICALIZE;
        let realm = |number| Realm::new(format!("R{number}")).unwrap();
        kdc.errors = (0..9).map(|number| send_on(kdc, &realm(number))).collect();
    });
    assert_eq!(error, PkinitError::Referral(Realm::new("R3").unwrap()), "five and no more");
}

#[test]
fn a_kdc_that_wants_something_else_is_heard() {
    let error = failure(|_, kdc| {
        let data = [krb5_words::messages::PaData::new(PaType::ENC_TIMESTAMP, [])];
        let data = Some(write_method_data(&data));
        kdc.errors = vec![kdc.error(ErrorCode::PREAUTH_REQUIRED, data)];
    });
    assert_eq!(error, PkinitError::NotOffered(vec![PaType::ENC_TIMESTAMP]));
    let error = failure(|_, kdc| {
        let mut refusal = kdc.error(ErrorCode::CLIENT_UNKNOWN, None);
        refusal.text = Some("no\u{7} such".into());
        kdc.errors = vec![refusal];
    });
    let PkinitError::Refused { code, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*code, ErrorCode::CLIENT_UNKNOWN);
    assert!(error.to_string().contains("\\u{7}"), "a terminal is told nothing: {error}");
    // A ticket before any proof came from somebody who does not know us.
    let (mut run, mut kdc) = (Run::new(TestKey::p256(5)), Kdc::new(TestKey::p256(6)));
    run.with(&mut kdc).unwrap();
    let (mut machine, _) = Machine::start(logon(&run.key), policy(), &moment(0)).unwrap();
    assert_eq!(machine.reply(&run.replies[1], &moment(1)).unwrap_err(), PkinitError::NoProofAsked);
}

#[test]
fn our_own_faults_are_found_before_the_kdc_is_asked() {
    let start = |change: &dyn Fn(&mut Logon), now: KerberosTime| {
        let mut logon = logon(&TestKey::p256(5));
        change(&mut logon);
        Machine::start(logon, policy(), &Moment { now, ..moment(0) }).map(|_| ()).unwrap_err()
    };
    let same = |_: &mut Logon| {};
    let late = NOW.plus(366 * DAY);
    assert_eq!(start(&same, late), PkinitError::OwnNotAfter(NOW.plus(365 * DAY)));
    assert_eq!(start(&same, NOW.plus(-2 * DAY)), PkinitError::OwnNotBefore(NOW.plus(-DAY)));
    let broken = |logon: &mut Logon| logon.certificate.truncate(99);
    assert_eq!(start(&broken, NOW), PkinitError::OwnCertificate);
    // A card whose certificate was read from elsewhere.
    let mut run = Run::new(TestKey::p256(5));
    run.key = TestKey::p256(8);
    let error = run.with(&mut Kdc::new(TestKey::p256(6))).unwrap_err();
    assert_eq!(error, PkinitError::OwnSignature(SignatureError::Wrong));
}

#[test]
fn events_out_of_turn_change_nothing() {
    let run = Run::new(TestKey::p256(5));
    let (mut machine, _) = Machine::start(run.logon.clone(), policy(), &moment(0)).unwrap();
    assert_eq!(machine.signed(&[]).unwrap_err(), PkinitError::OutOfTurn);
    assert_eq!(machine.referred(policy(), &moment(0)).unwrap_err(), PkinitError::OutOfTurn);
    let first = Kdc::new(TestKey::p256(6)).error(ErrorCode::PREAUTH_REQUIRED, Some(offer()));
    let action = machine.reply(&first.to_der(), &moment(1)).unwrap();
    assert!(matches!(action, Action::Sign { .. }));
    assert_eq!(machine.reply(&first.to_der(), &moment(1)).unwrap_err(), PkinitError::OutOfTurn);
    let Action::Sign { algorithm, message } = action else { panic!("it was one") };
    assert!(machine.signed(&run.key.sign(algorithm, &message)).is_ok());
}
