//! Our C header: programs compile with it in every dialect, and it says what Windows' says.
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

mod support;

use std::fs;
use std::process::Command;

#[test]
fn every_dialect_compiles_the_header_alone() {
    if !support::has_compiler() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("alone.c");
    fs::write(&source, "#include <winscard.h>\nint main(void) { return 0; }\n").unwrap();
    for options in
        [&["-std=c99"][..], &["-std=c17"], &["-std=gnu17", "-DUNICODE"], &["-fshort-wchar"]]
    {
        let out = Command::new("cc")
            .args(options)
            .args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"])
            .arg(support::room("include/winscard"))
            .arg(&source)
            .output()
            .unwrap();
        support::printed(&format!("{options:?}"), &out);
    }
}

#[test]
fn numbers_and_layouts_are_those_of_windows() {
    if !support::has_compiler() {
        return;
    }
    let folder = support::installed();
    let program = support::compile("layouts.c", folder.path());
    let ran = Command::new(program).env("LD_LIBRARY_PATH", folder.path()).output().unwrap();
    support::printed("layouts", &ran);
}
