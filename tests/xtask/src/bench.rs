//! `cargo xtask bench`: how fast, beside pcscd and beside a bare socket.

use std::path::Path;
use std::process::Command;

use crate::run::{Failure, cargo, during, root, run, step};
use crate::tally::Tally;
use crate::{dist, programs};

pub(crate) const HELP: &str = "\
Builds a release and measures it (tests/clients/bench) beside Debian's pcscd with vpcd and beside bare sockets, all
in turn; prints each figure with its bar, `ok` or `NOT met`, and tables beside them. A figure that misses its bar is no
failure of the command. pcscd and other users can be played by root only; without, their figures are `not measured`.

  --json FILE    writes what was found there too
  --only NAME    one measurement (repeatable): path, calls, flat, turns, waking, attacks, idle, crowd, life
  --quick        half a minute instead of some: shows that everything can be measured, and little else
  --write-docs   puts the numbers into docs/performance.md

Run it on a machine that does nothing else; the report says how busy it was.";

const PAGE: &str = "docs/performance.md";

pub(crate) fn command(arguments: &[&str]) -> Result<(), Failure> {
    let here = std::env::current_dir().map_err(during("the current folder"))?;
    let mut passed: Vec<String> = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value =
            || words.next().ok_or_else(|| Failure::Usage(format!("{word} needs a value")));
        match *word {
            "--quick" => passed.push("--quick".into()),
            "--only" => passed.extend(["--only".into(), (*value()?).into()]),
            "--json" => passed.extend(["--json".into(), path(&here.join(value()?))]),
            "--write-docs" => passed.extend(["--write-docs".into(), path(&root().join(PAGE))]),
            other => return Err(Failure::Usage(format!("bench does not know {other}"))),
        }
    }
    // What cannot be had is said, and its figures are not measured.
    step("programs of others", || programs::provide(&mut Tally::default(), false))?;
    step("a release", || dist::lay_out(&root().join(dist::TESTED)))?;
    let folder = root().join("tests/clients");
    step("the bench", || {
        run(cargo(&["build", "--release", "--locked", "-p", "bench"]).current_dir(&folder))
    })?;
    let built = dist::target_folder(&folder).join("release/bench");
    step("measurements", || run(Command::new(built).args(passed)))
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
