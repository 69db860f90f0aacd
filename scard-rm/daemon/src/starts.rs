//! How often a daemon was started over the same state directory. Each start counts events from somewhere else: a program
//! that knows a counter of an earlier daemon shall not take it for one of this.

use std::io;
use std::path::Path;

use tracing::warn;

use crate::state_file;

const FILE: &str = "starts";

/// Counts this start, and gives back how many there were before. Without a directory nobody can tell: none.
pub(crate) fn count(directory: Option<&Path>) -> u32 {
    directory.map_or(Ok(0), count_in).unwrap_or_else(|error| {
        warn!(%error, "starts not counted");
        0
    })
}

fn count_in(directory: &Path) -> io::Result<u32> {
    let before = state_file::read(directory, FILE, u32::MAX)?;
    state_file::write(directory, FILE, before.wrapping_add(1))?;
    Ok(before)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_start_is_counted_where_there_is_a_place_for_it() {
        let directory = std::env::temp_dir().join(format!("scard-starts-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a temporary directory can be made");
        let starts = || count(Some(&directory));
        assert_eq!((starts(), starts(), starts()), (0, 1, 2));
        assert_eq!(count(None), 0);
        fs::remove_dir_all(&directory).expect("the directory can be removed");
        assert_eq!(count(Some(&directory)), 0, "a directory that is not there is no failure");
    }
}
