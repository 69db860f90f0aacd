//! `cargo xtask differential`: our daemon and library against Debian's, for as long as it is wanted.

use crate::run::{Failure, cargo, root, run, step};
use crate::{dist, programs, tally::Tally};

pub(crate) const HELP: &str = "\
Plays histories made from seeds on Debian's pcscd with vpcd and on our daemon, each with the stock library and with
ours, in step, and compares what every call is told (tests/clients/src/differential). A difference that docs/compat.md
does not list is played again, made shorter, and printed as a text that --replay takes. `cargo xtask test` plays the
first 200 seeds, and the histories in tests/clients/differential/histories. Needs root.

  --seeds N       how many histories (1000); a hundred take about 20 seconds
  --from SEED     the first seed (1)
  --scenes N      how many play at once, each with daemons of its own (8)
  --all           goes on after a difference
  --on-ours       compares the two libraries on our daemon only
  --replay FILE   plays the history in a file; may be repeated";

pub(crate) fn command(arguments: &[&str]) -> Result<(), Failure> {
    let mut tally = Tally::default();
    let missing = step("programs of others", || programs::provide(&mut tally, false))?;
    if missing.contains(&programs::DEBIAN_PCSCD) {
        return Err(Failure::Step("Debian's pcscd cannot be run here".into()));
    }
    step("what is installed", || dist::lay_out(&root().join(dist::TESTED)))?;
    let folder = root().join("tests/clients");
    let mut suite = cargo(&["run", "--locked", "--quiet", "--bin", "differential", "--"]);
    // Files are named from where the command was given.
    let here = std::env::current_dir().unwrap_or_default();
    let mut is_file = false;
    for argument in arguments {
        match is_file {
            true => suite.arg(here.join(argument)),
            false => suite.arg(argument),
        };
        is_file = *argument == "--replay";
    }
    step("differential suite", || run(suite.current_dir(folder)))
}
