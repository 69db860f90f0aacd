//! A process of `src/worker`, from outside.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clients::child::Talker;
use clients::daemon::Service;
use clients::stage::{Library, dist};

use crate::side::Side;

/// Longer than any turn.
const HANGS: Duration = Duration::from_secs(120);

/// One client.
pub struct Client(Talker);

impl Client {
    /// A program with the side's library at that daemon. It makes sure that it is that library.
    ///
    /// # Panics
    /// If it is another one.
    #[must_use]
    pub fn start(side: Side, service: &Service) -> Self {
        Self::program(side, side.stage().command(program(), service))
    }

    /// The same, as another user. Only root can do that.
    #[must_use]
    pub fn start_as(user: &User, side: Side, service: &Service) -> Self {
        let mut command = user.command(service);
        side.stage().prepare(&mut command, service);
        if side.stage().library == Library::Ours {
            command.env("LD_LIBRARY_PATH", &user.folder);
        }
        Self::program(side, command)
    }

    fn program(side: Side, mut command: Command) -> Self {
        let client = Self(Talker::start("a client", command.arg("program")));
        let library = client.hear();
        let stock = library.starts_with("/usr/lib") || library.starts_with("/lib");
        assert_eq!(stock, side.stage().library == Library::Stock, "it has loaded {library}");
        client
    }

    /// A client in another role, which says that it is ready.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn in_role(role: &[&str], service: Option<(&Service, &User)>) -> Self {
        let mut command = match service {
            Some((service, user)) => user.command(service),
            None => Command::new(program()),
        };
        // It uses no libpcsclite, but its loader wants to find one.
        command.env(
            "LD_LIBRARY_PATH",
            service.map_or(dist().join("lib"), |(_, user)| user.folder.clone()),
        );
        let client = Self(Talker::start("a client", command.args(role)));
        assert_eq!(client.hear(), "ready");
        client
    }

    /// Its process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Has it do something, and gives back what it says then.
    pub fn ask(&mut self, line: &str) -> String {
        self.0.say(line);
        self.hear()
    }

    /// The same, where it answers in numbers.
    ///
    /// # Panics
    /// If it does not.
    pub fn numbers(&mut self, line: &str) -> Vec<f64> {
        let answer = self.ask(line);
        answer.split_whitespace().map(|word| word.parse().expect("a number")).collect()
    }

    /// Has it do something, and does not wait.
    pub fn begin(&mut self, line: &str) {
        self.0.say(line);
    }

    /// What it says next.
    ///
    /// # Panics
    /// If it hangs.
    #[must_use]
    pub fn hear(&self) -> String {
        self.0.hear_within(HANGS).expect("a client answers")
    }
}

/// Some user that is neither root nor the one who builds here.
pub struct User {
    uid: u32,
    /// With a copy of program and library: the tree may be where only its owner can look.
    folder: PathBuf,
}

impl User {
    /// A user; what he runs is copied into `folder`.
    ///
    /// # Panics
    /// If it cannot be.
    #[must_use]
    pub fn new(uid: u32, folder: &Path) -> Self {
        let folder = folder.join(format!("user-{uid}"));
        fs::create_dir_all(&folder).expect("a folder");
        fs::copy(program(), folder.join("bench-client")).expect("a copy");
        fs::copy(dist().join("lib/libpcsclite.so.1"), folder.join("libpcsclite.so.1"))
            .expect("a copy");
        for file in [&folder, &folder.join("bench-client")] {
            fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        Self { uid, folder }
    }

    fn command(&self, service: &Service) -> Command {
        let mut command = service.enter(&self.folder.join("bench-client"));
        command.uid(self.uid).gid(self.uid).current_dir("/");
        command
    }
}

/// It stands beside this program.
fn program() -> PathBuf {
    std::env::current_exe().expect("we run").with_file_name("bench-client")
}
