//! The test's side of an actor: a process with threads, each of which does one thing at a time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::child::{HANGS, Talker};
use crate::daemon::Service;
use crate::stage::{Library, Stage, built};

/// A process of `src/bin/actor.rs`.
pub struct Actor {
    talker: Talker,
    /// Answers that came while another thread's was waited for.
    heard: RefCell<BTreeMap<String, VecDeque<String>>>,
}

impl Actor {
    /// Starts it, and makes sure that it has the library that it shall have.
    ///
    /// # Panics
    /// If it has another one.
    #[must_use]
    pub fn start(name: &str, stage: Stage, service: &Service) -> Self {
        Self::play_by(&built("actor"), name, stage, service)
    }

    /// Starts a program that speaks as `src/bin/actor.rs` does.
    ///
    /// # Panics
    /// If it has another library.
    #[must_use]
    pub fn play_by(program: &Path, name: &str, stage: Stage, service: &Service) -> Self {
        let mut command = stage.command(program, service);
        command.args(service.readers());
        let talker = Talker::start(name, &mut command);
        let library = talker.hear();
        let ours = library.contains("/target/dist/");
        assert_eq!(ours, stage.library == Library::Ours, "{name} has loaded {library}");
        Self { talker, heard: RefCell::default() }
    }

    /// Asks a thread to do something.
    pub fn ask(&mut self, thread: &str, what: &str) {
        self.talker.say(&format!("{thread} {what}"));
    }

    /// What that thread answers.
    ///
    /// # Panics
    /// If it does not answer.
    #[must_use]
    pub fn answer(&self, thread: &str) -> String {
        self.answer_within(thread, HANGS).unwrap_or_else(|| panic!("{thread} hangs"))
    }

    /// What that thread answers within a time.
    #[must_use]
    pub fn answer_within(&self, thread: &str, time: Duration) -> Option<String> {
        let end = Instant::now() + time;
        loop {
            if let Some(answer) =
                self.heard.borrow_mut().get_mut(thread).and_then(VecDeque::pop_front)
            {
                return Some(answer);
            }
            let line = self.talker.hear_within(end.saturating_duration_since(Instant::now()))?;
            let (who, answer) = line.split_once(' ').unwrap_or((&line, ""));
            self.heard.borrow_mut().entry(who.into()).or_default().push_back(answer.into());
        }
    }

    /// Kills the process.
    pub fn kill(&mut self) {
        self.talker.kill();
    }
}
