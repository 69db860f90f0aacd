//! `cargo xtask fuzz`: inputs that nobody thought of, for the oracles in tests/oracles.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{Failure, cargo, during, machine, output, root, run, step};
use crate::tools::Tool;

pub(crate) const HELP: &str = "\
Builds the targets in tests/fuzz with libFuzzer, AddressSanitizer, debug assertions and overflow checks, and runs each
for a minute from the corpus in tests/fuzz/corpus. With names: only those. Prints how often each was executed, how
fast, and what of the code it has covered. An input that breaks a promise ends its target; its path is printed. What is
found on the way is kept in tests/fuzz/target and is the next run's beginning.

  --seconds N   runs each for so long

Where cargo-fuzz is missing, it is built once, at a pinned version, and kept in cargo's home. It needs a C++
compiler, and a nightly Rust or a stable one, which is told to take what nightly takes.";

const CARGO_FUZZ: Tool = Tool { name: "fuzz", version: "0.13.2" };
const FOLDER: &str = "tests/fuzz";
const SECONDS: u32 = 60;
/// What a target may take of memory, in MiB: an input has a few kB, so this is a promise too.
const MEMORY_MB: u32 = 1024;
/// Nor may one allocation be large for so small an input.
const ALLOCATION_MB: u32 = 64;
/// An input that takes longer is a finding.
const INPUT_SECONDS: u32 = 20;
const INPUT_BYTES: u32 = 8192;

pub(crate) fn command(arguments: &[&str]) -> Result<(), Failure> {
    let Asked { seconds, names } = read(arguments)?;
    let all = targets()?;
    if let Some(name) = names.iter().find(|name| !all.iter().any(|target| target == *name)) {
        return Err(Failure::Usage(format!("{FOLDER}/targets has no {name}")));
    }
    CARGO_FUZZ.provide()?;
    step("building the targets", || build(&names))?;
    let machine = machine()?;
    let mut found = Vec::new();
    for name in all.iter().filter(|name| names.is_empty() || names.contains(&name.as_str())) {
        let target = Target { name, machine: &machine };
        match target.run(seconds)? {
            Ending::Well { last } => println!("  {name}: {}", summary(&last)),
            Ending::Found { said, input } => {
                println!("  {name}: FOUND\n{said}");
                found.push((target, input));
            }
        }
    }
    for (target, input) in &found {
        println!("FOUND {}: {}", target.name, input.display());
        println!("  again: {} {}", target.program().display(), input.display());
        println!("  when it is mended, keep it: {FOLDER}/corpus/{}", target.name);
    }
    if found.is_empty() { Ok(()) } else { Err(Failure::Step("promises were broken".into())) }
}

/// What the command line asks for; no names means all.
#[derive(Debug, PartialEq, Eq)]
struct Asked<'a> {
    seconds: u32,
    names: Vec<&'a str>,
}

fn read<'a>(arguments: &[&'a str]) -> Result<Asked<'a>, Failure> {
    let mut asked = Asked { seconds: SECONDS, names: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--seconds" => {
                let number = rest.next().and_then(|text| text.parse().ok()).filter(|n| *n > 0);
                let need = || Failure::Usage("--seconds takes a number above 0".into());
                asked.seconds = number.ok_or_else(need)?;
            }
            other if other.starts_with('-') => {
                return Err(Failure::Usage(format!("fuzz does not know {other}")));
            }
            name => asked.names.push(name),
        }
    }
    Ok(asked)
}

