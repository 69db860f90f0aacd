//! Package `libpam-pkcs11`: the programs that watch for cards.

use std::time::Duration;

use clients::judge::Bench;
use clients::stage::Stage;

use crate::support::module;

/// What both do at an event.
const EVENTS: &str = "
    event card_insert { on_error = ignore; action = \"echo it is in\"; }
    event card_remove { on_error = ignore; action = \"echo it is out\"; }
";

/// Both say nothing before the first event.
const TRIES: usize = 10;

pub(crate) fn card_eventmgr_sees_a_card_come_and_go(stage: Stage) {
    let bench = Bench::new(stage, "card_eventmgr", "piv");
    let settings = "card_eventmgr { daemon = false; debug = false; timeout = 100;";
    watches("card_eventmgr", bench, settings);
}

pub(crate) fn pkcs11_eventmgr_sees_a_card_come_and_go(stage: Stage) {
    let bench = Bench::new(stage, "pkcs11_eventmgr", "piv");
    let module = module("opensc-pkcs11.so");
    let settings = format!(
        "pkcs11_eventmgr {{ daemon = false; debug = false; polling_time = 1; pkcs11_module = {module};"
    );
    watches("pkcs11_eventmgr", bench, &settings);
}

fn watches(program: &str, mut bench: Bench, settings: &str) {
    let file = bench.write("eventmgr.conf", format!("{settings}{EVENTS}}}\n").as_bytes());
    let watcher = bench.start(program, &[&format!("config_file={file}")]);
    let mut is_in = true;
    let mut turn = |bench: &mut Bench| {
        if is_in {
            bench.service.remove(0);
        } else {
            bench.service.insert(0);
        }
        is_in = !is_in;
        if is_in { "it is in" } else { "it is out" }
    };
    // It does not tell when it has looked for the first time: the first event that it tells shows that.
    let heard = (0..TRIES).find_map(|_| {
        let state = turn(&mut bench);
        watcher.hear_within(Duration::from_secs(3)).map(|said| (said, state))
    });
    let (said, state) = heard.expect("it tells an event");
    assert_eq!(said, state);
    for _ in 0..2 {
        let state = turn(&mut bench);
        assert_eq!(watcher.hear(), state);
    }
}
