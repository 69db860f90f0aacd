//! `scard demo`, from its first step to its last.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod scard;

use scard::{Place, stderr, stdout};

const STEPS: [&str; 13] = [
    "resource manager started",
    "readers listed",
    "card inserted",
    "connected",
    "PIV selected",
    "PIN verified",
    "certificate read",
    "signed on the card",
    "signature verified",
    "transaction handed over",
    "card removed",
    "resource manager ended",
    "everything held",
];

#[test]
fn every_step_is_told_in_order_for_each_kind_of_key() {
    for key in ["p256", "p384", "rsa2048"] {
        let place = Place::new();
        let output = place.scard(&["demo", "--json", "--key", key]).output().unwrap();
        assert!(output.status.success(), "{key}: {}", stderr(&output));
        let lines: Vec<serde_json::Value> =
            stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let steps: Vec<&str> = lines.iter().filter_map(|line| line["step"].as_str()).collect();
        assert_eq!(steps, STEPS, "{key}");
        assert!(lines.iter().all(|line| line["ok"] == true && line["elapsed_us"].is_u64()));
        assert!(place.is_empty());
    }
}

#[test]
fn people_read_one_line_a_step() {
    let place = Place::new();
    let output = place.scard(&["demo"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(!text.contains('\u{1b}'), "colour without a terminal");
    assert!(!text.contains("123456"), "the PIN is told");
    for (line, step) in text.lines().zip(STEPS) {
        assert!(line.contains(&format!(" ms  ok  {step}")), "{line}");
    }
    assert_eq!(text.lines().count(), STEPS.len());
}
