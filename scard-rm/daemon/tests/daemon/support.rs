//! A daemon of one's own, and clients made of bytes.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes a tenth of this; it turns a hang into a failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// The reader of most tests.
pub(crate) const READER: &str = "scard Virtual PIV Reader 00 00";
/// SELECT of the PIV application by the first bytes of its name.
pub(crate) const SELECT: &[u8] = &[0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08];

pub(crate) const SUCCESS: u32 = 0;
pub(crate) const CANCELLED: u32 = 0x8010_0002;
pub(crate) const INVALID_HANDLE: u32 = 0x8010_0003;
pub(crate) const SHARING_VIOLATION: u32 = 0x8010_000B;
pub(crate) const SERVICE_STOPPED: u32 = 0x8010_001E;
pub(crate) const RESET_CARD: u32 = 0x8010_0068;
pub(crate) const SECURITY_VIOLATION: u32 = 0x8010_006A;

/// A directory that goes with the test.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("scard-rm-{}-{number}", std::process::id()));
        fs::create_dir(&path).expect("a temporary directory can be made");
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A daemon with a socket of its own. It goes with the test: its standard input is its lifeline.
pub(crate) struct Daemon {
    pub(crate) directory: Directory,
    child: Child,
    lifeline: Option<ChildStdin>,
}

impl Daemon {
    /// A daemon with one virtual reader and a card in it, ready to serve.
    pub(crate) fn start() -> Self {
        Self::with(&["--reader", "sim:piv"], "")
    }

    /// A daemon with these options and this configuration, ready to serve.
    pub(crate) fn with(options: &[&str], config: &str) -> Self {
        Self::within(Directory::new(), options, config)
    }

    /// The same in a directory where something is already.
    pub(crate) fn within(directory: Directory, options: &[&str], config: &str) -> Self {
        let config = format!("log = \"debug\"\n{config}");
        fs::write(directory.join("config"), config).expect("the configuration can be written");
        let mut command = Self::command(&directory);
        command.arg("--config").arg(directory.join("config"));
        command.args(options);
        Self::ready(command, directory)
    }

    /// The same with a system bus at this address.
    pub(crate) fn on_bus(
        address: &str,
        directory: Directory,
        options: &[&str],
        config: &str,
    ) -> Self {
        fs::write(directory.join("config"), config).expect("the configuration can be written");
        let mut command = Self::command(&directory);
        command.env("DBUS_SYSTEM_BUS_ADDRESS", address);
        command.arg("--config").arg(directory.join("config"));
        command.args(options);
        Self::ready(command, directory)
    }

    /// A daemon with one reader, started behind some words of shell.
    pub(crate) fn under(shell: &str) -> Self {
        let directory = Directory::new();
        let mut command = Self::command_under(shell, &directory);
        command.args(["--reader", "sim:piv"]);
        Self::ready(command, directory)
    }

    fn ready(mut command: Command, directory: Directory) -> Self {
        let mut child = command.spawn().expect("the daemon starts");
        let ready = first_line(&mut child);
        assert_eq!(ready, "ready\n", "log:\n{}", log(&directory));
        let lifeline = child.stdin.take();
        Self { directory, child, lifeline }
    }

    /// The command that starts a daemon on the socket of that directory, with a log there.
    pub(crate) fn command(directory: &Directory) -> Command {
        Self::command_under("", directory)
    }