fn targets() -> Result<Vec<String>, Failure> {
    let folder = root().join(FOLDER).join("targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(during(folder.display()))? {
        let path = entry.map_err(during(folder.display()))?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

fn build(names: &[&str]) -> Result<(), Failure> {
    let mut command = cargo(&["fuzz", "build", "--fuzz-dir", FOLDER]);
    // It builds one target or all of them.
    if let [name] = names {
        command.arg(name);
    }
    if !output(Command::new("rustc").arg("-V"))?.windows(7).any(|word| word == b"nightly") {
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    run(&mut command)
}

struct Target<'a> {
    name: &'a str,
    machine: &'a str,
}

enum Ending {
    /// Nothing was found; the fuzzer's last word.
    Well { last: String },
    /// What it said, and where the input is.
    Found { said: String, input: PathBuf },
}

impl Target<'_> {
    fn built(&self) -> PathBuf {
        root().join(FOLDER).join("target")
    }

    fn program(&self) -> PathBuf {
        self.built().join(self.machine).join("release").join(self.name)
    }

    fn run(&self, seconds: u32) -> Result<Ending, Failure> {
        let grown = self.folder("grown")?;
        let found = self.folder("found")?;
        let mut command = Command::new(self.program());
        command
            // New inputs go into the first folder.
            .args([&grown, &root().join(FOLDER).join("corpus").join(self.name)])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", found.display()))
            .arg(format!("-rss_limit_mb={MEMORY_MB}"))
            .arg(format!("-malloc_limit_mb={ALLOCATION_MB}"))
            .arg(format!("-timeout={INPUT_SECONDS}"))
            .arg(format!("-max_len={INPUT_BYTES}"))
            .current_dir(root())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(during(self.program().display()))?;
        let mut log = Log::default();
        if let Some(said) = child.stderr.take() {
            for line in BufReader::new(said).split(b'\n') {
                let line = line.map_err(during(self.name))?;
                log.take(&String::from_utf8_lossy(&line));
            }
        }
        let status = child.wait().map_err(during(self.name))?;
        match (status.success(), log.input) {
            (true, _) => Ok(Ending::Well { last: log.last }),
            (false, Some(input)) => {
                let said = log.lines.iter().map(|line| format!("    {line}\n")).collect();
                Ok(Ending::Found { said, input })
            }
            (false, None) => {
                let last = log.lines.back().cloned().unwrap_or_default();
                Err(Failure::Step(format!("{} ended with {status}: {last}", self.name)))
            }
        }
    }

    /// A folder of this target beside what was built.
    fn folder(&self, what: &str) -> Result<PathBuf, Failure> {
        let folder = self.built().join(what).join(self.name);
        fs::create_dir_all(&folder).map_err(during(folder.display()))?;
        Ok(folder)
    }
}

/// What of a fuzzer's words is kept.
#[derive(Default)]
struct Log {
    /// The last line that counts.
    last: String,
    /// The last lines of all, for a finding; progress is left out.
    lines: VecDeque<String>,
    /// Where the input is that broke a promise.
    input: Option<PathBuf>,
}

impl Log {
    const KEPT: usize = 40;

    fn take(&mut self, line: &str) {
        if line.starts_with('#') && line.contains(" cov: ") {
            line.clone_into(&mut self.last);
            return;
        }
        if let Some((_, input)) = line.split_once("Test unit written to ") {
            self.input = Some(Path::new(input).to_path_buf());
        }
        self.lines.push_back(line.to_owned());
        if self.lines.len() > Self::KEPT {
            self.lines.pop_front();
        }
    }
}

/// Reads `#65536 DONE   cov: 12 ft: 34 corp: 5/67b lim: 8 exec/s: 910 rss: 11Mb`.
fn summary(last: &str) -> String {
    let words: Vec<&str> = last.split_whitespace().collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| *word == name);
        at.and_then(|at| words.get(at + 1)).copied().unwrap_or("?")
    };
    let executions = words.first().map_or("?", |first| first.trim_start_matches('#'));
    format!(
        "{executions} executions, {}/s; covered: {} edges, {} features; corpus {}",
        after("exec/s:"),
        after("cov:"),
        after("ft:"),
        after("corp:")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_seconds_come_in_any_order() {
        let asked = |arguments: &[&'static str]| read(arguments).ok();
        assert_eq!(asked(&[]), Some(Asked { seconds: 60, names: vec![] }));
        let both = Asked { seconds: 5, names: vec!["atr", "apdu"] };
        assert_eq!(asked(&["atr", "--seconds", "5", "apdu"]), Some(both));
        assert_eq!(asked(&["--seconds"]), None);
        assert_eq!(asked(&["--seconds", "0"]), None);
        assert_eq!(asked(&["--hours", "1"]), None);
    }

    #[test]
    fn the_last_word_of_a_fuzzer_is_read() {
        let line = "#65536\tDONE   cov: 12 ft: 34 corp: 5/67b lim: 8 exec/s: 910 rss: 11Mb";
        let expected = "65536 executions, 910/s; covered: 12 edges, 34 features; corpus 5/67b";
        assert_eq!(summary(line), expected);
    }

    #[test]
    fn a_finding_is_found_in_what_is_said() {
        let mut log = Log::default();
        log.take("#8\tNEW    cov: 2 ft: 3");
        log.take("artifact_prefix='x/'; Test unit written to x/crash-1");
        assert_eq!(log.input.as_deref(), Some(Path::new("x/crash-1")));
        assert_eq!((log.last.as_str(), log.lines.len()), ("#8\tNEW    cov: 2 ft: 3", 1));
    }

    #[test]
    fn targets_are_programs() {
        assert!(targets().is_ok_and(|targets| targets.iter().any(|target| target == "sessions")));
    }
}
