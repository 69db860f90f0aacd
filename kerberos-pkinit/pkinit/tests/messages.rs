//! Every message is read as it was written, and an error when it is cut off anywhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

use krb5_words::crypto::{EncryptionType, Key, KeyUsage};
use krb5_words::der::{DerError, Writer};
use krb5_words::messages::Checksum;
use krb5_words::{KerberosTime, NameType, Principal, PrincipalName, Realm};
use pkinit::groups::{Ephemeral, Group};
use pkinit::kdf::Kdf;
use pkinit::messages::{
    AuthPack, Checksum2, DhRepInfo, ExternalPrincipalIdentifier, KdcDhKeyInfo, PaPkAsRep,
    PaPkAsReq, PkAuthenticator, ReplyKeyPack, TypedData, read_algorithms, read_dh_parameters,
    read_identifiers, read_principal, read_typed_data, write_dh_parameters, write_principal,
    write_typed_data,
};
use pkinit::signature::Hash;

/// The bytes give the value; less gives nothing, and so does more.
fn check<T: std::fmt::Debug + PartialEq>(
    value: &T,
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T, DerError>,
) {
    assert_eq!(read(bytes).as_ref(), Ok(value));
    for cut in 0..bytes.len() {
        assert_eq!(read(&bytes[..cut]), Err(DerError::Short), "{cut} of {}", bytes.len());
    }
    assert_eq!(read(&[bytes, &[0]].concat()), Err(DerError::Surplus));
}

fn authenticator() -> PkAuthenticator {
    PkAuthenticator {
        cusec: 999_999,
        ctime: KerberosTime::from_unix(1_893_456_000),
        nonce: 0x7FFF_FFFF,
        checksum: Some(vec![1; 20]),
        freshness_token: None,
        checksum2: None,
    }
}

#[test]
fn auth_packs() {
    let ephemeral = Ephemeral::new(Group::P256, &[7; 32]).unwrap();
    let mut public = Writer::new();
    ephemeral.write_public_key(&mut public);
    let full = AuthPack {
        authenticator: PkAuthenticator {
            freshness_token: Some(b"token".to_vec()),
            checksum2: Some(Checksum2 { checksum: vec![2; 32], hash: Hash::Sha256 }),
            ..authenticator()
        },
        client_public_value: Some(public.into_bytes()),
        client_dh_nonce: Some(vec![3; 32]),
        supported_kdfs: Kdf::OFFERED.to_vec(),
    };
    check(&full, &full.to_der(), AuthPack::from_der);
    let least = AuthPack {
        authenticator: PkAuthenticator { checksum: None, ..authenticator() },
        client_public_value: None,
        client_dh_nonce: None,
        supported_kdfs: vec![],
    };
    check(&least, &least.to_der(), AuthPack::from_der);
}

#[test]
fn an_auth_pack_has_the_bytes_of_the_standard() {
    let pack = AuthPack {
        authenticator: PkAuthenticator { checksum: Some(vec![0xAA]), ..authenticator() },
        client_public_value: None,
        client_dh_nonce: None,
        supported_kdfs: vec![Kdf::Sha256],
    };
    let mut expected = vec![0x30, 0x3D, 0xA0, 0x29, 0x30, 0x27];
    expected.extend([0xA0, 5, 2, 3, 0x0F, 0x42, 0x3F, 0xA1, 0x11, 0x18, 0x0F]);
    expected.extend(b"20300101000000Z");
    expected.extend([0xA2, 6, 2, 4, 0x7F, 0xFF, 0xFF, 0xFF, 0xA3, 3, 4, 1, 0xAA]);
    expected.extend([0xA4, 0x10, 0x30, 0x0E, 0x30, 0x0C, 0xA0, 0x0A, 6, 8]);
    expected.extend([0x2B, 6, 1, 5, 2, 3, 6, 2]);
    assert_eq!(pack.to_der(), expected);
}

