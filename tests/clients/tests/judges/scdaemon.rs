//! GnuPG's scdaemon, which takes a card for itself alone.

use std::path::Path;
use std::process::Command;

use clients::judge::{Bench, Said, said};
use clients::stage::{Manager, Stage, dist};

/// scdaemon and the agent that starts it, in a home of their own.
struct Gnupg<'a> {
    bench: &'a Bench,
    home: String,
}

impl<'a> Gnupg<'a> {
    fn new(bench: &'a Bench) -> Self {
        let home = bench.file("gnupg");
        let made = said(Command::new("mkdir").args(["-m", "700", &home]), "");
        let _ = made.succeeds();
        // Its own driver would look for readers at USB.
        let _ = bench.write("gnupg/scdaemon.conf", b"disable-ccid\n");
        Self { bench, home }
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Said {
        let mut command = self.bench.command(program);
        said(command.args(arguments).env("GNUPGHOME", &self.home), "")
    }

    /// Asks the agent, which asks scdaemon where the order begins with `scd`.
    fn ask(&self, order: &str) -> Said {
        self.command("gpg-connect-agent", &[order, "/bye"]).succeeds()
    }

    fn pid(&self, of: &str) -> String {
        let said = self.ask(&format!("{of}getinfo pid"));
        let text = String::from_utf8(said.output).expect("text");
        let pid = text.lines().find_map(|line| line.strip_prefix("D "));
        pid.unwrap_or_else(|| panic!("no number: {text}")).to_owned()
    }
}

impl Drop for Gnupg<'_> {
    fn drop(&mut self) {
        let agent = self.command("gpg-connect-agent", &["--no-autostart", "getinfo pid", "/bye"]);
        let _ = self.command("gpgconf", &["--kill", "all"]);
        // scdaemon goes with the agent, if that did not listen.
        let agent = String::from_utf8_lossy(&agent.output).into_owned();
        if let Some(pid) = agent.lines().find_map(|line| line.strip_prefix("D ")) {
            let _ = said(Command::new("sh").args(["-c", "kill $0", pid]), "");
        }
    }
}

pub(crate) fn scdaemon_keeps_others_out_while_it_holds_the_card(stage: Stage) {
    // GnuPG 2.2 knows no PIV.
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("judges/openpgp_card.py");
    let bench = Bench::with_card_program(stage, "scdaemon", &program);
    let gnupg = Gnupg::new(&bench);
    let opensc = || bench.run("opensc-tool", &["-n"]);
    gnupg.command("gpg", &["--card-status"]).succeeds().says(&[
        "Reader ...........: Virtual PCD 00 00",
        "Application type .: OpenPGP",
        "PIN retry counter : 3 0 3",
    ]);
    opensc().says(&["Reader in use by another application"]);
    if stage.manager == Manager::Ours {
        let scdaemon = gnupg.pid("scd ");
        let list = bench.run(&dist().join("bin/scard").to_string_lossy(), &["list"]);
        let held = format!("held  by pid {scdaemon} (scdaemon), uid ");
        list.succeeds().says(&[&held, ", exclusive"]);
        bench.service.logs(&format!("is refused, scdaemon (pid {scdaemon}, uid "));
        bench.service.logs("holds the card exclusively");
    }
    gnupg.command("gpgconf", &["--kill", "scdaemon"]).succeeds();
    opensc().succeeds().says(&["OpenPGP card v3.4"]);
}
