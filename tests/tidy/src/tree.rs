//! The working tree as the rules see it.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// A text file of the tree.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// From the top of the tree, with slashes.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// The top of the working tree.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// All files of the tree with that ending, but for what is built and what is hidden.
///
/// # Errors
/// What the system says of a file or folder that cannot be read.
pub fn files(ending: &str) -> io::Result<Vec<TextFile>> {
    let root = root();
    let mut found = Vec::new();
    walk(&root, &mut |file| {
        let path = file.strip_prefix(&root).unwrap_or(file).to_string_lossy().into_owned();
        if path.ends_with(ending) {
            found.push(TextFile { path, text: fs::read_to_string(file)? });
        }
        Ok(())
    })?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), visit)?;
        } else if kind.is_file() {
            visit(&entry.path())?;
        }
    }
    Ok(())
}
