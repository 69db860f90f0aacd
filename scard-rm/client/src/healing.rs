//! How a context outlives the daemon: what it has between two restarts, and how it gets from one to the next.
//!
//! One thread heals, the others that found the connection dead wait for it. Nobody listens: it looks again after a
//! pause, a few dozen times in all. Somebody holds the socket (a service manager): it waits there for the daemon.

use std::collections::BTreeSet;
use std::process;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use scard_types::call::{Answer, Call, ContextId, Reply};
use scard_types::{Character, ScardCode};

use crate::{Endpoint, Session};

/// How long after the loss a new daemon is waited for where nobody listens. Later calls look once and do not wait; a
/// fuzzer has no time to.
const GAP: Duration = Duration::from_secs(if cfg!(fuzzing) { 0 } else { 2 });
/// How long a socket is believed that takes us and says nothing: a daemon that starts may search its readers for 5 s.
const WELCOME: Duration = Duration::from_secs(6);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A context between two restarts of the daemon: a connection, and the context's number there.
///
/// What was opened in one generation keeps its session, so that no number of a dead daemon reaches a new one.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    pub(crate) session: Arc<Session>,
    pub(crate) context: ContextId,
}

impl Generation {
    fn open(
        endpoint: &Endpoint,
        scope: u32,
        character: Character,
        is_worth_it: Option<&dyn Fn() -> bool>,
    ) -> Result<Self, ScardCode> {
        let session = Arc::new(Session::open_patiently(endpoint, is_worth_it)?);
        let establish = Call::EstablishContext { scope, character };
        match session.call(establish).map_err(|refusal| refusal.code)? {
            Answer::Context(context) => Ok(Self { session, context }),
            _ => Err(ScardCode::CommError),
        }
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.session, &other.session)
    }

    /// Whether that reply is the end of the connection.
    pub(crate) fn is_lost_with(&self, reply: &Reply) -> bool {
        let ends = |code| matches!(code, ScardCode::NoService | ScardCode::CommError);
        matches!(reply, Err(refusal) if ends(refusal.code)) && self.session.is_lost()
    }
}

#[derive(Debug)]
pub(crate) struct Healing {
    endpoint: Endpoint,
    scope: u32,
    character: Character,
    state: Mutex<State>,
    /// Somebody healed, gave up, cancelled or released.
    news: Condvar,
}

#[derive(Debug)]
struct State {
    now: Generation,
    no_blocking: bool,
    restarts: u64,
    /// Readers whose watchers were told of the last restart.
    told: BTreeSet<String>,
    /// When somebody first found the connection of `now` dead.
    lost_since: Option<Instant>,
    is_healing: bool,
    /// How often a healer gave up, and why the last one did.
    given_up: (u64, ScardCode),
    is_released: bool,
    /// Waits for a status change, and how often such waits were cancelled.
    waits: usize,
    cancels: u64,
}

impl Healing {
    pub(crate) fn begin(
        endpoint: Endpoint,
        scope: u32,
        character: Character,
    ) -> Result<Self, ScardCode> {
        let state = State {
            now: Generation::open(&endpoint, scope, character, None)?,
            no_blocking: false,
            restarts: 0,
            told: BTreeSet::new(),
            lost_since: None,
            is_healing: false,
            given_up: (0, ScardCode::NoService),
            is_released: false,
            waits: 0,
            cancels: 0,
        };
        let state = Mutex::new(state);
        Ok(Self { endpoint, scope, character, state, news: Condvar::new() })
    }

    pub(crate) fn now(&self) -> Generation {
        self.state().now.clone()
    }

    pub(crate) fn restarts(&self) -> u64 {
        self.state().restarts
    }

    pub(crate) fn set_no_blocking(&self, no_blocking: bool) {
        let mut state = self.state();
        state.no_blocking = no_blocking;
        state.now.session.set_no_blocking(no_blocking);
    }

