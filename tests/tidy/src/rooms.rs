//! The room table: a crate may use only rooms of lower rank, and some never meet.

use toml::{Table, Value};

use crate::Violation;
use crate::tree::TextFile;

/// What a room may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No clock, file, socket, environment or chance: its tests replay.
    Pure,
    /// Safe code with the system around it.
    Plain,
    /// The only rooms with unsafe code.
    Unsafe,
}

/// A crate of the workspace.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// From the top of the tree.
    pub folder: &'static str,
    /// Its name as a dependency.
    pub package: &'static str,
    /// It uses rooms of lower rank only.
    pub rank: u8,
    /// What it may contain.
    pub kind: Kind,
    /// Crates that it never imports, whatever their rank.
    pub never: &'static [&'static str],
}

const fn room(
    folder: &'static str,
    package: &'static str,
    rank: u8,
    kind: Kind,
    never: &'static [&'static str],
) -> Room {
    Room { folder, package, rank, kind, never }
}

/// They live in strangers' processes and must survive a fork.
const GUESTS_BRING_NO: &[&str] = &["tokio", "scard-core", "tracing-subscriber", "signal-hook"];
/// A driver cannot know who is asking, and knows no other driver.
const DRIVERS_KNOW_NO: &[&str] = &["scard-core", "scard-wire", "scard-client"];

/// Every crate of the workspace.
pub const ROOMS: &[Room] = &[
    room("scard-rm/types", "scard-types", 0, Kind::Pure, &[]),
    room("kerberos-pkinit/krb5", "krb5-words", 0, Kind::Pure, &[]),
    room("scard-rm/wire", "scard-wire", 1, Kind::Pure, &["reader-api", "scard-core"]),
    // Knows no driver and no socket; the daemon joins them.
    room("scard-rm/core", "scard-core", 1, Kind::Pure, &["reader-api", "scard-wire"]),
    // Its opposite is card-key: two independent readings of the standard test each other.
    room("simulator/card", "sim-card", 1, Kind::Pure, &["card-key"]),
    room("reader-drivers/link", "card-link", 1, Kind::Pure, &[]),
    // Asks for a signature and for a KDC's reply; keeps std for its X.509 and ASN.1 crates.
    room("kerberos-pkinit/pkinit", "pkinit", 1, Kind::Plain, &["card-key", "tokio"]),
    room("reader-drivers/api", "reader-api", 1, Kind::Plain, DRIVERS_KNOW_NO),
    room("reader-drivers/vpcd", "reader-vpcd", 2, Kind::Plain, DRIVERS_KNOW_NO),
    room("simulator/reader", "sim-reader", 2, Kind::Plain, DRIVERS_KNOW_NO),
    room("scard-rm/client", "scard-client", 2, Kind::Plain, GUESTS_BRING_NO),
    room("scard-rm/daemon", "scard-rm", 3, Kind::Plain, &["scard-client"]),
    room("winscard-shim/guest", "scard-guest", 3, Kind::Unsafe, GUESTS_BRING_NO),
    room("winscard-shim/pcsclite", "libpcsclite", 4, Kind::Unsafe, GUESTS_BRING_NO),
    room("winscard-shim/winscard", "libwinscard", 4, Kind::Unsafe, GUESTS_BRING_NO),
    room("kerberos-pkinit/card-key", "card-key", 3, Kind::Plain, &["sim-card"]),
    room("scard-rm/cli", "scard", 7, Kind::Plain, &[]),
    room("tests/oracles", "fuzz-oracles", 9, Kind::Plain, &[]),
    room("tests/tidy", "tidy", 9, Kind::Plain, &[]),
];

/// No room imports these: they would need C code, another licence or development files to build.
const NOBODY: &[&str] = &["pcsc", "pcsc-sys", "openssl", "openssl-sys"];

/// The room in which a file stands.
#[must_use]
pub fn room_of(path: &str) -> Option<&'static Room> {
    ROOMS
        .iter()
        .find(|room| path.strip_prefix(room.folder).is_some_and(|inside| inside.starts_with('/')))
}

