//! What is known of the programs of a history, from what they were told.

use std::collections::BTreeMap;

use super::history::program_of;

/// Context and handle places of a program that histories use.
pub(crate) const CONTEXTS: usize = 2;
pub(crate) const HANDLES: usize = 4;

/// What became of the number in a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Life {
    #[default]
    Never,
    Open,
    Closed,
}

/// A card handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handle {
    pub(crate) life: Life,
    pub(crate) context: usize,
    pub(crate) reader: usize,
    pub(crate) share: String,
    /// Levels of transactions that it began and did not end.
    pub(crate) depth: u32,
    /// Its card was removed, and it has not reconnected.
    pub(crate) removed: bool,
    /// Its card was reset by somebody, and it has not reconnected.
    pub(crate) reset: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) contexts: [Life; CONTEXTS],
    pub(crate) handles: [Handle; HANDLES],
}

/// A call that has not been answered.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) who: String,
    pub(crate) what: String,
}

/// All that is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub(crate) programs: BTreeMap<String, Program>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) cards: [bool; 2],
}

/// The number in `c0` or `h0`.
fn index(place: &str) -> Option<usize> {
    place.get(1..)?.parse().ok()
}

pub(crate) fn reader_index(word: &str) -> Option<usize> {
    match word {
        "first" => Some(0),
        "second" => Some(1),
        _ => None,
    }
}

impl Book {
    pub(crate) fn is_busy(&self, who: &str) -> bool {
        self.pending.iter().any(|pending| pending.who == who)
    }

    /// The handle that a call is about, if it is one that the caller has or had.
    pub(crate) fn handle(&self, who: &str, what: &str) -> Option<&Handle> {
        let place = what.split(' ').nth(1)?.strip_prefix('h')?;
        self.programs.get(program_of(who))?.handles.get(place.parse::<usize>().ok()?)
    }

    /// The reader that a call is about.
    pub(crate) fn reader(&self, who: &str, what: &str) -> Option<usize> {
        match what.strip_prefix("connect ") {
            Some(rest) => reader_index(rest.split(' ').nth(2)?),
            None => self.handle(who, what).map(|handle| handle.reader),
        }
    }

    fn open_handles(&self, reader: usize) -> impl Iterator<Item = &Handle> {
        self.programs
            .values()
            .flat_map(|program| &program.handles)
            .filter(move |handle| handle.life == Life::Open && handle.reader == reader)
    }

    pub(crate) fn is_used(&self, reader: usize) -> bool {
        self.open_handles(reader).next().is_some()
    }

    /// Whether a handle of the reader is in a transaction.
    pub(crate) fn is_locked(&self, reader: usize) -> bool {
        self.open_handles(reader).any(|handle| handle.depth > 0)
    }

    /// Whether another handle of the reader is in a transaction.
    pub(crate) fn is_held_up(&self, who: &str, what: &str) -> bool {
        let Some(reader) = self.reader(who, what) else { return false };
        let own = self.handle(who, what).map_or(0, |handle| handle.depth);
        own == 0 && self.is_locked(reader)
    }

    /// Whether a program has a handle of a reader on which another handle is in a transaction; with `context`, only
    /// handles of that one count.
    pub(crate) fn is_caught(&self, program: &str, context: Option<usize>) -> bool {
        let Some(known) = self.programs.get(program) else { return false };
        known.handles.iter().any(|handle| {
            let concerned = context.is_none_or(|context| handle.context == context);
            let open = handle.life == Life::Open && concerned;
            open && handle.depth == 0 && self.is_locked(handle.reader)
        })
    }

    /// Whether the caller's own context is in a transaction on the reader of a call: pcscd keeps a connect waiting on
    /// the one connection that could end it.
    pub(crate) fn waits_for_itself(&self, program: &str, context: usize, reader: usize) -> bool {
        let Some(known) = self.programs.get(program) else { return false };
        known.handles.iter().any(|handle| {
            let own = handle.context == context && handle.reader == reader;
            own && handle.life == Life::Open && handle.depth > 0
        })
    }

