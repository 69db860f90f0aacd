//! Python: pyscard, and what is made with it.

use std::path::{Path, PathBuf};

use clients::judge::{Bench, hear_until};
use clients::stage::{Stage, dist};

fn python(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("judges").join(name);
    file.to_str().expect("a path").to_owned()
}

pub(crate) fn pyscard_lists_connects_and_transmits(stage: Stage) {
    let bench = Bench::new(stage, "pyscard", "piv");
    bench.run("/usr/bin/python3", &[&python("connect.py")]).succeeds().says(&["all is well"]);
}

pub(crate) fn pyscard_monitors_cards(stage: Stage) {
    let mut bench = Bench::new(stage, "pyscard_monitor", "piv");
    let script = python("monitor.py");
    let monitor = bench.start("/usr/bin/python3", &["-u", &script]);
    hear_until(&monitor, "inserted Virtual PCD 00 00");
    bench.service.insert(1);
    hear_until(&monitor, "inserted Virtual PCD 00 01");
    bench.service.remove(0);
    hear_until(&monitor, "removed Virtual PCD 00 00");
}

/// The environment that `cargo xtask test` makes of `judges/requirements.txt`.
fn environment() -> PathBuf {
    dist().join("../judges-python")
}

fn in_environment(file: &str) -> String {
    environment().join(file).to_str().expect("a path").to_owned()
}

pub(crate) fn pypi_ykman_tells_of_piv(stage: Stage) {
    let bench = Bench::with_yubikey(stage, "ykman", ",serial=1234567");
    let reader = ["--reader", "Yubico YubiKey CCID 00 00"];
    let ykman = |arguments: &[&str]| {
        bench.run(&in_environment("bin/ykman"), &[&reader[..], arguments].concat()).succeeds()
    };
    ykman(&["piv", "info"]).says(&[
        "PIV version:              5.4.3",
        "PIN tries remaining:      3/3",
        "Management key algorithm: TDES",
        "WARNING: Using default PIN!",
        "Slot 9A (AUTHENTICATION):\n  Private key type: ECCP256",
        "Slot 9E (CARD_AUTH):",
        "CN=Card Authentication,OU=Card 1234567,O=scard virtual PIV card",
    ]);
}

/// What came of each test of pyscard, if not that it passed.
const NOT_PASSED: &str = include_str!("../../judges/pyscard_tests.txt");
const ALL: usize = 191;

pub(crate) fn pypi_pyscard_runs_its_own_tests(stage: Stage) {
    let bench = Bench::new(stage, "pyscard_tests", "piv");
    let script = python("pyscard_tests.py");
    let (source, work) = (in_environment("source"), bench.file("work"));
    let said = bench.run(&in_environment("bin/python"), &[&script, &source, &work]).succeeds();
    let output = String::from_utf8_lossy(&said.output);
    let told = output.lines().filter(|line| line.contains(".py::"));
    let (passed, rest): (Vec<_>, Vec<_>) = told.partition(|line| line.ends_with(": passed"));
    let expected = NOT_PASSED.lines().filter(|line| !line.starts_with('#'));
    let expected = expected.filter_map(|line| match line.rsplit_once(" on ") {
        Some((line, manager)) => (manager == stage.manager_word()).then_some(line),
        None => Some(line),
    });
    assert_eq!(rest, expected.collect::<Vec<_>>(), "{output}");
    assert_eq!(passed.len() + rest.len(), ALL, "{output}");
}
