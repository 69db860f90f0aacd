//! Debian's pcscd with the vpcd reader, in a mount and network namespace of its own, and a card for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use scard_client::{Endpoint, Session};

/// The ATR of [`act_as_card`].
pub(crate) const ATR: [u8; 5] = [0x3B, 0x80, 0x80, 0x01, 0x01];
/// vpcd's first port; its frames are a big-endian length and data, one byte of data is a control.
const PORT: u16 = 35_963;
/// Set in the process that plays the card.
const CARD_VARIABLE: &str = "SCARD_TEST_ACT_AS_CARD";

/// A running pcscd, ended with this.
pub(crate) struct Pcscd {
    child: Child,
    folder: PathBuf,
}

impl Pcscd {
    /// `None`, with a line that says why, unless `SCARD_TEST_PCSCD` is set.
    pub(crate) fn start() -> Option<Self> {
        if std::env::var_os("SCARD_TEST_PCSCD").is_none() {
            println!("not run: needs pcscd, vsmartcard-vpcd and root; set SCARD_TEST_PCSCD=1");
            return None;
        }
        let folder = std::env::temp_dir().join(format!("scard-pcscd-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
        let configuration = format!(
            "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:{PORT:#06X}\nLIBPATH {driver}\nCHANNELID {PORT:#06X}\n"
        );
        std::fs::write(folder.join("vpcd"), configuration).unwrap();
        let script = "mkdir -p /run/pcscd && mount -t tmpfs none /run/pcscd && ip link set lo up \
                      && exec pcscd -f -i -c \"$0\"";
        let mut child = Command::new("unshare")
            .args(["-m", "-n", "--propagation", "private", "sh", "-c", script])
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = log.find(|line| line.as_ref().is_ok_and(|line| line.contains("daemon ready")));
        assert!(ready.is_some(), "pcscd did not start");
        // Somebody has to read on, or pcscd stops at a full pipe.
        std::thread::spawn(move || log.for_each(drop));
        let pcscd = Self { child, folder };
        // It says so a moment before it listens.
        let latest = Instant::now() + Duration::from_secs(10);
        while Session::open(&pcscd.endpoint()).is_err() {
            assert!(Instant::now() < latest, "pcscd does not listen");
            std::thread::yield_now();
        }
        Some(pcscd)
    }

    /// The socket, seen through the namespace that only pcscd is in.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let root = Path::new("/proc").join(self.child.id().to_string()).join("root");
        Endpoint::at(root.join("run/pcscd/pcscd.comm"))
    }

    /// Starts a process that plays a card; it is removed when that is dropped.
    pub(crate) fn insert_card(&self) -> Card {
        let this_test = std::env::current_exe().unwrap();
        let child = Command::new("nsenter")
            .args(["-t", &self.child.id().to_string(), "-n", "--"])
            .arg(this_test)
            .args(["--exact", "act_as_card"])
            .env(CARD_VARIABLE, "1")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Card(child)
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Pcscd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) struct Card(Child);

impl Drop for Card {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the card's process does: answers GET CHALLENGE with 8 bytes, a command with extended Le with that many, all else with 9000.
pub(crate) fn act_as_card() {
    if std::env::var_os(CARD_VARIABLE).is_none() {
        return;
    }
    let mut reader = TcpStream::connect(("127.0.0.1", PORT)).unwrap();
    loop {
        let mut length = [0; 2];
        if reader.read_exact(&mut length).is_err() {
            return;
        }
        let mut command = vec![0; usize::from(u16::from_be_bytes(length))];
        reader.read_exact(&mut command).unwrap();
        let answer = match command.as_slice() {
            [0..=2] => continue,
            [4] => ATR.to_vec(),
            [_, 0x84, ..] => vec![1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0],
            [_, 0xCB, _, _, 0, high, low] => {
                let mut answer = vec![0x5A; usize::from(u16::from_be_bytes([*high, *low]))];
                answer.extend([0x90, 0]);
                answer
            }
            _ => vec![0x90, 0],
        };
        let mut frame = u16::try_from(answer.len()).unwrap().to_be_bytes().to_vec();
        frame.extend(answer);
        reader.write_all(&frame).unwrap();
    }
}