    fn handles_of(&mut self, reader: usize) -> impl Iterator<Item = &mut Handle> {
        self.programs
            .values_mut()
            .flat_map(|program| &mut program.handles)
            .filter(move |handle| handle.life == Life::Open && handle.reader == reader)
    }

    fn reset_all(&mut self, reader: usize) {
        self.handles_of(reader).for_each(|handle| handle.reset = true);
    }

    /// Somebody was told something.
    pub(crate) fn told(&mut self, who: &str, what: &str, answer: &str) {
        let words: Vec<&str> = what.split(' ').collect();
        let success = answer.split(' ').next() == Some("Success");
        let call = words[0];
        let at = words.get(1).and_then(|word| index(word));
        let program = self.programs.entry(program_of(who).to_owned()).or_default();
        match (call, at) {
            ("establish", Some(at)) if success && at < CONTEXTS => {
                program.contexts[at] = Life::Open;
            }
            ("release", Some(at)) if words[1].starts_with('c') && at < CONTEXTS && success => {
                program.contexts[at] = Life::Closed;
                let mut lost = Vec::new();
                for handle in &mut program.handles {
                    if handle.context == at && handle.life == Life::Open {
                        handle.life = Life::Closed;
                        if handle.depth > 0 {
                            lost.push(handle.reader);
                        }
                    }
                }
                lost.into_iter().for_each(|reader| self.reset_all(reader));
            }
            ("connect", Some(context)) if success => {
                let (Some(place), Some(reader)) = (index(words[2]), reader_index(words[3])) else {
                    return;
                };
                program.handles[place] = Handle {
                    life: Life::Open,
                    context,
                    reader,
                    share: words[4].to_owned(),
                    depth: u32::from(words[4] == "exclusive"),
                    removed: false,
                    reset: false,
                };
            }
            (_, Some(at)) if words[1].starts_with('h') && at < HANDLES => {
                self.told_of_handle(program_of(who), at, &words, success);
            }
            _ => {}
        }
    }

    fn told_of_handle(&mut self, name: &str, at: usize, words: &[&str], success: bool) {
        let Some(handle) = self.own(name, at) else { return };
        let reader = handle.reader;
        let call = words[0];
        match call {
            "disconnect" if success => handle.life = Life::Closed,
            "reconnect" if success => {
                match (handle.share == "exclusive", words[2] == "exclusive") {
                    (false, true) => handle.depth += 1,
                    (true, false) => handle.depth = handle.depth.saturating_sub(1),
                    _ => {}
                }
                words[2].clone_into(&mut handle.share);
            }
            "begin" if success => handle.depth += 1,
            "end" if success => handle.depth = handle.depth.saturating_sub(1),
            _ => {}
        }
        let disposes = matches!(words.last(), Some(&("reset" | "unpower")));
        if disposes && (success || call == "reconnect") {
            self.reset_all(reader);
        }
        if call == "reconnect" && success {
            if let Some(handle) = self.own(name, at) {
                (handle.reset, handle.removed) = (false, false);
            }
        }
    }

    fn own(&mut self, program: &str, at: usize) -> Option<&mut Handle> {
        self.programs.get_mut(program)?.handles.get_mut(at)
    }

    /// The world did something.
    pub(crate) fn happened(&mut self, what: &str) {
        match what.split_once(' ') {
            Some(("insert", reader)) => {
                if let Some(reader) = reader_index(reader) {
                    self.cards[reader] = true;
                }
            }
            Some(("remove", reader)) => {
                let Some(reader) = reader_index(reader) else { return };
                self.cards[reader] = false;
                for handle in self.handles_of(reader) {
                    handle.removed = true;
                    handle.depth = u32::from(handle.share == "exclusive");
                }
            }
            Some(("kill", who)) => {
                let Some(program) = self.programs.remove(who) else { return };
                self.pending.retain(|pending| program_of(&pending.who) != who);
                let held = |handle: &&Handle| handle.life == Life::Open && handle.depth > 0;
                let lost: Vec<usize> =
                    program.handles.iter().filter(held).map(|handle| handle.reader).collect();
                lost.into_iter().for_each(|reader| self.reset_all(reader));
            }
            _ => {}
        }
    }
}
