//! Card types that ship as files: `*.toml` in the folders for them, read at start.
//!
//! ```toml
//! [[card-type]]
//! name = "PIV card"
//! atr = "3B 80 00"
//! mask = "FF FF 00"
//! module = "opensc-pkcs11.so"
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use scard_types::database::{
    AtrPattern, CardType, Guid, PROVIDER_CARD_MODULE, PROVIDER_CSP, PROVIDER_KSP, Scope,
};
use serde::Deserialize;
use tracing::warn;

use crate::store::hex_bytes;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    card_type: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    name: String,
    atr: String,
    /// Absent: every bit counts.
    mask: Option<String>,
    primary: Option<String>,
    #[serde(default)]
    interfaces: Vec<String>,
    /// The PKCS#11 module that serves such cards.
    module: Option<String>,
    csp: Option<String>,
    ksp: Option<String>,
}

impl Entry {
    fn card_type(self) -> Option<CardType> {
        let atr = hex_bytes(&self.atr)?;
        let mask = match &self.mask {
            Some(mask) => hex_bytes(mask)?,
            None => vec![0xFF; atr.len()],
        };
        let guid = |text: &String| text.parse::<Guid>().ok();
        let primary = match &self.primary {
            Some(text) => Some(guid(text)?),
            None => None,
        };
        let providers = [
            (PROVIDER_CARD_MODULE, self.module),
            (PROVIDER_CSP, self.csp),
            (PROVIDER_KSP, self.ksp),
        ];
        Some(CardType {
            name: Some(self.name).filter(|name| !name.is_empty())?,
            pattern: AtrPattern::new(atr, mask)?,
            primary,
            interfaces: self.interfaces.iter().map(guid).collect::<Option<_>>()?,
            providers: providers
                .into_iter()
                .filter_map(|(number, name)| name.map(|name| (number, name)))
                .collect(),
            scope: Scope::System,
        })
    }
}

/// All card types of the folders. Files are read in order of their names; a later entry takes the place of an earlier
/// one with the same name, and a file in a later folder hides one of the same name in an earlier folder. What makes no
/// sense is told and left out.
pub(crate) fn load(folders: &[PathBuf]) -> Vec<CardType> {
    let mut files = BTreeMap::new();
    for folder in folders {
        for path in files_of(folder) {
            files.insert(path.file_name().map(ToOwned::to_owned), path);
        }
    }
    let mut types = BTreeMap::new();
    for path in files.values() {
        for card_type in read(path) {
            types.insert(card_type.name.clone(), card_type);
        }
    }
    types.into_values().collect()
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                warn!(folder = %folder.display(), %error, "no card types from here");
            }
            return Vec::new();
        }
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect()
}

fn read(path: &Path) -> Vec<CardType> {
    let file = fs::read_to_string(path)
        .map_err(|error| error.to_string())
        .and_then(|text| toml::from_str::<File>(&text).map_err(|error| error.to_string()));
    let file = match file {
        Ok(file) => file,
        Err(error) => {
            warn!(file = %path.display(), error, "no card types from here");
            return Vec::new();
        }
    };
    let mut types = Vec::new();
    for entry in file.card_type {
        let name = entry.name.clone();
        match entry.card_type() {
            Some(card_type) => types.push(card_type),
            None => warn!(file = %path.display(), name, "a card type that no card could be of"),
        }
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary directory");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file can be written");
        }
        folder
    }

    #[test]
    fn later_entries_and_later_folders_win() {
        let one = folder(&[
            (
                "10.toml",
                "[[card-type]]\nname='A'\natr='3B00'\n[[card-type]]\nname='B'\natr='3B01'\nmask='FFFF'\nmodule='m.so'",
            ),
            ("20.toml", "[[card-type]]\nname='A'\natr='3B 80 00'\nmask='FF:FF:00'"),
            ("30.toml", "[[card-type]]\nname='C'\natr='3B02'"),
            ("note.txt", "nothing"),
        ]);
        let two = folder(&[("30.toml", "")]);
        let missing = one.path().join("missing");
        let types = load(&[one.path().into(), two.path().into(), missing]);
        let names: Vec<_> = types.iter().map(|card_type| card_type.name.as_str()).collect();
        assert_eq!(names, ["A", "B"]);
        assert!(types[0].pattern.matches(&[0x3B, 0x80, 0x77]));
        assert_eq!(types[1].providers, [(PROVIDER_CARD_MODULE, "m.so".into())]);
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let one = folder(&[
            (
                "1.toml",
                "[[card-type]]\nname='A'\natr='3B'\nmask='00'\n[[card-type]]\nname='B'\natr='3B00'",
            ),
            ("2.toml", "no toml"),
            ("3.toml", "[[card-type]]\nname='C'\natr='3B00'\nunknown=1"),
            ("4.toml", "[[card-type]]\nname='D'\natr='3B0'"),
        ]);
        let types = load(&[one.path().into()]);
        assert_eq!(types.into_iter().map(|card_type| card_type.name).collect::<Vec<_>>(), ["B"]);
    }

    #[test]
    fn what_we_ship_makes_sense() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../system/card-types");
        let types = load(&[shipped]);
        let piv = types.iter().find(|card_type| card_type.name.starts_with("PIV"));
        assert!(piv.is_some(), "{types:?}");
    }
}
