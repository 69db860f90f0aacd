//! Every command, argument and flag is documented, and what is generated from them comes out.

#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod scard;

use std::fs;

use clap::Command;
use scard::{Place, stdout};

/// What has no help, of this command and all below it.
fn undocumented(command: &Command, path: &str, found: &mut Vec<String>) {
    let path = format!("{path} {}", command.get_name());
    if command.get_about().is_none() {
        found.push(path.clone());
    }
    for argument in command.get_arguments() {
        let has_help = argument.get_help().is_some_and(|help| !help.to_string().is_empty());
        let is_generated = matches!(argument.get_id().as_str(), "help" | "version");
        if !has_help && !is_generated {
            found.push(format!("{path} {}", argument.get_id()));
        }
        for value in argument.get_possible_values() {
            let takes_words = argument.get_id() != "shell" && argument.get_action().takes_values();
            if takes_words && value.get_help().is_none() {
                found.push(format!("{path} {} {}", argument.get_id(), value.get_name()));
            }
        }
    }
    for subcommand in command.get_subcommands() {
        undocumented(subcommand, &path, found);
    }
}

#[test]
fn everything_has_help() {
    let mut found = Vec::new();
    for command in [::scard::command(), ::scard::internal_command()] {
        command.clone().debug_assert();
        undocumented(&command, "", &mut found);
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn every_command_that_prints_data_can_print_json() {
    let command = ::scard::command();
    for path in [
        &["list"][..],
        &["watch"],
        &["trace"],
        &["apdu"],
        &["atr"],
        &["demo"],
        &["sim", "insert"],
        &["sim", "remove"],
        &["sim", "status"],
    ] {
        let found = path.iter().fold(&command, |at, name| at.find_subcommand(name).unwrap());
        let has_json = found.get_arguments().any(|argument| argument.get_id() == "json");
        assert!(has_json, "{path:?}");
    }
}

#[test]
fn the_exit_statuses_are_in_the_help() {
    let place = Place::new();
    let help = stdout(&place.scard(&["--help"]).output().unwrap());
    assert!(help.contains("3  no resource manager answers"), "{help}");
    let help = stdout(&place.scard(&["run", "--help"]).output().unwrap());
    assert!(help.contains("127  COMMAND was not found"), "{help}");
}

#[test]
fn each_shell_gets_its_completions() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = place.scard(&["completions", shell]).output().unwrap();
        assert!(output.status.success());
        assert!(stdout(&output).contains("scard"), "{shell}");
        assert!(!stdout(&output).contains("exit-on-eof-of-fd"), "{shell} offers what is hidden");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let place = Place::new();
    let directory = place.path().join("man1");
    let status = place.scard(&["man", directory.to_str().unwrap()]).status().unwrap();
    assert!(status.success());
    let mut pages: Vec<String> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    assert_eq!(
        pages,
        [
            "scard-apdu.1",
            "scard-atr.1",
            "scard-completions.1",
            "scard-demo.1",
            "scard-list.1",
            "scard-rm.1",
            "scard-run.1",
            "scard-sim-insert.1",
            "scard-sim-remove.1",
            "scard-sim-serve.1",
            "scard-sim-status.1",
            "scard-sim.1",
            "scard-trace.1",
            "scard-watch.1",
            "scard.1",
        ]
    );
    let page = fs::read_to_string(directory.join("scard.1")).unwrap();
    assert!(page.contains("no resource manager answers"), "the exit statuses are missing");
}
