//! Journeys: what several programs do, in order, and what each is told.
//!
//! A journey is a text. `#` begins a comment. All other lines are one of
//!
//! ```text
//! alice   connect first shared any -> T1      alice does it, and is told this
//! bob     begin ...                           bob asks, and is not answered yet
//! bob     waits                               and still is not
//! bob     -> ok                               now he is
//! bob     finishes                            now he is, with whatever
//! world   insert first                        a card comes; also: remove, kill WHO, stop, start, restart
//! stages  scard held                          only where all these words hold
//! ```
//!
//! Actors are processes that start when they first act; `alice/2` is a second thread of alice's. An answer may have `*`
//! for anything. `-> this | pcscd: that` tells a difference between the daemons, `| ours: that` one between the libraries,
//! `| own: that` one between a daemon's own socket and one that is held for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::actor::Actor;
use crate::daemon::{Manner, Service};
use crate::stage::Stage;

/// Long enough for an answer that must not come.
const NOTHING_COMES: Duration = Duration::from_millis(150);

/// The first word of a line, and what stands behind it.
#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    Stages(&'a str),
    World(&'a str),
    Ask { who: &'a str, what: &'a str },
    Waits { who: &'a str },
    Told { who: &'a str, answer: &'a str },
    Finishes { who: &'a str },
}

/// Where the journeys are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("journeys")
}

/// Plays a journey.
///
/// # Panics
/// If anything is not as it tells.
pub fn play(stage: Stage, name: &str) {
    play_in_a_manner(stage, name, Manner::default());
}

/// The same with a daemon in some manner.
///
/// # Panics
/// If anything is not as it tells.
pub fn play_in_a_manner(stage: Stage, name: &str, manner: Manner) {
    let file = folder().join(name).with_extension("txt");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    let lines: Vec<(usize, Line<'_>)> = (1..)
        .zip(text.lines())
        .flat_map(|(number, line)| parse(line).into_iter().map(move |part| (number, part)))
        .collect();
    let words = [stage.manager_word(), stage.library_word(), manner.word()];
    let is_elsewhere = |line: &Line<'_>| matches!(line, Line::Stages(on) if on.split_whitespace().any(|word| !words.contains(&word)));
    if lines.iter().any(|(_, line)| is_elsewhere(line)) {
        return;
    }
    // Short: it is part of the path of a socket.
    let manner_letters = [(manner.asked_to_stop, "t"), (manner.held, "h")]
        .map(|(so, letter)| if so { letter } else { "" });
    let manner_letters = manner_letters.concat();
    let unique = format!("{name}-{:?}-{:?}{manner_letters}", stage.library, stage.manager);
    let mut scene = Scene {
        stage,
        words,
        service: Service::start_in_a_manner(stage.manager, &unique, "piv", manner),
        actors: BTreeMap::new(),
    };
    for (number, line) in lines {
        if let Err(trouble) = scene.act(&line) {
            panic!("{name}.txt:{number}: {trouble}");
        }
    }
}

struct Scene {
    stage: Stage,
    /// Which alternative answers are meant.
    words: [&'static str; 3],
    // Before the service: actors go first.
    actors: BTreeMap<String, Actor>,
    service: Service,
}

impl Scene {
    fn act(&mut self, line: &Line<'_>) -> Result<(), String> {
        match line {
            Line::Stages(_) => {}
            Line::World(what) => return self.change_world(what),
            Line::Ask { who, what } => self.actor(who).ask(who, what),
            Line::Waits { who } => {
                if let Some(answer) = self.actor(who).answer_within(who, NOTHING_COMES) {
                    return Err(format!("{who} does not wait, but is told {answer}"));
                }
            }
            Line::Told { who, answer } => {
                let wanted = wanted(answer, &self.words);
                let told = self.actor(who).answer(who);
                if !matches(wanted, &told) {
                    return Err(format!("{who} is told\n    {told}\ninstead of\n    {wanted}"));
                }
            }
            Line::Finishes { who } => {
                let _ = self.actor(who).answer(who);
            }
        }
        Ok(())
    }

    fn actor(&mut self, who: &str) -> &mut Actor {
        let process = who.split('/').next().unwrap_or(who);
        self.actors
            .entry(process.to_owned())
            .or_insert_with(|| Actor::start(process, self.stage, &self.service))
    }

    fn change_world(&mut self, what: &str) -> Result<(), String> {
        let words: Vec<&str> = what.split_whitespace().collect();
        match words[..] {
            ["insert", reader] => {
                // pcscd does not count a card that it finds at its first look.
                self.see(&format!("{reader} EMPTY"))?;
                self.service.insert(place(reader)?);
                self.see(&format!("{reader} PRESENT"))
            }
            ["remove", reader] => {
                self.service.remove(place(reader)?);
                self.see(&format!("{reader} EMPTY"))
            }
            ["kill", who] => {
                self.actors.remove(who).ok_or("nobody is there")?.kill();
                Ok(())
            }
            ["restart"] => {
                self.service.stop();
                self.service.start_again();
                self.actors.remove(USHER);
                Ok(())
            }
            ["stop"] => {
                self.service.stop();
                Ok(())
            }
            ["start"] => {
                self.service.start_again();
                self.actors.remove(USHER);
                Ok(())
            }
            _ => Err(format!("the world cannot {what}")),
        }
    }

    /// Waits until the programs can know of it.
    fn see(&mut self, state: &str) -> Result<(), String> {
        let usher = self.actor(USHER);
        usher.ask(USHER, &format!("see {state}"));
        match usher.answer(USHER).as_str() {
            "ok" => Ok(()),
            other => Err(format!("waiting for {state}: {other}")),
        }
    }
}

/// An actor of the scene's own.
const USHER: &str = "usher";

fn place(reader: &str) -> Result<usize, String> {
    match reader {
        "first" => Ok(0),
        "second" => Ok(1),
        _ => Err(format!("no reader is {reader}")),
    }
}

/// The parts of a line: nothing, one, or question and answer.
fn parse(line: &str) -> Vec<Line<'_>> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let Some((who, rest)) = line.split_once(char::is_whitespace) else { return Vec::new() };
    let rest = rest.trim();
    if who == "world" {
        return vec![Line::World(rest)];
    }
    if who == "stages" {
        return vec![Line::Stages(rest)];
    }
    if rest == "waits" {
        return vec![Line::Waits { who }];
    }
    if rest == "finishes" {
        return vec![Line::Finishes { who }];
    }
    if let Some(what) = rest.strip_suffix(" ...") {
        return vec![Line::Ask { who, what: what.trim() }];
    }
    let (what, answer) = rest.split_once("->").unwrap_or_else(|| panic!("no answer in: {line}"));
    let (what, answer) = (what.trim(), answer.trim());
    let told = Line::Told { who, answer };
    if what.is_empty() { vec![told] } else { vec![Line::Ask { who, what }, told] }
}

/// The answer where these words hold.
#[must_use]
pub fn wanted<'a>(answer: &'a str, words: &[&str]) -> &'a str {
    let mut alternatives = answer.split(" | ");
    let first = alternatives.next().unwrap_or_default();
    let meant = |other: &'a str| {
        let (word, answer) = other.split_once(": ")?;
        words.contains(&word).then_some(answer)
    };
    alternatives.find_map(meant).unwrap_or(first).trim()
}

