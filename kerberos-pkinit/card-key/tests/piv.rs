//! The host side of PIV over a scripted card.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod script;

use std::io::Write as _;

use card_key::piv::{
    Certificate, Chuid, Container, Digest, Discovery, KeyAlgorithm, KeyHistory, KeySlot,
    MAX_CERTIFICATE_BYTES, PinReference, PinStatus, Piv,
};
use card_key::{CardKeyError, Malformation, Operation};
use flate2::{Compression, write::GzEncoder};
use scard_types::tlv::{self, TlvError};
use scard_types::{Pin, StatusWord};
use script::{SELECT, SELECTED, ScriptedCard, hex, selected};

const P256: &[u8] = include_bytes!("data/p256.der");
const P384: &[u8] = include_bytes!("data/p384.der");
const RSA_2048: &[u8] = include_bytes!("data/rsa2048.der");

fn select(answer: &str) -> Result<Piv<ScriptedCard>, CardKeyError> {
    Piv::select(ScriptedCard::new(&[(SELECT, answer)]))
}

fn malformed<T>(operation: Operation, what: Malformation) -> Result<T, CardKeyError> {
    Err(CardKeyError::Malformed { operation, what })
}

/// A certificate object as the card stores it.
fn stored(certificate: &[u8], info: u8) -> Vec<u8> {
    let mut content = tlv::element(0x70, certificate);
    tlv::write(&mut content, 0x71, &[info]);
    tlv::write(&mut content, 0xFE, &[]);
    tlv::element(0x53, &content)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn read_certificate(object: &[u8]) -> Result<Option<Certificate>, CardKeyError> {
    let mut card = ScriptedCard::default().then_object("5FC105", object);
    let read = selected(&mut card).certificate(KeySlot::Authentication);
    card.assert_finished();
    read
}

#[test]
fn the_application_is_known_by_its_template() {
    assert_eq!(select(SELECTED).unwrap().application().label, None);
    let full = "61 2B 4F 0B A000000308 000010000100 79 07 4F05 A000000308 50 05 4C6162656C \
                AC 06 800111 800107 5F50 03 782F79 9000";
    let piv = select(full).unwrap();
    assert_eq!(piv.application().label.as_deref(), Some("Label"));
    assert_eq!(piv.application().url.as_deref(), Some("x/y"));
    assert_eq!(piv.application().algorithms, [0x11, 0x07]);
}

#[test]
fn what_is_not_piv_is_refused_with_its_reason() {
    let cases = [
        ("6A82", Err(CardKeyError::NoApplication { status: StatusWord(0x6A82) })),
        ("9000", malformed(Operation::Select, Malformation::Tlv(TlvError::ShortTag))),
        ("6F00 9000", malformed(Operation::Select, Malformation::Missing { tag: 0x61 })),
        ("6100 9000", malformed(Operation::Select, Malformation::Missing { tag: 0x4F })),
        ("6106 4F04 D2760001 9000", malformed(Operation::Select, Malformation::NotPiv)),
    ];
    for (answer, expected) in cases {
        assert_eq!(select(answer).map(|_| ()), expected, "{answer}");
    }
}

#[test]
fn certificates_are_read_plain_and_compressed() {
    for (der, algorithm) in
        [(P256, KeyAlgorithm::P256), (P384, KeyAlgorithm::P384), (RSA_2048, KeyAlgorithm::Rsa2048)]
    {
        for (object, compressed) in [(stored(der, 0), false), (stored(&gzip(der), 1), true)] {
            let certificate = read_certificate(&object).unwrap().unwrap();
            assert_eq!(certificate, Certificate { der: der.to_vec(), compressed });
            assert_eq!(certificate.key_algorithm(), Ok(algorithm));
        }
    }
}

#[test]
fn a_certificate_that_inflates_without_end_is_given_up() {
    let read = Operation::Read(Container::Certificate(KeySlot::Authentication));
    let longest = gzip(&vec![0; MAX_CERTIFICATE_BYTES]);
    assert!(read_certificate(&stored(&longest, 1)).unwrap().is_some());
    let bomb = gzip(&vec![0; 50_000_000]);
    assert!(bomb.len() < 60_000);
    let too_long = malformed(read, Malformation::CertificateTooLong);
    assert_eq!(read_certificate(&stored(&bomb, 1)), too_long);
    assert_eq!(
        read_certificate(&stored(&gzip(P256)[..50], 1)),
        malformed(read, Malformation::Gzip)
    );
    assert_eq!(read_certificate(&stored(P256, 1)), malformed(read, Malformation::Gzip));
}

#[test]
fn a_certificate_object_cut_at_any_byte_is_an_error() {
    let whole = stored(P256, 0);
    for end in 0..whole.len() {
        assert!(read_certificate(&whole[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn an_empty_or_missing_container_is_no_error() {
    for answer in ["6A82", "53009000"] {
        let mut card = ScriptedCard::new(&[("00CB3FFF055C035FC10A00", answer)]);
        assert_eq!(selected(&mut card).certificate(KeySlot::Signature), Ok(None));
    }
}

#[test]
fn a_container_behind_the_pin_says_so() {
    let mut card = ScriptedCard::new(&[("00CB3FFF055C035FC12000", "6982")]);
    let slot = KeySlot::retired(20).unwrap();
    let operation = Operation::Read(Container::Certificate(slot));
    let expected = Err(CardKeyError::PinRequired { operation });
    assert_eq!(selected(&mut card).certificate(slot), expected);
}

#[test]
fn the_small_objects_are_read() {
    let mut card = ScriptedCard::new(&[
        (
            "00CB3FFF055C035FC10200",
            "53 1E 3410 00112233445566778899AABBCCDDEEFF 3508 3230333531323331 3E00 9000",
        ),
        ("00CB3FFF035C017E00", "7E 12 4F0B A000000308000010000100 5F2F02 6020 9000"),
        ("00CB3FFF055C035FC10C00", "53 0A C10102 C20100 F300 FE00 9000"),
    ]);
    let mut piv = selected(&mut card);
    let guid = hex("00112233445566778899AABBCCDDEEFF").try_into().unwrap();
    assert_eq!(piv.chuid(), Ok(Some(Chuid { guid, expires: Some("20351231".into()) })));
    let discovery = Discovery {
        application_pin: true,
        global_pin: true,
        on_card_comparison: false,
        preferred: PinReference::Global,
    };
    assert_eq!(piv.discovery(), Ok(Some(discovery)));
    assert_eq!(piv.key_history(), Ok(Some(KeyHistory { on_card: 2, off_card: 0 })));
}

#[test]
fn asking_for_the_tries_left_sends_no_pin() {
    let cases = [
        ("9000", Ok(PinStatus::Verified)),
        ("63C3", Ok(PinStatus::TriesLeft(3))),
        ("63C0", Ok(PinStatus::Blocked)),
        ("6983", Ok(PinStatus::Blocked)),
        (
            "6A88",
            Err(CardKeyError::Refused {
                operation: Operation::PinStatus,
                status: StatusWord(0x6A88),
            }),
        ),
    ];
    for (answer, expected) in cases {
        let mut card = ScriptedCard::new(&[("00200080", answer)]);
        assert_eq!(selected(&mut card).pin_status(PinReference::Application), expected);
    }
}

#[test]
fn a_pin_is_padded_and_its_answer_told_apart() {
    let cases = [
        ("9000", Ok(())),
        ("63C2", Err(CardKeyError::WrongPin { tries_left: 2 })),
        ("6983", Err(CardKeyError::PinBlocked)),
        (
            "6A80",
            Err(CardKeyError::Refused {
                operation: Operation::VerifyPin,
                status: StatusWord(0x6A80),
            }),
        ),
    ];
    let pin = Pin::new(b"123456").unwrap();
    for (answer, expected) in cases {
        let mut card = ScriptedCard::new(&[("0020008008313233343536FFFF", answer)]);
        assert_eq!(selected(&mut card).verify(PinReference::Application, &pin), expected);
        card.assert_finished();
    }
}

#[test]
fn a_pin_of_a_wrong_length_never_reaches_the_card() {
    for typed in ["1", "12345", "123456789"] {
        let pin = Pin::new(typed.as_bytes()).unwrap();
        let mut card = ScriptedCard::default();
        let refused = Err(CardKeyError::PinLength { got: typed.len() });
        assert_eq!(selected(&mut card).verify(PinReference::Application, &pin), refused);
    }
}

#[test]
fn ecdsa_signs_the_leftmost_bytes_of_the_digest() {
    let digest = [0x5A; 48];
    let command = format!("00871 19A 26 7C24 8200 8120 {} 00", "5A".repeat(32));
    let mut card = ScriptedCard::new(&[(&command, "7C0A 8208 3006020101020102 9000")]);
    let signature = selected(&mut card).sign(
        KeySlot::Authentication,
        KeyAlgorithm::P256,
        Digest::Sha384(&digest),
    );
    assert_eq!(signature, Ok(hex("3006020101020102")));
}

#[test]
fn rsa_signs_a_padded_digest_info_in_a_chain() {
    let block = format!(
        "0001{}00 3031300d060960864801650304020105000420 {}",
        "FF".repeat(202),
        "5A".repeat(32)
    );
    let request = hex(&format!("7C820106 8200 81820100 {block}"));
    let (first, last) = request.split_at(255);
    let answer = [hex("7C820104 82820100"), vec![0x77; 256]].concat();
    let (answer, rest) = answer.split_at(256);
    let mut card = ScriptedCard::default()
        .then([&hex("1087079CFF"), first].concat(), hex("9000"))
        .then([&hex("0087079C0B"), last, &[0]].concat(), [answer, &hex("6108")].concat())
        .then(hex("00C0000008"), [rest, &hex("9000")].concat());
    let signature = selected(&mut card).sign(
        KeySlot::Signature,
        KeyAlgorithm::Rsa2048,
        Digest::Sha256(&[0x5A; 32]),
    );
    assert_eq!(signature, Ok(vec![0x77; 256]));
    card.assert_finished();
}

#[test]
fn a_signature_that_is_none_is_refused() {
    let operation = Operation::Sign(KeySlot::Authentication);
    let cases = [
        ("6982", Err(CardKeyError::PinRequired { operation })),
        ("9000", malformed(operation, Malformation::Missing { tag: 0x7C })),
        ("7C009000", malformed(operation, Malformation::Missing { tag: 0x82 })),
        ("7C0282009000", malformed(operation, Malformation::WrongLength { tag: 0x82, got: 0 })),
    ];
    for (answer, expected) in cases {
        let command = format!("0087119A267C2482008120{}00", "5A".repeat(32));
        let mut card = ScriptedCard::new(&[(&command, answer)]);
        let signature = selected(&mut card).sign(
            KeySlot::Authentication,
            KeyAlgorithm::P256,
            Digest::Sha256(&[0x5A; 32]),
        );
        assert_eq!(signature, expected, "{answer}");
    }
}

#[test]
fn errors_say_what_was_tried_and_what_is_left() {
    let text = |error: CardKeyError| error.to_string();
    assert_eq!(text(CardKeyError::WrongPin { tries_left: 2 }), "wrong PIN; 2 tries left");
    assert_eq!(
        text(CardKeyError::PinRequired { operation: Operation::Sign(KeySlot::Signature) }),
        "signing with key 9C: the card wants the PIN first"
    );
    assert_eq!(
        text(CardKeyError::NoApplication { status: StatusWord(0x6A82) }),
        "no PIV application on the card (6A82: file or application not found)"
    );
}
