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
    daemon: Daemon,
}

enum Daemon {
    Ours(Talker),
    Pcscd { daemon: Talker, cards: [Option<Talker>; 2] },
}

impl Service {
    /// Starts one. `name` is that of the test; `card` describes the cards that will be inserted, as after `sim:`.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(manager: Manager, name: &str, card: &str) -> Self {
        let folder = own_folder(name);
        let daemon = match manager {
            Manager::Ours => start_ours(&folder, &two_empty(card)),
            Manager::DebianPcscd => start_pcscd(&folder),
        };
        Self { folder, card: card.to_owned(), daemon }
    }

    /// Starts ours with as many readers as that, with cards in them.
    #[must_use]
    pub fn with_many_readers(name: &str, count: usize) -> Self {
        let folder = own_folder(name);
        let daemon = start_ours(&folder, &[format!("sim:piv,count={count}")]);
        Self { folder, card: "piv".into(), daemon }
    }

    /// Starts ours with arguments of the caller's own choice.
    #[must_use]
    pub fn with_arguments(name: &str, arguments: &[&str]) -> Self {
        let folder = own_folder(name);
        let daemon = launch_ours(&folder, arguments);
        Self { folder, card: "piv".into(), daemon }
    }

    /// The processes that serve: the daemon, or what has started it, and the programs that are its cards.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        match &self.daemon {
            Daemon::Ours(daemon) => vec![daemon.pid()],
            Daemon::Pcscd { daemon, cards } => {
                let cards = cards.iter().flatten().map(Talker::pid);
                std::iter::once(daemon.pid()).chain(cards).collect()
            }
        }
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
            Daemon::Ours(_) => Some(self.folder.join("socket")),
            Daemon::Pcscd { .. } => None,
        }
    }

    /// A command for that program where this can be reached.
    #[must_use]
    pub fn enter(&self, program: &Path) -> Command {
        match &self.daemon {
            Daemon::Ours(_) => Command::new(program),
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
            Daemon::Ours(_) => self.simulate("remove", reader),
            Daemon::Pcscd { cards, .. } => cards[reader].take().expect("a card is in").kill(),
        }
    }

    /// Kills the daemon and starts another one at the same place, with empty readers.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        match &mut self.daemon {
            Daemon::Ours(daemon) => daemon.kill(),
            Daemon::Pcscd { .. } => panic!("pcscd's namespaces end with it"),
        }
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
        match &mut self.daemon {
            Daemon::Ours(daemon) => daemon.kill(),
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

fn start_ours(folder: &Path, readers: &[String]) -> Daemon {
    let arguments: Vec<&str> = readers.iter().flat_map(|reader| ["--reader", reader]).collect();
    launch_ours(folder, &arguments)
}

fn launch_ours(folder: &Path, arguments: &[&str]) -> Daemon {
    let mut command = Command::new(dist().join("bin/scard-rm"));
    command.arg("--socket").arg(folder.join("socket")).args(arguments);
    // It goes when its input ends, even if this process is killed.
    command.args(["--ready-fd", "1", "--exit-on-eof-of-fd", "0"]);
    command.stderr(log(folder)).env_remove("LD_LIBRARY_PATH");
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
