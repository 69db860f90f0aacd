//! Resource managers with virtual readers, ours and Debian's.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child::Talker;
use crate::stage::{Manager, dist};

/// What the readers are called, by pcscd of necessity, by us because we can.
pub const READERS: [&str; 2] = ["Virtual PCD 00 00", "Virtual PCD 00 01"];

/// vpcd listens there for its first card, and one above for its second.
const FIRST_PORT: u16 = 0x8C7B;

/// A running resource manager with two empty readers.
pub struct Service {
    folder: PathBuf,
    card: String,
    manner: Manner,
    /// The socket that is passed on to each daemon.
    held: Option<UnixListener>,
    daemon: Daemon,
}

/// How a daemon of ours is stopped, and where it listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// With SIGTERM; else with SIGKILL.
    pub asked_to_stop: bool,
    /// On a socket that somebody else holds, as a service manager does; else on one of its own.
    pub held: bool,
}

impl Manner {
    /// Its short name in journeys.
    #[must_use]
    pub const fn word(self) -> &'static str {
        if self.held { "held" } else { "own" }
    }
}

enum Daemon {
    Ours(Talker),
    /// Between two of ours.
    Nobody,
    Pcscd {
        daemon: Talker,
        cards: [Option<Talker>; 2],
    },
}

impl Service {
    /// Starts one. `name` is that of the test; `card` describes the cards that will be inserted, as after `sim:`.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(manager: Manager, name: &str, card: &str) -> Self {
        Self::start_in_a_manner(manager, name, card, Manner::default())
    }

    /// The same with ours in some manner.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start_in_a_manner(manager: Manager, name: &str, card: &str, manner: Manner) -> Self {
        let folder = own_folder(name);
        let hold = || UnixListener::bind(folder.join("socket")).expect("a socket of its own");
        let held = manner.held.then(hold);
        let daemon = match manager {
            Manager::Ours => start_ours(&folder, held.as_ref(), &two_empty(card)),
            Manager::DebianPcscd => start_pcscd(&folder),
        };
        Self { folder, card: card.to_owned(), manner, held, daemon }
    }

    /// Starts ours with as many readers as that, with cards in them.
    #[must_use]
    pub fn with_many_readers(name: &str, count: usize) -> Self {
        let folder = own_folder(name);
        let daemon = start_ours(&folder, None, &[format!("sim:piv,count={count}")]);
        Self { folder, card: "piv".into(), manner: Manner::default(), held: None, daemon }
    }

    /// A folder that lives as long as this.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it listens; `None` is the default path in namespaces of its own.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        match self.daemon {
            Daemon::Ours(_) | Daemon::Nobody => Some(self.folder.join("socket")),
            Daemon::Pcscd { .. } => None,
        }
    }

    /// A command for that program where this can be reached.
    #[must_use]
    pub fn enter(&self, program: &Path) -> Command {
        match &self.daemon {
            Daemon::Ours(_) | Daemon::Nobody => Command::new(program),
            Daemon::Pcscd { daemon, .. } => {
                let mut command = Command::new("nsenter");
                command.args(["-t", &daemon.pid().to_string(), "-m", "-n", "--"]).arg(program);
                command
            }
        }
    }

    /// Puts a card into the first (0) or second (1) reader.
    ///
    /// # Panics
    /// If that fails.
    pub fn insert(&mut self, reader: usize) {
        if let Daemon::Ours(_) = self.daemon {
            return self.simulate("insert", reader);
        }
        let port = FIRST_PORT + u16::try_from(reader).expect("one of two");
        let mut command = self.enter(&dist().join("bin/scard"));
        // It goes with its reader, even if this process is killed.
        command.args(["sim", "serve", "--once", "--vpcd", &format!("127.0.0.1:{port}")]);
        let card = Talker::start("a card", command.args(["--card", &self.card]));
        assert_eq!(card.hear(), format!("in the reader at 127.0.0.1:{port}"));
        if let Daemon::Pcscd { cards, .. } = &mut self.daemon {
            cards[reader] = Some(card);
        }
    }

    /// Takes the card out of a reader.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove(&mut self, reader: usize) {
        match &mut self.daemon {
            Daemon::Ours(_) | Daemon::Nobody => self.simulate("remove", reader),
            Daemon::Pcscd { cards, .. } => cards[reader].take().expect("a card is in").kill(),
        }
    }

    /// Ends the daemon.
    ///
    /// # Panics
    /// If it is pcscd, whose namespaces end with it.
    pub fn stop(&mut self) {
        match &mut self.daemon {
            Daemon::Ours(daemon) if self.manner.asked_to_stop => daemon.terminate(),
            Daemon::Ours(daemon) => daemon.kill(),
            Daemon::Nobody => {}
            Daemon::Pcscd { .. } => panic!("pcscd's namespaces end with it"),
        }
        self.daemon = Daemon::Nobody;
    }

    /// Starts another daemon at the same place, with empty readers.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        self.daemon = start_ours(&self.folder, self.held.as_ref(), &two_empty(&self.card));
    }

    /// `scard sim insert|remove READER`.
    fn simulate(&self, what: &str, reader: usize) {
        let status = Command::new(dist().join("bin/scard"))
            .args(["sim", what, READERS[reader]])
            .env("SCARD_SOCKET", self.folder.join("socket"))
            .stdout(std::process::Stdio::null())
            .status()
            .expect("scard starts");
        assert!(status.success(), "scard sim {what}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        match &mut self.daemon {
            Daemon::Ours(daemon) => daemon.kill(),
            Daemon::Nobody => {}
            Daemon::Pcscd { daemon, cards } => {
                // Its shell kills pcscd when its input ends; killing the shell would not.
                daemon.stop();
                *cards = [None, None];
            }
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            eprintln!("--- what the daemon said ---\n{log}---");
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn own_folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("scard-{}-{name}", std::process::id()));
    // An old run with the same process number may have left one.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder of its own");
    folder
}

