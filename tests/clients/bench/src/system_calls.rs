//! Counting system calls, with strace.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// A running count of what some processes ask of the kernel.
pub struct Counting {
    strace: Child,
    file: std::path::PathBuf,
}

impl Counting {
    /// Begins to count; `None` without strace. `folder` is for its report.
    #[must_use]
    pub fn of(pid: u32, folder: &Path) -> Option<Self> {
        let file = folder.join(format!("system-calls-{pid}"));
        let mut strace = Command::new("strace")
            .args(["-f", "-c", "-o"])
            .arg(&file)
            .args(["-p", &pid.to_string()])
            .env_remove("LD_LIBRARY_PATH")
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        // It says so when it has attached.
        let said = BufReader::new(strace.stderr.take()?);
        said.lines().map_while(Result::ok).find(|line| line.contains("attached"))?;
        Some(Self { strace, file })
    }

    /// How many there were, by name.
    #[must_use]
    pub fn end(mut self) -> BTreeMap<String, f64> {
        let pid = i32::try_from(self.strace.id()).ok().and_then(Pid::from_raw);
        let _ = pid.map(|pid| kill_process(pid, Signal::INT));
        let _ = self.strace.wait();
        parse(&std::fs::read_to_string(&self.file).unwrap_or_default())
    }
}

/// Lines of `% time, seconds, usecs/call, calls, errors or nothing, name`.
fn parse(summary: &str) -> BTreeMap<String, f64> {
    let counts = summary.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = words.last().filter(|name| **name != "total")?;
        Some(((*name).to_owned(), words.get(3)?.parse().ok()?))
    });
    counts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_of_strace_is_read() {
        let summary = "% time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n \
            60.00    0.000006           0      1000           sendto\n \
            40.00    0.000004           0      1001         1 recvfrom\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.000010           0      2001         1 total\n";
        let counts = parse(summary);
        assert_eq!(counts.len(), 2);
        assert_eq!(counts.get("recvfrom"), Some(&1001.0));
    }
}
