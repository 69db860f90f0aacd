//! Resource managers with virtual readers, ours and Debian's.

use std::fs;
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
    kind: Kind,
    daemon: Talker,
    /// Cards that are processes of their own.
    cards: [Option<Talker>; 2],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Ours with simulated readers.
    Simulated,
    /// Ours with ports for cards that are processes of their own.
    Ports,
    /// Debian's, whose cards are such processes.
    Pcscd,
}

impl Service {
    /// Starts one. `name` is that of the test; `card` describes the cards that will be inserted, as after `sim:`.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(manager: Manager, name: &str, card: &str) -> Self {
        match manager {
            Manager::Ours => Self::new(Kind::Simulated, name, card),
            Manager::DebianPcscd => Self::new(Kind::Pcscd, name, card),
        }
    }

    /// Starts one whose cards are processes of their own, ours too: the very same cards for both.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with_ports(manager: Manager, name: &str, card: &str) -> Self {
        match manager {
            Manager::Ours => Self::new(Kind::Ports, name, card),
            Manager::DebianPcscd => Self::new(Kind::Pcscd, name, card),
        }
    }

    fn new(kind: Kind, name: &str, card: &str) -> Self {
        let folder = own_folder(name);
        let daemon = match kind {
            Kind::Simulated => start_ours(&folder, &two_empty(card)),
            Kind::Ports => start_ours(&folder, &two_ports(&folder)),
            Kind::Pcscd => start_pcscd(&folder),
        };
        Self { folder, card: card.to_owned(), kind, daemon, cards: [None, None] }
    }

    /// Starts ours with as many readers as that, with cards in them.
    #[must_use]
    pub fn with_many_readers(name: &str, count: usize) -> Self {
        let folder = own_folder(name);
        let daemon = start_ours(&folder, &[format!("sim:piv,count={count}")]);
        let kind = Kind::Simulated;
        Self { folder, card: "piv".into(), kind, daemon, cards: [None, None] }
    }

    /// A folder that lives as long as this.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it listens; `None` is the default path in namespaces of its own.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        (self.kind != Kind::Pcscd).then(|| self.folder.join("socket"))
    }

    /// Where it listens, as seen from here.
    #[must_use]
    pub fn socket_from_outside(&self) -> PathBuf {
        let inside = || format!("/proc/{}/root/run/pcscd/pcscd.comm", self.daemon.pid()).into();
        self.socket().unwrap_or_else(inside)
    }

    /// A command for that program where this can be reached.
    #[must_use]
    pub fn enter(&self, program: &Path) -> Command {
        if self.kind != Kind::Pcscd {
            return Command::new(program);
        }
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.daemon.pid().to_string(), "-m", "-n", "--"]).arg(program);
        command
    }

    /// Puts a card into the first (0) or second (1) reader.
    ///
    /// # Panics
    /// If that fails.
    pub fn insert(&mut self, reader: usize) {
        if self.kind == Kind::Simulated {
            return self.simulate("insert", reader);
        }
        let port = match self.kind {
            Kind::Ports => port(&self.folder, reader),
            _ => format!("127.0.0.1:{}", FIRST_PORT + u16::try_from(reader).expect("one of two")),
        };
        let mut command = self.enter(&dist().join("bin/scard"));
        // It goes with its reader, even if this process is killed.
        command.args(["sim", "serve", "--once", "--vpcd", &port]);
        let card = Talker::start("a card", command.args(["--card", &self.card]));
        assert_eq!(card.hear(), format!("in the reader at {port}"));
        self.cards[reader] = Some(card);
    }

    /// Takes the card out of a reader.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove(&mut self, reader: usize) {
        match self.kind {
            Kind::Simulated => self.simulate("remove", reader),
            _ => self.cards[reader].take().expect("a card is in").kill(),
        }
    }

    /// Kills the daemon and starts another one at the same place, with empty readers.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        assert!(self.kind == Kind::Simulated, "pcscd's namespaces end with it");
        self.daemon.kill();
        self.daemon = start_ours(&self.folder, &two_empty(&self.card));
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
        match self.kind {
            Kind::Simulated | Kind::Ports => self.daemon.kill(),
            // Its shell kills pcscd when its input ends; killing the shell would not.
            Kind::Pcscd => self.daemon.stop(),
        }
        self.cards = [None, None];
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

fn two_ports(folder: &Path) -> Vec<String> {
    let order = |(at, name): (usize, &&str)| format!("vpcd:{},name=\"{name}\"", port(folder, at));
    READERS.iter().enumerate().map(order).collect()
}

/// Where our daemon waits for a card.
fn port(folder: &Path, reader: usize) -> String {
    format!("unix:{}", folder.join(format!("card-{reader}")).display())
}

fn start_ours(folder: &Path, readers: &[String]) -> Talker {
    let mut command = Command::new(dist().join("bin/scard-rm"));
    command.arg("--socket").arg(folder.join("socket"));
    for reader in readers {
        command.args(["--reader", reader]);
    }
    // It goes when its input ends, even if this process is killed.
    command.args(["--ready-fd", "1", "--exit-on-eof-of-fd", "0"]);
    command.stderr(log(folder)).env_remove("LD_LIBRARY_PATH");
    let daemon = Talker::start("scard-rm", &mut command);
    assert_eq!(daemon.hear(), "ready");
    daemon
}

/// pcscd listens at one place only, and vpcd at one port: each gets a mount and a network namespace.
fn start_pcscd(folder: &Path) -> Talker {
    let config = folder.join("reader.conf.d");
    fs::create_dir(&config).expect("a folder for pcscd");
    fs::write(config.join("vpcd"), READER_CONF).expect("a file for pcscd");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--propagation", "private", "sh", "-c", PCSCD]).arg(config);
    command.stderr(log(folder)).env_remove("LD_LIBRARY_PATH");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let daemon = Talker::start("pcscd", &mut command);
    while !daemon.hear().contains("daemon ready") {}
    daemon
}

fn log(folder: &Path) -> fs::File {
    fs::File::options().append(true).create(true).open(folder.join("log")).expect("a log")
}

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
