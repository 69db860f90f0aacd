//! From the first socket to the last: start, readiness, reload, stop.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use listenfd::ListenFd;
use scard_core::{Core, Limits};
use sd_notify::NotifyState;
use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{debug, error, info, warn};

use crate::card_types;
use crate::door::Door;
use crate::drivers::Drivers;
use crate::engine::{Engine, Rules};
use crate::inherited::{Lifeline, ReadyDescriptor};
use crate::listen::{BoundSocket, bind_at};
use crate::options::{DEFAULT_SOCKET, Options, Settings};
use crate::session::Service;
use crate::starts;
use crate::store::Store;
use crate::table_size::TableSize;

/// How long the first clients are kept waiting for drivers that search and cards that answer.
const START_TIME: Duration = Duration::from_secs(5);

/// Serves until a signal, or the end of whoever started us, says stop.
///
/// # Errors
/// If it cannot start.
pub(crate) async fn serve(
    options: Options,
    settings: Settings,
    ready: Option<ReadyDescriptor>,
) -> anyhow::Result<()> {
    // Before there is anything to clean up.
    let mut stop = Stop::new(&options)?;
    let mut hangup = signal(SignalKind::hangup())?;
    let sockets = Sockets::open(&settings.sockets)?;

    let table = TableSize::load(settings.state_dir.clone());
    let starts_before = starts::count(settings.state_dir.as_deref());
    let limits = Limits { starts_before, ..settings.limits.limits(table.entries()) };
    let door = Door::new(limits.connections);
    let rules = Rules { policy: settings.policy(), patience: settings.limits.patience() };
    let mut core = Core::new(Door::limits_inside(limits), seed()?);
    let store = settings.state_dir.as_deref().map(Store::load);
    let (store, stored) = match store {
        Some(Ok((store, stored))) => (Some(Some(store)), stored),
        Some(Err(error)) => {
            error!(%error, "the database cannot be read; nothing in it can be changed");
            (Some(None), Vec::new())
        }
        None => (None, Vec::new()),
    };
    core.load_database(card_types::load(&settings.card_types), stored);
    let engine = Arc::new(Engine::new(core, table, rules));
    let drivers = Arc::new(Drivers::new(Arc::clone(&engine)));
    let mut tasks = JoinSet::new();
    tasks.spawn({
        let engine = Arc::clone(&engine);
        async move { engine.keep_time().await }
    });

    if let Some(store) = store {
        let (orders, taken) = mpsc::unbounded_channel();
        engine.keep_changes(orders);
        if let Some(store) = store {
            let engine = Arc::clone(&engine);
            tasks.spawn(store.serve(taken, move |ticket, kept| engine.stored(ticket, kept)));
        }
    }

    drivers.apply(&settings.readers)?;
    let run = async {
        let searched = tokio::time::timeout(START_TIME, async {
            drivers.settled().await;
            engine.cards_answered().await;
        });
        if searched.await.is_err() {
            warn!("a driver or a card takes long; clients are served without it");
        }
        let service = Service {
            engine: Arc::clone(&engine),
            drivers: Arc::clone(&drivers),
            authorities: Arc::default(),
        };
        for listener in sockets.listeners {
            let service = service.clone();
            let welcome = move |stream, peer, admission| service.welcome(stream, peer, admission);
            tasks.spawn(Arc::clone(&door).accept(listener, welcome));
        }
        tell_ready(ready);
        while hangup.recv().await.is_some() {
            reload(&options, &engine, &door, &drivers).await;
        }
    };
    let reason = tokio::select! {
        reason = stop.asked() => reason,
        () = run => "no signal can come any more",
    };

    info!(reason, "stopping");
    notify(&[NotifyState::Stopping]);
    // First the names, so that no new client finds us; then the connections. A socket that was passed on keeps its name,
    // and whoever connects there now waits for the next daemon.
    drop(sockets.bound);
    tasks.abort_all();
    engine.close();
    Ok(())
}

/// What ends the daemon.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
    lifeline: Option<Lifeline>,
}

