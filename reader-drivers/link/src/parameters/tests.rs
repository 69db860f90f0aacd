//! Real answers to reset, and what they say.

use core::fmt::Write as _;

use alloc::string::String;

use super::*;

/// `T=0 T=1; negotiable; Fi 372 Di 1 + 0; WI 10; IFSC 32 BWI 4 CWI 13 LRC; clock No; A`
fn shown(card: &CardParameters) -> String {
    let mut text = String::new();
    let name = |protocol: &Protocol| match protocol {
        Protocol::T0 => "T=0",
        Protocol::T1 => "T=1",
        Protocol::Raw => "raw",
    };
    for protocol in &card.offered {
        write!(text, "{} ", name(protocol)).unwrap();
    }
    if card.inverse {
        text.push_str("inverse ");
    }
    match card.mode {
        Mode::Negotiable { .. } => {}
        Mode::Specific { protocol, changeable, implicit } => {
            let protocol = protocol.as_ref().map_or("other", name);
            write!(text, "specific {protocol} {changeable} {implicit} ").unwrap();
        }
    }
    write!(text, "{}/{}+{}", card.rate.fi(), card.rate.di(), card.extra_guard_etu).unwrap();
    if card.t0 != T0Parameters::default() {
        write!(text, " WI {}", card.t0.wi).unwrap();
    }
    if card.t1 != T1Parameters::default() {
        let T1Parameters { ifsc, bwi, cwi, crc } = card.t1;
        let code = if crc { "CRC" } else { "LRC" };
        write!(text, " IFSC {ifsc} BWI {bwi} CWI {cwi} {code}").unwrap();
    }
    if card.clock_stop != ClockStop::No {
        write!(text, " clock {:?}", card.clock_stop).unwrap();
    }
    for (has, class) in [(card.classes.a, " A"), (card.classes.b, " B"), (card.classes.c, " C")] {
        text.push_str(if has { class } else { "" });
    }
    text
}

#[track_caller]
fn check(is_whole: bool, answers: &[(&str, &str, &str)]) {
    for (card, hex, expected) in answers {
        let bytes: Vec<u8> =
            hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        let atr = Atr::new(&bytes).unwrap();
        assert!(!is_whole || atr.parts().is_ok_and(|parts| parts.trailing.is_empty()), "{card}");
        let parameters = CardParameters::of(&atr);
        let got = parameters.map_or_else(|error| alloc::format!("error: {error}"), |p| shown(&p));
        assert_eq!(got, *expected, "{card}");
    }
}

#[test]
fn cards_in_the_field() {
    check(
        true,
        &[
            (
                "YubiKey 5",
                "3B FD 13 00 00 81 31 FE 15 80 73 C0 21 C0 57 59 75 62 69 4B 65 79 40",
                "T=1 372/4+0 IFSC 254 BWI 1 CWI 5 LRC A",
            ),
            (
                "YubiKey 5 over NFC",
                "3B 8D 80 01 80 73 C0 21 C0 57 59 75 62 69 4B 65 79 F9",
                "T=0 T=1 372/1+0 A",
            ),
            (
                "Gemalto PIV",
                "3B 7D 96 00 00 80 31 80 65 B0 83 11 17 D6 83 00 90 00",
                "T=0 512/32+0 A",
            ),
            (
                "IDEMIA PIV",
                "3B DB 96 00 80 1F 03 00 31 C0 64 B0 F3 10 00 07 90 00 80",
                "T=0 512/32+0 A B",
            ),
            (
                "ID-One PIV 2.4",
                "3B D6 96 00 81 B1 FE 45 1F 87 80 31 C1 52 41 1A 2A",
                "T=1 512/32+0 IFSC 254 BWI 4 CWI 5 LRC clock High A B C",
            ),
            (
                "virtual PIV card of this house",
                "3B 9B 96 81 31 FE 45 80 73 C0 21 C0 55 73 63 61 72 64 E6",
                "T=1 512/32+0 IFSC 254 BWI 4 CWI 5 LRC A",
            ),
            (
                "OpenPGP card 2.1",
                "3B DA 18 FF 81 B1 FE 75 1F 03 00 31 C5 73 C0 01 40 00 90 00 0C",
                "T=1 372/12+255 IFSC 254 BWI 7 CWI 5 LRC A B",
            ),
            (
                "OpenPGP card 3.3",
                "3B DA 18 FF 81 B1 FE 75 1F 03 00 31 F5 73 C0 01 60 00 90 00 1C",
                "T=1 372/12+255 IFSC 254 BWI 7 CWI 5 LRC A B",
            ),
            (
                "Estonian identity card, first generation, cold",
                "3B FE 94 00 FF 80 B1 FA 45 1F 03 45 73 74 45 49 44 20 76 65 72 20 31 2E 30 43",
                "T=0 T=1 512/8+255 IFSC 250 BWI 4 CWI 5 LRC A B",
            ),
            (
                "Belgian identity card 1.7",
                "3B 98 13 40 0A A5 03 01 01 01 AD 13 11",
                "T=0 372/4+0 A",
            ),
            (
                "Dutch Rijkspas",
                "3B DB 96 00 80 B1 FE 45 1F 83 00 31 C0 64 C7 FC 10 00 01 90 00 74",
                "T=0 T=1 512/32+0 IFSC 254 BWI 4 CWI 5 LRC clock High A B",
            ),
            (
                "German bank card",
                "3B FF 96 00 FF 81 31 FE 45 65 63 0D 09 71 07 64 00 0D 00 03 54 50 07 01 81",
                "T=1 512/32+255 IFSC 254 BWI 4 CWI 5 LRC A",
            ),
            (
                "Swisscom 3G SIM",
                "3B FF 95 00 FF C0 0A 1F 43 80 31 E0 73 36 21 13 57 4A 33 20 07 33 41 41 1F",
                "T=0 512/16+255 clock Low A B",
            ),
            (
                "Gemplus GemXplore",
                "3F 2F 00 80 59 AF 02 01 01 30 00 00 0A 0E 83 06 9F 12",
                "T=0 inverse 372/1+0 A",
            ),
            ("French health card", "3F 65 25 00 52 09 6A 90 00", "T=0 inverse 372/1+0 A"),
            ("Viaccess", "3F 77 18 00 00 C2 47 40 00 68 90 00", "T=0 inverse 372/12+0 A"),
            ("DigiCash", "3F 05 DC 20 FC 00 01", "T=0 inverse 372/1+0 A"),
            (
                "Nagravision",
                "3F FF 95 00 FF 91 81 71 A0 47 00 44 4E 41 53 50 30 31 31 20 52 65 76 42 30 44 3C",
                "T=1 inverse specific T=1 false false 512/16+255 IFSC 160 BWI 4 CWI 7 LRC A",
            ),
            (
                "VideoGuard",
                "3F FF 11 25 03 10 80 41 B0 07 69 FF 4A 50 70 00 00 50 31 01 00 11",
                "T=0 inverse specific T=0 false false 372/1+3 A",
            ),
            (
                "PC/SC compliance test card 2",
                "3F 96 18 80 01 80 51 00 61 10 30 9F",
                "T=0 T=1 inverse 372/12+0 A",
            ),
            ("Schlumberger Cryptoflex 8K", "3B 85 40 20 68 01 01 05 01", "T=0 372/1+0 WI 32 A"),
        ],
    );
}

