use super::*;

fn check(atr: &str, expected: &str) {
    let atr = Atr::new(&hex::parse(atr).unwrap()).unwrap();
    let mut out = Vec::new();
    write(&explain(&atr).unwrap(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let text = anstream::adapter::strip_str(&text).to_string();
    assert_eq!(text, expected, "{text}");
}
#[test]
fn x() {
    check("3B FD 13 00 00 81 31 FE 15 80 73 C0 21 C0 57 59 75 62 69 4B 65 79 40", "");
}