impl Stop {
    fn new(options: &Options) -> anyhow::Result<Self> {
        let lifeline = match options.exit_on_eof_of_fd {
            Some(number) => Some(
                Lifeline::take(number)
                    .with_context(|| format!("--exit-on-eof-of-fd {number} cannot be used"))?,
            ),
            None => None,
        };
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            lifeline,
        })
    }

    /// Waits until the daemon is to stop, and says why. Cancel safe.
    async fn asked(&mut self) -> &'static str {
        let parent_gone = async {
            match &mut self.lifeline {
                Some(lifeline) => lifeline.cut().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = parent_gone => "whoever started the daemon is gone",
        }
    }
}

/// Where clients come from.
struct Sockets {
    listeners: Vec<UnixListener>,
    bound: Vec<BoundSocket>,
}

impl Sockets {
    /// Those that systemd passed on, and those that were named; the default if there are neither.
    fn open(named: &[PathBuf]) -> anyhow::Result<Self> {
        let mut sockets = Self { listeners: Vec::new(), bound: Vec::new() };
        let mut passed = ListenFd::from_env();
        for index in 0..passed.len() {
            let listener = passed
                .take_unix_listener(index)
                .context("a descriptor in LISTEN_FDS is no listening Unix socket")?;
            if let Some(listener) = listener {
                sockets.listen(listener)?;
                info!(index, "listening on a passed socket");
            }
        }
        let standard = [PathBuf::from(DEFAULT_SOCKET)];
        let nothing_said = named.is_empty() && sockets.listeners.is_empty();
        for path in if nothing_said { &standard } else { named } {
            sockets.bind(path).with_context(|| format!("cannot listen on {}", path.display()))?;
            info!(socket = %path.display(), "listening");
        }
        Ok(sockets)
    }

    fn bind(&mut self, path: &Path) -> anyhow::Result<()> {
        let (socket, bound): (OwnedFd, _) = bind_at(path)?;
        self.bound.push(bound);
        self.listen(socket.into())
    }

    fn listen(&mut self, listener: StdListener) -> anyhow::Result<()> {
        listener.set_nonblocking(true)?;
        self.listeners.push(UnixListener::from_std(listener)?);
        Ok(())
    }
}

/// The configuration is read again: readers come and go, rules and limits are as they are written now. Who is there
/// stays; sockets, log and state directory are for the next start.
async fn reload(options: &Options, engine: &Engine, door: &Door, drivers: &Drivers) {
    info!("reading the configuration again");
    let now = NotifyState::monotonic_usec_now();
    notify(&now.map_or(vec![NotifyState::Reloading], |now| vec![NotifyState::Reloading, now]));
    match Settings::gather(options) {
        Ok(mut settings) => {
            let limits = settings.limits.limits(engine.table_entries());
            door.set_quota(limits.connections);
            let (patience, readers) =
                (settings.limits.patience(), std::mem::take(&mut settings.readers));
            // Where users are kept in a directory, the look-up of a name may take its time.
            match tokio::task::spawn_blocking(move || settings.policy()).await {
                Ok(policy) => {
                    engine.reconfigure(Rules { policy, patience }, Door::limits_inside(limits));
                }
                Err(error) => warn!(%error, "the rules stay as they are"),
            }
            if let Err(error) = drivers.apply(&readers) {
                warn!(%error, "not all readers can be served");
            }
        }
        Err(error) => warn!(%error, "the configuration makes no sense, nothing is changed"),
    }
    notify(&[NotifyState::Ready]);
}

fn tell_ready(ready: Option<ReadyDescriptor>) {
    info!("ready");
    notify(&[NotifyState::Ready]);
    if let Some(Err(error)) = ready.map(ReadyDescriptor::tell) {
        warn!(%error, "nobody reads that the daemon is ready");
    }
}

/// Tells systemd, if it is there.
fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "the service manager was not told");
    }
}

/// A beginning for the numbers of contexts and handles.
fn seed() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes))
}
