//! Resource managers with virtual readers, ours and Debian's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::child::{HANGS, Talker};
use crate::stage::{Manager, dist};

/// How the names of vpcd's readers begin, unless a program wants to see others.
const VPCD: &str = "Virtual PCD";

/// vpcd listens there for its first card, and one above for its second.
const FIRST_PORT: u16 = 0x8C7B;

/// Where ours listens for a card that is a program.
const PORT: &str = "port";

/// A running resource manager with two empty readers.
pub struct Service {
    folder: PathBuf,
    readers: [String; 2],
    card: String,
    daemon: Daemon,
    /// Those that are programs of their own: with pcscd all.
    cards: [Option<Talker>; 2],
}

enum Daemon {
    Ours(Talker),
    Pcscd(Talker),
}

impl Service {
    /// Starts one. `name` is that of the test; `card` describes the cards that will be inserted, as after `sim:`.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(manager: Manager, name: &str, card: &str) -> Self {
        Self::with_readers_called(VPCD, manager, name, card)
    }

    /// Starts one whose readers' names begin with `label`: some programs look for their maker's.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with_readers_called(label: &str, manager: Manager, name: &str, card: &str) -> Self {
        let folder = own_folder(name);
        // pcscd calls them so by itself, and we because we can.
        let readers = [format!("{label} 00 00"), format!("{label} 00 01")];
        let daemon = match manager {
            Manager::Ours => start_ours(&folder, &empty(&readers, card)),
            Manager::DebianPcscd => start_pcscd(&folder, label),
        };
        Self { folder, readers, card: card.to_owned(), daemon, cards: [None, None] }
    }

    /// Starts one with a reader for a card that is a program of its own, see [`Service::connect`].
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with_port(manager: Manager, name: &str) -> Self {
        if manager == Manager::DebianPcscd {
            return Self::start(manager, name, "piv");
        }
        let folder = own_folder(name);
        let readers = [format!("{VPCD} 00 00"), format!("{VPCD} 00 01")];
        let port = format!("vpcd:unix:{},name={}", folder.join(PORT).display(), readers[0]);
        let daemon = start_ours(&folder, &[port]);
        Self { folder, readers, card: "piv".into(), daemon, cards: [None, None] }
    }

    /// Starts ours with as many readers as that, with cards in them.
    #[must_use]
    pub fn with_many_readers(name: &str, count: usize) -> Self {
        let folder = own_folder(name);
        let daemon = start_ours(&folder, &[format!("sim:piv,count={count}")]);
        let readers = [format!("{VPCD} 00 00"), format!("{VPCD} 00 01")];
        Self { folder, readers, card: "piv".into(), daemon, cards: [None, None] }
    }

    /// A folder that lives as long as this.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The names of its two readers.
    #[must_use]
    pub fn readers(&self) -> &[String; 2] {
        &self.readers
    }

    /// Where it listens; `None` is the default path in namespaces of its own.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        match self.daemon {
            Daemon::Ours(_) => Some(self.folder.join("socket")),
            Daemon::Pcscd(_) => None,
        }
    }

    /// A command for that program where this can be reached.
    #[must_use]
    pub fn enter(&self, program: &Path) -> Command {
        match &self.daemon {
            Daemon::Ours(_) => Command::new(program),
            Daemon::Pcscd(daemon) => {
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
        self.cards[reader] = Some(card);
    }

    /// Starts a program of Python that is the card in the first reader.
    ///
    /// # Panics
    /// If it does not start.
    pub fn connect(&mut self, program: &Path) {
        let port = match self.daemon {
            Daemon::Ours(_) => format!("unix:{}", self.folder.join(PORT).display()),
            Daemon::Pcscd(_) => format!("127.0.0.1:{FIRST_PORT}"),
        };
        let mut command = self.enter(Path::new("/usr/bin/python3"));
        self.cards[0] = Some(Talker::start("a card", command.arg(program).arg(port)));
    }

    /// Takes the card out of a reader.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove(&mut self, reader: usize) {
        match &mut self.daemon {
            Daemon::Ours(_) => self.simulate("remove", reader),
            Daemon::Pcscd(_) => self.cards[reader].take().expect("a card is in").kill(),
        }
    }

    /// Waits until its log says that: nothing but the file tells when a line is written.
    ///
    /// # Panics
    /// If it never does.
    pub fn logs(&self, piece: &str) {
        let end = Instant::now() + HANGS;
        loop {
            let log = fs::read_to_string(self.folder.join("log")).expect("its log");
            if log.contains(piece) {
                return;
            }
            assert!(Instant::now() < end, "the log does not say `{piece}`:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the daemon and starts another one at the same place, with empty readers.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&mut self) {
        match &mut self.daemon {
            Daemon::Ours(daemon) => daemon.kill(),
            Daemon::Pcscd(_) => panic!("pcscd's namespaces end with it"),
        }
        self.daemon = start_ours(&self.folder, &empty(&self.readers, &self.card));
    }

    /// `scard sim insert|remove READER`.
    fn simulate(&self, what: &str, reader: usize) {
        let status = Command::new(dist().join("bin/scard"))
            .args(["sim", what, &self.readers[reader]])
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
            // Its shell kills pcscd when its input ends; killing the shell would not.
            Daemon::Pcscd(daemon) => daemon.stop(),
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

fn empty(readers: &[String], card: &str) -> Vec<String> {
    readers.iter().map(|name| format!("sim:{card},name=\"{name}\",empty")).collect()
}

fn start_ours(folder: &Path, readers: &[String]) -> Daemon {
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
    Daemon::Ours(daemon)
}

/// pcscd listens at one place only, and vpcd at one port: each gets a mount and a network namespace.
fn start_pcscd(folder: &Path, label: &str) -> Daemon {
    let config = folder.join("reader.conf.d");
    fs::create_dir(&config).expect("a folder for pcscd");
    let reader = format!("FRIENDLYNAME \"{label}\"\n{VPCD_CONF}");
    fs::write(config.join("vpcd"), reader).expect("a file for pcscd");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--propagation", "private", "sh", "-c", PCSCD]).arg(config);
    command.stderr(log(folder)).env_remove("LD_LIBRARY_PATH");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let daemon = Talker::start("pcscd", &mut command);
    while !daemon.hear().contains("daemon ready") {}
    Daemon::Pcscd(daemon)
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

const VPCD_CONF: &str = "\
DEVICENAME /dev/null:0x8C7B
LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so
CHANNELID 0x8C7B
";
