//! The differential suite: what the stock library on Debian's pcscd says, all others say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clients::differential::allowed::ALLOWED;
use clients::differential::{ALL, ON_OURS, Order, history, replay, run};
use clients::journey::{matches, wanted};
use clients::stage::Stage;

/// The same in every run; `cargo xtask differential` plays others.
const SEEDS: u64 = 200;

fn histories() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/histories");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// Plays the histories in the folder. What the measure is told stands behind `->`, as in a journey.
fn play_all(stages: &'static [Stage], rows: &mut BTreeSet<usize>) {
    let measure = stages[0].manager_word();
    let texts: Vec<_> = histories().iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let steps: Vec<_> = texts.iter().map(|text| history::parse(text).unwrap()).collect();
    for ((file, text), played) in histories().iter().zip(texts).zip(replay(stages, &steps)) {
        assert_eq!(played.difference, None, "{}\n{}", file.display(), played.text());
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for (line, (step, told)) in lines.zip(&played.steps) {
            let wanted =
                line.split_once(" -> ").map_or("*", |(_, answer)| wanted(answer, &[measure]));
            let place = format!("{}: {step}, on {measure}", file.display());
            assert!(matches(wanted, told), "{place}: {told}\n{}", played.text());
        }
        rows.extend(played.rows);
    }
}

/// Seeds show what nobody thought of; the histories in the folder show each difference that is meant.
#[test]
fn everybody_is_told_what_the_stock_library_on_debian_pcscd_is_told() {
    let mut rows = BTreeSet::new();
    play_all(ALL, &mut rows);
    play_all(ON_OURS, &mut rows);
    let orders = [
        Order { stages: ALL, from: 1, seeds: SEEDS, scenes: 8, all: false },
        Order { stages: ON_OURS, from: 1, seeds: 2 * SEEDS, scenes: 8, all: false },
    ];
    for order in &orders {
        let summary = run(order);
        println!("{}", summary.text());
        assert!(summary.differences.is_empty(), "{}", summary.differences.join("\n"));
        rows.extend(summary.rows.keys());
    }
    let is_idle = |row: &usize| !rows.contains(row) && !ALLOWED[*row].is_chance();
    let idle: Vec<_> = (0..ALLOWED.len()).filter(is_idle).map(|row| ALLOWED[row].row).collect();
    assert!(idle.is_empty(), "nothing shows {idle:?}: a history in the folder does");
}
