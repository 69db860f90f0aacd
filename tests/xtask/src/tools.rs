//! Commands of cargo that are no part of it: built once, at a pinned version, and kept in cargo's home.

use crate::run::{Failure, cargo, run, step};

/// A command of cargo.
pub(crate) struct Tool {
    /// `cargo NAME`; its package is `cargo-NAME`.
    pub(crate) name: &'static str,
    /// Another version may judge differently.
    pub(crate) version: &'static str,
}

impl Tool {
    /// Builds it if it is missing.
    pub(crate) fn provide(&self) -> Result<(), Failure> {
        if self.is_installed() {
            return Ok(());
        }
        step(&format!("building cargo-{}, once", self.name), || {
            let package = format!("cargo-{}@{}", self.name, self.version);
            run(&mut cargo(&["install", "--locked", "--quiet", &package]))
        })
    }

    fn is_installed(&self) -> bool {
        let line = format!("cargo-{} {}", self.name, self.version);
        cargo(&[self.name, "--version"])
            .output()
            .is_ok_and(|output| output.stdout.trim_ascii() == line.as_bytes())
    }
}
