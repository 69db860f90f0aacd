//! A bench for programs of others: a daemon with a card in its first reader, and commands that find both.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::actor::Actor;
use crate::child::{HANGS, Talker};
use crate::daemon::Service;
use crate::stage::Stage;

/// A daemon with one card.
pub struct Bench {
    stage: Stage,
    /// The daemon.
    pub service: Service,
}

/// What a program said, on both of its outputs.
pub struct Said {
    command: String,
    success: bool,
    /// Standard output and standard error.
    pub text: String,
    /// Its standard output alone.
    pub output: Vec<u8>,
}

impl Bench {
    /// Starts a daemon with a card of that kind (`piv`, ...) in its first reader.
    #[must_use]
    pub fn new(stage: Stage, name: &str, card: &str) -> Self {
        Self::with(stage, Service::start(stage.manager, &unique(stage, name), card))
    }

    /// Starts a daemon with a card that the programs of Yubico take for theirs. They look at names of readers too.
    /// `more` is the rest of the card's order.
    #[must_use]
    pub fn with_yubikey(stage: Stage, name: &str, more: &str) -> Self {
        let (label, card) = ("Yubico YubiKey CCID", format!("piv,preset=yubikey-5{more}"));
        let name = unique(stage, name);
        Self::with(stage, Service::with_readers_called(label, stage.manager, &name, &card))
    }

    /// Starts a daemon whose card is a program of Python.
    #[must_use]
    pub fn with_card_program(stage: Stage, name: &str, program: &Path) -> Self {
        let service = Service::with_port(stage.manager, &unique(stage, name));
        Self::began(stage, service, |service| service.connect(program))
    }

    fn with(stage: Stage, service: Service) -> Self {
        Self::began(stage, service, |service| service.insert(0))
    }

    fn began(stage: Stage, service: Service, insert: impl FnOnce(&mut Service)) -> Self {
        let mut bench = Self { stage, service };
        // pcscd does not count a card that it finds at its first look, and looks every 400 ms only.
        bench.wait_for("EMPTY");
        insert(&mut bench.service);
        bench.wait_for("PRESENT");
        bench
    }

    /// A file that lives as long as the bench.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.service.folder().join(name).to_string_lossy().into_owned()
    }

    /// Writes such a file and gives its path.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn write(&self, name: &str, bytes: &[u8]) -> String {
        let file = self.file(name);
        fs::write(&file, bytes).expect("our own folder");
        file
    }

    /// Writes a program of that shell script.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn script(&self, name: &str, script: &str) -> String {
        let file = self.write(name, format!("#!/bin/sh\n{script}\n").as_bytes());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("our own file");
        file
    }

    /// Runs a program to its end.
    #[must_use]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Said {
        self.run_with_input(program, arguments, "")
    }

    /// Runs a program that reads that text.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn run_with_input(&self, program: &str, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(program);
        command.args(arguments);
        said(&mut command, input)
    }

    /// Starts a program that goes on until it is killed; a pipe would make it keep its lines back.
    #[must_use]
    pub fn start(&self, program: &str, arguments: &[&str]) -> Talker {
        let mut command = self.command("stdbuf");
        command.args(["-oL", program]).args(arguments);
        Talker::start(program, &mut command)
    }

    /// A command that finds the bench's library and daemon.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = self.stage.command(program, &self.service);
        command.env("LC_ALL", "C.UTF-8");
        command
    }

    /// Waits until programs see the first reader in that state.
    fn wait_for(&self, state: &str) {
        let mut actor = Actor::start("usher", self.stage, &self.service);
        actor.ask("usher", &format!("see first {state}"));
        assert_eq!(actor.answer("usher"), "ok");
    }
}

fn unique(stage: Stage, name: &str) -> String {
    format!("{name}-{:?}-{:?}", stage.library, stage.manager)
}

/// Runs a command with that input to its end.
///
/// # Panics
/// If it cannot be started.
#[must_use]
pub fn said(command: &mut Command, input: &str) -> Said {
    let line = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{line}: {error}; `cargo xtask test` installs it"));
    if let Some(mut pipe) = child.stdin.take() {
        // A program need not read what it is given.
        let _ = pipe.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().expect("it was started");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Said { command: line, success: output.status.success(), text, output: output.stdout }
}

impl Said {
    /// It ended well.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert!(self.success, "{} fails:\n{}", self.command, self.text);
        self
    }

    /// It said all of this.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn says(self, pieces: &[&str]) -> Self {
        for piece in pieces {
            assert!(
                self.text.contains(piece),
                "{} does not say `{piece}`:\n{}",
                self.command,
                self.text
            );
        }
        self
    }

    /// It said nothing of that.
    ///
    /// # Panics
    /// If it did.
    #[track_caller]
    pub fn never_says(self, pieces: &[&str]) -> Self {
        for piece in pieces {
            assert!(!self.text.contains(piece), "{} says `{piece}`:\n{}", self.command, self.text);
        }
        self
    }
}

/// Reads lines until one contains that.
///
/// # Panics
/// If none does.
#[track_caller]
pub fn hear_until(talker: &Talker, piece: &str) -> String {
    let mut heard = Vec::new();
    while let Some(line) = talker.hear_within(HANGS) {
        if line.contains(piece) {
            return line;
        }
        heard.push(line);
    }
    panic!("nobody says `{piece}`, but\n{}", heard.join("\n"));
}

/// A library below the folders where distributions put them.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn installed(library: &str) -> PathBuf {
    let below = |folder: &Path| folder.join(library).exists().then(|| folder.join(library));
    ["/usr/lib", "/usr/lib64"]
        .iter()
        .flat_map(|folder| {
            let inside = fs::read_dir(folder).into_iter().flatten().flatten();
            inside.map(|entry| entry.path()).chain([PathBuf::from(folder)])
        })
        .find_map(|folder| below(&folder))
        .unwrap_or_else(|| panic!("{library} is missing; `cargo xtask test` installs it"))
}
