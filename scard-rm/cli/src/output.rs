//! Where commands print: styled for people, JSON for programs.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::failure::Failure;

/// What the eye looks for first.
pub(crate) const STRONG: Style = Style::new().bold();
/// What only some look for.
pub(crate) const WEAK: Style = Style::new().dimmed();
/// It holds.
pub(crate) const RIGHT: Style = AnsiColor::Green.on_default();
/// It does not hold.
pub(crate) const WRONG: Style = AnsiColor::Red.on_default();

/// Standard output of a command. Styles are left out when it is no terminal or `NO_COLOR` is set.
pub(crate) struct Output {
    sink: Box<dyn Write>,
}

impl Output {
    /// The process's standard output.
    #[must_use]
    pub(crate) fn stdout() -> Self {
        Self { sink: Box::new(anstream::stdout()) }
    }

    /// Prints one object on one line and sends it on its way at once.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_string(value).map_err(io::Error::from)?;
        line.push('\n');
        self.sink.write_all(line.as_bytes())?;
        Ok(self.sink.flush()?)
    }

    /// Prints one document, indented.
    ///
    /// # Errors
    /// [`Failure::Output`].
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut document = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        document.push('\n');
        self.sink.write_all(document.as_bytes())?;
        Ok(self.sink.flush()?)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
