//! Encryption types against the values of RFC 3962 and RFC 8009.
#![allow(clippy::unwrap_used, reason = "a test says no by a panic")]

use krb5_words::crypto::{CryptoError, EncryptionType, Key, KeyUsage};

use EncryptionType::{Aes128Sha1, Aes128Sha256, Aes256Sha1, Aes256Sha384};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|char| !char.is_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
        .collect()
}

#[test]
fn passwords_make_the_keys_of_the_standards() {
    let clef = "\u{1d11e}";
    let salt = hex("10DF9DD783E5BC8ACEA1730E74355F61");
    let salt_8009 = [&salt[..], b"ATHENA.MIT.EDUraeburn"].concat();
    for (etype, password, salt, rounds, expected) in [
        (
            Aes128Sha1,
            "password",
            &b"ATHENA.MIT.EDUraeburn"[..],
            1,
            "42263c6e89f4fc28b8df68ee09799f15",
        ),
        (
            Aes256Sha1,
            "password",
            b"ATHENA.MIT.EDUraeburn",
            1,
            "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161",
        ),
        (
            Aes128Sha1,
            "password",
            b"ATHENA.MIT.EDUraeburn",
            1200,
            "4c01cd46d632d01e6dbe230a01ed642a",
        ),
        (
            Aes256Sha1,
            "password",
            b"ATHENA.MIT.EDUraeburn",
            1200,
            "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a",
        ),
        (Aes128Sha1, clef, b"EXAMPLE.COMpianist", 50, "f149c1f2e154a73452d43e7fe62a56e5"),
        (
            Aes256Sha1,
            clef,
            b"EXAMPLE.COMpianist",
            50,
            "4b6d9839f84406df1f09cc166db4b83c571848b784a3d6bdc346589a3e393f9e",
        ),
        (Aes128Sha256, "password", &salt_8009, 32_768, "089BCA48B105EA6EA77CA5D2F39DC5E7"),
        (
            Aes256Sha384,
            "password",
            &salt_8009,
            32_768,
            "45BD806DBF6A833A9CFFC1C94589A222367A79BC21C413718906E9F578A78467",
        ),
    ] {
        let key = Key::from_password(etype, password.as_bytes(), salt, Some(rounds));
        assert_eq!(key.expose(), hex(expected), "{etype}, {rounds} rounds");
    }
}

/// RFC 8009, appendix A: the same base keys for all its samples.
fn sample_key(etype: EncryptionType) -> Key {
    let bytes = match etype {
        Aes128Sha256 => "3705D96080C17728A0E800EAB6E0D23C",
        _ => "6D404D37FAF79F9DF0D33568D320669800EB4836472EA8A026D16B7182460C52",
    };
    Key::new(etype, &hex(bytes)).unwrap()
}

#[test]
fn the_sample_encryptions_of_rfc_8009() {
    for (etype, plain, confounder, cipher) in [
        (
            Aes128Sha256,
            "",
            "7E5895EAF2672435BAD817F545A37148",
            "EF85FB890BB8472F4DAB20394DCA781DAD877EDA39D50C870C0D5A0A8E48C718",
        ),
        (
            Aes128Sha256,
            "000102030405",
            "7BCA285E2FD4130FB55B1A5C83BC5B24",
            "84D7F30754ED987BAB0BF3506BEB09CFB55402CEF7E6877CE99E247E52D16ED4421DFDF8976C",
        ),
        (
            Aes128Sha256,
            "000102030405060708090A0B0C0D0E0F",
            "56AB21713FF62C0A1457200F6FA9948F",
            "3517D640F50DDC8AD3628722B3569D2AE07493FA8263254080EA65C1008E8FC295FB4852E7D83E1E7C48C37EEBE6B0D3",
        ),
        (
            Aes256Sha384,
            "",
            "F764E9FA15C276478B2C7D0C4E5F58E4",
            "41F53FA5BFE7026D91FAF9BE959195A058707273A96A40F0A01960621AC612748B9BBFBE7EB4CE3C",
        ),
        (
            Aes256Sha384,
            "000102030405",
            "B80D3251C1F6471494256FFE712D0B9A",
            "4ED7B37C2BCAC8F74F23C1CF07E62BC7B75FB3F637B9F559C7F664F69EAB7B6092237526EA0D1F61CB20D69D10F2",
        ),
    ] {
        let key = sample_key(etype);
        let confounder: [u8; 16] = hex(confounder).try_into().unwrap();
        let got = key.encrypt(KeyUsage(2), confounder, &hex(plain));
        assert_eq!(got, hex(cipher), "{etype} of {plain:?}");
        assert_eq!(*key.decrypt(KeyUsage(2), &got).unwrap(), hex(plain));
    }
}

