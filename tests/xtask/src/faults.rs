//! `cargo xtask faults`: is the net of tests free of holes?

use std::fs;
use std::process::Command;

use crate::run::{Failure, cargo, during, machine, root};
use crate::tally::Tally;

pub(crate) const HELP: &str = "\
Builds the core once for each fault that scard-rm/core/faults.txt names, with `--cfg scard_fault=\"NAME\"`, and
runs the seeded histories against it. A fault that no history finds is a failure. With names: only those.
The builds stand in target/faults. Part of `cargo xtask test`.";

const LIST: &str = "scard-rm/core/faults.txt";
const HISTORIES: &[&str] =
    &["test", "--locked", "--quiet", "-p", "scard-core", "--test", "histories"];

pub(crate) fn command(names: &[&str]) -> Result<(), Failure> {
    let mut tally = Tally::default();
    check(&mut tally, names)?;
    tally.close()
}

/// Counts each fault that is found as passed; no names means all.
pub(crate) fn check(tally: &mut Tally, names: &[&str]) -> Result<(), Failure> {
    let list = fs::read_to_string(root().join(LIST)).map_err(during(LIST))?;
    let known = parse(&list);
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(Failure::Usage(format!("{LIST} names no fault {name}")));
    }
    let machine = machine()?;
    for fault in known.iter().filter(|fault| names.is_empty() || names.contains(fault)) {
        let built = histories(fault, &machine, &["--no-run"]).output().map_err(during("cargo"))?;
        if !built.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&built.stderr));
            tally.fail(format!("fault {fault} does not compile"));
            continue;
        }
        let ran = histories(fault, &machine, &[]).output().map_err(during("cargo"))?;
        if ran.status.success() {
            println!("  {fault}: NOT FOUND");
            tally.fail(format!("no history finds the fault {fault}"));
        } else {
            println!("  {fault}: found");
            tally.pass();
        }
    }
    Ok(())
}

fn histories(fault: &str, machine: &str, more: &[&str]) -> Command {
    let mut command = cargo(HISTORIES);
    // With a target named, the flag is for that target only: macros are built once for all faults.
    command.args(["--target", machine]).args(more);
    // Flags are parted by the unit separator, so that the quotes need no shell.
    command.env("CARGO_ENCODED_RUSTFLAGS", format!("--cfg\x1fscard_fault=\"{fault}\""));
    command.env("CARGO_TARGET_DIR", root().join("target/faults"));
    // Nobody debugs these; without it they build in half the time.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
    command
}

/// One fault per line: its name, then what it breaks. `#` begins a comment.
fn parse(list: &str) -> Vec<&str> {
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_faults_has_comments_and_descriptions() {
        let list = "# faults\n\nlost_wake_up  a release wakes nobody\ndouble_grant\n";
        assert_eq!(parse(list), ["lost_wake_up", "double_grant"]);
    }
}
