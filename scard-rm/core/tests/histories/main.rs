//! Random histories: clients of both wires, readers and cards do what they like, and after every step everything that
//! the resource manager promises is checked from outside.
//!
//! A failing history prints its seed and the shortest part of it that still fails. `SCARD_SEED=N` plays that one alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking"
)]

mod actions;
mod checks;
mod model;
mod script;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use script::Step;
use world::World;

/// Together more than a million steps, each at least one event; dealt out to two tests, for two processors.
const STEPS: usize = 2_000;
const HISTORIES: u64 = 256;

/// Plays a history; at the first broken promise says where and which.
fn play(seed: u64, steps: &[Step]) -> Result<(), (usize, String)> {
    let mut world = World::new(seed);
    for (at, step) in steps.iter().enumerate() {
        let result = catch_unwind(AssertUnwindSafe(|| world.step(*step)));
        result.unwrap_or_else(|_| Err("a panic".into())).map_err(|text| (at, text))?;
    }
    let result = catch_unwind(AssertUnwindSafe(|| world.end()));
    result.unwrap_or_else(|_| Err("a panic".into())).map_err(|text| (steps.len(), text))
}

/// Leaves out what can be left out; panics on the way stay unheard.
fn shrink_quietly(seed: u64, steps: Vec<Step>) -> (Vec<Step>, String) {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let shrunk = shrink(seed, steps);
    std::panic::set_hook(hook);
    shrunk
}

/// Leaves out ever smaller parts while the history still fails.
fn shrink(seed: u64, mut steps: Vec<Step>) -> (Vec<Step>, String) {
    let mut failure = String::new();
    if let Err((at, text)) = play(seed, &steps) {
        steps.truncate(at + 1);
        failure = text;
    }
    let mut chunk = steps.len() / 2;
    while chunk > 0 {
        let mut at = 0;
        while at < steps.len() {
            let end = (at + chunk).min(steps.len());
            let rest = [&steps[..at], &steps[end..]].concat();
            match play(seed, &rest) {
                Err((failed_at, text)) => {
                    steps = rest;
                    steps.truncate(failed_at + 1);
                    failure = text;
                }
                Ok(()) => at = end,
            }
        }
        chunk /= 2;
    }
    (steps, failure)
}

fn check(seed: u64) {
    let steps = script::write(seed, STEPS);
    if let Err((at, text)) = play(seed, &steps) {
        eprintln!("seed {seed} fails at step {at}: {text}");
        let (steps, text) = shrink_quietly(seed, steps);
        for step in &steps {
            eprintln!("    {step:?}");
        }
        panic!("{text}\nreplay with SCARD_SEED={seed}");
    }
}

fn check_all(seeds: impl Iterator<Item = u64>) {
    match std::env::var("SCARD_SEED").ok().map(|text| text.parse()) {
        Some(Ok(seed)) => check(seed),
        Some(Err(error)) => panic!("SCARD_SEED is no number: {error}"),
        None => seeds.for_each(check),
    }
}

#[test]
fn every_promise_holds_in_every_history() {
    check_all(1..=HISTORIES);
}

#[test]
fn every_promise_holds_in_every_other_history() {
    check_all(1_000..=1_000 + HISTORIES);
}

#[test]
fn the_same_history_gives_the_same_actions_byte_for_byte() {
    let trace = |seed| {
        let mut world = World::new(seed);
        world.trace = Some(String::new());
        for step in script::write(seed, 1_000) {
            world.step(step).unwrap();
        }
        world.trace.unwrap()
    };
    for seed in 5_000..5_010 {
        assert!(trace(seed) == trace(seed), "seed {seed} does not repeat itself");
    }
}