#[test]
fn the_sample_checksums_and_prf_of_rfc_8009() {
    let data = hex("000102030405060708090A0B0C0D0E0F1011121314");
    for (etype, checksum) in [
        (Aes128Sha256, "D78367186643D67B411CBA9139FC1DEE"),
        (Aes256Sha384, "45EE791567EEFCA37F4AC1E0222DE80D43C3BFA06699672A"),
    ] {
        let key = sample_key(etype);
        assert_eq!(key.checksum(KeyUsage(2), &data), hex(checksum));
        assert_eq!(key.verify(KeyUsage(2), &data, &hex(checksum)), Ok(()));
        assert_eq!(key.verify(KeyUsage(3), &data, &hex(checksum)), Err(CryptoError::Integrity));
    }
    for (etype, prf) in [
        (Aes128Sha256, "9D188616F63852FE86915BB840B4A886FF3E6BB0F819B49B893393D393854295"),
        (
            Aes256Sha384,
            "9801F69A368C2BF675E59521E177D9A07F67EFE1CFDE8D3C8D6F6A0256E3B17DB3C1B62AD1B8553360D17367EB1514D2",
        ),
    ] {
        assert_eq!(sample_key(etype).prf(b"test"), hex(prf));
    }
}

#[test]
fn what_is_encrypted_comes_back_and_nothing_else_does() {
    for etype in EncryptionType::ALL {
        let key = Key::new(etype, &vec![0x5A; etype.key_bytes()]).unwrap();
        let other = Key::new(etype, &vec![0xA5; etype.key_bytes()]).unwrap();
        for length in [0, 1, 15, 16, 17, 31, 32, 33, 1_000] {
            let plain = vec![7; length];
            let cipher = key.encrypt(KeyUsage::TICKET, [9; 16], &plain);
            assert_eq!(cipher.len(), 16 + length + etype.checksum_bytes());
            assert_eq!(*key.decrypt(KeyUsage::TICKET, &cipher).unwrap(), plain);
            let refused = Err(CryptoError::Integrity);
            assert_eq!(key.decrypt(KeyUsage::AS_REP, &cipher).map(|_| ()), refused);
            assert_eq!(other.decrypt(KeyUsage::TICKET, &cipher).map(|_| ()), refused);
            for at in [0, cipher.len() / 2, cipher.len() - 1] {
                let mut changed = cipher.clone();
                changed[at] ^= 1;
                assert_eq!(key.decrypt(KeyUsage::TICKET, &changed).map(|_| ()), refused);
            }
        }
        for length in 0..16 + etype.checksum_bytes() {
            let cut = vec![0; length];
            assert_eq!(key.decrypt(KeyUsage::TICKET, &cut).map(|_| ()), Err(CryptoError::Short));
        }
        assert_eq!(EncryptionType::from_number(etype.number()), Some(etype));
        let need = etype.key_bytes();
        assert_eq!(Key::new(etype, b"short"), Err(CryptoError::KeyLength { got: 5, need }));
    }
    assert_eq!(EncryptionType::from_number(23), None);
}

/// krb5's own values for KRB-FX-CF2 (RFC 6113, appendix A): keys and peppers from the same words.
#[test]
fn two_keys_combine_to_the_value_of_rfc_6113() {
    for (etype, expected) in [
        (Aes128Sha1, "97df97e4b798b29eb31ed7280287a92a"),
        (Aes256Sha1, "4d6ca4e629785c1f01baf55e2e548566b9617ae3a96868c337cb93b5e72b1c7b"),
    ] {
        let key = |word: &str| Key::from_password(etype, word.as_bytes(), word.as_bytes(), None);
        let combined = key("key1").combine(b"a", &key("key2"), b"b");
        assert_eq!(combined.expose(), hex(expected), "{etype}");
    }
}

#[test]
fn a_key_does_not_print() {
    let key = Key::new(Aes128Sha1, &[0x41; 16]).unwrap();
    assert_eq!(format!("{key:?}"), "Key(aes128-cts-hmac-sha1-96)");
}