fn two_empty(card: &str) -> Vec<String> {
    READERS.iter().map(|name| format!("sim:{card},name=\"{name}\",empty")).collect()
}

fn start_ours(folder: &Path, held: Option<&UnixListener>, readers: &[String]) -> Daemon {
    let program = dist().join("bin/scard-rm");
    let mut command = match held {
        None => {
            let mut command = Command::new(program);
            command.arg("--socket").arg(folder.join("socket")).stderr(log(folder));
            command
        }
        Some(held) => {
            let mut command = Command::new("sh");
            command.args(["-c", PASS_ON]).arg(program).env("LOG", folder.join("log"));
            let held = held.as_fd().try_clone_to_owned();
            command.stderr(held.expect("a descriptor is free"));
            command
        }
    };
    for reader in readers {
        command.args(["--reader", reader]);
    }
    // It goes when its input ends, even if this process is killed.
    command.args(["--ready-fd", "1", "--exit-on-eof-of-fd", "0"]);
    command.env_remove("LD_LIBRARY_PATH");
    let daemon = Talker::start("scard-rm", &mut command);
    assert_eq!(daemon.hear(), "ready");
    Daemon::Ours(daemon)
}

/// pcscd listens at one place only, and vpcd at one port: each gets a mount and a network namespace.
fn start_pcscd(folder: &Path) -> Daemon {
    let config = folder.join("reader.conf.d");
    fs::create_dir(&config).expect("a folder for pcscd");
    fs::write(config.join("vpcd"), READER_CONF).expect("a file for pcscd");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--propagation", "private", "sh", "-c", PCSCD]).arg(config);
    command.stderr(log(folder)).env_remove("LD_LIBRARY_PATH");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let daemon = Talker::start("pcscd", &mut command);
    while !daemon.hear().contains("daemon ready") {}
    Daemon::Pcscd { daemon, cards: [None, None] }
}

fn log(folder: &Path) -> fs::File {
    fs::File::options().append(true).create(true).open(folder.join("log")).expect("a log")
}

/// What came as standard error becomes the first passed descriptor.
const PASS_ON: &str = r#"LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@" 3<&2 2>>"$LOG""#;

/// It ends with the shell's input.
const PCSCD: &str = r#"
mkdir -p /run/pcscd && mount -t tmpfs tmpfs /run/pcscd || exit
ip link set lo up || exit
pcscd --foreground --info --config "$0" </dev/null &
cat >/dev/null
kill $!
wait
"#;

const READER_CONF: &str = "\
FRIENDLYNAME \"Virtual PCD\"
DEVICENAME /dev/null:0x8C7B
LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so
CHANNELID 0x8C7B
";
