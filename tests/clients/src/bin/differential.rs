//! The differential suite for as long as it is wanted: `cargo xtask differential`.
#![forbid(unsafe_code)]

use std::fs;
use std::process::ExitCode;

use clients::differential::allowed::ALLOWED;
use clients::differential::{ALL, ON_OURS, Order, history, replay, run};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match ask(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::from(2)
        }
    }
}

fn ask(arguments: &[String]) -> Result<bool, String> {
    let mut order = Order { stages: ALL, from: 1, seeds: 1000, scenes: 8, all: false };
    let mut words = arguments.iter().map(String::as_str);
    let mut histories = Vec::new();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word {
            "--seeds" => order.seeds = number(value()?)?,
            "--from" => order.from = number(value()?)?,
            "--scenes" => order.scenes = usize::try_from(number(value()?)?).unwrap_or(1).max(1),
            "--all" => order.all = true,
            "--on-ours" => order.stages = ON_OURS,
            "--replay" => histories.push(read(value()?)?),
            other => return Err(format!("{other} is not known")),
        }
    }
    if !histories.is_empty() {
        return Ok(play(&order, &histories));
    }
    let summary = run(&order);
    for history in &summary.unsteady {
        println!("did not come again: {history}");
    }
    print!("{}", summary.text());
    Ok(summary.differences.is_empty())
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("{word} is no number"))
}

fn read(file: &str) -> Result<Vec<history::Step>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    history::parse(&text)
}

fn play(order: &Order, histories: &[Vec<history::Step>]) -> bool {
    let mut agree = true;
    for played in replay(order.stages, histories) {
        println!("{}", played.text());
        for row in &played.rows {
            println!("# {}", ALLOWED[*row].row);
        }
        if let Some(difference) = &played.difference {
            println!("{difference:#?}");
            agree = false;
        }
    }
    agree
}
