//! The table of calls in docs/winscard.md: each of the 46 has a row, and the program that its row names calls it.
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod support;

use std::collections::BTreeSet;
use std::fs;

#[test]
fn every_call_has_a_row_and_a_program_that_calls_it() {
    let table = fs::read_to_string(support::room("../docs/winscard.md")).unwrap();
    let cells = |row: &str| -> Vec<String> {
        row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let mut calls = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells = cells(row);
        let (call, program) = (&cells[1], &cells[2]);
        let source = ["check.h", program]
            .map(|name| fs::read_to_string(support::room("tests/windows").join(name)).unwrap())
            .concat();
        let called = ["", "A", "W"].iter().any(|width| source.contains(&format!("{call}{width}(")));
        assert!(called, "{program} does not call {call}");
        assert!(calls.insert(call.clone()), "{call} has two rows");
    }
    assert_eq!(calls.len(), 46);
    let header = fs::read_to_string(support::room("include/winscard/winscard.h")).unwrap();
    let (not_counted, declared) = (["SCardState", "SCardDlgExtendedError"], "WINAPI ");
    for line in header.lines().filter(|line| line.starts_with("WINSCARDAPI") && line.contains('('))
    {
        let name = line.split(declared).nth(1).and_then(|rest| rest.split('(').next()).unwrap();
        let call = name.strip_suffix(['A', 'W']).unwrap_or(name);
        let is_known = calls.contains(call) || calls.contains(name) || not_counted.contains(&name);
        assert!(is_known, "{name} has no row");
    }
}
