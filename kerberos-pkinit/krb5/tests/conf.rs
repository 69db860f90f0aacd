//! krb5.conf as people and distributions write it.
#![allow(clippy::unwrap_used, reason = "a test says no by a panic")]

use krb5_words::conf::{Conf, ConfError, Include, LineProblem, seconds, truth};

fn parse(text: &str) -> Result<Conf, ConfError> {
    Conf::parse(text, &mut |_| Err("no files here".into()))
}

const USUAL: &str = r#"
# comment
; comment
[libdefaults]
	default_realm = EXAMPLE.COM
	dns_lookup_kdc = no
	ticket_lifetime = 10h
	pkinit_anchors = FILE:/a.pem
	pkinit_anchors = DIR:/b
	EXAMPLE.COM = {
		canonicalize = true
	}

[realms]
	EXAMPLE.COM = {
		kdc = kdc1.example.com
		kdc = tcp/kdc2.example.com:750
		v4_name_convert = {
			host = {
				rcmd = host
			}
		}
		auth_to_local = RULE:[1:$1@$0](.*@X)s/@.*//
	}
	OTHER = { 
		kdc = "a \"quoted\"\tname"  
	}
[domain_realm]
	.example.com = EXAMPLE.COM
[realms]
	EXAMPLE.COM = {
		kdc = kdc3.example.com
	}
"#;

#[test]
fn a_usual_file() {
    let conf = parse(USUAL).unwrap();
    assert_eq!(conf.first(&["libdefaults", "default_realm"]), Some("EXAMPLE.COM"));
    let kdcs = ["kdc1.example.com", "tcp/kdc2.example.com:750", "kdc3.example.com"];
    assert_eq!(conf.all(&["realms", "EXAMPLE.COM", "kdc"]), kdcs);
    assert_eq!(conf.first(&["realms", "OTHER", "kdc"]), Some("a \"quoted\"\tname"));
    assert_eq!(
        conf.first(&["realms", "EXAMPLE.COM", "v4_name_convert", "host", "rcmd"]),
        Some("host")
    );
    let rule = conf.first(&["realms", "EXAMPLE.COM", "auth_to_local"]);
    assert_eq!(rule, Some("RULE:[1:$1@$0](.*@X)s/@.*//"));
    assert_eq!(conf.names(&["realms"]), ["EXAMPLE.COM", "OTHER", "EXAMPLE.COM"]);
    assert_eq!(conf.names(&["domain_realm"]), [".example.com"]);
    assert_eq!(conf.option("EXAMPLE.COM", "pkinit_anchors"), ["FILE:/a.pem", "DIR:/b"]);
    assert_eq!(conf.option("EXAMPLE.COM", "canonicalize"), ["true"]);
    assert_eq!(conf.option("OTHER", "canonicalize"), [""; 0]);
    assert_eq!(conf.all(&[]), [""; 0]);
    assert_eq!(conf.all(&["realms"]), [""; 0]);
}

#[test]
fn what_is_final_keeps_out_what_comes_after() {
    let conf =
        parse("[a]*\nx = 1\n[a]\nx = 2\n[b]\ny* = 1\ny = 2\nz = {\nq = 1\n}*\nz = {\nq = 2\n}\n")
            .unwrap();
    assert_eq!(conf.all(&["a", "x"]), ["1"]);
    assert_eq!(conf.all(&["b", "y"]), ["1"]);
    assert_eq!(conf.all(&["b", "z", "q"]), ["1"]);
}

#[test]
fn files_are_included_where_they_are_named() {
    let mut asked = Vec::new();
    let text = "include /one\n[a]\nx = 1\nincludedir /dir/\n[b]\ninclude = value\n";
    let conf = Conf::parse(text, &mut |include| {
        asked.push(format!("{include:?}"));
        Ok(match include {
            Include::File(_) => vec!["[a]\nx = 0\n".into()],
            Include::Folder(_) => vec!["[a]\nx = 2\n".into(), "[a]\nx = 3".into()],
        })
    })
    .unwrap();
    assert_eq!(asked, ["File(\"/one\")", "Folder(\"/dir/\")"]);
    let mut values = conf.all(&["a", "x"]);
    values.sort_unstable();
    assert_eq!(values, ["0", "1", "2", "3"]);
    assert_eq!(conf.first(&["b", "include"]), Some("value"));

    let endless = Conf::parse("include /self", &mut |_| Ok(vec!["include /self".into()]));
    assert_eq!(endless, Err(ConfError::TooDeep));
    let missing = parse("include /x").unwrap_err();
    assert_eq!(missing.to_string(), "/x: no files here");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, number, problem) in [
        ("x = 1", 1, LineProblem::NoSection),
        ("\n[a\n", 2, LineProblem::SectionHeader),
        ("[a]\nword", 2, LineProblem::NoEquals),
        ("[a]\n}", 2, LineProblem::SurplusBrace),
        ("[a]\nx = {\n", 2, LineProblem::OpenBrace),
        ("[a]\nx = \"abc", 2, LineProblem::OpenQuote),
    ] {
        assert_eq!(parse(text), Err(ConfError::Line { number, problem }), "{text:?}");
    }
    let deep = format!("[a]\n{}", "x = {\n".repeat(100));
    assert!(matches!(parse(&deep), Err(ConfError::Line { problem: LineProblem::TooDeep, .. })));
}

#[test]
fn truths_and_times() {
    assert_eq!(["yes", "TRUE", "1", "on", "t"].map(truth), [Some(true); 5]);
    assert_eq!(["no", "False", "0", "off", "nil"].map(truth), [Some(false); 5]);
    assert_eq!(["", "maybe", "2"].map(truth), [None; 3]);
    for (text, expected) in [
        ("3600", Some(3_600)),
        ("10h", Some(36_000)),
        ("1d 2h 3m 4s", Some(93_784)),
        ("1d2h", Some(93_600)),
        ("10:30", Some(37_800)),
        ("10:30:15", Some(37_815)),
        ("", None),
        ("h", None),
        ("1x", None),
        ("1h1h", None),
        ("1h 5", None),
        ("1:2:3:4", None),
        ("99999999999999999999", None),
        ("99999999999999999d", None),
    ] {
        assert_eq!(seconds(text), expected, "{text}");
    }
}
