#![allow(clippy::unwrap_used)]
//! A report is made from a real network, signed by two officers, and made again when the log has grown.

#[path = "common/office.rs"]
mod office;

use musubi_sdk::Day;
use musubi_testnet::network::{Network, PARAMETERS, Settings};
use office::Office;

#[test]
fn an_office_signs_a_report_which_is_made_again_from_the_same_blocks() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("network");
    let settings = Settings { dir: dir.clone(), validators: 1, seed: 7, parameters: PARAMETERS };
    let mut network = Network::start(&settings).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(network.ready()).unwrap();
    let office = Office { home: root.path().join("home") };
    office.done(&["contact", "import", dir.join("officers").to_str().unwrap()]);
    office.done(&["info", "--wait", "60", "--save"]);
    let now = runtime.block_on(network.client().unwrap().info()).unwrap().time;
    let yesterday = Day(now.day().0 - 1).to_string();
    let file = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let (first, again) = (file("first.json"), file("again.json"));
    let make = ["report", "unused", "--at", &yesterday, "--out"];
    assert!(office.run(&[&make[..], &[&first]].concat()).status.success());

    // One officer is not enough; the other one is asked for, and signs here or later.
    let sign = ["document", "report", "U-1", "--body", &first, "--for", "issuer", "--yes"];
    let one = [&sign[..], &["--as", "issuer-officer-1", "--no-submit"]].concat();
    assert!(office.done(&one).to_string().contains("officer"));
    let two = [&sign[..], &["--as", "issuer-officer-1", "--sign", "issuer-officer-2"]].concat();
    office.done(&two);
    let shown = office.done(&["document", "show", "issuer", "U-1"]);
    let kept = &shown["document"];
    let bytes = std::fs::read(&first).unwrap();
    let hash = hex::encode(musubi_sdk::ledger::hash::sha256(&bytes));
    assert_eq!(kept["body"], hash.as_str(), "{shown}");

    let height = kept["kind"]["report"]["height"].to_string();
    let so_far = [&make[..], &[&again, "--height", &height]].concat();
    assert!(office.run(&so_far).status.success());
    assert_eq!(bytes, std::fs::read(&again).unwrap());
    runtime.block_on(network.stop()).unwrap();
}
