//! What the tests of the C ABI share: the library as it is installed, C programs, and the folders of this room.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "each test file uses a part of it; a test ends at its first surprise"
)]

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// The shared object that cargo built beside this test.
pub(crate) fn library() -> PathBuf {
    let test = env::current_exe().expect("a running test has a path");
    let library = test.parent().expect("it lies in a folder").join("libpcsclite.so");
    assert!(library.exists(), "{} is not there", library.display());
    library
}

/// A folder with the library under the names that programs look for.
pub(crate) fn installed() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["libpcsclite.so.1", "libpcsclite.so", "libpcsclite_real.so.1"] {
        symlink(library(), folder.path().join(name)).expect("a new link");
    }
    folder
}

/// `winscard-shim/<name>`.
pub(crate) fn room(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Our C headers.
pub(crate) fn headers() -> PathBuf {
    room("include/PCSC")
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

/// Compiles a C source of `winscard-shim/tests` with our headers into `folder`; links with our library if asked.
pub(crate) fn compile(source: &str, folder: &Path, with_library: bool) -> PathBuf {
    let mut options = Vec::new();
    if with_library {
        options.extend([format!("-L{}", folder.display()), "-lpcsclite".to_owned()]);
    }
    compile_with(source, folder, &options)
}

/// The same with a program that finds the library in `folder` by itself.
pub(crate) fn compile_at_home(source: &str, folder: &Path) -> PathBuf {
    let folder_name = folder.display();
    compile_with(
        source,
        folder,
        &[format!("-L{folder_name}"), "-lpcsclite".to_owned(), format!("-Wl,-rpath,{folder_name}")],
    )
}

/// Compiles a C source into a shared object of its own.
pub(crate) fn compile_shared(source: &str, folder: &Path) -> PathBuf {
    compile_with(source, folder, &["-shared".to_owned(), "-fPIC".to_owned()])
}

fn compile_with(source: &str, folder: &Path, options: &[String]) -> PathBuf {
    let program = folder.join(source.trim_end_matches(".c"));
    let out = Command::new("cc")
        .args(["-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", "-I"])
        .arg(headers())
        .arg(room("tests").join(source))
        .arg("-o")
        .arg(&program)
        .args(options)
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

/// Writes a C program that comes from a test.
pub(crate) fn write_source(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a new file");
    path
}
