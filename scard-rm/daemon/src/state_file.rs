//! A number in the state directory that outlives the daemon.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The number that an earlier daemon left, 0 if there was none.
///
/// # Errors
/// If it cannot be read, or is none, or is above `most` and so cannot be true.
pub(crate) fn read(directory: &Path, name: &str, most: u32) -> io::Result<u32> {
    match fs::read_to_string(directory.join(name)) {
        Ok(text) => match text.trim().parse() {
            Ok(number) if number <= most => Ok(number),
            _ => Err(ErrorKind::InvalidData.into()),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Leaves a number, whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(directory: &Path, name: &str, number: u32) -> io::Result<()> {
    let temporary = directory.join(format!("{name}.new"));
    fs::write(&temporary, format!("{number}\n"))?;
    fs::rename(temporary, directory.join(name))
}
