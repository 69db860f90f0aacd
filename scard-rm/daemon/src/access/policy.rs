//! Who may use which reader: the rules as they are written, and what they say about one who comes.

use std::collections::BTreeSet;
use std::fmt;

use nix::unistd::{Group, User};
use scard_types::Millis;
use serde::Deserialize;
use tracing::warn;

use super::pattern::Pattern;
use crate::process::is_administrator;

/// `access = "..."`: who is let in without standing in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// Everybody on this machine; where there is a list, nobody.
    #[default]
    Local,
    /// Whose session is the active one of a local seat.
    Seat,
    /// Whom polkit authorizes.
    Polkit,
}

/// A user or group: a number, or a name that is looked up at start and at a reload.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Who {
    /// `1000`
    Number(u32),
    /// `"sssd"`
    Name(String),
}

/// What is written for all readers.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessTable {
    pub(crate) access: Option<Mode>,
    pub(crate) allow_users: Option<Vec<Who>>,
    pub(crate) allow_groups: Option<Vec<Who>>,
}

/// `[[reader-rule]]`: what is written for some readers. The first one that fits a reader counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct ReaderRuleTable {
    name: Option<String>,
    driver: Option<String>,
    access: Option<Mode>,
    allow_users: Option<Vec<Who>>,
    allow_groups: Option<Vec<Who>>,
    idle_transaction_ms: Option<u64>,
}

/// The rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    all: Rule,
    readers: Vec<ReaderRule>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct ReaderRule {
    name: Pattern,
    driver: Pattern,
    /// None: as for all readers.
    access: Option<Rule>,
    idle_transaction: Option<Millis>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rule {
    mode: Mode,
    listed: Option<Listed>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Listed {
    users: BTreeSet<u32>,
    groups: BTreeSet<u32>,
}

/// A reader that somebody wants to use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The driver that serves it.
    pub(crate) driver: &'a str,
}

/// What the rules say about one who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// He may.
    Granted,
    /// He may not: there is a list, and he does not stand in it.
    NotListed,
    /// He may if his session is the active one of a local seat.
    AskLogind,
    /// He may if polkit says so.
    AskPolkit,
}

/// Which rule decided: what to look for in the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    mode: Mode,
    for_reader: Option<Pattern>,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Local => "local",
            Mode::Seat => "seat",
            Mode::Polkit => "polkit",
        };
        match &self.for_reader {
            None => write!(f, "access = \"{mode}\""),
            Some(name) => write!(f, "[[reader-rule]] name = \"{name}\", access = \"{mode}\""),
        }
    }
}

impl Policy {
    /// The rules that are written. A name that nobody has lets nobody in, and is said in the log.
    pub(crate) fn new(all: &AccessTable, readers: &[ReaderRuleTable]) -> Self {
        let rule =
            |access: Option<Mode>, users: &Option<Vec<Who>>, groups: &Option<Vec<Who>>| Rule {
                mode: access.unwrap_or_default(),
                listed: (users.is_some() || groups.is_some()).then(|| Listed {
                    users: numbers(users, "user", |name| {
                        User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
                    }),
                    groups: numbers(groups, "group", |name| {
                        Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw())
                    }),
                }),
            };
        let of_reader = |table: &ReaderRuleTable| {
            let ReaderRuleTable { access, allow_users, allow_groups, .. } = table;
            let speaks = access.is_some() || allow_users.is_some() || allow_groups.is_some();
            ReaderRule {
                name: table.name.as_deref().map(Pattern::new).unwrap_or_default(),
                driver: table.driver.as_deref().map(Pattern::new).unwrap_or_default(),
                access: speaks.then(|| rule(*access, allow_users, allow_groups)),
                idle_transaction: table.idle_transaction_ms.map(Millis),
            }
        };
        Self {
            all: rule(all.access, &all.allow_users, &all.allow_groups),
            readers: readers.iter().map(of_reader).collect(),
        }
    }

    /// Whether everybody may do everything, so that nobody has to be asked who he is.
    pub(crate) fn is_open(&self) -> bool {
        self.all == Rule::default() && self.readers.iter().all(|rule| rule.access.is_none())
    }

    /// What the rules say; `reader` is the one that is wanted, or none if it is the daemon as such. `groups` are looked
    /// up only if a list names some.
    pub(crate) fn judge(
        &self,
        uid: u32,
        groups: impl FnOnce() -> Vec<u32>,
        reader: Option<Wanted<'_>>,
    ) -> Verdict {
        let (rule, _) = self.rule_for(reader);
        if is_administrator(uid) {
            return Verdict::Granted;
        }
        let is_listed = rule.listed.as_ref().is_some_and(|listed| {
            listed.users.contains(&uid)
                || (!listed.groups.is_empty()
                    && groups().iter().any(|gid| listed.groups.contains(gid)))
        });
        match rule.mode {
            _ if is_listed => Verdict::Granted,
            Mode::Local if rule.listed.is_none() => Verdict::Granted,
            Mode::Local => Verdict::NotListed,
            Mode::Seat => Verdict::AskLogind,
            Mode::Polkit => Verdict::AskPolkit,
        }
    }

    /// Which rule [`Policy::judge`] goes by.
    pub(crate) fn written(&self, reader: Option<Wanted<'_>>) -> Written {
        let (rule, for_reader) = self.rule_for(reader);
        Written { mode: rule.mode, for_reader: for_reader.cloned() }
    }

    /// How long a transaction with this reader may be idle, if a rule says something of it.
    pub(crate) fn idle_transaction(&self, reader: Wanted<'_>) -> Option<Millis> {
        self.rules_for(reader).find_map(|rule| rule.idle_transaction)
    }

    fn rule_for(&self, reader: Option<Wanted<'_>>) -> (&Rule, Option<&Pattern>) {
        reader
            .and_then(|reader| {
                self.rules_for(reader)
                    .find_map(|rule| rule.access.as_ref().map(|access| (access, Some(&rule.name))))
            })
            .unwrap_or((&self.all, None))
    }

    fn rules_for<'p>(&'p self, reader: Wanted<'_>) -> impl Iterator<Item = &'p ReaderRule> {
        self.readers
            .iter()
            .filter(move |rule| rule.name.fits(reader.name) && rule.driver.fits(reader.driver))
    }
}

fn numbers(
    written: &Option<Vec<Who>>,
    kind: &str,
    look_up: impl Fn(&str) -> Option<u32>,
) -> BTreeSet<u32> {
    let number = |who: &Who| match who {
        Who::Number(number) => Some(*number),
        Who::Name(name) => {
            let found = look_up(name);
            if found.is_none() {
                warn!(name, "there is no such {kind}: the name lets nobody in");
            }
            found
        }
    };
    written.iter().flatten().filter_map(number).collect()
}

#[cfg(test)]
mod tests;
