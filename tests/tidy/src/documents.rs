//! What the documents must say about the code.

use std::collections::BTreeMap;

use crate::Violation;
use crate::rooms::ROOMS;
use crate::tree::TextFile;

const COMPAT: &str = "docs/compat.md";
const SECURITY: &str = "docs/security.md";
const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";

/// Each `DIFFERS:` in the code has its row in docs/compat.md, and each row its `DIFFERS:`. A row names its file in
/// backticks in its last column. A journey in which pcscd's answers differ needs one row.
#[must_use]
pub fn unlisted_differences(sources: &[TextFile], compat: &str) -> Vec<Violation> {
    let mut rows_by_file: BTreeMap<&str, usize> = BTreeMap::new();
    for file in compat.lines().filter_map(file_of_row) {
        *rows_by_file.entry(file).or_default() += 1;
    }
    let mut found = Vec::new();
    for file in sources {
        let marks = if file.path.starts_with(HISTORIES) {
            0
        } else if file.path.ends_with(".txt") {
            usize::from(file.text.contains(OTHER_ANSWER))
        } else {
            file.text.lines().filter(|line| is_mark(line)).count()
        };
        let rows = rows_by_file.remove(file.path.as_str()).unwrap_or(0);
        if marks != rows {
            let rule = format!("{marks} differences, but {rows} rows in {COMPAT}");
            found.push(Violation::new(&file.path, rule));
        }
    }
    for file in rows_by_file.keys() {
        found.push(Violation::new(COMPAT, format!("a row names {file}, which does not exist")));
    }
    found
}

/// Histories of the differential suite: which row allows what they show is a table of its own, with its own test.
const HISTORIES: &str = "tests/clients/differential/";

/// How a journey says that pcscd answers otherwise.
const OTHER_ANSWER: &str = "| pcscd:";

/// A comment with the mark; the rule itself may speak of it in quotes.
fn is_mark(line: &str) -> bool {
    line.split_once("//")
        .is_some_and(|(_, comment)| comment.contains("DIFFERS:") && !comment.contains("`DIFFERS:`"))
}

/// The file of a table row like ``| difference | reason | `path` |``.
fn file_of_row(line: &str) -> Option<&str> {
    let cell = line.trim_end().strip_prefix('|')?.strip_suffix('|')?.rsplit('|').next()?;
    cell.trim()
        .strip_prefix('`')?
        .strip_suffix('`')
        .filter(|file| file.ends_with(".rs") || file.ends_with(".txt"))
}

/// Each crate has a row in the map of docs/ARCHITECTURE.md.
#[must_use]
pub fn crates_off_the_map(architecture: &str) -> Vec<Violation> {
    let row = |package: &str| {
        architecture.lines().any(|line| line.starts_with(&format!("| `{package}` |")))
    };
    ROOMS
        .iter()
        .filter(|room| !row(room.package))
        .map(|room| Violation::new(ARCHITECTURE, format!("has no row for {}", room.package)))
        .collect()
}

/// Each attack of docs/security.md names the test that shows what holds: `| attack | what holds | `file` | `test` |`.
#[must_use]
pub fn attacks_without_a_test(security: &str, sources: &[TextFile]) -> Vec<Violation> {
    let rows = security.lines().filter(|line| {
        line.starts_with('|') && !line.starts_with("| ---") && !line.ends_with("| where | test |")
    });
    rows.filter(|row| !names_a_test(row, sources))
        .map(|row| Violation::new(SECURITY, format!("no such test: {row}")))
        .collect()
}

fn names_a_test(row: &str, sources: &[TextFile]) -> bool {
    let mut cells = row.trim_matches('|').rsplit('|').map(str::trim);
    let mut in_backticks = || cells.next()?.strip_prefix('`')?.strip_suffix('`');
    let (Some(test), Some(file)) = (in_backticks(), in_backticks()) else { return false };
    let function = format!("\n#[test]\nfn {test}()");
    sources.iter().any(|source| source.path == file && source.text.contains(&function))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_needs_a_row_and_a_row_a_difference() {
        let differs = ["// DIFF", "ERS: pcsc-lite polls.\n"].concat();
        let file = |path: &str, text: &str| TextFile { path: path.into(), text: text.into() };
        let journey = "alice look first -> ok | pcscd: Timeout\n";
        let history = file("tests/clients/differential/h.txt", journey);
        let sources = [file("a.rs", &differs), file("b.rs", ""), file("j.txt", journey), history];
        let rules = |compat: &str| -> Vec<String> {
            unlisted_differences(&sources, compat).iter().map(ToString::to_string).collect()
        };
        let whole = "| Nothing polls | it wakes | `a.rs` |\n| x | y | `j.txt` |\n";
        assert_eq!(rules(whole), [""; 0]);
        assert_eq!(
            rules("| x | y | `j.txt` |\n"),
            ["a.rs: 1 differences, but 0 rows in docs/compat.md"]
        );
        assert_eq!(
            rules(&[whole, "| x | y | `b.rs` |\n| x | y | `c.rs` |\n"].concat()),
            [
                "b.rs: 0 differences, but 1 rows in docs/compat.md",
                "docs/compat.md: a row names c.rs, which does not exist",
            ]
        );
    }

    #[test]
    fn an_attack_names_a_test_that_is_there() {
        let text = "use x;\n#[test]\nfn it_holds() {}\nfn no_test() {}\n";
        let sources = [TextFile { path: "a.rs".into(), text: text.into() }];
        let table = "| attack | what holds | where | test |\n| --- | --- | --- | --- |\n";
        let found = |row: &str| attacks_without_a_test(&[table, row].concat(), &sources).len();
        assert_eq!(found("| flood | yes | `a.rs` | `it_holds` |\n"), 0);
        for row in ["`a.rs` | `no_test`", "`b.rs` | `it_holds`", "a.rs | it_holds", "`it_holds`"] {
            assert_eq!(found(&format!("| flood | yes | {row} |\n")), 1, "{row}");
        }
    }

    #[test]
    fn every_crate_is_on_the_map() {
        let found = crates_off_the_map("| `scard-types` | words |\n");
        assert_eq!(found.len(), ROOMS.len() - 1);
    }
}