    /// The generation after `lost`. `wait` is that of the caller, if it can be cancelled.
    pub(crate) fn heal(
        &self,
        lost: &Generation,
        wait: Option<&Wait<'_>>,
    ) -> Result<Generation, ScardCode> {
        if lost.session.owner_pid() != process::id() {
            return Err(ScardCode::InvalidHandle);
        }
        let mut state = self.state();
        let (given_up_before, _) = state.given_up;
        loop {
            if let Some(code) = state.is_over(wait) {
                return Err(code);
            }
            if !state.now.is(lost) {
                return Ok(state.now.clone());
            }
            match state.given_up {
                // Somebody else has tried for both of us.
                (given_up, code) if given_up != given_up_before => return Err(code),
                _ if !state.is_healing => break,
                _ => state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        state.is_healing = true;
        let gap_ends = *state.lost_since.get_or_insert_with(Instant::now) + GAP;
        drop(state);

        let healer = Healer(self);
        let outcome = self.look_for_a_daemon(gap_ends, wait);
        let mut state = self.state();
        let outcome = match (outcome, state.is_over(wait)) {
            (_, Some(code)) | (Err(code @ ScardCode::Cancelled), None) => Err(code),
            (Ok(next), None) => {
                next.session.set_no_blocking(state.no_blocking);
                state.now = next.clone();
                state.restarts += 1;
                state.told.clear();
                state.lost_since = None;
                Ok(next)
            }
            (Err(code), None) => {
                state.given_up = (given_up_before.wrapping_add(1), code);
                Err(code)
            }
        };
        drop(state);
        drop(healer);
        outcome
    }

    fn look_for_a_daemon(
        &self,
        gap_ends: Instant,
        wait: Option<&Wait<'_>>,
    ) -> Result<Generation, ScardCode> {
        let mut pause = FIRST_PAUSE;
        loop {
            let welcome_ends = Instant::now() + WELCOME;
            let is_worth_it =
                || Instant::now() < welcome_ends && self.state().is_over(wait).is_none();
            let Self { endpoint, scope, character, .. } = self;
            let opened = Generation::open(endpoint, *scope, *character, Some(&is_worth_it));
            let now = Instant::now();
            match opened {
                // Nobody is there, or somebody who goes again.
                Err(ScardCode::NoService | ScardCode::CommError) if now < gap_ends => {}
                opened => return opened,
            }
            let state = self.state();
            if let Some(code) = state.is_over(wait) {
                return Err(code);
            }
            let rest = pause.min(gap_ends.saturating_duration_since(now));
            drop(self.news.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Ends the waits of other threads, wherever they are.
    pub(crate) fn cancel(&self) -> Result<(), ScardCode> {
        let mut state = self.state();
        if state.waits > 0 {
            state.cancels = state.cancels.wrapping_add(1);
            self.news.notify_all();
        }
        let now = state.now.clone();
        drop(state);
        match now.session.cancel(now.context) {
            // Nobody can wait there, and those who wait for another daemon were told.
            Err(ScardCode::NoService | ScardCode::CommError) if now.session.is_lost() => Ok(()),
            said => said,
        }
    }

    pub(crate) fn release(&self) -> Result<(), ScardCode> {
        let mut state = self.state();
        if std::mem::replace(&mut state.is_released, true) {
            return Ok(());
        }
        self.news.notify_all();
        let Generation { session, context } = state.now.clone();
        drop(state);
        session.call(Call::ReleaseContext { context }).map(drop).map_err(|refusal| refusal.code)
    }

    /// Begins a wait for a status change.
    pub(crate) fn wait(&self) -> Wait<'_> {
        let mut state = self.state();
        state.waits += 1;
        Wait { healing: self, cancels_before: state.cancels }
    }

    /// The generation that is in use, and which of these readers' watchers do not know yet that there was another one
    /// before.
    pub(crate) fn untold(&self, readers: &[&str]) -> (Generation, Vec<bool>) {
        let state = self.state();
        let is_untold = |reader: &&str| state.restarts > 0 && !state.told.contains(*reader);
        (state.now.clone(), readers.iter().map(is_untold).collect())
    }

    /// Somebody who watches these readers was told that `now` is a new generation.
    pub(crate) fn tell(&self, now: &Generation, readers: &[&str]) {
        let mut state = self.state();
        if state.now.is(now) {
            state.told.extend(readers.iter().map(|reader| (*reader).to_owned()));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here is left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Why nobody should wait any longer.
    fn is_over(&self, wait: Option<&Wait<'_>>) -> Option<ScardCode> {
        match wait {
            Some(wait) if self.is_released || self.cancels != wait.cancels_before => {
                Some(ScardCode::Cancelled)
            }
            None if self.is_released => Some(ScardCode::InvalidHandle),
            Some(_) | None => None,
        }
    }
}

/// A wait for a status change, until it is dropped.
#[derive(Debug)]
pub(crate) struct Wait<'h> {
    healing: &'h Healing,
    cancels_before: u64,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.healing.state().waits -= 1;
    }
}

/// The right to heal; its end wakes the others, whatever came out.
struct Healer<'h>(&'h Healing);

impl Drop for Healer<'_> {
    fn drop(&mut self) {
        self.0.state().is_healing = false;
        self.0.news.notify_all();
    }
}
