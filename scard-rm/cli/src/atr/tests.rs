//! Each file in `golden` is an answer to reset in its first line, and what is said about it.

use std::fs;
use std::path::Path;

use super::*;

/// What people are told.
fn text(explained: &Explained) -> String {
    let mut out = Vec::new();
    write(explained, &mut out).unwrap();
    anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
}

fn atr(text: &str) -> Atr {
    Atr::new(&hex::parse(text).unwrap()).unwrap()
}

#[test]
fn every_answer_is_explained_as_before() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/atr/golden");
    let mut count = 0;
    for file in fs::read_dir(golden).unwrap() {
        let path = file.unwrap().path();
        let expected = fs::read_to_string(&path).unwrap();
        let explained = explain(&atr(expected.lines().next().unwrap())).unwrap();
        assert_eq!(text(&explained), expected, "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 13);
}

#[test]
fn any_bytes_are_explained_or_refused() {
    // Every value of every byte of an answer with all kinds of bytes, and every cut of it.
    let whole = atr("3B F2 11 25 05 F0 90 00 0A F1 20 4D 01 3F C3 80 14 50 0C");
    let explain_bytes = |bytes: &[u8]| {
        let _ = Atr::new(bytes).map(|atr| explain(&atr).map(|explained| text(&explained)));
    };
    for end in 0..=whole.as_bytes().len() {
        explain_bytes(&whole.as_bytes()[..end]);
    }
    for at in 0..whole.as_bytes().len() {
        for value in 0..=u8::MAX {
            let mut bytes = whole.as_bytes().to_vec();
            bytes[at] = value;
            explain_bytes(&bytes);
        }
    }
}

#[test]
fn programs_get_the_same_fields() {
    let explained = explain(&atr("3B 02 14 50")).unwrap();
    let expected = concat!(
        r#"{"atr":"3B 02 14 50","protocols":["T=0"],"fields":["#,
        r#"{"name":"TS","value":"3B","meaning":"direct convention"},"#,
        r#"{"name":"T0","value":"02","meaning":"no interface byte follows, 2 historical bytes"},"#,
        r#"{"name":"hist","value":"14 50","meaning":""}]}"#
    );
    assert_eq!(serde_json::to_string(&explained).unwrap(), expected);
}
