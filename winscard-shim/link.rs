//! How our C libraries are linked; part of their build scripts.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says to cargo that the library has this name for the loader, and brings its own unwinder.
pub(crate) fn link(soname: &str) {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../link.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    if let Some(folder) = static_unwinder() {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// Where `libgcc_eh.a` is, so that the library needs no `libgcc_s.so.1` in the program that loads it.
/// Without it (another compiler, another target) the shared one is used, which does no harm.
fn static_unwinder() -> Option<PathBuf> {
    let native = env::var("HOST").ok()? == env::var("TARGET").ok()?;
    let gnu = env::var("CARGO_CFG_TARGET_ENV").ok()? == "gnu";
    if !native || !gnu {
        return None;
    }
    let answer = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output().ok()?;
    let path = String::from_utf8(answer.stdout).ok()?;
    let path = Path::new(path.trim());
    (path.is_absolute() && path.exists()).then(|| path.parent().map(Path::to_path_buf))?
}
