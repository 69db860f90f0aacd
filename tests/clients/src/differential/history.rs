//! Histories: what several programs do one after the other, as a text.
//!
//! ```text
//! alice/0 connect c0 h0 first shared any -> Success 2 | stock library on scard: ProtoMismatch
//! world   insert first
//! ```
//!
//! The words behind `alice/0` (a thread of a program) are a call of `differential/caller.c`. `bob:h0` is a number of
//! another program. What is told, behind `->`, is a comment: both sides are asked again when a history is played again.
//! The world can `insert READER`, `remove READER`, `kill WHO` and `rest READER` (an unused card loses its power).

use std::fmt;

/// One thing that somebody does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A thread makes a call.
    Call {
        /// Program and thread.
        who: String,
        /// The call.
        what: String,
    },
    /// Something happens to readers or programs.
    World(String),
}

impl Step {
    /// A call.
    pub(crate) fn call(who: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Call { who: who.into(), what: what.into() }
    }

    /// The step in a line; `None` for a line without one.
    ///
    /// # Errors
    /// The line, if it is no step.
    pub fn parse(line: &str) -> Result<Option<Self>, String> {
        let step = line.split(" -> ").next().unwrap_or_default();
        let step = step.split("# ").next().unwrap_or_default().trim();
        if step.is_empty() || step == "#" {
            return Ok(None);
        }
        match step.split_once(char::is_whitespace) {
            Some(("world", what)) => Ok(Some(Self::World(what.trim().into()))),
            Some((who, what)) if who.contains('/') => Ok(Some(Self::call(who, what.trim()))),
            _ => Err(format!("no step: {line}")),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { who, what } => write!(out, "{who:<7} {what}"),
            Self::World(what) => write!(out, "world   {what}"),
        }
    }
}

/// The steps of a text.
///
/// # Errors
/// The first line that is no step.
pub fn parse(text: &str) -> Result<Vec<Step>, String> {
    text.lines().filter_map(|line| Step::parse(line).transpose()).collect()
}

/// The program of a thread.
pub(crate) fn program_of(who: &str) -> &str {
    who.split('/').next().unwrap_or(who)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_as_it_is_written() {
        let text = "# a comment\nalice/0 begin h0 -> Success\n\nworld   insert first\n";
        let steps = parse(text).unwrap();
        assert_eq!(steps, [Step::call("alice/0", "begin h0"), Step::World("insert first".into())]);
        let lines: Vec<String> = steps.iter().map(ToString::to_string).collect();
        assert_eq!(parse(&lines.join("\n")), Ok(steps));
        assert!(parse("alice begins").is_err());
    }
}
