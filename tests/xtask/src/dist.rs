//! `cargo xtask dist`: a release, laid out as it is installed.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Failure, cargo, during, output, root, run, step};

pub(crate) const HELP: &str = "\
Builds a release and lays it out below DIR: bin, lib (libpcsclite.so.1 and libwinscard.so.1, each with link and
pkg-config file, systemd units), include/PCSC, include/winscard, etc, share/man, share/polkit-1 and the shells' completions. It may be moved; only the units name /usr and /etc.";

/// Where `cargo xtask test` puts what tests/clients judges.
pub(crate) const TESTED: &str = "target/dist";

const PROGRAMS: &[&str] = &["scard", "scard-rm"];

/// Files that are installed as they stand.
const FILES: &[(&str, &str)] = &[
    ("winscard-shim/include/PCSC/pcsclite.h", "include/PCSC/pcsclite.h"),
    ("winscard-shim/include/PCSC/reader.h", "include/PCSC/reader.h"),
    ("winscard-shim/include/PCSC/winscard.h", "include/PCSC/winscard.h"),
    ("winscard-shim/include/PCSC/wintypes.h", "include/PCSC/wintypes.h"),
    ("winscard-shim/include/winscard/winscard.h", "include/winscard/winscard.h"),
    ("scard-rm/system/scard-rm.service", "lib/systemd/system/scard-rm.service"),
    ("scard-rm/system/scard-rm.socket", "lib/systemd/system/scard-rm.socket"),
    ("scard-rm/system/scard-rm.sysusers", "lib/sysusers.d/scard-rm.conf"),
    ("scard-rm/system/scard-rm.toml", "etc/scard/scard-rm.toml"),
    ("scard-rm/system/card-types/scard.toml", "share/scard/card-types/scard.toml"),
    (
        "scard-rm/system/org.debian.pcsc-lite.policy",
        "share/polkit-1/actions/org.debian.pcsc-lite.policy",
    ),
];

/// Shell, and where it looks for the completions of `scard`.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "share/bash-completion/completions/scard"),
    ("zsh", "share/zsh/site-functions/_scard"),
    ("fish", "share/fish/vendor_completions.d/scard.fish"),
];

pub(crate) fn command(arguments: &[&str]) -> Result<(), Failure> {
    let [folder] = arguments else {
        return Err(Failure::Usage("dist takes one argument: the folder to lay out".into()));
    };
    step("dist", || lay_out(Path::new(folder)))
}

pub(crate) fn lay_out(dist: &Path) -> Result<(), Failure> {
    run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "-p",
        "scard",
        "-p",
        "scard-rm",
        "-p",
        "libpcsclite",
        "-p",
        "libwinscard",
    ]))?;
    let built = built_in();
    for program in PROGRAMS {
        copy(&built.join(program), &dist.join("bin").join(program))?;
    }
    for (name, pkg_config) in [("libpcsclite", PCSCLITE), ("libwinscard", WINSCARD)] {
        library(name, pkg_config, &built, &dist.join("lib"))?;
    }
    for (from, to) in FILES {
        copy(&root().join(from), &dist.join(to))?;
    }
    generated(dist)
}

fn library(name: &str, pkg_config: &str, built: &Path, lib: &Path) -> Result<(), Failure> {
    let (link, file) = (format!("{name}.so"), format!("{name}.so.1"));
    copy(&built.join(&link), &lib.join(&file))?;
    let link = lib.join(link);
    remove(&link)?;
    symlink(file, &link).map_err(during(link.display()))?;
    write(&lib.join(format!("pkgconfig/{name}.pc")), pkg_config.as_bytes())
}

/// What the command line says about itself.
fn generated(dist: &Path) -> Result<(), Failure> {
    let scard = dist.join("bin/scard");
    for (shell, file) in COMPLETIONS {
        let text = output(Command::new(&scard).args(["completions", shell]))?;
        write(&dist.join(file), &text)?;
    }
    let man = dist.join("share/man/man1");
    fs::create_dir_all(&man).map_err(during(man.display()))?;
    run(Command::new(&scard).arg("man").arg(&man))
}

fn built_in() -> PathBuf {
    target_folder(&root()).join("release")
}

/// Where cargo puts what it builds for a workspace: the caller's own target folder, if it names one.
pub(crate) fn target_folder(workspace: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    workspace.join(target)
}

/// Copies over whatever is there; a program that runs keeps its old file.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    make_room(to)?;
    fs::copy(from, to).map(drop).map_err(during(format!("{} to {}", from.display(), to.display())))
}

fn write(to: &Path, bytes: &[u8]) -> Result<(), Failure> {
    make_room(to)?;
    fs::write(to, bytes).map_err(during(to.display()))
}

fn make_room(to: &Path) -> Result<(), Failure> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(during(folder.display()))?;
    }
    remove(to)
}

fn remove(file: &Path) -> Result<(), Failure> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(during(file.display())(error)),
        _ => Ok(()),
    }
}

/// The version is that of pcsc-lite whose interface this is: programs ask for a least one.
const PCSCLITE: &str = "\
prefix=${pcfiledir}/../..
libdir=${prefix}/lib
includedir=${prefix}/include

Name: libpcsclite
Description: PC/SC client library of scard
Version: 2.3.0
Libs: -L${libdir} -lpcsclite
Cflags: -I${includedir}/PCSC
";

const WINSCARD: &str = "\
prefix=${pcfiledir}/../..
libdir=${prefix}/lib
includedir=${prefix}/include

Name: libwinscard
Description: the smart-card API of Windows, by scard
Version: 0.1.0
Libs: -L${libdir} -lwinscard
Cflags: -I${includedir}/winscard
";
