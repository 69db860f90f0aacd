//! A system bus with a polkit and a logind that say what a test wants to hear.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tokio::net::UnixListener;
use tokio::sync::oneshot;
use zbus::connection::{Builder, Connection};
use zbus::fdo;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use crate::support::DEADLINE;

/// What polkit was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) action: String,
    pub(crate) reader: Option<String>,
    pub(crate) uid: i32,
    pub(crate) pid: u32,
    pub(crate) has_pidfd: bool,
}

/// What came to the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Asked(Asked),
    TakenBack(String),
}

/// What polkit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Yes,
    No,
    /// It knows no such action.
    Error,
    /// It says nothing, for as long as the test lasts.
    Never,
}

/// Where logind finds a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a session: active or not, remote or not, at a seat or not.
    Session { active: bool, remote: bool, seat: bool },
    /// Beside the sessions of its user, who has an active one at a seat.
    BesideASession,
    /// In no session of any user.
    Nowhere,
}

type Decide = dyn Fn(&Asked) -> Word + Send + Sync;

/// The bus.
pub(crate) struct Bus {
    pub(crate) address: String,
    pub(crate) place: Arc<Mutex<Place>>,
    heard: Receiver<Heard>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Bus {
    /// A bus on a socket of that name.
    pub(crate) fn start(
        path: &Path,
        decide: impl Fn(&Asked) -> Word + Send + Sync + 'static,
    ) -> Self {
        let listener = std::os::unix::net::UnixListener::bind(path).expect("the path is free");
        listener.set_nonblocking(true).expect("a socket can be set so");
        let (say, heard) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let place = Arc::new(Mutex::new(Place::Nowhere));
        let world = World { decide: Arc::new(decide), say, place: Arc::clone(&place) };
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be had").block_on(async {
                let listener = UnixListener::from_std(listener).expect("it is a socket");
                tokio::select! {
                    () = serve(listener, world) => {}
                    _ = stopped => {}
                }
            });
        });
        let address = format!("unix:path={}", path.display());
        Self { address, place, heard, stop: Some(stop), thread: Some(thread) }
    }

    /// The next thing that comes.
    fn hears(&self) -> Heard {
        self.heard.recv_timeout(DEADLINE).expect("something comes in time")
    }

    /// The next question that comes.
    pub(crate) fn is_asked(&self) -> Asked {
        match self.hears() {
            Heard::Asked(asked) => asked,
            Heard::TakenBack(id) => panic!("{id} is taken back"),
        }
    }

    /// Waits until a question is taken back, whatever else comes, and says which.
    pub(crate) fn hears_that_one_is_taken_back(&self) -> String {
        loop {
            if let Heard::TakenBack(id) = self.hears() {
                return id;
            }
        }
    }

    /// Whether nothing came so far that was not looked at.
    pub(crate) fn is_quiet(&self) -> bool {
        self.heard.try_recv().is_err()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Clone)]
struct World {
    decide: Arc<Decide>,
    say: Sender<Heard>,
    place: Arc<Mutex<Place>>,
}

async fn serve(listener: UnixListener, world: World) {
    let mut connections: Vec<Connection> = Vec::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection can be accepted");
        let guid = zbus::Guid::generate();
        let connection = Builder::unix_stream(stream)
            .server(guid)
            .expect("a number can be had")
            .p2p()
            .serve_at("/org/freedesktop/DBus", Driver)
            .and_then(|b| {
                b.serve_at("/org/freedesktop/PolicyKit1/Authority", Polkit(world.clone()))
            })
            .and_then(|b| b.serve_at("/org/freedesktop/login1", Logind(world.clone())))
            .and_then(|b| b.serve_at("/user", User))
            .and_then(|b| b.serve_at("/display", Session(Arc::new(Mutex::new(AT_THE_DESK)))))
            .and_then(|b| b.serve_at("/session", Session(world.place.clone())))
            .expect("the objects have good names")
            .build()
            .await;
        connections.push(connection.expect("the other side is who it says"));
    }
}

