//! Package `pcsc-tools`.

use clients::judge::{Bench, hear_until};
use clients::stage::Stage;

pub(crate) fn pcsc_scan_lists_readers(stage: Stage) {
    let bench = Bench::new(stage, "pcsc_scan_r", "piv");
    bench.run("pcsc_scan", &["-r"]).says(&["0: Virtual PCD 00 00", "1: Virtual PCD 00 01"]);
}

pub(crate) fn pcsc_scan_sees_a_card_come_and_go(stage: Stage) {
    let mut bench = Bench::new(stage, "pcsc_scan_n", "piv");
    let scan = bench.start("pcsc_scan", &["-n"]);
    hear_until(&scan, "Using reader plug'n play mechanism");
    hear_until(&scan, "Reader 0: Virtual PCD 00 00");
    hear_until(&scan, "Event number: 1");
    hear_until(&scan, "ATR: 3B");
    bench.service.insert(1);
    hear_until(&scan, "Reader 1: Virtual PCD 00 01");
    hear_until(&scan, "Event number: 1");
    bench.service.remove(0);
    hear_until(&scan, "Event number: 2");
    hear_until(&scan, "Card removed");
}

pub(crate) fn scriptor_sends_commands(stage: Stage) {
    let bench = Bench::new(stage, "scriptor", "piv");
    let script = "00 A4 04 00 05 A0 00 00 03 08\n00 20 00 80 00\n";
    bench.run_with_input("scriptor", &[], script).succeeds().says(&[
        "Using T=1 protocol",
        "Normal processing.",
        "< 63 C3",
    ]);
}

pub(crate) fn pcsc_scan_knows_a_card_by_its_atr(stage: Stage) {
    let bench = Bench::with_yubikey(stage, "pcsc_scan", "");
    // It asks ATR_analysis, of its own package.
    let scan = bench.start("pcsc_scan", &[]);
    hear_until(&scan, "Reader 0: Yubico YubiKey CCID 00 00");
    hear_until(&scan, "TCK = 40 (correct checksum)");
    hear_until(&scan, "YubiKey 5");
}
