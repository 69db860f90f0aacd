//! The same program with Debian's libpcsclite and with ours, both before Debian's pcscd: the same lines, but for those in
//! `winscard-shim/tests/differs.txt`.
//!
//! Needs root, pcscd and vsmartcard-vpcd, and the wish: `SCARD_TEST_PCSCD=1`.
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod support;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_probe_prints_the_same_lines_with_either_library() {
    if env::var_os("SCARD_TEST_PCSCD").is_none_or(|wish| wish != "1") {
        return println!("not run: SCARD_TEST_PCSCD is not 1");
    }
    if !support::has_compiler() {
        return;
    }
    if !Path::new("/usr/sbin/pcscd").exists() || !Path::new("/usr/lib/pcsc/drivers/serial").exists()
    {
        return support::not_run(
            "no pcscd with a virtual reader (Debian: apt-get install pcscd vsmartcard-vpcd opensc)",
        );
    }
    let folder = support::installed();
    let probe = support::compile("probe.c", folder.path(), true);
    let card = support::compile("vcard.c", folder.path(), false);
    let lines = |library: Option<&Path>| -> Vec<String> {
        let scratch = tempfile::tempdir().unwrap();
        let mut command = Command::new(support::room("tests").join("with-pcscd.sh"));
        command.arg(scratch.path()).arg(&card);
        // Only the probe gets the library: the script uses programs of its own.
        command.arg("env");
        command.args(library.map(|path| format!("LD_LIBRARY_PATH={}", path.display())));
        command.arg("PCSCLITE_NO_BLOCKING=1").arg(&probe);
        command.env_remove("PCSCLITE_CSOCK_NAME").env_remove("SCARD_SOCKET");
        let said = support::printed("the probe", &command.output().unwrap());
        said.lines().map(str::to_owned).collect()
    };
    let (theirs, ours) = (lines(None), lines(Some(folder.path())));
    assert_eq!(theirs.len(), ours.len(), "the probe stopped early with one of the two");

    let found: BTreeSet<_> = theirs.into_iter().zip(ours).filter(|(a, b)| a != b).collect();
    let listed = listed();
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(new.is_empty(), "not in differs.txt: {new:#?}");
    let stale: Vec<_> = listed.difference(&found).collect();
    assert!(stale.is_empty(), "in differs.txt and not so any more: {stale:#?}");
}

/// The pairs of differs.txt: theirs, ours.
fn listed() -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(support::room("tests").join("differs.txt")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(['-', '+'])).collect();
    let pair = |pair: &[&str]| match pair {
        [theirs, ours] => (
            theirs.strip_prefix("- ").unwrap().to_owned(),
            ours.strip_prefix("+ ").unwrap().to_owned(),
        ),
        _ => unreachable!("differs.txt has pairs of lines"),
    };
    lines.chunks(2).map(pair).collect()
}
