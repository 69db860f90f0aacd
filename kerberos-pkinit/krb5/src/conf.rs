//! krb5.conf: sections, relations, subsections in braces, files that are included.
//!
//! ```text
//! [libdefaults]
//!     default_realm = EXAMPLE.COM
//! [realms]
//!     EXAMPLE.COM = {
//!         kdc = kdc.example.com
//!     }
//! includedir /etc/krb5.conf.d/
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// How deep files may include files.
const MAX_INCLUDES: usize = 10;
/// How deep braces may stand in braces.
const MAX_DEPTH: usize = 16;

/// What a file asks to be read in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include<'a> {
    /// One file.
    File(&'a str),
    /// Every file of a folder whose name has only letters, digits, `-` and `_`, or ends in `.conf`; in order of name.
    Folder(&'a str),
}

/// Why a text is no krb5.conf.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfError {
    /// A line that is nothing of what there is.
    Line {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// An included file could not be read; the text is the reader's.
    Include {
        /// Its path.
        path: String,
        /// Why.
        why: String,
    },
    /// Files include files without end.
    TooDeep,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineProblem {
    /// It stands before the first section.
    NoSection,
    /// A section's name without its bracket.
    SectionHeader,
    /// No `=`.
    NoEquals,
    /// A brace that closes nothing.
    SurplusBrace,
    /// Braces in braces in braces.
    TooDeep,
    /// The file ends inside braces.
    OpenBrace,
    /// A quoted value without its end.
    OpenQuote,
}

impl fmt::Display for ConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { number, problem } => {
                let problem = match problem {
                    LineProblem::NoSection => "stands before the first [section]",
                    LineProblem::SectionHeader => "is no [section]",
                    LineProblem::NoEquals => "has no '='",
                    LineProblem::SurplusBrace => "closes a brace that is not open",
                    LineProblem::TooDeep => "nests braces too deep",
                    LineProblem::OpenBrace => "leaves a brace open at the end of the file",
                    LineProblem::OpenQuote => "leaves a quote open",
                };
                write!(f, "line {number} {problem}")
            }
            Self::Include { path, why } => write!(f, "{path}: {why}"),
            Self::TooDeep => f.write_str("files include each other without end"),
        }
    }
}

impl core::error::Error for ConfError {}

type Result<T> = core::result::Result<T, ConfError>;

/// A value, or a subsection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Section(Section),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Relation {
    name: String,
    value: Option<Value>,
    /// Marked with `*`: nothing after it counts.
    is_final: bool,
}

/// Relations in order; the same name may stand more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Section {
    relations: Vec<Relation>,
}

impl Section {
    fn all<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s Value> {
        let mut ended = false;
        let name = String::from(name);
        self.relations.iter().filter(move |relation| relation.name == name).filter_map(
            move |relation| {
                let counts = !ended;
                ended |= relation.is_final;
                relation.value.as_ref().filter(|_| counts)
            },
        )
    }

    fn collect<'s>(&'s self, path: &[&str], found: &mut Vec<&'s str>) {
        let Some((name, rest)) = path.split_first() else { return };
        for value in self.all(name) {
            match value {
                Value::Text(text) if rest.is_empty() => found.push(text),
                Value::Section(section) if !rest.is_empty() => section.collect(rest, found),
                Value::Text(_) | Value::Section(_) => {}
            }
        }
    }

    fn names<'s>(&'s self, path: &[&str], found: &mut Vec<&'s str>) {
        let Some((name, rest)) = path.split_first() else {
            found.extend(self.relations.iter().map(|relation| relation.name.as_str()));
            return;
        };
        for value in self.all(name) {
            if let Value::Section(section) = value {
                section.names(rest, found);
            }
        }
    }
}

/// A configuration, from one file or from several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conf {
    root: Section,
}

