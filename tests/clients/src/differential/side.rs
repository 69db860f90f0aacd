//! One side of the comparison: a library on a daemon with two readers, and the programs of a history.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use super::history::program_of;
use super::table::{Entry, Table};
use crate::actor::Actor;
use crate::child::HANGS;
use crate::daemon::Service;
use crate::stage::{Library, Manager, Stage, dist};

/// What comes by itself comes within this time: pcscd looks at its readers every 400 ms.
const COMES: Duration = Duration::from_secs(5);

/// How often it is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Puts cards into readers and out of them, and lets unused ones rest.
const USHER: &str = "usher/0";

/// A stage with what plays on it.
pub(crate) struct Side {
    pub(crate) stage: Stage,
    // Before the service: programs go first.
    programs: BTreeMap<String, Actor>,
    usher: Actor,
    table: Table,
    service: Service,
    bases: [u32; 2],
}

impl Side {
    /// Starts the daemon, with a card in its first reader.
    pub(crate) fn start(stage: Stage, name: &str) -> Self {
        let name = format!("{name}-{:?}-{:?}", stage.library, stage.manager);
        let service = Service::with_ports(stage.manager, &name, "piv");
        let table = listening(&service);
        let mut usher = Actor::play_by(&caller(), "usher", stage, &service);
        usher.ask(USHER, "establish c0 0");
        assert_eq!(named(&usher.answer(USHER)), "Success", "the usher on {stage:?}");
        let programs = BTreeMap::new();
        let mut side = Self { stage, programs, usher, table, service, bases: [0; 2] };
        side.until("two empty readers", |readers| {
            readers.iter().all(|reader| reader.state == ABSENT)
        });
        side.insert(0);
        side
    }

    pub(crate) fn words(&self) -> &'static str {
        words(self.stage)
    }

    /// A history begins: no program runs, one card is in the first reader and has no power.
    ///
    /// # Errors
    /// If handles of the last history stay open in pcscd.
    ///
    /// # Panics
    /// If they do in ours.
    pub(crate) fn begin(&mut self) -> Result<(), String> {
        self.end_programs();
        if !self.comes(|readers| readers.iter().all(|reader| reader.sharing == 0)) {
            let trouble = format!("handles stay open on {}: {:?}", self.words(), self.look());
            assert!(self.stage.manager == Manager::DebianPcscd, "{trouble}");
            return Err(trouble);
        }
        let readers = self.look();
        if !readers[0].has_card() {
            self.insert(0);
        }
        if readers[1].has_card() {
            self.remove(1);
        }
        self.rest(0)?;
        self.bases = self.look().map(|reader| reader.events);
        Ok(())
    }

    pub(crate) fn end_programs(&mut self) {
        for program in self.programs.values_mut() {
            program.kill();
        }
        self.programs.clear();
    }

    /// Asks a thread.
    pub(crate) fn ask(&mut self, who: &str, what: &str) {
        let mut call = what.to_owned();
        // A number of another program.
        if let Some((before, after)) = what.split_once(':') {
            let (before, owner) = before.rsplit_once(' ').unwrap_or(("", before));
            let (place, after) = after.split_once(' ').unwrap_or((after, ""));
            let number = self.number(owner, place);
            call = format!("{before} #{number} {after}");
        }
        self.program(program_of(who)).ask(who, &call);
    }

    fn number(&mut self, owner: &str, place: &str) -> String {
        let owner = self.program(owner);
        owner.ask("=", place);
        owner.answer("=")
    }

    fn program(&mut self, name: &str) -> &mut Actor {
        self.programs.entry(name.to_owned()).or_insert_with(|| {
            let mut program = Actor::play_by(&caller(), name, self.stage, &self.service);
            for (reader, base) in ["first", "second"].iter().zip(self.bases) {
                program.ask("base", &format!("{reader} {base}"));
            }
            program
        })
    }

    /// What a thread is told, if it is told within that time.
    pub(crate) fn answer(&self, who: &str, within: Duration) -> Option<String> {
        let answer = self.programs.get(program_of(who))?.answer_within(who, within)?;
        Some(named(&answer))
    }

    pub(crate) fn insert(&mut self, reader: usize) {
        let before = self.look()[reader].events;
        self.service.insert(reader);
        self.until("the card", |readers| {
            readers[reader].events != before && !readers[reader].atr.is_empty()
        });
    }

    pub(crate) fn remove(&mut self, reader: usize) {
        let before = self.look()[reader].events;
        self.service.remove(reader);
        self.until("the removal", |readers| {
            readers[reader].events != before && !readers[reader].has_card()
        });
    }

    /// Kills a program and waits until its handles are closed.
    ///
    /// # Errors
    /// If they stay open, and how many do.
    pub(crate) fn kill(&mut self, name: &str, handles: [i32; 2]) -> Result<(), String> {
        let before = self.look();
        let Some(mut program) = self.programs.remove(name) else { return Ok(()) };
        program.kill();
        let left = |entry: &Entry, own: i32| match (entry.sharing, own) {
            (sharing, 0) => sharing,
            (-1, _) => 0,
            (sharing, own) => sharing - own,
        };
        let wanted = [left(&before[0], handles[0]), left(&before[1], handles[1])];
        if self.comes(|readers| [readers[0].sharing, readers[1].sharing] == wanted) {
            return Ok(());
        }
        Err(format!("handles stay open: {:?}", self.look().map(|reader| reader.sharing)))
    }

    /// An unused card loses its power, and what was negotiated with it.
    ///
    /// # Errors
    /// If somebody has it after all, and what the usher is told.
    pub(crate) fn rest(&mut self, reader: usize) -> Result<(), String> {
        let word = ["first", "second"][reader];
        for call in [format!("connect c0 h0 {word} direct none"), "disconnect h0 unpower".into()] {
            self.usher.ask(USHER, &call);
            let told = named(&self.usher.answer(USHER));
            if !told.starts_with("Success") {
                return Err(format!("{call} of the usher on {}: {told}", self.words()));
            }
        }
        Ok(())
    }

    pub(crate) fn look(&mut self) -> [Entry; 2] {
        self.table.read(self.service.readers()).expect("the daemon answers")
    }

    /// As [`Self::look`], with the events since the history began.
    pub(crate) fn look_since(&mut self) -> [Entry; 2] {
        let mut readers = self.look();
        for (reader, base) in readers.iter_mut().zip(self.bases) {
            reader.events = reader.events.wrapping_sub(base);
        }
        readers
    }

    fn until(&mut self, what: &str, seen: impl Fn(&[Entry; 2]) -> bool) {
        assert!(self.comes(seen), "{what} on {}: {:?}", self.words(), self.look());
    }

    pub(crate) fn comes(&mut self, seen: impl Fn(&[Entry; 2]) -> bool) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < COMES {
            if seen(&self.look()) {
                return true;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        false
    }
}