#[test]
fn requests_and_replies() {
    let request = PaPkAsReq {
        signed_auth_pack: vec![0x30, 0],
        trusted_certifiers: vec![ExternalPrincipalIdentifier {
            subject_name: Some(vec![0x30, 0]),
            ..Default::default()
        }],
    };
    check(&request, &request.to_der(), PaPkAsReq::from_der);
    // IMPLICIT: the tag 80 in place of that of the OCTET STRING.
    let plain = PaPkAsReq { signed_auth_pack: vec![7], trusted_certifiers: vec![] };
    assert_eq!(plain.to_der(), [0x30, 3, 0x80, 1, 7]);

    for reply in [
        PaPkAsRep::EncKeyPack(vec![1, 2, 3]),
        PaPkAsRep::DhInfo(DhRepInfo {
            signed_data: vec![0x30, 0],
            server_dh_nonce: None,
            kdf: None,
        }),
        PaPkAsRep::DhInfo(DhRepInfo {
            signed_data: vec![0x30, 0],
            server_dh_nonce: Some(vec![9; 32]),
            kdf: Some(Some(Kdf::Sha512)),
        }),
    ] {
        check(&reply, &reply.to_der(), PaPkAsRep::from_der);
    }
    let unknown_kdf = [0xA0, 0x0D, 0x30, 0x0B, 0x80, 0, 0xA2, 7, 0x30, 5, 0xA0, 3, 6, 1, 0x2A];
    let expected = DhRepInfo { signed_data: vec![], server_dh_nonce: None, kdf: Some(None) };
    assert_eq!(PaPkAsRep::from_der(&unknown_kdf), Ok(PaPkAsRep::DhInfo(expected)));

    let info = KdcDhKeyInfo {
        public_key: vec![2, 1, 5],
        nonce: 77,
        key_expiration: Some(KerberosTime::from_unix(0)),
    };
    check(&info, &info.to_der(), KdcDhKeyInfo::from_der);

    let key = Key::new(EncryptionType::Aes128Sha1, &[5; 16]).unwrap();
    let checksum = Checksum::of(&key, KeyUsage::TGS_REQ_CHECKSUM, b"request");
    let pack = ReplyKeyPack { reply_key: key, checksum };
    check(&pack, &pack.to_der(), ReplyKeyPack::from_der);
}

#[test]
fn principals_of_certificates() {
    let realm = Realm::new("EXAMPLE.ORG").unwrap();
    let principal = Principal { name: PrincipalName::krbtgt(&realm), realm };
    let mut writer = Writer::new();
    write_principal(&principal, &mut writer);
    check(&principal, &writer.into_bytes(), |bytes| {
        let mut reader = krb5_words::der::Reader::new(bytes);
        let read = read_principal(&mut reader)?;
        reader.end()?;
        Ok(read)
    });
    let typed = Principal {
        name: PrincipalName::new(NameType::PRINCIPAL, &["krbtgt", "EXAMPLE.ORG"]),
        ..principal.clone()
    };
    assert!(typed.is(&principal));
}

#[test]
fn what_a_kdc_says_with_an_error() {
    let groups = vec![Group::P384, Group::Modp16, Group::Modp14];
    let list = write_dh_parameters(&groups);
    check(&groups, &list, read_dh_parameters);
    let data = vec![
        TypedData { data_type: TypedData::DH_PARAMETERS, value: list.clone() },
        TypedData { data_type: 1, value: vec![] },
    ];
    check(&data, &write_typed_data(&data), read_typed_data);
    assert_eq!(TypedData::find(&data, 109), Some(list.as_slice()));
    assert_eq!(TypedData::find(&data, 104), None);

    let mut writer = Writer::new();
    writer.sequence(|list| Hash::Sha512.write(list));
    let bytes = writer.into_bytes();
    check(&vec![Hash::Sha512.oid().to_vec()], &bytes, read_algorithms);

    let ids = vec![ExternalPrincipalIdentifier {
        subject_name: None,
        issuer_and_serial_number: Some(vec![0x30, 0]),
        subject_key_identifier: Some(vec![4, 0]),
    }];
    let mut writer = Writer::new();
    writer.sequence_of(&ids, |list, id| id.write(list));
    check(&ids, &writer.into_bytes(), read_identifiers);
}
