//! Which program a process runs, from `/proc`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use scard_types::call::Peer;
use serde::Serialize;

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Program {
    /// Its short name (the kernel keeps 15 bytes of it).
    pub(crate) name: String,
    /// Its file, where this user may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
}

/// The program of a client; `None` if it is gone, hidden, or the number belongs to somebody else by now: who knows when
/// the process began can tell.
pub(crate) fn program(peer: Peer, started: Option<u64>) -> Option<Program> {
    look(Path::new("/proc"), peer, started)
}

fn look(proc: &Path, peer: Peer, started: Option<u64>) -> Option<Program> {
    let directory = proc.join(peer.pid.to_string());
    let begun = start_time(&directory)?;
    if started.is_some_and(|started| started != begun) {
        return None;
    }
    // Processes that must not be looked into belong to root here; others to their user.
    let owner = fs::metadata(&directory).ok()?.uid();
    if owner != peer.uid && owner != 0 {
        return None;
    }
    let name = fs::read_to_string(directory.join("comm")).ok()?;
    let path = fs::read_link(directory.join("exe")).ok();
    // A number is used again when its process is gone: all of this must be of one and the same.
    (start_time(&directory)? == begun).then(|| Program { name: plain(name.trim_end()), path })
}

/// Field 22 of `stat`, proc(5). The name in field 2 stands in parentheses and may hold anything, parentheses too.
fn start_time(directory: &Path) -> Option<u64> {
    let stat = fs::read(directory.join("stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Text of a stranger, without what a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => plain.push(c),
            c => plain.extend(c.escape_debug()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Peer {
        let uid = rustix::process::getuid().as_raw();
        Peer { uid, gid: 0, pid: std::process::id() }
    }

    #[test]
    fn this_process_has_a_name_and_a_file() {
        let program = look(Path::new("/proc"), me(), None).unwrap();
        assert_eq!(program.path.unwrap(), std::env::current_exe().unwrap());
        assert!(!program.name.is_empty());
    }

    #[test]
    fn a_number_that_is_nobodys_or_somebody_elses_has_no_name() {
        let program = |peer, started| look(Path::new("/proc"), peer, started);
        assert_eq!(program(Peer { pid: 0, ..me() }, None), None);
        let own = start_time(Path::new("/proc/self")).unwrap();
        assert!(program(me(), Some(own)).is_some());
        assert_eq!(program(me(), Some(own + 1)), None, "the number was another's before");
        let uid = rustix::process::getuid().as_raw();
        if uid != 0 {
            assert_eq!(program(Peer { uid: uid + 1, ..me() }, None), None);
        }
    }

    #[test]
    fn the_start_time_is_found_behind_any_name() {
        let directory = tempfile::tempdir().unwrap();
        let fields: Vec<String> = (3..=30).map(|field| field.to_string()).collect();
        let stat = format!("7 (a) b) (c) {}", fields.join(" "));
        fs::write(directory.path().join("stat"), stat).unwrap();
        assert_eq!(start_time(directory.path()), Some(22));
        fs::write(directory.path().join("stat"), "7 (a").unwrap();
        assert_eq!(start_time(directory.path()), None);
    }

    #[test]
    fn a_strangers_text_cannot_steer_the_terminal() {
        assert_eq!(plain("it's \u{1b}[31m\u{202e}ö"), "it's \\u{1b}[31m\\u{202e}ö");
    }
}
