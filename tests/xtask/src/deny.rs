//! `cargo xtask deny`: licences, sources and bans of everything we depend on.

use std::process::Command;

use crate::run::{Failure, cargo, run, step};

pub(crate) const HELP: &str = "\
Runs `cargo deny check bans licenses sources` (rules: deny.toml) for the house and for tests/clients.
Where cargo-deny is missing, it is built once, at a pinned version, and kept in cargo's home.
Advisories need a database from the network: `cargo deny check advisories` asks for them.";

/// Another version may judge differently.
const VERSION: &str = "0.20.2";

const WORKSPACES: &[&str] = &["Cargo.toml", "tests/clients/Cargo.toml"];

pub(crate) fn command(arguments: &[&str]) -> Result<(), Failure> {
    if let [surplus, ..] = arguments {
        return Err(Failure::Usage(format!("deny takes no argument, but got {surplus}")));
    }
    if !is_installed() {
        step("building cargo-deny, once", || {
            let package = format!("cargo-deny@{VERSION}");
            run(&mut cargo(&["install", "--locked", "--quiet", &package]))
        })?;
    }
    for manifest in WORKSPACES {
        run(&mut cargo(&[
            "deny",
            "--config",
            "deny.toml",
            "--manifest-path",
            manifest,
            "--locked",
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ]))?;
    }
    Ok(())
}

fn is_installed() -> bool {
    let asked: &mut Command = &mut cargo(&["deny", "--version"]);
    asked.output().is_ok_and(|output| {
        output.stdout.trim_ascii() == format!("cargo-deny {VERSION}").as_bytes()
    })
}