impl Conf {
    /// Reads a text. `include` gives the texts of what it includes, or says why it cannot.
    ///
    /// # Errors
    /// [`ConfError`].
    pub fn parse(
        text: &str,
        include: &mut dyn FnMut(Include<'_>) -> core::result::Result<Vec<String>, String>,
    ) -> Result<Self> {
        let mut conf = Self::default();
        conf.read(text, include, 0)?;
        Ok(conf)
    }

    fn read(
        &mut self,
        text: &str,
        include: &mut dyn FnMut(Include<'_>) -> core::result::Result<Vec<String>, String>,
        depth: usize,
    ) -> Result<()> {
        if depth > MAX_INCLUDES {
            return Err(ConfError::TooDeep);
        }
        // The section and the braces that we are in.
        let mut open: Vec<Relation> = Vec::new();
        let mut number = 0_usize;
        for line in text.lines() {
            number = number.saturating_add(1);
            let wrong = |problem| ConfError::Line { number, problem };
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            // Inside braces these words are names like any other.
            if open.len() <= 1 {
                if let Some(asked) = directive(line) {
                    let (Include::File(path) | Include::Folder(path)) = asked;
                    let texts = include(asked)
                        .map_err(|why| ConfError::Include { path: String::from(path), why })?;
                    for text in texts {
                        self.read(&text, include, depth.saturating_add(1))?;
                    }
                    continue;
                }
            }
            if let Some(header) = line.strip_prefix('[').filter(|_| open.len() <= 1) {
                let (name, after) =
                    header.split_once(']').ok_or(wrong(LineProblem::SectionHeader))?;
                self.close(open.pop());
                open.push(Relation {
                    name: String::from(name.trim()),
                    value: Some(Value::Section(Section::default())),
                    is_final: after.trim() == "*",
                });
                continue;
            }
            if open.is_empty() {
                return Err(wrong(LineProblem::NoSection));
            }
            if let Some(mark) = line.strip_prefix('}') {
                let mut closed = open.pop().filter(|_| !open.is_empty());
                let Some(relation) = closed.as_mut() else {
                    return Err(wrong(LineProblem::SurplusBrace));
                };
                relation.is_final |= mark.trim() == "*";
                add(&mut open, closed);
                continue;
            }
            let (name, value) = line.split_once('=').ok_or(wrong(LineProblem::NoEquals))?;
            let (name, is_final) = match name.trim().strip_suffix('*') {
                Some(name) => (name.trim(), true),
                None => (name.trim(), false),
            };
            let (name, value) = (String::from(name), value.trim());
            if value == "{" {
                if open.len() > MAX_DEPTH {
                    return Err(wrong(LineProblem::TooDeep));
                }
                let value = Some(Value::Section(Section::default()));
                open.push(Relation { name, value, is_final });
                continue;
            }
            let value = unquoted(value).ok_or(wrong(LineProblem::OpenQuote))?;
            add(&mut open, Some(Relation { name, value: Some(Value::Text(value)), is_final }));
        }
        if open.len() > 1 {
            return Err(ConfError::Line { number, problem: LineProblem::OpenBrace });
        }
        self.close(open.pop());
        Ok(())
    }

    /// Sections of the same name are one.
    fn close(&mut self, section: Option<Relation>) {
        let Some(Relation { name, value: Some(Value::Section(section)), is_final }) = section
        else {
            return;
        };
        let known = self.root.relations.iter_mut().find(|relation| relation.name == name);
        match known {
            Some(Relation { is_final: true, .. }) => {}
            Some(Relation { value: Some(Value::Section(old)), is_final: old_final, .. }) => {
                old.relations.extend(section.relations);
                *old_final |= is_final;
            }
            _ => {
                let value = Some(Value::Section(section));
                self.root.relations.push(Relation { name, value, is_final });
            }
        }
    }

    /// All values under a path, in order: `["realms", "EXAMPLE.COM", "kdc"]`.
    #[must_use]
    pub fn all(&self, path: &[&str]) -> Vec<&str> {
        let mut found = Vec::new();
        self.root.collect(path, &mut found);
        found
    }

    /// The first value under a path.
    #[must_use]
    pub fn first(&self, path: &[&str]) -> Option<&str> {
        self.all(path).first().copied()
    }

    /// The names in a section, in order: `["realms"]`.
    #[must_use]
    pub fn names(&self, path: &[&str]) -> Vec<&str> {
        let mut found = Vec::new();
        self.root.names(path, &mut found);
        found
    }

    /// The values of an option of the libraries: those of the realm come before those of `[libdefaults]`; both
    /// spellings of the latter are known (`REALM = { option = value }` in it, too).
    #[must_use]
    pub fn option(&self, realm: &str, option: &str) -> Vec<&str> {
        for path in [
            &["realms", realm, option][..],
            &["libdefaults", realm, option],
            &["libdefaults", option],
        ] {
            let values = self.all(path);
            if !values.is_empty() {
                return values;
            }
        }
        Vec::new()
    }
}

/// A truth value, as MIT's library reads it; `None` for anything else.
#[must_use]
pub fn truth(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["y", "yes", "true", "t", "1", "on"]) {
        Some(true)
    } else if is(&["n", "no", "false", "nil", "0", "off"]) {
        Some(false)
    } else {
        None
    }
}

/// A span of time in seconds: `10h`, `1d 2h 3m 4s`, `h:m[:s]`, or a number of seconds; `None` for anything else.
#[must_use]
pub fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.contains(':') {
        let fields =
            text.split(':').map(|field| field.parse::<u32>().ok()).collect::<Option<Vec<_>>>()?;
        let (hours, minutes, seconds) = match fields.as_slice() {
            [hours, minutes] => (*hours, *minutes, 0),
            [hours, minutes, seconds] => (*hours, *minutes, *seconds),
            _ => return None,
        };
        return i64::from(hours)
            .checked_mul(3600)?
            .checked_add(i64::from(minutes).checked_mul(60)?)?
            .checked_add(i64::from(seconds));
    }
    let (mut total, mut digits) = (0_i64, String::new());
    let mut last_unit = i64::MAX;
    for char in text.chars().filter(|char| !char.is_whitespace()) {
        if char.is_ascii_digit() {
            digits.push(char);
            continue;
        }
        let unit = match char {
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        if unit >= last_unit {
            return None;
        }
        last_unit = unit;
        let number: i64 = digits.parse().ok()?;
        total = total.checked_add(number.checked_mul(unit)?)?;
        digits.clear();
    }
    match digits.as_str() {
        "" if last_unit == i64::MAX => None,
        "" => Some(total),
        // A bare number is seconds, alone only.
        digits if last_unit == i64::MAX => digits.parse().ok(),
        _ => None,
    }
}

/// `include FILE` and `includedir FOLDER`, which may stand wherever a line may.
fn directive(line: &str) -> Option<Include<'_>> {
    let (word, path) = line.split_once(char::is_whitespace)?;
    let path = path.trim();
    match word {
        _ if path.is_empty() || path.starts_with('=') => None,
        "include" => Some(Include::File(path)),
        "includedir" => Some(Include::Folder(path)),
        _ => None,
    }
}

fn add(open: &mut [Relation], relation: Option<Relation>) {
    let Some(Relation { value: Some(Value::Section(section)), .. }) = open.last_mut() else {
        return;
    };
    section.relations.extend(relation);
}

/// A value without its quotes; `None` if they do not end. Inside them `\n`, `\t`, `\b` and `\"` mean what they do in C.
fn unquoted(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else { return Some(String::from(value)) };
    let mut text = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'b' => '\u{8}',
                other => other,
            }),
            other => text.push(other),
        }
    }
}
