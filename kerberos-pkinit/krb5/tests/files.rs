//! Credential caches and keytabs: golden bytes, and each file cut at each byte.
#![allow(clippy::unwrap_used, reason = "a test says no by a panic")]

use krb5_words::ccache::{CachedKey, Credential, CredentialCache};
use krb5_words::crypto::{EncryptionType, Key};
use krb5_words::keytab::{self, KeytabEntry};
use krb5_words::messages::TicketFlags;
use krb5_words::{FileError, KerberosTime, Principal};

fn key() -> Key {
    Key::new(EncryptionType::Aes128Sha1, &[0xAB; 16]).unwrap()
}

fn principal(text: &str) -> Principal {
    text.parse().unwrap()
}

fn credential() -> Credential {
    let time = |seconds: i64| KerberosTime::from_unix(0x6500_0000 + seconds);
    Credential {
        client: principal("alice@R"),
        server: principal("krbtgt/R@R"),
        key: CachedKey::from(&key()),
        authtime: time(1),
        starttime: time(2),
        endtime: time(3),
        renew_till: time(4),
        is_session_key: false,
        flags: TicketFlags::FORWARDABLE.with(TicketFlags::INITIAL),
        ticket: vec![0x61, 1, 2],
    }
}

#[test]
fn a_credential_has_the_bytes_that_others_write() {
    let expected = [
        // alice@R: name type 1, one component.
        &b"\0\0\0\x01\0\0\0\x01\0\0\0\x01R\0\0\0\x05alice"[..],
        // krbtgt/R@R: name type 2, two components.
        b"\0\0\0\x02\0\0\0\x02\0\0\0\x01R\0\0\0\x06krbtgt\0\0\0\x01R",
        b"\0\x11\0\0\0\x10",
        &[0xAB; 16],
        b"\x65\0\0\x01\x65\0\0\x02\x65\0\0\x03\x65\0\0\x04",
        b"\0\x40\x40\0\0",
        b"\0\0\0\0\0\0\0\0",
        b"\0\0\0\x03\x61\x01\x02\0\0\0\0",
    ]
    .concat();
    assert_eq!(*credential().to_bytes(), expected);
    assert_eq!(Credential::from_bytes(&expected), Ok(credential()));
}

#[test]
fn a_cache_is_read_as_it_was_written() {
    let alice = principal("alice@R");
    let about = principal("krbtgt/R@R");
    let fact = Credential::configuration(&alice, "pa_type", Some(&about), b"16").unwrap();
    assert!(fact.is_configuration() && !credential().is_configuration());
    let server = fact.server.to_string();
    assert_eq!(server, "krb5_ccache_conf_data/pa_type/krbtgt\\/R\\@R@X-CACHECONF:");
    for time_offset in [None, Some((-3, 500_000))] {
        let cache = CredentialCache {
            time_offset,
            principal: alice.clone(),
            credentials: vec![credential(), fact.clone()],
        };
        let bytes = cache.to_bytes();
        assert_eq!(CredentialCache::from_bytes(&bytes), Ok(cache.clone()));
        // A file may end between entries; anywhere else it is broken.
        let empty = CredentialCache { credentials: vec![], ..cache.clone() }.to_bytes().len();
        let whole = [empty, empty + credential().to_bytes().len()];
        for cut in 0..bytes.len() {
            let read = CredentialCache::from_bytes(&bytes[..cut]);
            assert_eq!(read.is_ok(), whole.contains(&cut), "cut to {cut}: {read:?}");
        }
    }
    let old = CredentialCache::from_bytes(&[5, 3, 0, 0]);
    assert_eq!(old, Err(FileError::Version { got: [5, 3] }));
}

#[test]
fn what_a_file_claims_is_held_against_what_is_there() {
    // A name of four thousand million components, and a realm of as many bytes.
    for claim in [
        &b"\x05\x04\0\0\0\0\0\x01\xff\xff\xff\xff\0\0\0\x01R"[..],
        b"\x05\x04\0\0\0\0\0\x01\0\0\0\x01\xff\xff\xff\xff",
    ] {
        assert!(CredentialCache::from_bytes(claim).is_err());
    }
}

#[test]
fn a_keytab_is_read_as_it_was_written() {
    let entry = |kvno| KeytabEntry {
        principal: principal("host/a.example@R"),
        timestamp: KerberosTime::from_unix(1_700_000_000),
        kvno,
        key: key(),
    };
    let entries = vec![entry(3), entry(300)];
    let bytes = keytab::write(&entries);
    let read = keytab::read(&bytes).unwrap();
    assert_eq!(read.iter().map(|entry| entry.kvno).collect::<Vec<_>>(), [3, 300]);
    assert_eq!(read, entries);
    let whole = [2, 2 + (bytes.len() - 2) / 2];
    for cut in 0..bytes.len() {
        assert_eq!(keytab::read(&bytes[..cut]).is_ok(), whole.contains(&cut), "cut to {cut}");
    }

    // A hole, and an entry without the long version; a key of a type that nobody knows any more.
    let golden = [
        &b"\x05\x02\xff\xff\xff\xfc\0\0\0\0"[..],
        b"\0\0\0\x2f\0\x01\0\x01R\0\x04host\0\0\0\x01\x65\0\0\0\x07\0\x11\0\x10",
        &[0xAB; 16],
        &[0; 7],
        b"\0\0\0\x20\0\x01\0\x01R\0\x04host\0\0\0\x01\x65\0\0\0\x07\0\x01\0\x08\x01\x01\x01\x01\x01\x01\x01\x01",
    ]
    .concat();
    let read = keytab::read(&golden);
    let read = read.map(|entries| {
        entries.into_iter().map(|entry| (entry.kvno, entry.key)).collect::<Vec<_>>()
    });
    assert_eq!(read, Ok(vec![(7, key())]));
}
