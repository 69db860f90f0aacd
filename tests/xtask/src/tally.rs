//! Counting what passed, over many runs of test programs.

use std::process::Command;

use crate::run::{Failure, run_lines};

/// What passed, what failed, and what could not be run here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: usize,
    failed: usize,
    failures: Vec<String>,
    not_run: Vec<String>,
}

impl Tally {
    /// Runs `cargo test`, shows its output and counts by its closing lines.
    pub(crate) fn cargo_test(&mut self, name: &str, command: &mut Command) -> Result<(), Failure> {
        let before = self.failed;
        let success = run_lines(command, |line| {
            println!("{line}");
            if let Some((passed, failed)) = counts(line) {
                self.passed += passed;
                self.failed += failed;
            }
        })?;
        if self.failed > before {
            self.failures.push(format!("{name}: {} failed", self.failed - before));
        } else if !success {
            // It did not compile, or a test program died before it could count.
            self.fail(format!("{name}: ended without a result"));
        }
        Ok(())
    }

    /// One case that is no test of cargo's passed.
    pub(crate) fn pass(&mut self) {
        self.passed += 1;
    }

    /// One case that is no test of cargo's failed.
    pub(crate) fn fail(&mut self, why: String) {
        self.failed += 1;
        self.failures.push(why);
    }

    /// Something cannot be run here: said now, and again at the end.
    pub(crate) fn not_run(&mut self, why: String) {
        println!("NOT RUN: {why}");
        self.not_run.push(why);
    }

    /// Prints what failed and what was left out, then the closing line.
    pub(crate) fn close(self) -> Result<(), Failure> {
        println!();
        for why in &self.not_run {
            println!("NOT RUN: {why}");
        }
        for why in &self.failures {
            println!("FAILED: {why}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { Ok(()) } else { Err(Failure::Step("some tests failed".into())) }
    }
}

/// Reads `test result: ok. 12 passed; 0 failed; 1 ignored; ...`.
fn counts(line: &str) -> Option<(usize, usize)> {
    let (_, rest) = line.trim_start().strip_prefix("test result: ")?.split_once(". ")?;
    let mut parts = rest.split("; ");
    let mut next = |word| parts.next()?.strip_suffix(word)?.parse().ok();
    Some((next(" passed")?, next(" failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_test_programs_are_read() {
        let line = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out";
        assert_eq!(counts(line), Some((12, 0)));
        assert_eq!(counts("test result: FAILED. 2 passed; 3 failed; 0 ignored;"), Some((2, 3)));
        assert_eq!(counts("test a_card_is_inserted ... ok"), None);
        assert_eq!(counts("test result: ok. many passed; 0 failed"), None);
    }

    #[test]
    fn a_failure_fails_the_whole() {
        let mut tally = Tally::default();
        tally.pass();
        tally.fail("a fault was not found".into());
        assert!(tally.close().is_err());
        assert!(Tally { passed: 1, ..Tally::default() }.close().is_ok());
    }
}
