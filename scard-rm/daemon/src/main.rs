//! The resource manager daemon: a command line over `scard_rm::run`.
#![forbid(unsafe_code)]

use clap::Parser;

fn main() -> anyhow::Result<()> {
    scard_rm::run(scard_rm::Options::parse())
}
