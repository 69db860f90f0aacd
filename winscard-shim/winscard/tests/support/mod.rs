//! What the tests of Windows' C ABI share: the library as it is installed, C programs, our header.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "each test file uses a part of it; a test ends at its first surprise"
)]

use std::env;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The shared object that cargo built beside this test.
pub(crate) fn library() -> PathBuf {
    let test = env::current_exe().expect("a running test has a path");
    let library = test.parent().expect("it lies in a folder").join("libwinscard.so");
    assert!(library.exists(), "{} is not there", library.display());
    library
}

/// A folder with the library under the names that linker and loader look for.
pub(crate) fn installed() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["libwinscard.so.1", "libwinscard.so"] {
        symlink(library(), folder.path().join(name)).expect("a new link");
    }
    folder
}

/// `winscard-shim/<name>`.
pub(crate) fn room(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Whether there is a C compiler. Under `CI=true` there has to be one.
pub(crate) fn has_compiler() -> bool {
    let there = Command::new("cc").arg("--version").output().is_ok_and(|out| out.status.success());
    if !there {
        not_run("no C compiler (Debian: apt-get install gcc libc6-dev)");
    }
    there
}

/// Says that a case is not run; a failure where nothing may be skipped.
pub(crate) fn not_run(reason: &str) {
    assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "not run: {reason}");
    println!("not run: {reason}");
}

/// Compiles a C source of `winscard-shim/tests/windows` with our header into `folder`, and links it with our library.
pub(crate) fn compile(source: &str, folder: &Path) -> PathBuf {
    let program = folder.join(source.trim_end_matches(".c"));
    let out = Command::new("cc")
        .args(["-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-I"])
        .arg(room("include/winscard"))
        .arg(room("tests/windows").join(source))
        .arg("-o")
        .arg(&program)
        .arg(format!("-L{}", folder.display()))
        .arg("-lwinscard")
        .output()
        .expect("the compiler runs");
    assert!(out.status.success(), "{source}: {}", String::from_utf8_lossy(&out.stderr));
    program
}

/// What a program printed; it has to end well.
pub(crate) fn printed(what: &str, out: &Output) -> String {
    assert!(
        out.status.success(),
        "{what}: {}\n{}{}",
        out.status,
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8_lossy(&out.stdout).into_owned()
}
