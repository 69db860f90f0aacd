//! The examples of the `pcsc` crate.

use std::time::Duration;

use clients::judge::{Bench, hear_until};
use clients::stage::{Manager, Stage, built};

pub(crate) fn examples_of_the_pcsc_crate(stage: Stage) {
    let mut bench = Bench::new(stage, "examples", "piv");
    let example = |name: &str| built(&format!("examples/{name}")).to_string_lossy().into_owned();
    for name in ["list-readers", "list-readers-owned"] {
        bench.run(&example(name), &[]).succeeds().says(&["Virtual PCD 00 00", "Virtual PCD 00 01"]);
    }
    bench.run(&example("readme"), &[]).succeeds().says(&["APDU response: [106, 130]"]);
    // With Debian's pcscd and vpcd these two panic: that reader has no attribute for the ATR.
    if stage.manager == Manager::Ours {
        for name in ["connect", "connect-owned"] {
            bench.run(&example(name), &[]).succeeds().says(&["ATR from attribute: [59,"]);
        }
    }
    let mut cancel = bench.start(&example("cancel"), &[]);
    hear_until(&cancel, "Entering blocking call");
    assert_eq!(cancel.hear_within(Duration::from_millis(150)), None, "it blocks");
    cancel.say("");
    hear_until(&cancel, "Blocking call canceled");

    let monitor = bench.start(&example("monitor"), &[]);
    hear_until(&monitor, "Adding \"Virtual PCD 00 00\"");
    hear_until(&monitor, "PRESENT");
    bench.service.remove(0);
    hear_until(&monitor, "CHANGED | EMPTY");
}