/// The table and the workspace name the same folders.
///
/// # Panics
/// If the root manifest is not TOML: cargo would have said so first.
#[must_use]
pub fn unlisted_members(root_manifest: &str) -> Vec<Violation> {
    let manifest = parse(root_manifest);
    let listed = manifest.get("workspace").and_then(|workspace| workspace.get("members"));
    let members: Vec<&str> =
        listed.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let without_row = members
        .iter()
        .filter(|member| ROOMS.iter().all(|room| room.folder != **member))
        .map(|member| Violation::new(member, "has no row in the room table (tests/tidy)"));
    let without_member = ROOMS
        .iter()
        .filter(|room| !members.contains(&room.folder))
        .map(|room| Violation::new(room.folder, "has a row in the room table but is no member"));
    without_row.chain(without_member).collect()
}

/// What a room's manifest imports against the rules.
///
/// # Panics
/// If the manifest is not TOML: cargo would have said so first.
#[must_use]
pub fn forbidden_imports(room: &Room, manifest: &TextFile) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut complain = |rule: String| violations.push(Violation::new(&manifest.path, rule));
    for (section, name, entry) in dependencies(&parse(&manifest.text)) {
        if entry.get("workspace").and_then(Value::as_bool) != Some(true) {
            complain(format!("{name}: versions and paths stand in the root manifest only"));
        }
        // Tests of a room may look at it from above.
        if section == "dev-dependencies" {
            continue;
        }
        if room.never.contains(&name.as_str()) || NOBODY.contains(&name.as_str()) {
            complain(format!("{} never imports {name}", room.package));
        }
        if let Some(other) = ROOMS.iter().find(|other| other.package == name) {
            if other.rank >= room.rank {
                complain(format!(
                    "{} (rank {}) uses {name} (rank {}): only lower ranks",
                    room.package, room.rank, other.rank
                ));
            }
        }
    }
    violations
}

/// Section, name and entry of each dependency, those of single targets included.
fn dependencies(manifest: &Table) -> Vec<(&'static str, String, Value)> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables =
        targets.into_iter().flat_map(Table::values).filter_map(Value::as_table).chain([manifest]);
    let mut found = Vec::new();
    for table in tables {
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let entries = table.get(section).and_then(Value::as_table);
            for (name, entry) in entries.into_iter().flatten() {
                found.push((section, name.clone(), entry.clone()));
            }
        }
    }
    found
}

#[expect(clippy::panic, reason = "a tree that cargo cannot read has no rules to check")]
fn parse(manifest: &str) -> Table {
    manifest.parse().unwrap_or_else(|error| panic!("a manifest is no TOML: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(package: &str, manifest: &str) -> Vec<String> {
        let room = ROOMS.iter().find(|room| room.package == package).unwrap();
        let manifest = TextFile { path: "Cargo.toml".into(), text: manifest.into() };
        forbidden_imports(room, &manifest).into_iter().map(|found| found.rule).collect()
    }

    #[test]
    fn a_room_of_the_same_rank_is_no_import() {
        let manifest = "[dependencies]\nscard-wire = { workspace = true }\n";
        assert_eq!(
            complaints("sim-card", manifest),
            ["sim-card (rank 1) uses scard-wire (rank 1): only lower ranks"]
        );
        assert_eq!(complaints("scard-rm", manifest), [""; 0]);
    }

    #[test]
    fn bans_count_for_single_targets_too_but_not_for_tests() {
        let manifest = "[target.'cfg(unix)'.dependencies]\ntokio = { workspace = true }\n";
        assert_eq!(complaints("scard-client", manifest), ["scard-client never imports tokio"]);
        let manifest = "[dev-dependencies]\ntokio = { workspace = true }\n";
        assert_eq!(complaints("scard-client", manifest), [""; 0]);
    }

    #[test]
    fn a_version_of_its_own_is_found() {
        let rule = "rand: versions and paths stand in the root manifest only";
        assert_eq!(complaints("scard", "[dependencies]\nrand = \"0.9\"\n"), [rule]);
        assert_eq!(complaints("scard", "[dev-dependencies.rand]\nversion = \"0.9\"\n"), [rule]);
    }

    #[test]
    fn a_member_without_a_row_is_found() {
        let manifest = "[workspace]\nmembers = [\"attic\"]\n";
        let found = unlisted_members(manifest);
        assert_eq!(found[0].place, "attic");
        assert_eq!(found.len(), 1 + ROOMS.len());
    }

    #[test]
    fn names_of_folders_end_at_a_slash() {
        assert_eq!(
            room_of("scard-rm/core/src/lib.rs").map(|room| room.package),
            Some("scard-core")
        );
        assert!(room_of("scard-rm/corexyz/src/lib.rs").is_none());
    }
}
