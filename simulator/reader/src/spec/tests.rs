//! Orders that are taken, and what is said about those that are not.

use scard_types::Pin;

use super::*;

/// The order in one line of its own, so that a table can hold it.
fn check(text: &str, expected: &str) {
    let shown = match text.parse::<SimSpec>() {
        Ok(spec) => show(&spec),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(shown, expected, "{text}");
}

fn show(spec: &SimSpec) -> String {
    let SimSpec { reader, card, line: _ } = spec;
    let mut shown = format!("{}x {:?}", reader.count, reader.name.as_ref().map(ReaderName::as_str));
    if reader.empty {
        shown += " empty";
    }
    if card.is_blank {
        shown += " blank";
    }
    let mut add = |name: &str, value: Option<String>| {
        shown.extend(value.map(|value| format!(" {name}={value}")));
    };
    let text = |pin: &Pin| String::from_utf8_lossy(pin.expose()).into_owned();
    add("atr", card.atr.map(|atr| atr.to_string()));
    add("serial", card.serial.map(|serial| serial.to_string()));
    add("preset", card.preset.map(|preset| format!("{preset:?}")));
    add("state", card.state.as_ref().map(|path| format!("{path:?}")));
    add("firmware", card.firmware.map(|version| format!("{version:?}")));
    add("pin", card.pin.as_ref().map(text));
    add("global-pin", card.global_pin.as_ref().map(text));
    add("puk", card.puk.as_ref().map(text));
    add("seed", card.seed.map(|seed| seed.to_string()));
    add("9b", card.management_key.as_ref().map(|key| format!("{key:?}")));
    for (slot, content) in &card.slots {
        add(&format!("{:02x}", slot.reference()), Some(format!("{content:?}")));
    }
    shown
}

#[test]
fn orders_are_read() {
    check("piv", "1x None");
    check("piv,name=Test", r#"1x Some("Test")"#);
    check(r#"piv,name="A, B = C",count=3,empty"#, r#"3x Some("A, B = C") empty"#);
    check("piv,name=A = B,serial=9", r#"1x Some("A = B") serial=9"#);
    check("piv,atr=3B02 14:50", "1x None atr=3B 02 14 50");
    check(
        "piv,pin=654321,puk=abc,seed=18446744073709551615",
        "1x None pin=654321 puk=abc seed=18446744073709551615",
    );
    check("piv,firmware=5.2.7", "1x None firmware=Firmware([5, 2, 7])");
    check("piv,global-pin=654321", "1x None global-pin=654321");
    check("piv,preset=nist,state=a.card", "1x None preset=Nist state=\"a.card\"");
    check(
        "piv,firmware=5.7.1,preset=yubikey-5,f9=p384",
        "1x None preset=Yubikey5 firmware=Firmware([5, 7, 1]) \
         f9=SlotSpec { kind: Some(Some(P384)), key: None, certificate: None }",
    );
    check(
        "piv,95=rsa3072,8a.key=k",
        "1x None 8a=SlotSpec { kind: None, key: Some(\"k\"), certificate: None } \
         95=SlotSpec { kind: Some(Some(Rsa3072)), key: None, certificate: None }",
    );
    check("blank,atr=3B00,serial=2,count=2", "2x None blank atr=3B 00 serial=2");
    check("piv,9b=aes256", "1x None 9b=ManagementKey(Aes256)");
    check("piv,9b=aes128:000102030405060708090A0B0C0D0E0F", "1x None 9b=ManagementKey(Aes128)");
    check(
        "piv,9a=rsa2048,9c=none",
        "1x None 9a=SlotSpec { kind: Some(Some(Rsa2048)), key: None, certificate: None } \
         9c=SlotSpec { kind: Some(None), key: None, certificate: None }",
    );
    check(
        r#"piv,9e.key="a,b.pem",9e.cert=c.pem"#,
        r#"1x None 9e=SlotSpec { kind: None, key: Some("a,b.pem"), certificate: Some("c.pem") }"#,
    );
}

#[test]
fn errors_say_which_key_is_wrong_and_what_is_allowed() {
    check("blank,pin=123456", "error: pin is for piv; a blank card has only atr and serial");
    let card =
        |word| format!("error: no card is called {word:?}; write piv, as in sim:piv,pin=123456");
    check("", &card(""));
    check("openpgp", &card("openpgp"));
    check("piv=1", &card("piv"));
    check(
        "piv,pim=1",
        "error: no key is called \"pim\"; there are name, count, empty, preset, atr, serial, firmware, state, \
         pin, global-pin, puk, seed, 9b, and for 9a, 9c, 9d, 9e, 82 to 95, f9: 9a, 9a.key, 9a.cert",
    );
    for unknown in
        ["piv,", "piv,81=p256", "piv,96=p256", "piv,9a.pub=x", "piv, name=x", "piv,9A=p256"]
    {
        let spec = unknown.parse::<SimSpec>();
        assert!(matches!(spec, Err(SpecError::UnknownKey { .. })), "{unknown}: {spec:?}");
    }
    check("piv,pin=123456,pin=123456", "error: pin is given twice");
    check("piv,pin=12345", "error: pin takes six to eight digits");
    check("piv,pin", "error: pin takes six to eight digits");
    check("piv,puk=123456789", "error: puk takes one to eight characters");
    check("piv,count=0", "error: count takes a number from 1 to 10000");
    check("piv,empty=yes", "error: empty takes no value");
    check("piv,atr=3B0", "error: atr takes 2 to 33 bytes in hexadecimal, beginning 3B or 3F");
    check("piv,atr=0000", "error: atr takes 2 to 33 bytes in hexadecimal, beginning 3B or 3F");
    check("piv,serial=-1", "error: serial takes a number from 0 to 4294967295");
    for version in ["5.8.0", "5", "5.2", "5.2.x", "5.2.256", "0.9.9", "1.2.3.4"] {
        let expected = "error: firmware takes a version from 1.0.0 to below 5.8.0, as in 5.4.3";
        check(&format!("piv,firmware={version}"), expected);
    }
    check("piv,name=", "error: name takes a name of 1 to 127 bytes, no control characters");
    check("piv,9a=rsa1024", "error: 9a takes p256, p384, rsa2048, rsa3072, rsa4096 or none");
    check("piv,9a.key=", "error: 9a.key takes the name of a PEM file");
    check(
        "piv,9b=aes128:0011",
        "error: 9b takes 3des, aes128, aes192 or aes256, with or without :KEY in hexadecimal",
    );
    check("piv,9a=p256,9a.key=k.pem", "error: 9a and 9a.key exclude each other");
    check("piv,9a.cert=c.pem,9a=none", "error: 9a and 9a.cert exclude each other");
    check("piv,preset=yubikey", "error: preset takes nist or yubikey-5");
    check("piv,state=", "error: state takes the name of a file");
    check("piv,state=f,count=2", "error: count and state exclude each other");
    check("piv,preset=nist,firmware=5.4.3", "error: firmware and preset=nist exclude each other");
    check(
        "piv,firmware=5.4.3,global-pin=123456",
        "error: global-pin and preset=yubikey-5 exclude each other",
    );
    check("piv,f9=p256", "error: f9 and preset=nist exclude each other");
    let quotes = "error: a quoted value ends with a quote, and a comma or nothing follows it";
    check("piv,name=\"A", quotes);
    check("piv,name=\"A\"B", quotes);
}

#[test]
fn a_wrong_pin_is_not_repeated_in_the_error() {
    let error = "piv,pin=secret".parse::<SimSpec>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[test]
fn an_order_cut_at_any_byte_is_another_order_or_an_error() {
    let whole = r#"piv,name="A, B",atr=3B0214,serial=1,pin=123456,9b=aes128,9a.key=k,9a.cert=c"#;
    for end in 0..whole.len() {
        let _ = whole[..end].parse::<SimSpec>();
    }
}

#[test]
fn a_card_alone_takes_no_keys_of_a_reader() {
    assert!("piv,pin=123456".parse::<CardSpec>().is_ok());
    for (text, key) in [("piv,name=A", "name"), ("piv,count=2", "count"), ("piv,empty", "empty")] {
        assert_eq!(text.parse::<CardSpec>().err(), Some(SpecError::NotForCard { key }));
    }
}
