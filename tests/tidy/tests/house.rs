//! The rules, applied to the working tree.
#![expect(clippy::panic, reason = "a document that is missing is a finding")]

use std::fs;

use tidy::{Violation, documents, rooms, source, tree};

#[track_caller]
fn none(violations: &[Violation]) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "\n{}\n", lines.join("\n"));
}

fn text(path: &str) -> String {
    fs::read_to_string(tree::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_room_has_its_row() {
    none(&rooms::unlisted_members(&text("Cargo.toml")));
}

#[test]
fn rooms_import_only_what_stands_below_them() {
    let mut found = Vec::new();
    for room in rooms::ROOMS {
        let path = format!("{}/Cargo.toml", room.folder);
        let manifest = tree::TextFile { text: text(&path), path };
        found.extend(rooms::forbidden_imports(room, &manifest));
    }
    none(&found);
}

#[test]
fn source_files_follow_the_rules() {
    let files = tree::files(".rs").unwrap();
    assert!(files.len() > 20, "the walk finds the house");
    none(&files.iter().flat_map(source::violations).collect::<Vec<_>>());
}

#[test]
fn every_difference_is_documented() {
    let mut files = tree::files(".rs").unwrap();
    files.extend(tree::files(".txt").unwrap());
    none(&documents::unlisted_differences(&files, &text("docs/compat.md")));
}

#[test]
fn every_crate_is_on_the_map() {
    none(&documents::crates_off_the_map(&text("docs/ARCHITECTURE.md")));
}

#[test]
fn every_attack_has_its_test() {
    let files = tree::files(".rs").unwrap();
    none(&documents::attacks_without_a_test(&text("docs/security.md"), &files));
}