    /// The same behind some words of shell.
    fn command_under(shell: &str, directory: &Directory) -> Command {
        let log = fs::File::create(directory.join("log")).expect("a log can be made");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell} exec \"$0\" \"$@\"")]);
        command.arg(env!("CARGO_BIN_EXE_scard-rm"));
        command.arg("--socket").arg(directory.join("socket"));
        command.args(["--ready-fd", "1", "--exit-on-eof-of-fd", "0"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        command
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        log(&self.directory)
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process number is no larger");
        let pid = rustix::process::Pid::from_raw(pid).expect("it is not zero");
        rustix::process::kill_process(pid, signal).expect("the daemon is there");
    }

    /// Lets go of the lifeline.
    pub(crate) fn let_go(&mut self) {
        drop(self.lifeline.take());
    }

    /// Waits for the end of the process.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        // The ready descriptor is closed by then; the process number is what is left to wait for.
        self.child.wait().expect("the daemon is our child")
    }

    /// What it has computed so far, in hundredths of a second: `utime` and `stime` of `/proc/PID/stat`.
    pub(crate) fn processor_ticks(&self) -> u64 {
        let path = format!("/proc/{}/stat", self.pid());
        let stat = fs::read_to_string(path).expect("the daemon is there");
        let (_, behind_the_name) = stat.rsplit_once(')').expect("a name in parentheses");
        let fields = behind_the_name.split_whitespace().skip(11).take(2);
        fields.map(|field| field.parse::<u64>().expect("a number")).sum()
    }

    /// A field of `/proc/PID/status`, its number.
    pub(crate) fn status(&self, field: &str) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let status = fs::read_to_string(path).expect("the daemon is there");
        number_of(&status, field).expect("there is such a number")
    }

    /// How many descriptors it has open; none where we may not look.
    pub(crate) fn descriptors(&self) -> Option<usize> {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).ok().map(Iterator::count)
    }
}

/// The number behind a word at the beginning of a line, as in the files of `/proc`.
pub(crate) fn number_of(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Looks again and again, for what nobody tells, until it is so.
pub(crate) fn within(limit: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < end, "it never comes to this: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.let_go();
        if thread::panicking() {
            let log = self.log();
            let last: Vec<_> = log.lines().rev().take(12).collect();
            eprintln!("log of the daemon, last line first:\n{}", last.join("\n"));
        }
        let _ = self.child.wait();
    }
}

fn log(directory: &Directory) -> String {
    fs::read_to_string(directory.join("log")).unwrap_or_default()
}

/// What the daemon says on its standard output, at most [`DEADLINE`] from now.
pub(crate) fn first_line(child: &mut Child) -> String {
    let out = child.stdout.take().expect("standard output is a pipe");
    let (said, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(out).read_line(&mut line);
        let _ = said.send(line);
    });
    heard.recv_timeout(DEADLINE).expect("the daemon says something in time")
}

/// A connection.
pub(crate) struct Raw(UnixStream);

impl Raw {
    pub(crate) fn connect(socket: &Path) -> Self {
        Self::over(UnixStream::connect(socket).expect("the daemon listens"))
    }

    pub(crate) fn over(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).expect("a time limit can be set");
        Self(stream)
    }

    pub(crate) fn stream(&self) -> &UnixStream {
        &self.0
    }

    /// Sends; the daemon may have closed already.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        match self.0.write_all(bytes) {
            Err(error)
                if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
            sent => sent.expect("the socket takes it"),
        }
    }

    /// Reads exactly so many bytes.
    pub(crate) fn read(&mut self, bytes: usize) -> Vec<u8> {
        let mut read = vec![0; bytes];
        self.0.read_exact(&mut read).expect("the daemon answers");
        read
    }

    /// Asks for the version: the major one, unless the daemon closes.
    pub(crate) fn major_version(&mut self) -> Option<u8> {
        self.send(&words(&[12, 0x11, 4, 4, 0]));
        self.first_byte()
    }

    /// Reads one byte, unless the daemon closes.
    fn first_byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        match self.0.read(&mut byte) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
            read => (read.expect("the daemon answers or closes") == 1).then_some(byte[0]),
        }
    }

    /// Waits until the daemon closes, and gives back what it said before.
    pub(crate) fn until_closed(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        match self.0.read_to_end(&mut said) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            read => drop(read.expect("the daemon closes in time")),
        }
        said
    }
}

/// Words in the machine's byte order, as on pcsc-lite's wire.
pub(crate) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

/// The words of a message.
pub(crate) fn as_words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .map(|word| u32::from_ne_bytes(word.try_into().expect("four bytes")))
        .collect()
}

/// Size of a reader's entry in the table.
pub(crate) const ENTRY: usize = 184;

/// A client of pcsc-lite's wire.
pub(crate) struct Stock {
    pub(crate) raw: Raw,
    minor: u32,
}

/// Share modes.
pub(crate) const EXCLUSIVE: u32 = 1;
pub(crate) const SHARED: u32 = 2;

impl Stock {
    /// Connected, nothing said.
    pub(crate) fn silent(daemon: &Daemon) -> Self {
        Self { raw: Raw::connect(&daemon.socket()), minor: 6 }
    }

