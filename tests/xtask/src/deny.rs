//! `cargo xtask deny`: licences, sources and bans of everything we depend on.

use crate::run::{Failure, cargo, run};
use crate::tools::Tool;

pub(crate) const HELP: &str = "\
Runs `cargo deny check bans licenses sources` (rules: deny.toml) for the house, for tests/clients and tests/fuzz.
Where cargo-deny is missing, it is built once, at a pinned version, and kept in cargo's home.
Advisories need a database from the network: `cargo deny check advisories` asks for them.";

const CARGO_DENY: Tool = Tool { name: "deny", version: "0.20.2" };

const WORKSPACES: &[&str] = &["Cargo.toml", "tests/clients/Cargo.toml", "tests/fuzz/Cargo.toml"];

pub(crate) fn command(arguments: &[&str]) -> Result<(), Failure> {
    if let [surplus, ..] = arguments {
        return Err(Failure::Usage(format!("deny takes no argument, but got {surplus}")));
    }
    CARGO_DENY.provide()?;
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
