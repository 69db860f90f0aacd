//! The programs of others that judge us: which are here, and getting those that are not.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::python;
use crate::run::{Failure, during, run};
use crate::tally::Tally;

/// One program or library of a Debian package.
pub(crate) struct Program {
    /// Debian's package.
    package: &'static str,
    /// Where it is: a name is looked for on the path, anything with a slash below the library folders.
    file: &'static str,
    /// Tests with this in their name cannot run without it.
    judges: &'static str,
}

/// A program of a package and the tests that need it.
const fn program(package: &'static str, file: &'static str, judges: &'static str) -> Program {
    Program { package, file, judges }
}

/// In the names of tests that run pcscd as Debian ships it.
pub(crate) const DEBIAN_PCSCD: &str = "debian_pcscd";

/// In the names of tests that run what Python's index has.
pub(crate) const FROM_PYPI: &str = "pypi";

/// In the names of tests that run polkit on a bus of its own.
const POLKIT: &str = "polkit";

/// Tests of the house that use it know themselves what to do without it.
const IN_THE_HOUSE: &str = "tests of the house";

/// OpenSC's module for PKCS#11.
const OPENSC: &str = "opensc-pkcs11.so";

const PROGRAMS: &[Program] = &[
    program("pcscd", "pcscd", DEBIAN_PCSCD),
    program("vsmartcard-vpcd", "pcsc/drivers/serial/libifdvpcd.so", DEBIAN_PCSCD),
    program("util-linux", "unshare", DEBIAN_PCSCD),
    program("util-linux", "nsenter", DEBIAN_PCSCD),
    program("util-linux", "mount", DEBIAN_PCSCD),
    program("iproute2", "ip", DEBIAN_PCSCD),
    program("libpcsclite1", "libpcsclite.so.1", "stock_library"),
    program("pcsc-tools", "pcsc_scan", "pcsc_scan"),
    program("pcsc-tools", "scriptor", "scriptor"),
    program("pcsc-tools", "ATR_analysis", "pcsc_scan"),
    program("opensc", "opensc-tool", "opensc_tool"),
    program("opensc", "pkcs11-tool", "pkcs11_tool"),
    program("opensc-pkcs11", OPENSC, "pkcs11_tool"),
    program("openssl", "openssl", "pkcs11_tool"),
    program("yubico-piv-tool", "yubico-piv-tool", "yubico_piv_tool"),
    program("openssl", "openssl", "yubico_piv_tool"),
    program("ykcs11", "libykcs11.so", "ykcs11"),
    program("opensc", "pkcs11-tool", "ykcs11"),
    program("gnutls-bin", "p11tool", "p11tool"),
    program("opensc-pkcs11", OPENSC, "p11tool"),
    program("libnss3-tools", "certutil", "nss_"),
    program("libnss3-tools", "modutil", "nss_"),
    program("opensc-pkcs11", OPENSC, "nss_"),
    program("libengine-pkcs11-openssl", "engines-3/pkcs11.so", "openssl_engine"),
    program("openssl", "openssl", "openssl_engine"),
    program("opensc", "pkcs11-tool", "openssl_engine"),
    program("opensc-pkcs11", OPENSC, "openssl_engine"),
    program("openssh-client", "ssh-agent", "ssh_"),
    program("opensc-pkcs11", OPENSC, "ssh_"),
    program("libpam-pkcs11", "pkcs11_eventmgr", "eventmgr"),
    program("opensc-pkcs11", OPENSC, "pkcs11_eventmgr"),
    program("python3", "python3", "scdaemon"),
    program("opensc", "opensc-tool", "scdaemon"),
    program("gpg", "gpg", "scdaemon"),
    program("gpgconf", "gpgconf", "scdaemon"),
    program("gpg-agent", "gpg-agent", "scdaemon"),
    program("scdaemon", "gnupg/scdaemon", "scdaemon"),
    program("polkitd", "polkit-1/polkitd", POLKIT),
    program("dbus-daemon", "dbus-daemon", POLKIT),
    program("util-linux", "setpriv", POLKIT),
    program("valgrind", "valgrind", "valgrind"),
    program("abigail-tools", "abidiff", "abidiff"),
    program("strace", "strace", "strace"),
    program("gcc", "cc", IN_THE_HOUSE),
    program("libc6-dev", "libc.so", IN_THE_HOUSE),
    program("libpcsclite-dev", "libpcsclite.so", IN_THE_HOUSE),
    program("strace", "strace", "the_bench"),
    program("python3-pyscard", "python3/dist-packages/smartcard/__init__.py", "pyscard"),
    // pyscard of Python's index comes as source.
    program("python3-venv", "ensurepip/__init__.py", FROM_PYPI),
    program("python3-dev", "python3-config", FROM_PYPI),
    program("libpcsclite-dev", "libpcsclite.so", FROM_PYPI),
];

