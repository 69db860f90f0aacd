//! The programs of others that judge us: which are here, and getting those that are not.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Tests of the house that use it know themselves what to do without it.
const IN_THE_HOUSE: &str = "tests of the house";

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
    program("opensc", "opensc-tool", "opensc_tool"),
    program("opensc", "pkcs11-tool", "pkcs11_tool"),
    program("opensc-pkcs11", "opensc-pkcs11.so", "pkcs11_tool"),
    program("openssl", "openssl", "pkcs11_tool"),
    program("gcc", "cc", IN_THE_HOUSE),
    program("libc6-dev", "libc.so", IN_THE_HOUSE),
    program("libpcsclite-dev", "libpcsclite.so", IN_THE_HOUSE),
    program("strace", "strace", "the_bench"),
    program("python3-pyscard", "python3/dist-packages/smartcard/__init__.py", "pyscard"),
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
    if !is_root() {
        tally.not_run(format!("{DEBIAN_PCSCD}: only root can give pcscd namespaces of its own"));
        left_out.push(DEBIAN_PCSCD);
    }
    Ok(left_out)
}

fn missing_packages() -> Vec<&'static str> {
    let mut packages: Vec<&str> = PROGRAMS
        .iter()
        .filter(|program| !program.is_here())
        .map(|program| program.package)
        .collect();
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

/// `/usr/lib`, `/usr/lib64` and the folder of each architecture in it.
fn library_folders() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("/usr/lib"), PathBuf::from("/usr/lib64")];
    let inside = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    folders.extend(
        inside
            .filter(|entry| entry.file_name().to_string_lossy().contains("-linux-"))
            .map(|entry| entry.path()),
    );
    folders
}
