//! Rules about single source files.

use crate::Violation;
use crate::rooms::{Kind, room_of};
use crate::tree::TextFile;

/// A chapter, not a book.
const LONGEST_BYTES: usize = 36 * 1024;

/// What a pure room never names: `std` has the clock, the environment, files and sockets.
const IMPURE: &[&str] = &["std::time", "std::env", "std::fs", "std::net", "std::thread"];

/// Words that say nothing, and the word of the standard that says it.
const EMPTY_NAMES: &[&str] = &["ctx", "mgr", "util", "utils", "helper", "helpers", "common"];

/// Left for later, but later never comes.
const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "FIXME", "XXX:"];

/// All rules about one file.
#[must_use]
pub fn violations(file: &TextFile) -> Vec<Violation> {
    let mut found = Vec::new();
    let kind = kind_of(&file.path);
    if is_crate_root(&file.path) {
        found.extend(missing_heads(file, kind));
    }
    found.extend(file_rules(file));
    for (number, line) in (1..).zip(file.text.lines()) {
        let place = format!("{}:{number}", file.path);
        for rule in line_rules(line, kind) {
            found.push(Violation::new(&place, rule));
        }
    }
    found
}

/// What a file may contain. Tests of a pure room may read their cases from files.
fn kind_of(path: &str) -> Option<Kind> {
    let room = room_of(path)?;
    let in_source = path.strip_prefix(room.folder)?.starts_with("/src/");
    if in_source || room.kind == Kind::Unsafe { Some(room.kind) } else { Some(Kind::Plain) }
}

fn is_crate_root(path: &str) -> bool {
    path.ends_with("src/lib.rs") || path.ends_with("src/main.rs") || path.contains("/src/bin/")
}

/// What stands at the head of every crate.
fn missing_heads(file: &TextFile, kind: Option<Kind>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut need = |head: &str, present: bool| {
        if !present {
            found.push(Violation::new(&file.path, format!("the crate begins with {head}")));
        }
    };
    need("a //! sentence", file.text.starts_with("//!"));
    let has = |attribute: &str| file.text.lines().any(|line| line == attribute);
    if kind != Some(Kind::Unsafe) {
        need("#![forbid(unsafe_code)]", has("#![forbid(unsafe_code)]"));
    }
    if kind == Some(Kind::Pure) {
        need("#![no_std]", has("#![no_std]") || has("#![cfg_attr(not(test), no_std)]"));
    }
    found
}

fn file_rules(file: &TextFile) -> Vec<Violation> {
    let mut found = Vec::new();
    if file.text.len() > LONGEST_BYTES {
        let rule = format!("{} bytes: look for the second concept in it", file.text.len());
        found.push(Violation::new(&file.path, rule));
    }
    let stem = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
    if EMPTY_NAMES.contains(&stem) {
        found.push(Violation::new(&file.path, format!("{stem} names no concept")));
    }
    found
}

/// Rules about a line; what stands in quotes does not count.
fn line_rules(line: &str, kind: Option<Kind>) -> Vec<String> {
    let mut rules = Vec::new();
    let line: String = line.split('"').step_by(2).collect();
    for mark in UNFINISHED.iter().filter(|mark| line.contains(**mark)) {
        rules.push(format!("{mark} is left over"));
    }
    let code = line.split("//").next().unwrap_or_default();
    let words = || code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    if kind != Some(Kind::Unsafe) && words().any(|word| word == "unsafe") {
        rules.push("unsafe code outside its rooms".into());
    }
    if let Some(word) = words().find(|word| EMPTY_NAMES.contains(word)) {
        rules.push(format!("{word} names no concept"));
    }
    if code.contains("fn get_") && code.contains("(&self)") {
        rules.push("get_ says nothing that the name does not say".into());
    }
    if kind == Some(Kind::Pure) {
        for path in IMPURE.iter().filter(|path| code.contains(**path)) {
            rules.push(format!("{path} in a pure room"));
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, rules: &[&str]) {
        let file = TextFile { path: path.into(), text: text.into() };
        let found: Vec<String> = violations(&file).into_iter().map(|found| found.rule).collect();
        assert_eq!(found, rules);
    }

    #[test]
    fn heads_of_crates() {
        let whole = "//! A room.\n#![no_std]\n#![forbid(unsafe_code)]\n";
        check("scard-rm/core/src/lib.rs", whole, &[]);
        check(
            "scard-rm/core/src/lib.rs",
            "//! A room.\n",
            &["the crate begins with #![forbid(unsafe_code)]", "the crate begins with #![no_std]"],
        );
        check("scard-rm/core/src/readers.rs", "", &[]);
        check("winscard-shim/pcsclite/src/lib.rs", "//! The edge to C.\n", &[]);
        check(
            "scard-rm/cli/src/main.rs",
            "#![forbid(unsafe_code)]\n",
            &["the crate begins with a //! sentence"],
        );
    }

    #[test]
    fn unsafe_code_stands_in_its_rooms() {
        let planted = "let byte = unsafe { *pointer };\n";
        check("scard-rm/client/src/session.rs", planted, &["unsafe code outside its rooms"]);
        check("winscard-shim/pcsclite/src/memory.rs", planted, &[]);
        check("scard-rm/client/src/session.rs", "// unsafe to say\n", &[]);
    }

    #[test]
    fn pure_rooms_do_not_look_at_the_clock() {
        let planted = "use std::time::Instant;\n";
        check("simulator/card/src/pin.rs", planted, &["std::time in a pure room"]);
        check("simulator/card/tests/pin.rs", planted, &[]);
        check("scard-rm/daemon/src/clock.rs", planted, &[]);
    }

    #[test]
    fn empty_words_and_leftovers() {
        check("scard-rm/cli/src/util.rs", "", &["util names no concept"]);
        check("scard-rm/cli/src/list.rs", "let ctx = context();\n", &["ctx names no concept"]);
        check(
            "scard-rm/cli/src/list.rs",
            "fn get_name(&self) {}\n",
            &["get_ says nothing that the name does not say"],
        );
        check("scard-rm/cli/src/list.rs", "todo!()\n", &["todo!( is left over"]);
        check(
            "scard-rm/cli/src/list.rs",
            &"//\n".repeat(13_000),
            &["39000 bytes: look for the second concept in it"],
        );
    }
}
