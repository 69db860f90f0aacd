//! A ticket for this host, from a KDC that has the host's key and from one that has not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

use krb5_words::ccache::{CachedKey, Credential};
use krb5_words::crypto::{EncryptionType, Key, KeyUsage};
use krb5_words::keytab::KeytabEntry;
use krb5_words::messages::{
    ApReq, Authenticator, EncKdcRepPart, EncTicketPart, EncryptedData, ErrorCode, Exchange, KdcRep,
    KdcReq, KrbError, PaData, PaType, Ticket, TicketFlags,
};
use krb5_words::{KerberosTime, Principal, PrincipalName, Realm};
use pkinit::error::{Field, Part, PkinitError};
use pkinit::machine::Moment;
use pkinit::tgs::{TgsRequest, check_host_ticket};

const NOW: KerberosTime = KerberosTime::from_unix(1_893_456_000);

fn key(etype: EncryptionType, byte: u8) -> Key {
    Key::new(etype, &vec![byte; etype.key_bytes()]).unwrap()
}

fn principal(text: &str) -> Principal {
    Principal::parse(text, None).unwrap()
}

fn tgt() -> Credential {
    let realm = Realm::new("EXAMPLE.ORG").unwrap();
    let secret = EncryptedData { etype: 18, kvno: Some(1), cipher: vec![7; 64] };
    let ticket = Ticket::new(realm.clone(), PrincipalName::krbtgt(&realm), secret);
    Credential {
        client: principal("alice@EXAMPLE.ORG"),
        server: principal("krbtgt/EXAMPLE.ORG@EXAMPLE.ORG"),
        key: CachedKey::from(&key(EncryptionType::Aes256Sha1, 1)),
        authtime: NOW,
        starttime: NOW,
        endtime: NOW.plus(36_000),
        renew_till: KerberosTime::default(),
        is_session_key: false,
        flags: TicketFlags::default(),
        ticket: ticket.der().to_vec(),
    }
}

fn request() -> TgsRequest {
    let random: [u8; 64] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let moment = Moment { now: NOW, cusec: 1, random: random.into() };
    let etypes = [EncryptionType::Aes256Sha384, EncryptionType::Aes256Sha1];
    TgsRequest::new(&tgt(), principal("host/pc@EXAMPLE.ORG"), &etypes, 60, &moment).unwrap()
}

fn keytab() -> Vec<KeytabEntry> {
    let entry = |kvno, byte| KeytabEntry {
        principal: principal("host/pc@EXAMPLE.ORG"),
        timestamp: NOW,
        kvno,
        key: key(EncryptionType::Aes256Sha384, byte),
    };
    vec![entry(2, 2), entry(3, 3)]
}

/// What the ticket-granting service does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    SessionKey,
    Nonce,
    ClientRealm,
    ClientName,
    TicketService,
    Service,
    EndTime,
    Etype,
    HostKey,
    OldKey,
    OtherClient,
    OtherSession,
}

