//! The binary interface, compared by abidiff (abigail-tools): no difference but additions.
//!
//! The stock library has no debug information, so between it and ours abidiff sees what the dynamic linker sees: the
//! soname, names, their kinds, sizes and versions. The types it sees in `winscard-shim/tests/abi.c`, compiled with debug
//! information once with our headers and once with those of libpcsclite-dev.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clients::c_program::sources;
use clients::judge::{installed, said};
use clients::stage::dist;

/// abidiff's exit code is a sum of these; 4 alone is a change that it takes for compatible.
const ERROR: i32 = 1 + 2;
const CHANGE: i32 = 4 + 8;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("scard-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder of its own");
        Self(folder)
    }

    /// The interface with the headers in `include`, compiled with these options beside the usual ones.
    fn interface(&self, name: &str, include: &Path, options: &[&str]) -> PathBuf {
        let library = self.0.join(name);
        let mut command = Command::new("cc");
        command.args(["-std=gnu17", "-g", "-shared", "-fPIC", "-Wl,-soname,libpcsclite.so.1"]);
        command.args(options).arg("-I").arg(include).arg(sources().join("abi.c"));
        let _ = said(command.arg("-o").arg(&library), "").succeeds();
        library
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn stock_headers() -> PathBuf {
    PathBuf::from("/usr/include/PCSC")
}

/// abidiff's exit code and report; additions are no difference.
fn compare(first: &Path, second: &Path) -> (i32, String) {
    let mut command = Command::new("abidiff");
    let output = command.arg("--no-added-syms").args([first, second]).output();
    let output = output.expect("abidiff is installed by `cargo xtask test`");
    let code = output.status.code().expect("abidiff ends by itself");
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(code & ERROR, 0, "{report}{}", String::from_utf8_lossy(&output.stderr));
    (code, report)
}

#[test]
fn abidiff_sees_no_name_that_stock_library_has_and_ours_has_not() {
    let ours = dist().join("lib/libpcsclite.so.1");
    let (code, report) = compare(&installed("libpcsclite.so.1"), &ours);
    assert_eq!(code, 0, "{report}");
}

#[test]
fn abidiff_sees_the_same_types_in_our_headers_and_in_those_of_the_stock_library() {
    let folder = Folder::new("abi-types");
    let stock = folder.interface("stock.so", &stock_headers(), &[]);
    let ours = folder.interface("ours.so", &dist().join("include/PCSC"), &[]);
    let (code, report) = compare(&stock, &ours);
    assert_eq!(code, 0, "{report}");
    // What stands behind our headers is what we install.
    let (code, report) = compare(&ours, &dist().join("lib/libpcsclite.so.1"));
    assert_eq!(code & CHANGE, 0, "{report}");
}

#[test]
fn abidiff_would_see_a_missing_name_and_a_structure_of_another_shape_in_the_stock_library() {
    let folder = Folder::new("abi-planted");
    let stock = folder.interface("stock.so", &stock_headers(), &[]);
    for (planted, words) in [
        (&["-DWITHOUT_CANCEL"][..], "SCardCancel"),
        (&["-fpack-struct=1"], "type size changed from 640 to 584"),
    ] {
        let other = folder.interface("planted.so", &stock_headers(), planted);
        let (code, report) = compare(&stock, &other);
        assert!(code & CHANGE != 0 && report.contains(words), "{planted:?}: {code} {report}");
    }
    let without = folder.interface("without.so", &stock_headers(), &["-DWITHOUT_CANCEL"]);
    let (code, report) = compare(&installed("libpcsclite.so.1"), &without);
    assert!(code & CHANGE != 0 && report.contains("SCardCancel"), "{code} {report}");
}