    /// Connected, with a version.
    pub(crate) fn new(daemon: &Daemon, minor: u32) -> Self {
        let mut client = Self { minor, ..Self::silent(daemon) };
        assert_eq!(client.call(0x11, &[4, minor, 0]), [4, minor, SUCCESS]);
        client
    }

    /// Connected, with a version, a context and a handle of the first reader.
    pub(crate) fn with_card(daemon: &Daemon) -> (Self, u32) {
        let mut client = Self::new(daemon, 4);
        let context = client.establish();
        let (card, code) = client.connect(context, READER, SHARED);
        assert_eq!(code, SUCCESS);
        (client, card)
    }

    pub(crate) fn send(&mut self, command: u32, body: &[u8]) {
        let size = u32::try_from(body.len()).expect("bodies are short");
        self.raw.send(&[words(&[size, command]), body.to_vec()].concat());
    }

    pub(crate) fn read_words(&mut self, count: usize) -> Vec<u32> {
        as_words(&self.raw.read(4 * count))
    }

    /// A request of words whose reply has as many.
    pub(crate) fn call(&mut self, command: u32, body: &[u32]) -> Vec<u32> {
        self.send(command, &words(body));
        self.read_words(body.len())
    }

    /// The code in the reply to such a request.
    pub(crate) fn code(&mut self, command: u32, body: &[u32]) -> u32 {
        *self.call(command, body).last().expect("a reply has a code")
    }

    pub(crate) fn establish(&mut self) -> u32 {
        let reply = self.call(0x01, &[2, 0, 0]);
        assert_eq!(reply[2], SUCCESS);
        reply[1]
    }

    pub(crate) fn connect_request(context: u32, reader: &str, share: u32) -> Vec<u8> {
        let mut name = reader.as_bytes().to_vec();
        name.resize(128, 0);
        [words(&[context]), name, words(&[share, 3, 0, 0, 0])].concat()
    }

    /// The handle and the code.
    pub(crate) fn connect(&mut self, context: u32, reader: &str, share: u32) -> (u32, u32) {
        self.send(0x04, &Self::connect_request(context, reader, share));
        let reply = as_words(&self.raw.read(152));
        (reply[35], reply[37])
    }

    pub(crate) fn disconnect(&mut self, card: u32) -> u32 {
        self.code(0x06, &[card, 0, 0])
    }

    pub(crate) fn begin(&mut self, card: u32) -> u32 {
        self.code(0x07, &[card, 0])
    }

    pub(crate) fn end(&mut self, card: u32) -> u32 {
        self.code(0x08, &[card, 0, 0])
    }

    pub(crate) fn transmit_request(card: u32, command: &[u8]) -> Vec<u8> {
        let length = u32::try_from(command.len()).expect("commands are short");
        [words(&[32, 0x09, card, 2, 16, length, 3, 16, 65_548, 0]), command.to_vec()].concat()
    }

    /// The response, or the code.
    pub(crate) fn transmit(&mut self, card: u32, command: &[u8]) -> Result<Vec<u8>, u32> {
        self.begin_transmit(card, command);
        self.transmitted()
    }

    pub(crate) fn begin_transmit(&mut self, card: u32, command: &[u8]) {
        self.raw.send(&Self::transmit_request(card, command));
    }

    pub(crate) fn transmitted(&mut self) -> Result<Vec<u8>, u32> {
        let reply = self.read_words(8);
        match reply[7] {
            SUCCESS => Ok(self.raw.read(usize::try_from(reply[6]).expect("a length"))),
            code => Err(code),
        }
    }

    /// Registers for a change and reads the table, as the clients of each version do.
    pub(crate) fn watch(&mut self) -> Vec<u8> {
        self.send(0x13, if self.minor < 4 { &[0; 8] } else { &[] });
        match self.minor {
            3 => self.send(0x12, &[]),
            4 | 5 => {}
            _ => {
                self.send(0x16, &[]);
                assert_eq!(self.read_words(1), [16]);
                self.send(0x17, &[]);
            }
        }
        self.raw.read(16 * ENTRY)
    }

    /// Ends a registration. While it stands this is answered.
    pub(crate) fn stop_watching(&mut self) {
        self.send(0x14, if self.minor < 4 { &[0; 8] } else { &[] });
    }
}
