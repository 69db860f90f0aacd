//! Resource managers with virtual readers, ours and Debian's.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
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
    manner: Manner,
    /// The socket that is passed on to each daemon.
    held: Option<UnixListener>,
    daemon: Daemon,
    /// Whether cards are programs of their own; else they are simulated in ours.
    ports: bool,
    /// Those that are: with pcscd all.
    cards: [Option<Talker>; 2],
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
    Pcscd(Talker),
    /// Between two of ours.
    Nobody,
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
        Self::start_as(VPCD, manager, name, card, manner)
    }

    /// Starts one whose readers' names begin with `label`: some programs look for their maker's.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with_readers_called(label: &str, manager: Manager, name: &str, card: &str) -> Self {
        Self::start_as(label, manager, name, card, Manner::default())
    }

    fn start_as(label: &str, manager: Manager, name: &str, card: &str, manner: Manner) -> Self {
        let folder = own_folder(name);
        let hold = || UnixListener::bind(folder.join("socket")).expect("a socket of its own");
        let held = manner.held.then(hold);
        // pcscd calls them so by itself, and we because we can.
        let readers = [format!("{label} 00 00"), format!("{label} 00 01")];
        let daemon = match manager {
            Manager::Ours => start_ours(&folder, held.as_ref(), &empty(&readers, card)),
            Manager::DebianPcscd => start_pcscd(&folder, label),
        };
        let (card, ports) = (card.to_owned(), manager == Manager::DebianPcscd);
        Self { folder, readers, card, manner, held, daemon, ports, cards: [None, None] }
    }

    /// Starts one whose cards are programs of their own, ours too: the very same cards for both.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn with_ports(manager: Manager, name: &str, card: &str) -> Self {
        if manager == Manager::DebianPcscd {
            return Self::start(manager, name, card);
        }
        let folder = own_folder(name);
        let order = |at| format!("vpcd:{},name={VPCD} 00 0{at}", card_address(&folder, at));
        let orders = [order(0), order(1)];
        let mut service = Self::ours(folder, &orders);
        service.ports = true;
        card.clone_into(&mut service.card);
        service
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
        let port = format!("vpcd:unix:{},name={VPCD} 00 00", folder.join(PORT).display());
        Self::ours(folder, &[port])
    }

    /// Starts ours with as many readers as that, with cards in them.
    #[must_use]
    pub fn with_many_readers(name: &str, count: usize) -> Self {
        let folder = own_folder(name);
        Self::ours(folder, &[format!("sim:piv,count={count}")])
    }

    /// One of ours with these readers instead of the two that are usual.
    fn ours(folder: PathBuf, readers: &[String]) -> Self {
        let daemon = start_ours(&folder, None, readers);
        Self::around(folder, daemon)
    }

    fn around(folder: PathBuf, daemon: Daemon) -> Self {
        let readers = [format!("{VPCD} 00 00"), format!("{VPCD} 00 01")];
        let (manner, held, card) = (Manner::default(), None, "piv".into());
        Self { folder, readers, card, manner, held, daemon, ports: false, cards: [None, None] }
    }

    /// Starts ours with arguments of the caller's own choice.
    #[must_use]
    pub fn with_arguments(name: &str, arguments: &[&str]) -> Self {
        let folder = own_folder(name);
        let daemon = launch_ours(&folder, None, arguments);
        Self::around(folder, daemon)
    }

    /// The processes that serve: the daemon, or what has started it, and the programs that are its cards.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let daemon = match &self.daemon {
            Daemon::Ours(daemon) | Daemon::Pcscd(daemon) => Some(daemon),
            Daemon::Nobody => None,
        };
        daemon.into_iter().chain(self.cards.iter().flatten()).map(Talker::pid).collect()
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
            Daemon::Ours(_) | Daemon::Nobody => Some(self.folder.join("socket")),
            Daemon::Pcscd(_) => None,
        }
    }

    /// Where it listens, as seen from here.
    #[must_use]
    pub fn socket_from_outside(&self) -> PathBuf {
        match &self.daemon {
            Daemon::Ours(_) | Daemon::Nobody => self.folder.join("socket"),
            Daemon::Pcscd(daemon) => {
                format!("/proc/{}/root/run/pcscd/pcscd.comm", daemon.pid()).into()
            }
        }
    }

    /// A command for that program where this can be reached.
    #[must_use]
    pub fn enter(&self, program: &Path) -> Command {
        match &self.daemon {
            Daemon::Ours(_) | Daemon::Nobody => Command::new(program),
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
        if !self.ports {
            return self.simulate("insert", reader);
        }
        let port = match self.daemon {
            Daemon::Ours(_) | Daemon::Nobody => card_address(&self.folder, reader),
            Daemon::Pcscd(_) => {
                format!("127.0.0.1:{}", FIRST_PORT + u16::try_from(reader).expect("one of two"))
            }
        };
        let mut command = self.enter(&dist().join("bin/scard"));
        // It goes with its reader, even if this process is killed.
        command.args(["sim", "serve", "--once", "--vpcd", &port]);
        let card = Talker::start("a card", command.args(["--card", &self.card]));
        assert_eq!(card.hear(), format!("in the reader at {port}"));
        self.cards[reader] = Some(card);
    }

    /// Starts a program of Python that is the card in the first reader.
    ///
    /// # Panics
    /// If it does not start.
    pub fn connect(&mut self, program: &Path) {
        let port = match self.daemon {
            Daemon::Ours(_) | Daemon::Nobody => {
                format!("unix:{}", self.folder.join(PORT).display())
            }
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
        if self.ports {
            self.cards[reader].take().expect("a card is in").kill();
        } else {
            self.simulate("remove", reader);
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

    /// Ends the daemon.
    ///
    /// # Panics
    /// If it is pcscd, whose namespaces end with it.
    pub fn stop(&mut self) {
        match &mut self.daemon {
            Daemon::Ours(daemon) if self.manner.asked_to_stop => daemon.terminate(),
            Daemon::Ours(daemon) => daemon.kill(),
            Daemon::Nobody => {}
            Daemon::Pcscd(_) => panic!("pcscd's namespaces end with it"),
        }
        self.daemon = Daemon::Nobody;
    }

    /// Starts another daemon at the same place, with empty readers.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        let readers = empty(&self.readers, &self.card);
        self.daemon = start_ours(&self.folder, self.held.as_ref(), &readers);
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
            Daemon::Nobody => {}
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

/// Where one of ours waits for the card of a reader.
fn card_address(folder: &Path, reader: usize) -> String {
    format!("unix:{}", folder.join(format!("card-{reader}")).display())
}

fn empty(readers: &[String], card: &str) -> Vec<String> {
    readers.iter().map(|name| format!("sim:{card},name=\"{name}\",empty")).collect()
}

fn start_ours(folder: &Path, held: Option<&UnixListener>, readers: &[String]) -> Daemon {
    let arguments: Vec<&str> = readers.iter().flat_map(|reader| ["--reader", reader]).collect();
    launch_ours(folder, held, &arguments)
}

fn launch_ours(folder: &Path, held: Option<&UnixListener>, arguments: &[&str]) -> Daemon {
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
    command.args(arguments);
    // It goes when its input ends, even if this process is killed.
    command.args(["--ready-fd", "1", "--exit-on-eof-of-fd", "0"]);
    command.env_remove("LD_LIBRARY_PATH");
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

const VPCD_CONF: &str = "\
DEVICENAME /dev/null:0x8C7B
LIBPATH /usr/lib/pcsc/drivers/serial/libifdvpcd.so
CHANNELID 0x8C7B
";