const AT_THE_DESK: Place = Place::Session { active: true, remote: false, seat: true };

/// The bus itself, as far as a client needs it.
struct Driver;

#[zbus::interface(name = "org.freedesktop.DBus")]
impl Driver {
    fn hello(&self) -> &'static str {
        ":1.1"
    }
}

struct Polkit(World);

#[zbus::interface(name = "org.freedesktop.PolicyKit1.Authority")]
impl Polkit {
    async fn check_authorization(
        &self,
        subject: (String, HashMap<String, OwnedValue>),
        action: String,
        details: HashMap<String, String>,
        flags: u32,
        _id: String,
    ) -> fdo::Result<(bool, bool, HashMap<String, String>)> {
        let (kind, about) = subject;
        assert_eq!((kind.as_str(), flags), ("unix-process", 1));
        assert!(about["start-time"].downcast_ref::<u64>().expect("a number") > 0);
        let asked = Asked {
            action,
            reader: details.get("reader").cloned(),
            uid: about["uid"].downcast_ref().expect("a number"),
            pid: about["pid"].downcast_ref().expect("a number"),
            has_pidfd: about.contains_key("pidfd"),
        };
        let word = (self.0.decide)(&asked);
        let _ = self.0.say.send(Heard::Asked(asked));
        match word {
            Word::Yes | Word::No => Ok((word == Word::Yes, false, HashMap::new())),
            Word::Error => Err(fdo::Error::Failed("no such action is registered".into())),
            Word::Never => std::future::pending().await,
        }
    }

    fn cancel_check_authorization(&self, id: String) {
        let _ = self.0.say.send(Heard::TakenBack(id));
    }
}

struct Logind(World);

#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.freedesktop.login1")]
enum LogindError {
    #[zbus(error)]
    ZBus(zbus::Error),
    #[zbus(name = "NoSessionForPID")]
    NoSession(String),
    #[zbus(name = "NoUserForPID")]
    NoUser(String),
}

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Logind {
    #[zbus(name = "GetSessionByPID")]
    fn session_of(&self, pid: u32) -> Result<OwnedObjectPath, LogindError> {
        assert_eq!(pid, std::process::id());
        match *self.0.place.lock().expect("nobody panicked") {
            Place::Session { .. } => Ok(path("/session")),
            Place::BesideASession | Place::Nowhere => Err(LogindError::NoSession("none".into())),
        }
    }

    #[zbus(name = "GetUserByPID")]
    fn user_of(&self, pid: u32) -> Result<OwnedObjectPath, LogindError> {
        assert_eq!(pid, std::process::id());
        match *self.0.place.lock().expect("nobody panicked") {
            Place::Nowhere => Err(LogindError::NoUser("none".into())),
            Place::Session { .. } | Place::BesideASession => Ok(path("/user")),
        }
    }
}

struct User;

#[zbus::interface(name = "org.freedesktop.login1.User")]
impl User {
    #[zbus(property)]
    fn display(&self) -> (String, OwnedObjectPath) {
        ("c1".into(), path("/display"))
    }
}

struct Session(Arc<Mutex<Place>>);

impl Session {
    fn facts(&self) -> (bool, bool, bool) {
        match *self.0.lock().expect("nobody panicked") {
            Place::Session { active, remote, seat } => (active, remote, seat),
            Place::BesideASession | Place::Nowhere => (false, false, false),
        }
    }
}

#[zbus::interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn active(&self) -> bool {
        self.facts().0
    }

    #[zbus(property)]
    fn remote(&self) -> bool {
        self.facts().1
    }

    #[zbus(property)]
    fn seat(&self) -> (String, OwnedObjectPath) {
        if self.facts().2 { ("seat0".into(), path("/seat")) } else { (String::new(), path("/")) }
    }
}

fn path(path: &'static str) -> OwnedObjectPath {
    OwnedObjectPath::try_from(path).expect("it is a path")
}
