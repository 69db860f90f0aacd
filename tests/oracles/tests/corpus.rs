//! Everything that is kept in tests/fuzz/corpus is asked of its oracle, and nothing there is forgotten.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says no by a panic, and by which input"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fuzz_oracles::TARGETS;

/// Fewer would be no beginning for a fuzzer.
const LEAST_INPUTS: usize = 5;
/// A corpus that is kept is read by people now and then, and played by every test run.
const MOST_INPUTS: usize = 200;
const MOST_INPUT_BYTES: u64 = 16 * 1024;

fn fuzz() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    tests.join("fuzz")
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Each target with its inputs.
fn corpus() -> BTreeMap<&'static str, Vec<PathBuf>> {
    let inputs = |name: &str| {
        let folder = fuzz().join("corpus").join(name);
        names_in(&folder).into_iter().map(|input| folder.join(input)).collect()
    };
    TARGETS.iter().map(|target| (target.name, inputs(target.name))).collect()
}

#[test]
fn the_oracles_hold_for_all_inputs_that_are_kept() {
    let corpus = corpus();
    for target in TARGETS {
        for input in &corpus[target.name] {
            // Shown if the oracle says no.
            println!("{} {}", target.name, input.display());
            (target.oracle)(&fs::read(input).unwrap());
        }
    }
}

#[test]
fn the_oracles_hold_for_every_beginning_of_small_inputs() {
    const SMALL_BYTES: usize = 96;
    let corpus = corpus();
    // That one waits for time to pass now and then.
    for target in TARGETS.iter().filter(|target| target.name != "lying_daemon") {
        let inputs = corpus[target.name].iter().map(|input| (input, fs::read(input).unwrap()));
        for (input, bytes) in inputs.filter(|(_, bytes)| bytes.len() <= SMALL_BYTES) {
            for end in 0..bytes.len() {
                println!("{} {} cut at {end}", target.name, input.display());
                (target.oracle)(&bytes[..end]);
            }
        }
    }
}

#[test]
fn every_target_has_a_corpus_that_is_small() {
    for (name, inputs) in corpus() {
        let count = inputs.len();
        assert!((LEAST_INPUTS..=MOST_INPUTS).contains(&count), "{name} has {count} inputs");
        for input in inputs {
            let bytes = fs::metadata(&input).unwrap().len();
            assert!(bytes <= MOST_INPUT_BYTES, "{} has {bytes} bytes", input.display());
        }
    }
}

#[test]
fn every_target_is_a_program_and_every_program_a_target() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.into()).collect();
    assert_eq!(names.len(), TARGETS.len(), "a name is given twice");
    assert_eq!(names_in(&fuzz().join("corpus")), names);

    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap();
    let programs: BTreeMap<&str, &str> = programs
        .iter()
        .map(|program| (program["name"].as_str().unwrap(), program["path"].as_str().unwrap()))
        .collect();
    assert_eq!(programs.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), names);
    for (name, path) in programs {
        let text = fs::read_to_string(fuzz().join(path)).unwrap();
        assert!(text.contains(&format!("ask({name:?}, input)")), "{path} asks another oracle");
    }
}
