//! Programs in C, written for Windows' header and run with our library against our daemon.
//!
//! Each program checks one family of calls and says what was not as it should be; the tests provide the daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at its first surprise")]

#[allow(dead_code, reason = "shared with the tests of libpcsclite, which restart it")]
#[path = "../../pcsclite/tests/support/daemon.rs"]
mod daemon;
mod support;

use std::process::Command;

use daemon::Daemon;

/// Two bytes and one unit, three bytes and one unit, four bytes and two units.
const READER: &str = "Lesegerät für € 🂡";

fn run(source: &str) {
    if !support::has_compiler() {
        return;
    }
    let folder = support::installed();
    let Some(daemon) = Daemon::start_with(&folder, &format!("sim:piv,name={READER}")) else {
        return;
    };
    let out = Command::new(support::compile(source, folder.path()))
        .arg(READER)
        .env("LD_LIBRARY_PATH", folder.path())
        .env("SCARD_SOCKET", daemon.socket())
        .output()
        .unwrap();
    support::printed(source, &out);
}

#[test]
fn contexts_memory_and_the_event_of_the_service() {
    run("contexts.c");
}

#[test]
fn readers_groups_and_cards_that_are_looked_for() {
    run("readers.c");
}

#[test]
fn card_handles_and_what_is_done_with_them() {
    run("cards.c");
}

#[test]
fn the_cache_keeps_what_is_fresh() {
    run("cache.c");
}

#[test]
fn the_database_answers_and_refuses() {
    run("database.c");
}

#[test]
fn a_card_is_chosen_where_nobody_has_to_be_asked() {
    run("dialogs.c");
}

#[test]
fn calls_with_nothing_where_something_should_be_say_so() {
    run("nothing.c");
}
