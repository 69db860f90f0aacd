//! `cargo xtask bench`.
#![forbid(unsafe_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use bench::machine::{self, Machine};
use bench::measure::{MEASUREMENTS, Means, Measurement};
use bench::plan::Plan;
use bench::process::is_root;
use bench::report::{Report, Verdict};

/// Where Debian's packages put them.
const PCSCD: &str = "/usr/sbin/pcscd";
const VPCD: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";

/// What the command line asks for.
#[derive(Default)]
struct Wanted {
    quick: bool,
    json: Option<PathBuf>,
    only: Vec<String>,
    docs: Option<PathBuf>,
}

fn main() -> ExitCode {
    let wanted = match wanted(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let report = measure(&wanted);
    print!("{}", report.markdown());
    match write(&wanted, &report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(wanted: &Wanted, report: &Report) -> Result<(), String> {
    if let Some(file) = &wanted.json {
        write_json(file, report)?;
    }
    wanted.docs.as_deref().map_or(Ok(()), |file| write_docs(file, report))
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--quick" => wanted.quick = true,
            "--json" => wanted.json = Some(value()?.into()),
            "--write-docs" => wanted.docs = Some(value()?.into()),
            "--only" => wanted.only.push(value()?),
            other => return Err(format!("bench does not know {other}")),
        }
    }
    let known = |name: &String| MEASUREMENTS.iter().any(|measurement| measurement.name == name);
    match wanted.only.iter().find(|name| !known(name)) {
        Some(name) => {
            let names: Vec<&str> = MEASUREMENTS.iter().map(|one| one.name).collect();
            Err(format!("no measurement is called {name}; there are {}", names.join(", ")))
        }
        None if wanted.docs.is_some() && (wanted.quick || !wanted.only.is_empty()) => {
            Err("the page is made of a whole run: not with --quick or --only".into())
        }
        None => Ok(wanted),
    }
}

fn measure(wanted: &Wanted) -> Report {
    let mut machine = Machine::here();
    let root = is_root();
    let pcscd = root && [PCSCD, VPCD].into_iter().all(|file| Path::new(file).exists());
    let plan = if wanted.quick { Plan::quick() } else { Plan::full() };
    let means = Means { plan, pcscd, root };
    let (mut figures, mut tables) = (Vec::new(), Vec::new());
    let asked = |one: &&Measurement| {
        wanted.only.is_empty() || wanted.only.iter().any(|name| name == one.name)
    };
    for measurement in MEASUREMENTS.iter().filter(asked) {
        let begin = Instant::now();
        eprintln!("==> {}: {}", measurement.name, measurement.what);
        let found = (measurement.run)(&means);
        for figure in &found.figures {
            if figure.verdict() != Verdict::Ok {
                eprintln!("    {}: {}", figure.what, figure.verdict().words());
            }
        }
        eprintln!("<== {} after {:.1} s", measurement.name, begin.elapsed().as_secs_f64());
        figures.extend(found.figures);
        tables.extend(found.tables);
    }
    machine.load_after = machine::load();
    Report { machine, quick: wanted.quick, figures, tables }
}

fn write_json(file: &Path, report: &Report) -> Result<(), String> {
    let text = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
    fs::write(file, text + "\n").map_err(|error| format!("{}: {error}", file.display()))
}

const BEGIN: &str = "<!-- what follows is written by `cargo xtask bench --write-docs` -->\n";
const END: &str = "<!-- end -->\n";

/// Puts the numbers between the two marks of the page; the words around them stay.
fn write_docs(file: &Path, report: &Report) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    let page = fs::read_to_string(file).map_err(failed)?;
    let marks = || format!("{}: the marks for the numbers are missing", file.display());
    let (before, rest) = page.split_once(BEGIN).ok_or_else(marks)?;
    let (_, after) = rest.split_once(END).ok_or_else(marks)?;
    fs::write(file, format!("{before}{BEGIN}{}{END}{after}", report.markdown())).map_err(failed)
}
