//! Child processes that cannot outlive their test.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Nothing here takes that long, unless it hangs.
pub const HANGS: Duration = Duration::from_secs(20);

/// A process that is spoken to in lines, and that stops when its standard input ends.
pub struct Talker {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Talker {
    /// Starts it.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {:?}: {error}", command.get_program()));
        let input = child.stdin.take();
        let output = child.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { name: name.to_owned(), child, input, lines }
    }

    /// Its process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Says a line to it.
    ///
    /// # Panics
    /// If it is gone.
    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("it was not closed");
        writeln!(input, "{line}").unwrap_or_else(|error| panic!("{} is gone: {error}", self.name));
    }

    /// The next line that it says.
    ///
    /// # Panics
    /// If it says nothing more, or nothing for too long.
    #[must_use]
    pub fn hear(&self) -> String {
        self.lines.recv_timeout(HANGS).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => panic!("{} hangs", self.name),
            RecvTimeoutError::Disconnected => panic!("{} ended without a word", self.name),
        })
    }

    /// The next line, if it comes within that time.
    #[must_use]
    pub fn hear_within(&self, time: Duration) -> Option<String> {
        self.lines.recv_timeout(time).ok()
    }

    /// Kills it without a warning.
    pub fn kill(&mut self) {
        // It may have ended by itself. Its input stays open until then: it shall not end by its own will.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.input = None;
    }

    /// Sends it SIGTERM and waits until it is gone.
    ///
    /// # Panics
    /// If it does not go well.
    pub fn terminate(&mut self) {
        let kill = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(kill.expect("kill starts").success(), "{} is not there", self.name);
        let status = self.child.wait().expect("it is our child");
        assert!(status.success(), "{}: {status}", self.name);
        self.input = None;
    }

    /// Ends its input and waits until it is gone.
    ///
    /// # Panics
    /// If it does not go.
    pub fn stop(&mut self) {
        self.input = None;
        loop {
            match self.lines.recv_timeout(HANGS) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    self.kill();
                    panic!("{} does not stop", self.name);
                }
            }
        }
        let _ = self.child.wait();
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        self.kill();
    }
}
