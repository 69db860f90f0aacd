//! docs/tested-with.md tells what is judged here, all of it and nothing else.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::JUDGES;

fn text(file: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The cells of each row of the table.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// Of what is installed here by that name, whoever installed it.
fn version(name: &str) -> Option<String> {
    let python = text("judges/requirements.txt");
    let cargo = text("Cargo.lock").replace('"', "");
    let pinned = python
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix("=="))
        .or_else(|| cargo.split_once(&format!("name = {name}\nversion = "))?.1.lines().next());
    if let Some(version) = pinned {
        return Some(version.to_owned());
    }
    let said = Command::new("dpkg-query").args(["-W", "-f", "${Version}", name]).output().ok()?;
    let version = String::from_utf8(said.stdout).ok()?;
    let upstream = version.split_once(':').map_or(&*version, |(_epoch, upstream)| upstream);
    let upstream = upstream.rsplit_once('-').map_or(upstream, |(upstream, _debian)| upstream);
    said.status.success().then(|| upstream.to_owned())
}

#[test]
fn the_page_has_one_row_for_each_judge() {
    let page = text("../../docs/tested-with.md");
    let told: Vec<&str> = rows(&page).iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(told, JUDGES);
}

#[test]
fn the_page_tells_the_versions_of_debian_12_and_those_that_are_pinned() {
    let is_debian_12 = fs::read_to_string("/etc/os-release")
        .is_ok_and(|system| system.contains("VERSION_CODENAME=bookworm"));
    for row in rows(&text("../../docs/tested-with.md")) {
        let (name, told) = row[1].split_once(' ').expect("a name and a version");
        match version(name) {
            Some(version) if is_debian_12 => assert_eq!(told, version, "{name}"),
            // Another system has others, and not everything is installed everywhere.
            _ => {}
        }
    }
}
