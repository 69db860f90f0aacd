//! Programs that Python's package index has: they get an environment of their own, with pinned versions.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::{Failure, during, root, run};

/// What is installed, with versions.
pub(crate) const NAMED: &str = "tests/clients/judges/requirements.txt";

/// Where tests/clients looks for it.
const ENVIRONMENT: &str = "target/judges-python";

/// Whose source is laid beside it: its tests are not part of what is installed.
const WITH_SOURCE: &str = "pyscard";

/// Makes the environment, unless it is there with these versions.
pub(crate) fn provide() -> Result<(), Failure> {
    let named = fs::read_to_string(root().join(NAMED)).map_err(during(NAMED))?;
    let environment = root().join(ENVIRONMENT);
    // Written last, so that an environment that was begun only does not count.
    let stamp = environment.join("complete");
    if fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == named) {
        return Ok(());
    }
    if environment.exists() {
        fs::remove_dir_all(&environment).map_err(during(environment.display()))?;
    }
    // Debian's, whose headers are installed; another one may come first on the path.
    run(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&environment))?;
    let pip = |arguments: &[&str]| {
        let mut command = Command::new(environment.join("bin/python"));
        command.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]);
        command.args(arguments).current_dir(&environment);
        run(&mut command)
    };
    let source = source_of(&named)?;
    pip(&["download", "--no-deps", "--no-binary", WITH_SOURCE, &source])?;
    unpack(&environment)?;
    let file = root().join(NAMED).display().to_string();
    // Nothing but what is named there: a version that nobody chose is a failure.
    pip(&["install", "--no-deps", "--requirement", &file])?;
    pip(&["check"])?;
    fs::write(&stamp, &named).map_err(during(stamp.display()))
}

/// The line with its version.
fn source_of(named: &str) -> Result<String, Failure> {
    let begin = format!("{WITH_SOURCE}==");
    let line = named.lines().find(|line| line.starts_with(&begin));
    line.map(str::to_owned).ok_or_else(|| Failure::Step(format!("{NAMED} has no {WITH_SOURCE}")))
}

/// Lays out the one archive that was downloaded, as `source`.
fn unpack(environment: &Path) -> Result<(), Failure> {
    let source = environment.join("source");
    fs::create_dir(&source).map_err(during(source.display()))?;
    let files = fs::read_dir(environment).map_err(during(environment.display()))?;
    let mut archives = files
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".tar.gz"));
    let archive =
        archives.next().ok_or_else(|| Failure::Step("pip downloaded no archive".into()))?;
    let mut tar = Command::new("tar");
    run(tar
        .args(["--extract", "--strip-components=1", "--directory"])
        .arg(&source)
        .arg("--file")
        .arg(&archive))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_requirement_has_its_version() {
        let named = fs::read_to_string(root().join(NAMED)).expect("it is in the tree");
        let lines = named.lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            assert!(
                line.split_once("==").is_some_and(|(_, version)| !version.is_empty()),
                "{line}"
            );
        }
        assert!(source_of(&named).expect("its line").starts_with("pyscard=="));
    }
}
