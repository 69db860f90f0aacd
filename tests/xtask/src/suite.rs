//! `cargo xtask test` and `cargo xtask ci`.

use std::process::Command;

use crate::run::{Failure, cargo, root, run, step, under_ci};
use crate::tally::Tally;
use crate::{dist, faults, programs};

pub(crate) const HELP: &str = "\
Runs every test there is: those of the house, our library and daemon under programs of others (tests/clients),
and the planted faults. What is missing of those programs is installed with apt-get where we are root; otherwise
the line to run is printed and their tests are NOT RUN. Some come from Python's package index, through pip, into
target/judges-python. With CI=true a missing program is a failure.

The differential suite plays the same seeds each time; `cargo xtask differential` plays others, for as long as you like.

  --quick   only the tests that need no outside program

The last line counts: `N passed, N failed`.";

pub(crate) fn command(arguments: &[&str]) -> Result<(), Failure> {
    let quick = match arguments {
        [] => false,
        ["--quick"] => true,
        [other, ..] => return Err(Failure::Usage(format!("test does not know {other}"))),
    };
    let mut tally = Tally::default();
    if quick {
        step("tests of the house", || house(&mut tally, false))?;
        return tally.close();
    }
    // First, because tests of the house use some of them too.
    let left_out = step("programs of others", || programs::provide(&mut tally, under_ci()))?;
    let with_pcscd = !left_out.contains(&programs::DEBIAN_PCSCD);
    step("tests of the house", || house(&mut tally, with_pcscd))?;
    match step("what is installed", || dist::lay_out(&root().join(dist::TESTED))) {
        Ok(()) => step("programs of others as judges", || judges(&mut tally, &left_out))?,
        Err(failure) => tally.fail(format!("nothing to judge: {failure}")),
    }
    step("planted faults", || faults::check(&mut tally, &[]))?;
    tally.close()
}

/// `cargo xtask ci`: the script is the one description of the gate.
pub(crate) fn gate(arguments: &[&str]) -> Result<(), Failure> {
    if let [surplus, ..] = arguments {
        return Err(Failure::Usage(format!("ci takes no argument, but got {surplus}")));
    }
    run(Command::new("bash").arg(".ci/run").current_dir(root()))
}

/// Everything is built first: tests of one room start programs of another. Those that need Debian's pcscd run only
/// where they are asked to.
fn house(tally: &mut Tally, with_pcscd: bool) -> Result<(), Failure> {
    run(&mut cargo(&["build", "--workspace", "--locked"]))?;
    let xtask = ["test", "--locked", "--no-fail-fast", "--manifest-path", "tests/xtask/Cargo.toml"];
    tally.cargo_test("xtask", &mut cargo(&xtask))?;
    let mut tests = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
    if with_pcscd {
        tests.env("SCARD_TEST_PCSCD", "1");
    }
    tally.cargo_test("the house", &mut tests)
}

/// tests/clients finds the release in `dist::TESTED`, through its own .cargo/config.toml.
fn judges(tally: &mut Tally, left_out: &[&str]) -> Result<(), Failure> {
    let folder = root().join("tests/clients");
    run(cargo(&["build", "--locked", "-p", "pcsc", "--examples"]).current_dir(&folder))?;
    let mut tests = cargo(&["test", "--locked", "--no-fail-fast", "--"]);
    for name in left_out {
        tests.args(["--skip", name]);
    }
    // They wait more than they work: for readers that are asked every 400 ms, for programs that ask once a second.
    tests.env("RUST_TEST_THREADS", "6");
    tally.cargo_test("the judges", tests.current_dir(&folder))
}
