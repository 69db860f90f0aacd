//! Programs in C from `winscard-shim/tests`, compiled with our headers.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::judge::said;
use crate::stage::dist;

/// `winscard-shim/tests`.
#[must_use]
pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../winscard-shim/tests")
}

/// Compiles `NAME.c` into a program in that folder, linked with our library. Which library it is loaded with is another
/// matter.
#[must_use]
pub fn compile(name: &str, folder: &Path) -> PathBuf {
    let program = folder.join(name);
    let _ = said(
        Command::new("cc")
            .args(["-std=gnu17", "-O1", "-g", "-pthread", "-I"])
            .arg(dist().join("include/PCSC"))
            .arg(sources().join(format!("{name}.c")))
            .arg("-o")
            .arg(&program)
            .arg("-L")
            .arg(dist().join("lib"))
            .arg("-lpcsclite"),
        "",
    )
    .succeeds();
    program
}
