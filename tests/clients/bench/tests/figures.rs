//! The bench itself, so that it does not rot: every measurement yields its figures. None is held against its bar here.

use std::fs;
use std::process::Command;

use bench::measure::MEASUREMENTS;
use bench::process::is_root;
use bench::report::Report;

/// Figures that are there whatever is missing; pcscd and other users add theirs.
const LEAST: usize = 20;

#[test]
fn the_bench_finds_a_value_for_every_figure_beside_debian_pcscd() {
    let file = std::env::temp_dir().join(format!("scard-bench-{}.json", std::process::id()));
    let status =
        Command::new(env!("CARGO_BIN_EXE_bench")).arg("--quick").arg("--json").arg(&file).status();
    assert!(status.expect("it starts").success());
    let report = fs::read_to_string(&file).expect("it has written");
    let _ = fs::remove_file(&file);
    let report: Report = serde_json::from_str(&report).expect("it is a report");
    assert!(report.figures.len() >= LEAST, "{}", report.figures.len());
    assert!(report.tables.iter().all(|table| !table.rows.is_empty()));
    if is_root() {
        for figure in &report.figures {
            assert!(figure.value.is_some_and(f64::is_finite), "{}: {}", figure.name, figure.note);
        }
    }
    let names: Vec<&str> = report.figures.iter().map(|figure| figure.name.as_str()).collect();
    for (index, name) in names.iter().enumerate() {
        assert!(!names[..index].contains(name), "{name} is there twice");
    }
}

#[test]
fn what_it_is_asked_for_has_to_exist() {
    let said = Command::new(env!("CARGO_BIN_EXE_bench")).args(["--only", "luck"]).output();
    let said = said.expect("it starts");
    assert_eq!(said.status.code(), Some(2));
    let error = String::from_utf8_lossy(&said.stderr);
    for measurement in MEASUREMENTS {
        assert!(error.contains(measurement.name), "{error}");
    }
}
