//! The differential suite for hours: `cargo xtask differential`.
#![forbid(unsafe_code)]

use std::fs;
use std::process::ExitCode;

use clients::differential::{Order, history, replay, run};

const USAGE: &str = "differential [--seeds N] [--from SEED] [--scenes N] [--all] | --replay FILE";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match ask(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("error: {trouble}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn ask(arguments: &[String]) -> Result<bool, String> {
    let mut order = Order { from: 1, seeds: 1000, scenes: 8, all: false };
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word {
            "--seeds" => order.seeds = number(value()?)?,
            "--from" => order.from = number(value()?)?,
            "--scenes" => order.scenes = number(value()?)?.clamp(1, 64) as usize,
            "--all" => order.all = true,
            "--replay" => return play(value()?),
            other => return Err(format!("{other} is not known")),
        }
    }
    let summary = run(&order);
    for line in &summary.unsteady {
        println!("did not come again: {line}");
    }
    print!("{}", summary.text());
    Ok(summary.differences.is_empty())
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("{word} is no number"))
}

fn play(file: &str) -> Result<bool, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let played = replay("replay", &history::parse(&text)?);
    print!("{}", played.text());
    if let Some(difference) = &played.difference {
        println!("{difference:#?}");
    }
    Ok(played.difference.is_none())
}
