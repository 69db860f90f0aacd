//! Playing a history on all sides in step, and comparing what everybody is told.

use std::time::{Duration, Instant};

use super::allowed::{self, Case};
use super::book::{Book, Pending, reader_index};
use super::history::{Step, program_of};
use super::side::Side;
use super::table::Entry;
use crate::stage::{Library, Manager, Stage};

/// A call that nobody answers within this time waits for something.
const WAITS: Duration = Duration::from_millis(150);
/// After each step, those who wait are looked at for this long.
const GLANCE: Duration = Duration::from_millis(15);
/// At the end, those who wait are looked at for this long.
const LAST_LOOK: Duration = Duration::from_millis(300);
/// Once one side has answered, the others have this long: pcscd polls.
const FOLLOWS: Duration = Duration::from_secs(3);

/// Where two sides part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The call, or what was looked at.
    pub what: String,
    /// What the measure is told.
    pub theirs: String,
    /// The other side.
    pub side: &'static str,
    /// What is told there.
    pub ours: String,
}

/// A history as it went.
#[derive(Default)]
pub struct Played {
    /// Each step, and what was told.
    pub steps: Vec<(Step, String)>,
    /// The first difference that is not allowed.
    pub difference: Option<Difference>,
    /// Rows of allowed differences that came up.
    pub rows: Vec<usize>,
}

impl Played {
    /// The history as a text.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |(step, told): &(Step, String)| match told.is_empty() {
            true => format!("{step}\n"),
            false => format!("{step} -> {told}\n"),
        };
        self.steps.iter().map(line).collect()
    }
}

/// All sides of a comparison; the first one is the measure.
pub(crate) struct Scene {
    name: String,
    stages: &'static [Stage],
    sides: Vec<Side>,
}

/// Every library on every daemon; the stock ones are the measure.
pub const ALL: &[Stage] = &[
    Stage { library: Library::Stock, manager: Manager::DebianPcscd },
    Stage { library: Library::Ours, manager: Manager::DebianPcscd },
    Stage { library: Library::Stock, manager: Manager::Ours },
    Stage { library: Library::Ours, manager: Manager::Ours },
];

/// The stock library is the measure of ours on our daemon. That is fast, and goes on where pcscd differs on purpose.
pub const ON_OURS: &[Stage] = ALL.split_at(2).1;

pub(crate) const WAITING: &str = "(waits)";
const DONE: &str = "(done)";

impl Scene {
    pub(crate) fn new(name: &str, stages: &'static [Stage]) -> Self {
        Self { name: name.to_owned(), stages, sides: sides(name, stages) }
    }

    /// Starts everything again.
    pub(crate) fn renew(&mut self) {
        self.sides.clear();
        self.sides = sides(&self.name, self.stages);
    }

    /// Plays what `next` says, until it says nothing or the sides part.
    ///
    /// # Errors
    /// If a side does not come to rest, and what it looks like: pcscd forgets to close handles in some cases.
    pub(crate) fn play(
        &mut self,
        mut next: impl FnMut(&Book) -> Option<Step>,
    ) -> Result<Played, String> {
        for side in &mut self.sides {
            side.begin()?;
        }
        let book = Book { cards: [true, false], ..Book::default() };
        let with = (0..self.sides.len()).collect();
        let (rested, played) = ([true; 2], Played::default());
        let mut act = Act { sides: &mut self.sides, with, book, rested, played };
        while let Some(step) = next(&act.book) {
            if act.with.len() < 2 {
                break;
            }
            if let Err(difference) = act.step(&step) {
                act.played.difference = Some(difference);
                break;
            }
        }
        if act.played.difference.is_none() {
            act.played.difference = act.glance(LAST_LOOK).err();
        }
        let played = act.played;
        for side in &mut self.sides {
            side.end_programs();
        }
        Ok(played)
    }
}

fn sides(name: &str, stages: &[Stage]) -> Vec<Side> {
    stages.iter().map(|stage| Side::start(*stage, name)).collect()
}

/// A history that is being played.
struct Act<'s> {
    sides: &'s mut [Side],
    /// The sides that still agree, or differ in what is allowed only.
    with: Vec<usize>,
    book: Book,
    /// Readers whose card nobody has used since it last lost its power.
    rested: [bool; 2],
    played: Played,
}

