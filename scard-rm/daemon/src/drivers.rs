//! Drivers: which there are, and those that run. Adding one is a line in `KINDS`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reader_api::{Announcement, DriverCommand, DriverFuture, ReaderDriver};
use reader_vpcd::{PortSpec, VpcdDriver};
use scard_core::ClientId;
use scard_types::call::{Answer, Peer, Reply};
use scard_types::{ScardCode, SecretBytes};
use sim_reader::{SimDriver, SimSpec};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tracing::{Instrument, info, info_span, warn};

use crate::conversation::DriverRequest;
use crate::engine::Engine;
use crate::process::is_administrator;
use crate::slots;

/// A kind of driver whose readers are named one by one.
struct Kind {
    /// What stands before the colon of a SPEC.
    name: &'static str,
    /// Whether the rest of a SPEC makes sense.
    check: fn(&str) -> Result<(), String>,
    /// A driver with these readers.
    open: fn(&[String]) -> Opened,
    /// The command that tells a running driver to have these readers from now on.
    reorder: fn(&[String]) -> Vec<u8>,
}

/// A driver, or in its words why there is none.
type Opened = Result<Box<dyn ReaderDriver>, String>;

/// Every kind there is.
const KINDS: &[Kind] = &[
    Kind { name: "sim", check: sim_check, open: sim, reorder },
    Kind { name: "vpcd", check: vpcd_check, open: vpcd, reorder },
];

/// How many announcements and commands may lie between a driver and us.
const QUEUE: usize = 16;

/// `DRIVER:REST`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReaderSpec {
    driver: &'static str,
    rest: String,
}

impl FromStr for ReaderSpec {
    type Err = SpecError;

    fn from_str(spec: &str) -> Result<Self, SpecError> {
        // A PIN may stand behind it.
        let begin = |text: &str| text.split(',').next().unwrap_or_default().to_owned();
        let (driver, rest) =
            spec.split_once(':').ok_or_else(|| SpecError::NoColon { begin: begin(spec) })?;
        let kind = KINDS
            .iter()
            .find(|kind| kind.name == driver)
            .ok_or_else(|| SpecError::UnknownDriver { driver: begin(driver) })?;
        match (kind.check)(rest) {
            Ok(()) => Ok(Self { driver: kind.name, rest: rest.to_owned() }),
            Err(why) => Err(SpecError::Driver { driver: kind.name, why }),
        }
    }
}

/// Why text is no SPEC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// No colon behind the driver's name.
    NoColon {
        /// The text, as far as its first comma.
        begin: String,
    },
    /// No driver of that name.
    UnknownDriver {
        /// The name.
        driver: String,
    },
    /// The driver does not understand the rest, or cannot do it.
    Driver {
        /// Its name.
        driver: &'static str,
        /// In the driver's words.
        why: String,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColon { begin } => {
                write!(f, "reader {begin:?}: write DRIVER:REST, for instance sim:piv")
            }
            Self::UnknownDriver { driver } => {
                let known: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
                write!(f, "there is no driver {driver:?}, only {}", known.join(", "))
            }
            Self::Driver { driver, why } => write!(f, "driver {driver}: {why}"),
        }
    }
}

impl std::error::Error for SpecError {}

/// The drivers that run.
pub(crate) struct Drivers {
    engine: Arc<Engine>,
    running: Mutex<BTreeMap<&'static str, Running>>,
    /// How many have not ended their first search.
    searching: Arc<watch::Sender<usize>>,
}

struct Running {
    readers: Vec<String>,
    commands: mpsc::Sender<DriverCommand>,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drivers {
    /// None yet.
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        let searching = Arc::new(watch::Sender::new(0));
        Self { engine, running: Mutex::default(), searching }
    }

    /// Sees to it that exactly these readers are served. Those that were there before are not touched.
    ///
    /// # Errors
    /// [`SpecError::Driver`]; the other drivers are as they shall be.
    pub(crate) fn apply(&self, wanted: &[ReaderSpec]) -> Result<(), SpecError> {
        let mut outcome = Ok(());
        for kind in KINDS {
            let of_this_kind = wanted.iter().filter(|spec| spec.driver == kind.name);
            let readers: Vec<String> = of_this_kind.map(|spec| spec.rest.clone()).collect();
            let mut running = self.running();
            match running.get_mut(kind.name) {
                None if readers.is_empty() => {}
                None => match (kind.open)(&readers) {
                    Ok(driver) => {
                        running.insert(kind.name, self.start(driver, readers));
                    }
                    Err(why) => outcome = Err(SpecError::Driver { driver: kind.name, why }),
                },
                Some(driver) if driver.readers == readers => {}
                Some(driver) => {
                    let order = (kind.reorder)(&readers);
                    driver.readers = readers;
                    self.order(kind.name, &driver.commands, order);
                }
            }
        }
        outcome
    }

    /// Waits until each driver has announced what was there when it started.
    pub(crate) async fn settled(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.searching.subscribe().wait_for(|searching| *searching == 0).await;
    }