#[test]
fn every_kind_of_interface_byte() {
    check(
        false,
        &[
            ("nothing said", "3B 00", "T=0 372/1+0 A"),
            ("guard time", "3B 40 FF", "T=0 372/1+255 A"),
            ("specific", "3B 90 95 10 00 85", "T=0 specific T=0 true false 512/16+0 A"),
            ("specific for good", "3B 90 95 11 81 14", "T=1 specific T=1 false false 512/16+0 A"),
            ("specific, implicit", "3B 80 10 10 80", "T=0 specific T=0 true true 372/1+0 A"),
            ("specific, not ours", "3B 80 1E 0E 10", "error: the card speaks neither T=0 nor T=1"),
            ("T=14 alone", "3B 80 0E 8E", "error: the card speaks neither T=0 nor T=1"),
            ("T=14 and T=1", "3B 80 8E 01 0F", "T=1 372/1+0 A"),
            ("WI", "3B 80 40 20 E0", "T=0 372/1+0 WI 32 A"),
            ("WI 0 is reserved", "3B 80 40 00 C0", "T=0 372/1+0 A"),
            ("CRC", "3B 80 81 41 01 40", "T=1 372/1+0 IFSC 32 BWI 4 CWI 13 CRC A"),
            ("IFSC 0 is reserved", "3B 80 81 11 00 10", "T=1 372/1+0 A"),
            (
                "IFSC 255 is reserved",
                "3B 80 81 11 FF EF",
                "T=1 372/1+0 IFSC 254 BWI 4 CWI 13 LRC A",
            ),
            ("BWI 10 is reserved", "3B 80 81 21 A5 85", "T=1 372/1+0 A"),
            ("TA1 is reserved", "3B 10 70", "T=0 372/1+0 A"),
            ("clock stop", "3B 80 80 1F 42 5D", "T=0 372/1+0 clock Low B"),
            ("a class that is reserved", "3B 80 80 1F C8 D7", "T=0 372/1+0 clock Either A"),
            (
                "T=15 before T=1",
                "3B 80 80 9F 41 11 10 DF",
                "T=0 T=1 372/1+0 IFSC 16 BWI 4 CWI 13 LRC clock Low A",
            ),
            (
                "the first counts",
                "3B 80 81 91 10 11 20 A1",
                "T=1 372/1+0 IFSC 16 BWI 4 CWI 13 LRC A",
            ),
            ("TCK is not looked at", "3B 80 81 01 00", "T=1 372/1+0 A"),
            ("cut", "3B F0 11", "error: 4 bytes are announced, 3 are there"),
        ],
    );
}

#[test]
fn the_default_protocol_is_the_first_or_the_one_that_the_card_insists_on() {
    let of = |bytes: &[u8]| CardParameters::of(&Atr::new(bytes).unwrap()).unwrap();
    assert_eq!(of(&[0x3B, 0x80, 0x80, 0x01, 0x01]).default_protocol(), Some(Protocol::T0));
    assert_eq!(of(&[0x3B, 0x80, 0x81, 0x00, 0x81]).default_protocol(), Some(Protocol::T1));
    assert_eq!(of(&[0x3B, 0x80, 0x10, 0x01]).default_protocol(), Some(Protocol::T1));
    assert_eq!(of(&[0x3B, 0x80, 0x8E, 0x01, 0x0F]).default_protocol(), None);
}