fn answer(bytes: &[u8], lie: Lie) -> Vec<u8> {
    let (request, body) = KdcReq::from_der(bytes).unwrap();
    let session = key(EncryptionType::Aes256Sha1, 1);
    let ap_req = PaData::find(&request.pa_data, PaType::TGS_REQ).unwrap();
    let ap_req = ApReq::from_der(ap_req).unwrap();
    assert_eq!(ap_req.ticket.der(), tgt().ticket);
    let plain = ap_req.authenticator.open(&session, KeyUsage::TGS_REQ_AUTHENTICATOR).unwrap();
    let authenticator = Authenticator::from_der(&plain).unwrap();
    let checksum = authenticator.checksum.unwrap();
    assert!(checksum.is_of(&session, KeyUsage::TGS_REQ_CHECKSUM, &request.body));
    assert_eq!(authenticator.ctime, NOW.plus(60), "by the KDC's clock");
    assert_eq!(authenticator.cname.to_string(), "alice");
    let subkey = authenticator.subkey.unwrap();
    assert_ne!(subkey, session);

    let etype = match lie {
        Lie::Etype => EncryptionType::Aes128Sha1,
        _ => EncryptionType::Aes256Sha384,
    };
    let new_key = key(etype, 9);
    let alice = principal("alice@EXAMPLE.ORG");
    let mallory = principal("mallory@OTHER.ORG");
    let choose = |at| if lie == at { &mallory } else { &alice };
    let host = principal("host/pc@EXAMPLE.ORG");
    let service = |at| if lie == at { &mallory } else { &host };
    let secret = EncTicketPart {
        flags: TicketFlags::default(),
        key: if lie == Lie::OtherSession { key(etype, 8) } else { new_key.clone() },
        crealm: alice.realm.clone(),
        cname: choose(Lie::OtherClient).name.clone(),
        transited: (1, vec![]),
        authtime: NOW,
        starttime: None,
        endtime: body.till,
        renew_till: None,
        authorization_data: None,
    };
    let host_key = match lie {
        Lie::HostKey => key(EncryptionType::Aes256Sha384, 99),
        _ => keytab()[1].key.clone(),
    };
    let mut sealed = EncryptedData::seal(&host_key, KeyUsage::TICKET, [4; 16], &secret.to_der());
    sealed.kvno = Some(if lie == Lie::OldKey { 4 } else { 3 });
    let part = EncKdcRepPart {
        key: new_key,
        last_requests: vec![],
        nonce: if lie == Lie::Nonce { body.nonce ^ 1 } else { body.nonce },
        key_expiration: None,
        flags: TicketFlags::default(),
        authtime: NOW,
        starttime: None,
        endtime: if lie == Lie::EndTime { body.till.plus(1) } else { body.till },
        renew_till: None,
        srealm: service(Lie::Service).realm.clone(),
        sname: service(Lie::Service).name.clone(),
        encrypted_pa_data: vec![],
    };
    let (key, usage) = match lie {
        Lie::SessionKey => (&session, KeyUsage::TGS_REP_SESSION),
        _ => (&subkey, KeyUsage::TGS_REP_SUBKEY),
    };
    let of_ticket = service(Lie::TicketService);
    KdcRep {
        exchange: Exchange::Tgs,
        pa_data: vec![],
        crealm: choose(Lie::ClientRealm).realm.clone(),
        cname: choose(Lie::ClientName).name.clone(),
        ticket: Ticket::new(of_ticket.realm.clone(), of_ticket.name.clone(), sealed),
        enc_part: EncryptedData::seal(key, usage, [5; 16], &part.to_der(Exchange::Tgs)),
    }
    .to_der()
}

fn checked(lie: Lie) -> Result<(), PkinitError> {
    let request = request();
    let credential = request.check(&answer(request.bytes(), lie), NOW)?;
    assert_eq!(credential.server.to_string(), "host/pc@EXAMPLE.ORG");
    check_host_ticket(&credential, &keytab()).map(|_| ())
}

#[test]
fn a_ticket_that_opens_with_the_hosts_key_proves_the_kdc() {
    assert_eq!(checked(Lie::None), Ok(()));
}

#[test]
fn every_lie_has_its_own_error() {
    let field = PkinitError::Field;
    for (lie, error) in [
        (Lie::SessionKey, PkinitError::ReplyKey),
        (Lie::Nonce, field(Field::Nonce)),
        (Lie::ClientRealm, field(Field::ClientRealm)),
        (Lie::ClientName, field(Field::ClientName)),
        (Lie::TicketService, field(Field::TicketService)),
        (Lie::Service, field(Field::Service)),
        (Lie::EndTime, field(Field::EndTime)),
        (Lie::Etype, PkinitError::Etype(17)),
        (Lie::HostKey, PkinitError::HostKey),
        (Lie::OldKey, PkinitError::NoHostKey { etype: 20, kvno: Some(4) }),
        (Lie::OtherClient, PkinitError::HostTicket(principal("mallory@EXAMPLE.ORG"))),
        (Lie::OtherSession, PkinitError::HostTicket(principal("alice@EXAMPLE.ORG"))),
    ] {
        assert_eq!(checked(lie), Err(error), "{lie:?}");
    }
}

#[test]
fn what_is_cut_off_or_refused_is_an_error() {
    let request = request();
    let reply = answer(request.bytes(), Lie::None);
    for cut in 0..reply.len() {
        let error = request.check(&reply[..cut], NOW).unwrap_err();
        assert!(matches!(error, PkinitError::Encoding(Part::TgsRep, _)), "{cut}: {error:?}");
    }
    let end = NOW.plus(36_000);
    assert_eq!(request.check(&reply, end), Err(PkinitError::Field(Field::EndTime)));
    let realm = Realm::new("EXAMPLE.ORG").unwrap();
    let refusal = KrbError {
        ctime: None,
        stime: NOW,
        susec: 0,
        code: ErrorCode::SERVICE_UNKNOWN,
        crealm: None,
        cname: None,
        sname: PrincipalName::krbtgt(&realm),
        realm,
        text: None,
        data: None,
    };
    let error = request.check(&refusal.to_der(), NOW).unwrap_err();
    assert!(matches!(error, PkinitError::Refused { code: ErrorCode::SERVICE_UNKNOWN, .. }));
}
