//! Other processes, seen through /proc: their threads, their memory, how often they woke up, where they may run.

use std::fs;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The numbers of a process's threads.
fn threads(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}

/// Where processes may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// All on one processor, the last: nothing is handed from one to another, and what is measured is the length of
    /// the path.
    OneProcessor,
    /// Wherever the scheduler wants.
    Anywhere,
}

impl Place {
    /// Puts processes with all their threads there.
    pub fn put(self, pids: &[u32]) {
        let Ok(all) = sched_getaffinity(None) else { return };
        let mut set = all;
        if self == Self::OneProcessor {
            let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| all.is_set(*cpu)).unwrap_or(0);
            set.clear();
            set.set(last);
        }
        for thread in pids.iter().flat_map(|pid| threads(*pid)) {
            let thread = i32::try_from(thread).ok().and_then(Pid::from_raw);
            // A thread may have ended meanwhile.
            let _ = thread.map(|thread| sched_setaffinity(Some(thread), &set));
        }
    }
}

/// A number of /proc/PID/status, summed over the threads if `of_threads`.
fn status(file: &str, field: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// How often the threads of a process began to run, so far.
#[must_use]
pub fn wake_ups(pid: u32) -> u64 {
    threads(pid)
        .iter()
        .map(|thread| format!("/proc/{pid}/task/{thread}/status"))
        .map(|file| {
            status(&file, "voluntary_ctxt_switches") + status(&file, "nonvoluntary_ctxt_switches")
        })
        .sum()
}

/// Its resident memory, in KiB.
#[must_use]
pub fn resident_kib(pid: u32) -> u64 {
    status(&format!("/proc/{pid}/status"), "VmRSS")
}

/// Its children, and theirs.
#[must_use]
pub fn descendants(pid: u32) -> Vec<u32> {
    let read = |thread| fs::read_to_string(format!("/proc/{pid}/task/{thread}/children"));
    let lists: Vec<String> =
        threads(pid).into_iter().filter_map(|thread| read(thread).ok()).collect();
    let children = lists.iter().flat_map(|list| list.split_whitespace());
    let children: Vec<u32> = children.filter_map(|pid| pid.parse().ok()).collect();
    let further: Vec<u32> = children.iter().flat_map(|pid| descendants(*pid)).collect();
    [children, further].concat()
}

/// Whether this process runs as root.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
