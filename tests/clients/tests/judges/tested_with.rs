//! docs/tested-with.md tells what is judged here, all of it and nothing else.

use std::fs;
use std::path::Path;

use crate::JUDGES;

const PAGE: &str = "../../docs/tested-with.md";

/// The cells of each row of the table whose first cell is a name in backticks.
fn rows(page: &str) -> Vec<Vec<&str>> {
    page.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect()
}

#[test]
fn the_page_has_one_row_for_each_judge() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let told: Vec<&str> = rows(&page).iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(told, JUDGES);
}

