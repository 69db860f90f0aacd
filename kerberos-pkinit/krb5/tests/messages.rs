//! Every message: written and read again, cut at each byte, and followed by a byte too many.
#![allow(clippy::unwrap_used, reason = "a test says no by a panic")]

use krb5_words::crypto::{EncryptionType, Key, KeyUsage};
use krb5_words::der::{DerError, Reader};
use krb5_words::messages::{
    ApReq, Authenticator, Checksum, EncKdcRepPart, EncTicketPart, EncryptedData, ErrorCode,
    EtypeInfo, Exchange, KdcOptions, KdcRep, KdcReq, KdcReqBody, KrbError, PaData, PaType, Ticket,
    TicketFlags, read_method_data, write_method_data,
};
use krb5_words::{KerberosTime, NameType, PrincipalName, Realm};

/// Reads what was written, then each beginning of it, then it with a byte more.
fn check<T: PartialEq + std::fmt::Debug>(
    value: &T,
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T, DerError>,
) {
    assert_eq!(read(bytes).as_ref(), Ok(value));
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "cut to {cut} of {} bytes", bytes.len());
    }
    let longer = [bytes, &[0]].concat();
    assert_eq!(read(&longer), Err(DerError::Surplus));
    // No byte of it, changed, makes the reader panic.
    for at in 0..bytes.len() {
        for change in [0x01, 0x80, 0xFF] {
            let mut changed = bytes.to_vec();
            changed[at] ^= change;
            let _ = read(&changed);
        }
    }
}

fn realm() -> Realm {
    Realm::new("EXAMPLE.COM").unwrap()
}

fn alice() -> PrincipalName {
    PrincipalName::new(NameType::PRINCIPAL, &["alice"])
}

fn time(seconds: i64) -> KerberosTime {
    KerberosTime::from_unix(1_700_000_000 + seconds)
}

fn key() -> Key {
    Key::new(EncryptionType::Aes256Sha1, &[7; 32]).unwrap()
}

fn sealed(plain: &[u8]) -> EncryptedData {
    EncryptedData { kvno: Some(2), ..EncryptedData::seal(&key(), KeyUsage::TICKET, [1; 16], plain) }
}

fn ticket() -> Ticket {
    Ticket::new(realm(), PrincipalName::krbtgt(&realm()), sealed(b"ticket"))
}

fn body() -> KdcReqBody {
    KdcReqBody {
        options: KdcOptions::FORWARDABLE.with(KdcOptions::CANONICALIZE),
        cname: Some(alice()),
        realm: realm(),
        sname: Some(PrincipalName::krbtgt(&realm())),
        from: Some(time(0)),
        till: time(36_000),
        renew_till: Some(time(72_000)),
        nonce: 0x7FFF_FFFF,
        etypes: vec![20, 19, 18, 17],
        authorization_data: Some(sealed(b"rights")),
    }
}

#[test]
fn requests() {
    let small = KdcReqBody {
        cname: None,
        sname: None,
        from: None,
        renew_till: None,
        authorization_data: None,
        ..body()
    };
    for (exchange, body) in [(Exchange::As, body()), (Exchange::Tgs, small)] {
        for pa_data in [
            vec![],
            vec![PaData::new(PaType::AS_FRESHNESS, []), PaData::new(PaType::PK_AS_REQ, [1, 2])],
        ] {
            let request = KdcReq { exchange, pa_data, body: body.to_der() };
            check(&(request.clone(), body.clone()), &request.to_der(), KdcReq::from_der);
        }
    }
}

#[test]
fn an_as_req_has_the_bytes_of_the_standard() {
    let body = KdcReqBody {
        options: KdcOptions::RENEWABLE_OK,
        cname: Some(PrincipalName::new(NameType::PRINCIPAL, &["a"])),
        realm: Realm::new("R").unwrap(),
        sname: None,
        from: None,
        till: KerberosTime::from_unix(0),
        renew_till: None,
        nonce: 1,
        etypes: vec![18],
        authorization_data: None,
    };
    let request = KdcReq { exchange: Exchange::As, pa_data: vec![], body: body.to_der() };
    let expected = [
        &[0x6A, 0x4D, 0x30, 0x4B][..],
        &[0xA1, 3, 2, 1, 5],
        &[0xA2, 3, 2, 1, 10],
        &[0xA4, 0x3F, 0x30, 0x3D],
        &[0xA0, 7, 3, 5, 0, 0, 0, 0, 0x10],
        &[0xA1, 14, 0x30, 12, 0xA0, 3, 2, 1, 1, 0xA1, 5, 0x30, 3, 0x1B, 1, b'a'],
        &[0xA2, 3, 0x1B, 1, b'R'],
        &[0xA5, 17, 0x18, 15],
        b"19700101000000Z",
        &[0xA7, 3, 2, 1, 1],
        &[0xA8, 5, 0x30, 3, 2, 1, 18],
    ]
    .concat();
    assert_eq!(request.to_der(), expected);
}