/// `*` in the pattern is any text.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices()
                .map(|(index, _)| index)
                .chain([text.len()])
                .any(|index| matches(rest, &text[index..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kinds() {
        let cases: &[(&str, &[Line<'_>])] = &[
            ("# nothing", &[]),
            ("world  insert first", &[Line::World("insert first")]),
            ("bob begin ...", &[Line::Ask { who: "bob", what: "begin" }]),
            ("bob waits  # still", &[Line::Waits { who: "bob" }]),
            ("bob -> ok", &[Line::Told { who: "bob", answer: "ok" }]),
            ("bob finishes", &[Line::Finishes { who: "bob" }]),
            (
                "bob/2 cancel -> ok",
                &[
                    Line::Ask { who: "bob/2", what: "cancel" },
                    Line::Told { who: "bob/2", answer: "ok" },
                ],
            ),
        ];
        for (line, parts) in cases {
            assert_eq!(parse(line), *parts, "{line}");
        }
    }

    #[test]
    fn answers_differ_by_daemon_where_they_say_so() {
        assert_eq!(wanted("ok | pcscd: Timeout", &["pcscd"]), "Timeout");
        assert_eq!(wanted("ok | pcscd: Timeout", &["scard"]), "ok");
        assert_eq!(wanted("ok | pcscd: Timeout | own: *", &["scard", "own"]), "*");
    }

    #[test]
    fn stars_stand_for_anything() {
        assert!(matches("61*9000", "61004F9000") && matches("*", "") && matches("a*b*c", "abbc"));
        assert!(!matches("61*9000", "6A82") && !matches("a*b", "abc"));
    }
}
