//! What a run has found: figures with their bars, and tables beside them.

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// Everything that a run has found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// Whether it was a run of half a minute, whose numbers mean little.
    pub quick: bool,
    /// The figures, in the order in which they were measured.
    pub figures: Vec<Figure>,
    /// What stands beside them.
    pub tables: Vec<Table>,
}

/// One number that is held against a bar.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// Its short name.
    pub name: String,
    /// What it is.
    pub what: String,
    /// `None` where it could not be measured.
    pub value: Option<f64>,
    /// What the value counts; empty for a ratio.
    pub unit: String,
    /// What it has to reach.
    pub bar: Bar,
    /// What else there is to say: the other side's value, or why there is none.
    pub note: String,
}

/// What a value has to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bar {
    /// Not more.
    AtMost(f64),
    /// Less.
    Below(f64),
    /// More.
    Above(f64),
}

/// How a value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It reaches its bar.
    Ok,
    /// It does not.
    NotMet,
    /// There is none.
    NotMeasured,
}

/// Numbers in rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// What stands in each column.
    pub columns: Vec<String>,
    /// The rows; the first word of each is its name.
    pub rows: Vec<Vec<String>>,
}

impl Bar {
    /// How that value does.
    #[must_use]
    pub fn judge(self, value: f64) -> Verdict {
        let reached = match self {
            Self::AtMost(bar) => value <= bar,
            Self::Below(bar) => value < bar,
            Self::Above(bar) => value > bar,
        };
        if reached { Verdict::Ok } else { Verdict::NotMet }
    }

    fn words(self, unit: &str) -> String {
        match self {
            Self::AtMost(bar) => format!("at most {}", amount(bar, unit)),
            Self::Below(bar) => format!("below {}", amount(bar, unit)),
            Self::Above(bar) => format!("above {}", amount(bar, unit)),
        }
    }
}

impl Verdict {
    /// As it is printed.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotMet => "NOT met",
            Self::NotMeasured => "not measured",
        }
    }
}

impl Figure {
    /// A figure that was measured.
    #[must_use]
    pub fn new(name: &str, what: &str, value: f64, unit: &str, bar: Bar) -> Self {
        let (name, what, unit) = (name.to_owned(), what.to_owned(), unit.to_owned());
        Self { name, what, value: Some(value), unit, bar, note: String::new() }
    }

    /// The same with something to say.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// A figure that cannot be measured here, and why.
    #[must_use]
    pub fn missing(name: &str, what: &str, unit: &str, bar: Bar, why: &str) -> Self {
        Self { value: None, ..Self::new(name, what, 0.0, unit, bar) }.with_note(why)
    }

    /// How it does.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.value.map_or(Verdict::NotMeasured, |value| self.bar.judge(value))
    }

    fn cells(&self) -> [String; 5] {
        [
            self.what.clone(),
            self.value.map_or("-".into(), |value| amount(value, &self.unit)),
            self.bar.words(&self.unit),
            self.verdict().words().to_owned(),
            self.note.clone(),
        ]
    }
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title: title.to_owned(), columns, rows: Vec::new() }
    }

    /// One more row.
    pub fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        self.rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }
}

const FIGURE_COLUMNS: [&str; 5] = ["figure", "measured", "bar", "", "note"];

impl Report {
    /// As Markdown: a table of figures, then the others.
    #[must_use]
    pub fn markdown(&self) -> String {
        let Machine { processor, processors, kernel, system, load_before, load_after } =
            &self.machine;
        let mut text = format!(
            "Measured on {processors} processors of {processor}, Linux {kernel}, {system}; load average {load_before:.2} before \
             and {load_after:.2} after.\n"
        );
        for warning in self.warnings() {
            text.push_str(&format!("**{warning}**\n"));
        }
        let figures: Vec<_> = self.figures.iter().map(|figure| figure.cells().to_vec()).collect();
        text.push_str(&markdown_table(&FIGURE_COLUMNS.map(str::to_owned), &figures));
        for Table { title, columns, rows } in &self.tables {
            text.push_str(&format!("\n### {title}\n"));
            text.push_str(&markdown_table(columns, rows));
        }
        text
    }

    /// What makes the numbers doubtful.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        let quick = self.quick.then_some("A quick run: too few rounds for numbers to rely on.");
        let busy = self.machine.was_busy().then_some(
            "The machine was busy with something else: absolute times are unreliable, ratios less so.",
        );
        quick.into_iter().chain(busy).collect()
    }
}

fn markdown_table(columns: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", " --- |".repeat(columns.len()));
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("\n{}{rule}{body}", line(columns))
}

/// A number with its unit, no finer than it deserves.
#[must_use]
pub fn amount(value: f64, unit: &str) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        small if small < 0.1 => 3,
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    let number = format!("{value:.digits$}");
    // 5.00 and 5.0 are 5; 500 stays as it is.
    let number = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => &number,
    };
    if unit.is_empty() { number.to_owned() } else { format!("{number} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_reaches_its_bar_or_not() {
        let figure = |value, bar| Figure::new("a", "b", value, "ms", bar);
        assert_eq!(figure(1.5, Bar::AtMost(1.5)).verdict(), Verdict::Ok);
        assert_eq!(figure(1.5, Bar::Below(1.5)).verdict(), Verdict::NotMet);
        assert_eq!(figure(0.95, Bar::Above(0.9)).verdict(), Verdict::Ok);
        let missing = Figure::missing("a", "b", "", Bar::AtMost(1.0), "no root");
        assert_eq!(missing.verdict(), Verdict::NotMeasured);
        assert_eq!(missing.cells()[4], "no root");
    }

    #[test]
    fn amounts_are_as_fine_as_they_deserve() {
        assert_eq!(amount(1.5, ""), "1.5");
        assert_eq!(amount(0.0312, "ms"), "0.031 ms");
        assert_eq!(amount(1234.56, "us"), "1235 us");
        assert_eq!(amount(20.0, "ms"), "20 ms");
        assert_eq!(amount(0.0, ""), "0");
        assert_eq!(amount(100.0, "ms"), "100 ms");
    }

    #[test]
    fn a_report_survives_its_file() {
        let mut report = Report {
            machine: Machine::here(),
            quick: true,
            figures: vec![Figure::new("a", "b", 1.0, "ms", Bar::Below(2.0))],
            tables: vec![Table::new("t", &["c", "d"])],
        };
        report.tables[0].row("x", ["1".to_owned()]);
        let text = serde_json::to_string(&report).expect("it can be written");
        let again: Report = serde_json::from_str(&text).expect("it can be read");
        assert_eq!(again.markdown(), report.markdown());
        assert!(report.markdown().contains("| b | 1 ms | below 2 ms | ok |  |"));
    }
}