#[test]
fn replies() {
    for exchange in [Exchange::As, Exchange::Tgs] {
        let reply = KdcRep {
            exchange,
            pa_data: vec![PaData::new(PaType::PK_AS_REP, [3])],
            crealm: realm(),
            cname: alice(),
            ticket: ticket(),
            enc_part: sealed(b"reply"),
        };
        check(&reply, &reply.to_der(), |bytes| KdcRep::from_der(exchange, bytes));
        let part = EncKdcRepPart {
            key: key(),
            last_requests: vec![(0, time(1)), (6, time(2))],
            nonce: 5,
            key_expiration: Some(time(3)),
            flags: TicketFlags::INITIAL.with(TicketFlags::PRE_AUTHENT),
            authtime: time(4),
            starttime: Some(time(5)),
            endtime: time(6),
            renew_till: Some(time(7)),
            srealm: realm(),
            sname: PrincipalName::krbtgt(&realm()),
            encrypted_pa_data: vec![PaData::new(PaType::REQ_ENC_PA_REP, [9])],
        };
        check(&part, &part.to_der(exchange), EncKdcRepPart::from_der);
    }
}

#[test]
fn tickets() {
    let ticket = ticket();
    check(&ticket, ticket.der(), Ticket::from_der);
    assert_eq!(*ticket.enc_part.open(&key(), KeyUsage::TICKET).unwrap(), b"ticket");
    assert!(ticket.enc_part.open(&key(), KeyUsage::AS_REP).is_err());
    let other = Key::new(EncryptionType::Aes128Sha1, &[7; 16]).unwrap();
    assert!(ticket.enc_part.open(&other, KeyUsage::TICKET).is_err());

    let pac = vec![1, 2, 3];
    let inner = vec![(EncTicketPart::AD_WIN2K_PAC, pac.clone())];
    let part = EncTicketPart {
        flags: TicketFlags::INITIAL,
        key: key(),
        crealm: realm(),
        cname: alice(),
        transited: (1, vec![]),
        authtime: time(0),
        starttime: None,
        endtime: time(9),
        renew_till: None,
        authorization_data: Some(inner),
    };
    check(&part, &part.to_der(), EncTicketPart::from_der);
    assert_eq!(part.pac(), None, "it must stand in AD-IF-RELEVANT");
    // SEQUENCE OF { [0] 128, [1] OCTET STRING }
    let wrapped = [0x30, 0x0F, 0x30, 0x0D, 0xA0, 4, 2, 2, 0, 128, 0xA1, 5, 4, 3, 1, 2, 3];
    let relevant = vec![(EncTicketPart::AD_IF_RELEVANT, wrapped.to_vec())];
    let part = EncTicketPart { authorization_data: Some(relevant), ..part };
    assert_eq!(part.pac(), Some(pac));
}

#[test]
fn showing_a_ticket() {
    let authenticator = Authenticator {
        crealm: realm(),
        cname: alice(),
        checksum: Some(Checksum::of(&key(), KeyUsage::TGS_REQ_CHECKSUM, b"body")),
        cusec: 999_999,
        ctime: time(0),
        subkey: Some(key()),
        seq_number: Some(u32::MAX),
    };
    check(&authenticator, &authenticator.to_der(), Authenticator::from_der);
    let checksum = authenticator.checksum.unwrap();
    assert!(checksum.is_of(&key(), KeyUsage::TGS_REQ_CHECKSUM, b"body"));
    assert!(!checksum.is_of(&key(), KeyUsage::TGS_REQ_CHECKSUM, b"other"));
    let request = ApReq { options: 1 << 29, ticket: ticket(), authenticator: sealed(b"proof") };
    check(&request, &request.to_der(), ApReq::from_der);
}

#[test]
fn errors() {
    let full = KrbError {
        ctime: Some((time(0), Some(5))),
        stime: time(1),
        susec: 7,
        code: ErrorCode::PREAUTH_REQUIRED,
        crealm: Some(realm()),
        cname: Some(alice()),
        realm: realm(),
        sname: PrincipalName::krbtgt(&realm()),
        text: Some("NEEDED_PREAUTH".into()),
        data: Some(write_method_data(&[PaData::new(PaType::FX_COOKIE, *b"MIT")])),
    };
    let bare =
        KrbError { ctime: None, crealm: None, cname: None, text: None, data: None, ..full.clone() };
    for error in [full, bare] {
        let bytes = error.to_der();
        assert!(KrbError::is_one(&bytes));
        check(&error, &bytes, KrbError::from_der);
    }
    assert_eq!(ErrorCode(18).to_string(), "the client's account is locked or disabled (code 18)");
    assert_eq!(ErrorCode(4711).to_string(), "code 4711");
}

#[test]
fn lists_of_pre_authentication_data() {
    let list = vec![PaData::new(PaType::PK_AS_REQ, []), PaData::new(PaType::FX_COOKIE, [1, 2, 3])];
    check(&list, &write_method_data(&list), read_method_data);
    assert_eq!(PaData::find(&list, PaType::FX_COOKIE), Some(&[1, 2, 3][..]));
    assert_eq!(PaData::find(&list, PaType::FX_FAST), None);
    let infos = vec![
        EtypeInfo {
            etype: 18,
            salt: Some("EXAMPLE.COMalice".into()),
            parameters: Some(vec![0, 0, 16, 0]),
        },
        EtypeInfo { etype: 23, salt: None, parameters: None },
    ];
    check(&infos, &EtypeInfo::write_list(&infos), EtypeInfo::read_list);
}

#[test]
fn a_key_of_a_kind_that_we_do_not_know_is_refused() {
    let unknown = [0x30, 10, 0xA0, 3, 2, 1, 23, 0xA1, 3, 4, 1, 0];
    assert_eq!(krb5_words::messages::read_key(&mut Reader::new(&unknown)), Err(DerError::Value));
}