/// `SCARD_ABSENT`.
const ABSENT: u32 = 2;

/// A stage in words.
pub(crate) fn words(stage: Stage) -> &'static str {
    match (stage.library, stage.manager) {
        (Library::Stock, Manager::DebianPcscd) => "stock library on pcscd",
        (Library::Ours, Manager::DebianPcscd) => "our library on pcscd",
        (Library::Stock, Manager::Ours) => "stock library on scard",
        (Library::Ours, Manager::Ours) => "our library on scard",
    }
}

/// pcscd says that it is ready before it listens.
fn listening(service: &Service) -> Table {
    let begin = Instant::now();
    loop {
        match Table::open(&service.socket_from_outside()) {
            Ok(table) => return table,
            Err(error) => assert!(begin.elapsed() < HANGS, "the daemon does not listen: {error}"),
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// `differential/caller.c`, compiled once for each run.
fn caller() -> PathBuf {
    static CALLER: LazyLock<PathBuf> = LazyLock::new(compile);
    CALLER.clone()
}

fn compile() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/caller.c");
    let program = dist().with_file_name("caller");
    // Another run may have its own open.
    let fresh = program.with_extension(std::process::id().to_string());
    let status = Command::new("cc")
        .args(["-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-I"])
        .arg(dist().join("include/PCSC"))
        .arg(source)
        .arg("-o")
        .arg(&fresh)
        .arg(format!("-L{}", dist().join("lib").display()))
        .arg("-lpcsclite")
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the caller compiles");
    fs::rename(&fresh, &program).expect("it is there");
    program
}

/// The answer with the name of its code in front.
fn named(answer: &str) -> String {
    let (code, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    let name = match code {
        "00000000" => "Success",
        "80100001" => "InternalError",
        "80100002" => "Cancelled",
        "80100003" => "InvalidHandle",
        "80100004" => "InvalidParameter",
        "80100006" => "NoMemory",
        "80100008" => "InsufficientBuffer",
        "80100009" => "UnknownReader",
        "8010000A" => "Timeout",
        "8010000B" => "SharingViolation",
        "8010000C" => "NoSmartcard",
        "8010000F" => "ProtoMismatch",
        "80100011" => "InvalidValue",
        "80100013" => "CommError",
        "80100016" => "NotTransacted",
        "80100017" => "ReaderUnavailable",
        "8010001D" => "NoService",
        "8010001E" => "ServiceStopped",
        "8010001F" => "UnsupportedFeature",
        "8010002E" => "NoReadersAvailable",
        "80100066" => "UnresponsiveCard",
        "80100067" => "UnpoweredCard",
        "80100068" => "ResetCard",
        "80100069" => "RemovedCard",
        "8010006A" => "SecurityViolation",
        other => other,
    };
    format!("{name} {}", rest.trim()).trim_end().to_owned()
}