    /// Passes a client's command on to its driver, if the client may give one; the answer goes to the client when
    /// it is there.
    pub(crate) fn ask(&self, client: ClientId, peer: Peer, asked: DriverRequest) {
        let DriverRequest { request, driver, command } = asked;
        let answer = match self.send(peer, &driver, &command) {
            Ok(answer) => answer,
            Err(code) => return self.engine.answer(client, request, &Err(code.into())),
        };
        let engine = Arc::clone(&self.engine);
        tokio::spawn(async move {
            let reply: Reply = match answer.await {
                Ok(answer) => Ok(Answer::Controlled(SecretBytes::new(answer))),
                Err(_) => Err(ScardCode::UnknownError.into()),
            };
            engine.answer(client, request, &reply);
        });
    }

    fn send(
        &self,
        peer: Peer,
        driver: &str,
        command: &SecretBytes,
    ) -> Result<oneshot::Receiver<Vec<u8>>, ScardCode> {
        if !is_administrator(peer.uid) {
            return Err(ScardCode::SecurityViolation);
        }
        let running = self.running();
        let commands = &running.get(driver).ok_or(ScardCode::ReaderUnsupported)?.commands;
        let (answer, answered) = oneshot::channel();
        let command = DriverCommand { command: command.expose().to_vec(), answer };
        commands.try_send(command).map_err(|_| ScardCode::ServerTooBusy)?;
        Ok(answered)
    }

    /// Sends a command of our own.
    fn order(&self, driver: &'static str, commands: &mpsc::Sender<DriverCommand>, order: Vec<u8>) {
        let commands = commands.clone();
        tokio::spawn(async move {
            let (answer, answered) = oneshot::channel();
            let _ = commands.send(DriverCommand { command: order, answer }).await;
            match answered.await {
                Ok(answer) => {
                    let answer = String::from_utf8_lossy(&answer);
                    info!(driver, %answer, "readers changed");
                }
                Err(_) => warn!(driver, "the driver did not take the new list of readers"),
            }
        });
    }

    fn start(&self, driver: Box<dyn ReaderDriver>, readers: Vec<String>) -> Running {
        let (commands, obeyed) = mpsc::channel(QUEUE);
        let (announce, announced) = mpsc::channel(QUEUE);
        let name = driver.name();
        let searching = Searching::new(&self.searching);
        let engine = Arc::clone(&self.engine);
        let run = drive(engine, name, driver.run(announce, obeyed), announced, searching);
        let task = tokio::spawn(run.instrument(info_span!("driver", name))).abort_handle();
        Running { readers, commands, task }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<&'static str, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A driver whose first search is not over.
struct Searching(Arc<watch::Sender<usize>>);

impl Searching {
    fn new(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|searching| *searching += 1);
        Self(Arc::clone(count))
    }
}

impl Drop for Searching {
    fn drop(&mut self) {
        self.0.send_modify(|searching| *searching = searching.saturating_sub(1));
    }
}

/// Runs a driver and serves its readers, each in a task of its own, until it is dropped.
async fn drive(
    engine: Arc<Engine>,
    name: &'static str,
    mut run: DriverFuture<'static, ()>,
    mut announced: mpsc::Receiver<Announcement>,
    searching: Searching,
) {
    let mut searching = Some(searching);
    let mut readers = JoinSet::new();
    let mut ended = false;
    loop {
        tokio::select! {
            () = &mut run, if !ended => {
                warn!("the driver has ended");
                ended = true;
                drop(searching.take());
            }
            Some(announcement) = announced.recv() => match announcement {
                Announcement::Reader(reader) => {
                    readers.spawn(slots::serve(&engine, name, reader).in_current_span());
                }
                Announcement::Settled => drop(searching.take()),
            },
            Some(_) = readers.join_next() => {}
            else => return,
        }
    }
}

fn sim_check(rest: &str) -> Result<(), String> {
    rest.parse::<SimSpec>().map(|_| ()).map_err(|error| error.to_string())
}

fn sim(readers: &[String]) -> Opened {
    let mut driver = SimDriver::new();
    for reader in readers {
        let spec: SimSpec =
            reader.parse().map_err(|error: sim_reader::SpecError| error.to_string())?;
        driver.add(&spec).map_err(|error| error.to_string())?;
    }
    Ok(Box::new(driver))
}

fn vpcd_check(rest: &str) -> Result<(), String> {
    rest.parse::<PortSpec>().map(|_| ()).map_err(|error| error.to_string())
}

fn vpcd(readers: &[String]) -> Opened {
    let mut driver = VpcdDriver::new();
    for reader in readers {
        let spec: PortSpec =
            reader.parse().map_err(|error: reader_vpcd::SpecError| error.to_string())?;
        driver.add(&spec).map_err(|error| error.to_string())?;
    }
    Ok(Box::new(driver))
}

/// The command `readers`, which all drivers have that are told their readers.
fn reorder(readers: &[String]) -> Vec<u8> {
    let lines: Vec<&str> =
        std::iter::once("readers").chain(readers.iter().map(String::as_str)).collect();
    lines.join("\n").into_bytes()
}
