//! `cargo xtask COMMAND`: what a developer and CI run. Only std, so that it compiles in a second.
#![forbid(unsafe_code)]

mod bench;
mod deny;
mod differential;
mod dist;
mod faults;
mod fuzz;
mod programs;
mod python;
mod run;
mod suite;
mod tally;
mod tools;

use std::process::ExitCode;

use run::Failure;

/// One thing that can be asked for.
struct Command {
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    help: &'static str,
    run: fn(&[&str]) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        arguments: "[--quick]",
        summary: "Runs every test; --quick only those that need no outside program",
        help: suite::HELP,
        run: suite::command,
    },
    Command {
        name: "faults",
        arguments: "[NAME]...",
        summary: "Plants faults in the core and expects its histories to find each",
        help: faults::HELP,
        run: faults::command,
    },
    Command {
        name: "differential",
        arguments: "[OPTION]...",
        summary: "Compares every answer with Debian's pcscd, by seeds",
        help: differential::HELP,
        run: differential::command,
    },
    Command {
        name: "bench",
        arguments: "[--quick] [--only NAME]... [--json FILE] [--write-docs]",
        summary: "Measures a release beside pcscd and beside bare sockets",
        help: bench::HELP,
        run: bench::command,
    },
    Command {
        name: "fuzz",
        arguments: "[TARGET]...",
        summary: "Looks for inputs that break a promise",
        help: fuzz::HELP,
        run: fuzz::command,
    },
    Command {
        name: "dist",
        arguments: "DIR",
        summary: "Builds a release and lays it out in DIR as it is installed",
        help: dist::HELP,
        run: dist::command,
    },
    Command {
        name: "deny",
        arguments: "",
        summary: "Checks licences, sources and bans of all dependencies",
        help: deny::HELP,
        run: deny::command,
    },
    Command {
        name: "ci",
        arguments: "",
        summary: "Runs what CI runs",
        help: "Runs .ci/run, the one description of the gate: format, lints, dependencies, documentation,\n\
               then `cargo xtask test`.",
        run: suite::gate,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match ask(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(text)) => {
            eprintln!("error: {text}\nTry `cargo xtask help`.");
            ExitCode::from(2)
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn ask(arguments: &[&str]) -> Result<(), Failure> {
    let (name, rest) = match arguments {
        [] | ["help" | "--help" | "-h"] => {
            print!("{}", overview());
            return Ok(());
        }
        ["help", name, ..] => (*name, &["--help"][..]),
        [name, rest @ ..] => (*name, rest),
    };
    let command = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or_else(|| Failure::Usage(format!("no command is called {name}")))?;
    if rest.iter().any(|argument| matches!(*argument, "--help" | "-h")) {
        let Command { name, arguments, help, .. } = command;
        println!("Usage: cargo xtask {name} {arguments}\n\n{help}");
        return Ok(());
    }
    (command.run)(rest)
}

fn overview() -> String {
    let mut text = String::from("Usage: cargo xtask COMMAND\n\nCommands:\n");
    for Command { name, arguments, summary, .. } in COMMANDS {
        let call = format!("{name} {arguments}");
        // A long one has a line of its own.
        let gap = if call.len() > 18 { "\n                    " } else { "" };
        text.push_str(&format!("  {call:<18}{gap} {summary}\n"));
    }
    text.push_str("  help COMMAND       Says more about one of them\n");
    text.push_str(
        "\nExit codes: 0 all went well, 1 something failed, 2 the command line is wrong.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help_and_a_name_of_its_own() {
        for (index, command) in COMMANDS.iter().enumerate() {
            assert!(!command.summary.is_empty() && !command.help.is_empty(), "{}", command.name);
            assert!(COMMANDS.iter().skip(index + 1).all(|other| other.name != command.name));
        }
    }

    #[test]
    fn an_unknown_command_is_a_usage_error() {
        assert!(matches!(ask(&["paint"]), Err(Failure::Usage(_))));
        assert!(matches!(ask(&["help", "paint"]), Err(Failure::Usage(_))));
    }
}