type Compared = Result<(), Difference>;

impl Act<'_> {
    fn step(&mut self, step: &Step) -> Compared {
        match step {
            Step::World(what) => {
                if !self.is_possible(what) {
                    return Ok(());
                }
                self.played.steps.push((step.clone(), String::new()));
                self.change_world(what)?;
            }
            Step::Call { who, what } => {
                if self.book.is_busy(who) {
                    return Ok(());
                }
                self.played.steps.push((step.clone(), String::new()));
                for side in &self.with {
                    self.sides[*side].ask(who, what);
                }
                let answers = self.collect(who, WAITS);
                self.compare(who, what, &answers)?;
            }
        }
        self.glance(GLANCE)?;
        self.compare_tables(step)?;
        self.rest_unused()
    }

    fn is_possible(&self, what: &str) -> bool {
        match what.split_once(' ') {
            Some(("kill", who)) => self.book.programs.contains_key(who),
            Some((change, reader)) => reader_index(reader).is_some_and(|at| match change {
                "insert" => !self.book.cards[at],
                "remove" => self.book.cards[at],
                _ => self.book.cards[at] && !self.book.is_used(at),
            }),
            None => false,
        }
    }

    fn change_world(&mut self, what: &str) -> Compared {
        let Some((change, object)) = what.split_once(' ') else { return Ok(()) };
        let reader = reader_index(object).unwrap_or(0);
        let open = self.book.open_counts(object);
        let mut outcomes = Vec::new();
        for at in self.with.clone() {
            let side = &mut self.sides[at];
            let outcome = match change {
                "insert" => {
                    side.insert(reader);
                    Ok(())
                }
                "remove" => {
                    side.remove(reader);
                    Ok(())
                }
                "rest" => side.rest(reader),
                _ => side.kill(object, open),
            };
            outcomes.push(outcome.map_or_else(|trouble| trouble, |()| DONE.into()));
        }
        let theirs = outcomes[0].clone();
        for (at, ours) in self.with.clone().into_iter().zip(outcomes).skip(1) {
            self.part(at, "world", what, &theirs, &ours)?;
        }
        self.book.happened(what);
        Ok(())
    }

    /// What a thread is told on each side. If nobody answers within `patience`, all wait.
    fn collect(&self, who: &str, patience: Duration) -> Vec<Option<String>> {
        let begin = Instant::now();
        let mut first = None;
        let mut answers = vec![None; self.with.len()];
        let mut look = patience.min(Duration::from_millis(10));
        loop {
            for (answer, side) in answers.iter_mut().zip(&self.with) {
                if answer.is_none() {
                    *answer = self.sides[*side].answer(who, look);
                }
            }
            let told = answers.iter().flatten().count();
            if told > 0 {
                first.get_or_insert_with(Instant::now);
            }
            let patient = match first {
                Some(first) => first.elapsed() < FOLLOWS,
                None => begin.elapsed() < patience,
            };
            if told == answers.len() || !patient {
                return answers;
            }
            look = Duration::from_millis(1);
        }
    }

    /// Compares what the sides say to a call; one that waits everywhere is remembered.
    fn compare(&mut self, who: &str, what: &str, answers: &[Option<String>]) -> Compared {
        let word = |answer: &Option<String>| answer.clone().unwrap_or_else(|| WAITING.into());
        let theirs = word(&answers[0]);
        self.note(who, what, &theirs);
        let sides = self.with.clone();
        for (side, answer) in sides.iter().zip(answers).skip(1) {
            let ours = word(answer);
            self.part(*side, who, what, &theirs, &ours)?;
        }
        match &answers[0] {
            Some(answer) => {
                self.book.pending.retain(|pending| pending.who != who);
                self.book.told(who, what, answer);
            }
            None if !self.book.is_busy(who) => {
                self.book.pending.push(Pending { who: who.into(), what: what.into() });
            }
            None => {}
        }
        Ok(())
    }

    /// Two sides say different things: that is allowed, or the end.
    fn part(&mut self, side: usize, who: &str, what: &str, theirs: &str, ours: &str) -> Compared {
        let stage = self.sides[side].stage;
        let words: Vec<&str> = what.split(' ').collect();
        let measure = self.sides[self.with[0]].stage;
        let case = Case { measure, stage, who, words: &words, theirs, ours, book: &self.book };
        let Some(row) = allowed::find(&case) else {
            if theirs == ours {
                return Ok(());
            }
            let side = self.sides[side].words();
            self.note(who, what, &format!("{theirs} | {side}: {ours}"));
            return Err(Difference {
                what: what.into(),
                theirs: theirs.into(),
                side,
                ours: ours.into(),
            });
        };
        self.played.rows.push(row);
        if allowed::ALLOWED[row].parts() || theirs == WAITING || ours == WAITING {
            self.with.retain(|with| *with != side);
        }
        Ok(())
    }

    fn note(&mut self, who: &str, what: &str, told: &str) {
        let is_it =
            |step: &Step| matches!(step, Step::Call { who: w, what: c } if w == who && c == what);
        let line = self.played.steps.iter_mut().rev().find(|(step, _)| is_it(step));
        if let Some((_, note)) = line {
            told.clone_into(note);
        }
    }

    /// Whether those who wait have been answered.
    fn glance(&mut self, patience: Duration) -> Compared {
        for pending in self.book.pending.clone() {
            // One who waits to be alone asks again ten times a second, whatever the library.
            let asks_again = pending.what.starts_with("reconnect");
            let patience = if asks_again { patience.max(WAITS) } else { patience };
            let answers = self.collect(&pending.who, patience);
            if answers.iter().any(Option::is_some) {
                self.compare(&pending.who, &pending.what, &answers)?;
            }
        }
        Ok(())
    }

    /// What everybody sees of the readers comes out the same.
    fn compare_tables(&mut self, step: &Step) -> Compared {
        let Some(&measure) = self.with.first() else { return Ok(()) };
        let used = [self.book.is_used(0), self.book.is_used(1)];
        let who = match step {
            Step::Call { who, .. } => who,
            Step::World(_) => "world",
        };
        let theirs = seen(&self.sides[measure].look_since(), used);
        for at in self.with.clone().into_iter().skip(1) {
            let side = &mut self.sides[at];
            if seen(&side.look_since(), used) == theirs {
                continue;
            }
            let begin = Instant::now();
            let (theirs, ours) = loop {
                let theirs = seen(&self.sides[measure].look_since(), used);
                let ours = seen(&self.sides[at].look_since(), used);
                if theirs == ours || begin.elapsed() > FOLLOWS {
                    break (theirs, ours);
                }
                std::thread::sleep(Duration::from_millis(2));
            };
            if theirs != ours {
                let what = match step {
                    Step::Call { what, .. } => format!("table after {what}"),
                    Step::World(what) => format!("table after {what}"),
                };
                self.part(at, who, &what, &theirs, &ours)?;
            }
        }
        Ok(())
    }

    /// pcscd lets an unused card rest some time between 0.4 and 0.8 s after its last handle, and even if somebody has
    /// opened a direct one meanwhile: here it does at once.
    fn rest_unused(&mut self) -> Compared {
        for (reader, word) in ["first", "second"].iter().enumerate() {
            let used = self.book.is_used(reader) || !self.book.cards[reader];
            if !used && !self.rested[reader] {
                self.change_world(&format!("rest {word}"))?;
            }
            self.rested[reader] = !used;
        }
        Ok(())
    }
}

/// A reader in words: power is the daemon's own affair, and so is the protocol of a card that nobody has open.
fn seen(entries: &[Entry; 2], used: [bool; 2]) -> String {
    let words = entries.iter().zip(used).map(|(entry, used)| {
        let card = if entry.has_card() { "card" } else { "empty" };
        let protocol = if used { entry.protocol } else { 0 };
        let atr: String = entry.atr.iter().map(|byte| format!("{byte:02X}")).collect();
        format!(
            "{card} events {} sharing {} protocol {protocol} {atr}",
            entry.events, entry.sharing
        )
    });
    words.collect::<Vec<_>>().join(", ")
}

impl Book {
    /// Open handles of a program on each reader.
    fn open_counts(&self, program: &str) -> [i32; 2] {
        let mut counts = [0; 2];
        let Some(program) = self.programs.get(program_of(program)) else { return counts };
        for handle in &program.handles {
            if handle.life == super::book::Life::Open {
                counts[handle.reader] += 1;
            }
        }
        counts
    }
}
