//! `scard demo`: everything that a card is for, from an empty reader to a signature, with virtual parts.

mod steps;

use std::io::Write;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::Serialize;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::output::{Output, RIGHT, STRONG, WEAK, WRONG};
use crate::private::PrivateDaemon;
use crate::surroundings::Surroundings;

/// Show what scard does, with a virtual reader and a virtual card: nothing but this program is needed.
///
/// The exit status is 0 only if every step did what it should.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The kind of key that the virtual card signs with.
    #[arg(long, value_enum, default_value_t = Key::P256)]
    key: Key,

    /// Print one JSON object on a line for each step.
    #[arg(long)]
    json: bool,
}

/// Kinds of keys that virtual cards make for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Key {
    /// ECDSA over P-256.
    P256,
    /// ECDSA over P-384.
    P384,
    /// RSA with 2,048 bits.
    Rsa2048,
}

/// How the virtual reader is called.
const READER: &str = "scard demonstration reader";

/// Carries the command out.
pub(crate) fn run(
    arguments: &Arguments,
    surroundings: &Surroundings,
    output: &mut Output,
) -> Result<(), Failure> {
    let key = match arguments.key {
        Key::P256 => "p256",
        Key::P384 => "p384",
        Key::Rsa2048 => "rsa2048",
    };
    let reader = format!("sim:piv,empty,name=\"{READER}\",9a={key}");
    let begun = Instant::now();
    let mut story = Story { output, json: arguments.json, step: begun };

    let daemon =
        PrivateDaemon::start(&surroundings.program, &surroundings.private_bases, &[reader])?;
    let socket = daemon.socket();
    story.tell("resource manager started", &socket.display().to_string())?;
    let told = steps::play(&Connection::at(socket.clone()), READER, &mut story);
    if let Err(failure) = told {
        story.fail(&failure)?;
        return Err(failure);
    }
    drop(daemon);
    let is_clean = socket.parent().is_some_and(|room| !room.exists());
    hold(is_clean, "nothing is left behind")?;
    story.tell("resource manager ended", "nothing is left behind")?;
    story.end(begun.elapsed())
}

/// Tells the steps as they are done.
struct Story<'o> {
    output: &'o mut Output,
    json: bool,
    step: Instant,
}

/// One step for programs.
#[derive(Serialize)]
struct Step<'s> {
    step: &'s str,
    ok: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'s str,
    elapsed_us: u64,
}

impl Story<'_> {
    /// One step is done: what came of it. The time is counted from the end of the step before.
    fn tell(&mut self, step: &str, detail: &str) -> Result<(), Failure> {
        let elapsed = self.step.elapsed();
        self.line(step, true, detail, elapsed)?;
        self.step = Instant::now();
        Ok(())
    }

    fn fail(&mut self, failure: &Failure) -> Result<(), Failure> {
        let elapsed = self.step.elapsed();
        self.line("failed", false, &failure.to_string(), elapsed)
    }

    fn end(&mut self, elapsed: Duration) -> Result<(), Failure> {
        self.line("everything held", true, "", elapsed)
    }

    fn line(
        &mut self,
        step: &str,
        ok: bool,
        detail: &str,
        elapsed: Duration,
    ) -> Result<(), Failure> {
        let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        if self.json {
            return self.output.json_line(&Step { step, ok, detail, elapsed_us });
        }
        let (ms, fraction) = (elapsed_us / 1_000, elapsed_us % 1_000);
        let (style, mark) = if ok { (RIGHT, "ok") } else { (WRONG, "no") };
        let out = &mut *self.output;
        write!(out, "{WEAK}{ms:>6}.{fraction:03} ms{WEAK:#}  {style}{mark}{style:#}  ")?;
        if detail.is_empty() {
            writeln!(out, "{STRONG}{step}{STRONG:#}")?;
        } else {
            writeln!(out, "{STRONG}{step:<24}{STRONG:#}  {detail}")?;
        }
        Ok(self.output.flush()?)
    }
}

/// Something has to be so.
const fn hold(holds: bool, expected: &'static str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Demo { expected }) }
}
