//! What the documents say about the programs is what the programs say.

use std::fs;
use std::path::Path;
use std::process::Command;

use clients::differential::allowed::ALLOWED;
use clients::stage::dist;

fn document(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn help(program: &str, arguments: &[&str]) -> String {
    let said = Command::new(dist().join("bin").join(program)).args(arguments).output().unwrap();
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn exit_codes_are_documented_as_the_help_tells_them() {
    let document = document("exit-codes.md");
    let mut codes = 0;
    for arguments in [&["--help"][..], &["run", "--help"]] {
        let help = help("scard", arguments);
        let (_, statuses) = help.split_once("Exit status:").unwrap();
        for line in statuses.lines() {
            let Some((code, meaning)) = line.trim().split_once("  ") else { continue };
            if code.parse::<u8>().is_ok() {
                let row = format!("| {code} | {} |", meaning.trim());
                let row = row.replace("COMMAND", "the command").replace("scard run", "`scard run`");
                assert!(document.contains(&row), "{row}");
                codes += 1;
            }
        }
    }
    assert!(codes >= 11, "the help was read");
}

#[test]
fn every_subcommand_has_a_manual_page_and_completions() {
    let share = dist().join("share");
    let bash = fs::read_to_string(share.join("bash-completion/completions/scard")).unwrap();
    for command in ["list", "watch", "apdu", "atr", "sim", "run", "demo"] {
        assert!(share.join(format!("man/man1/scard-{command}.1")).is_file(), "{command}");
        assert!(bash.contains(&format!("scard,{command})")), "{command}");
    }
    assert!(share.join("man/man1/scard.1").is_file());
}

#[test]
fn every_difference_that_the_differential_suite_allows_is_a_row_of_compat_md() {
    let document = document("compat.md");
    for allowed in ALLOWED {
        let rows = document.lines().filter(|line| line.starts_with(&format!("| {}", allowed.row)));
        assert_eq!(rows.count(), 1, "{}", allowed.row);
    }
}

#[test]
fn every_topic_of_pcsc_lites_unit_tests_is_tried_in_a_file_that_exists() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let topics = fs::read_to_string(top.join("tests/clients/differential/topics.md")).unwrap();
    let files: Vec<_> = topics.split('`').filter(|word| word.contains('/')).collect();
    assert!(files.len() > 25, "the table was read");
    for file in files {
        assert!(top.join(file).is_file(), "{file}");
    }
}