impl Program {
    fn is_here(&self) -> bool {
        if self.file.contains('/') || self.file.contains(".so") {
            library_folders().iter().any(|folder| folder.join(self.file).exists())
        } else {
            on_path(self.file)
        }
    }
}

/// Finds what is missing, installs it where that is possible, and gives the names of the tests to leave out.
pub(crate) fn provide(tally: &mut Tally, ci: bool) -> Result<Vec<&'static str>, Failure> {
    let packages = missing_packages();
    if !packages.is_empty() {
        let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
        if is_root() && on_path("apt-get") {
            install(&packages)?;
        } else {
            println!("  missing; as root: {line}");
        }
    }
    let missing: Vec<&Program> = PROGRAMS.iter().filter(|program| !program.is_here()).collect();
    let mut left_out = Vec::new();
    for program in &missing {
        let Program { package, file, judges } = program;
        if ci {
            tally.fail(format!("{file} of the package {package} is missing"));
        } else {
            tally.not_run(format!("{judges}: {file} of the package {package} is missing"));
        }
        left_out.push(*judges);
    }
    if missing.is_empty() {
        println!("  all {} programs and libraries are here", PROGRAMS.len());
    }
    if !left_out.contains(&FROM_PYPI) {
        if let Err(failure) = python::provide() {
            let why = format!("{FROM_PYPI}: what {} names is missing: {failure}", python::NAMED);
            if ci {
                tally.fail(why);
            } else {
                tally.not_run(why);
            }
            left_out.push(FROM_PYPI);
        }
    }
    if !is_root() {
        tally.not_run(format!("{DEBIAN_PCSCD}: only root can give pcscd namespaces of its own"));
        tally.not_run(format!("{POLKIT}: only root can be several users"));
        left_out.extend([DEBIAN_PCSCD, POLKIT]);
    }
    Ok(left_out)
}

fn missing_packages() -> Vec<&'static str> {
    let mut packages: Vec<&str> = PROGRAMS
        .iter()
        .filter(|program| !program.is_here())
        .map(|program| program.package)
        .collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

/// Installs packages without their recommendations, and starts no service of theirs.
fn install(packages: &[&str]) -> Result<(), Failure> {
    let _quiet = NoServices::hold()?;
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    let mut arguments = vec!["install", "-y", "-q", "--no-install-recommends"];
    arguments.extend(packages);
    // A fresh machine has no lists, an old one has lists of packages that are gone.
    apt(&arguments).or_else(|_| apt(&["update", "-q"]).and_then(|()| apt(&arguments)))
}

/// While it lives, package scripts may start no service.
struct NoServices {
    ours: bool,
}

impl NoServices {
    const POLICY: &str = "/usr/sbin/policy-rc.d";

    fn hold() -> Result<Self, Failure> {
        if Path::new(Self::POLICY).exists() {
            return Ok(Self { ours: false });
        }
        fs::write(Self::POLICY, "#!/bin/sh\nexit 101\n").map_err(during(Self::POLICY))?;
        let held = Self { ours: true };
        fs::set_permissions(Self::POLICY, fs::Permissions::from_mode(0o755))
            .map_err(during(Self::POLICY))?;
        Ok(held)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            if let Err(error) = fs::remove_file(Self::POLICY) {
                eprintln!("warning: {} is left behind: {error}", Self::POLICY);
            }
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

/// `/usr/lib`, `/usr/lib64` and the folders in it of each architecture and of Python.
fn library_folders() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("/usr/lib"), PathBuf::from("/usr/lib64")];
    let inside = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders.extend(
        inside
            .filter(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.contains("-linux-") || name.starts_with("python3.")
            })
            .map(|entry| entry.path()),
    );
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::root;

    fn sources(folder: &Path) -> String {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("in it"));
        let texts = entries.map(|entry| match entry.path() {
            path if path.is_dir() => sources(&path),
            path => fs::read_to_string(path).expect("text"),
        });
        texts.collect()
    }

    #[test]
    fn what_is_left_out_with_a_program_is_there_to_be_left_out() {
        let folder = root().join("tests/clients");
        let tests = sources(&folder.join("tests")) + &sources(&folder.join("bench/tests"));
        for Program { judges, .. } in PROGRAMS {
            assert!(*judges == IN_THE_HOUSE || tests.contains(judges), "{judges}");
        }
    }
}
