#![allow(clippy::unwrap_used)]
//! `musubi scheme apply`: a scheme's configuration onto a network of real validators, by the keys of its officers.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use musubi_ledger::time::Day;
use musubi_testnet::network::{Network, PARAMETERS, PASSPHRASE, Settings};
use serde_json::Value;

/// A home with the officers' keys, and the program that uses it.
struct Office {
    home: PathBuf,
}

impl Office {
    fn run(&self, args: &[&str]) -> Output {
        let folder = Path::new(env!("CARGO_BIN_EXE_musubi-testnet")).parent().unwrap();
        let mut command = Command::new(folder.join("musubi"));
        command.args(args).args(["--json", "--home"]).arg(&self.home);
        command.env("MUSUBI_PASSPHRASE", PASSPHRASE).output().unwrap()
    }

    fn done(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refused(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stderr).unwrap()
    }
}

fn came_to(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let settings = document["settings"].as_array().unwrap();
    settings.iter().map(|line| (text(&line["what"]), text(&line["came_to"]))).collect()
}

fn both(came: &str) -> Vec<(String, String)> {
    ["instrument IWAI", "allowance of IWAI"].map(|what| (what.into(), came.into())).into()
}

#[test]
fn a_scheme_becomes_a_networks_configuration() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("network");
    let settings = Settings { dir: dir.clone(), validators: 3, seed: 5, parameters: PARAMETERS };
    // In the year of the files: what they say ends on a day has not ended yet.
    let begins = Day::of_civil(2023, 4, 1).unwrap().begin();
    let mut network = Network::start_bare(&settings, Some(begins)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(network.ready()).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemes/kiso.toml");
    let file = file.to_str().unwrap();
    let officers = dir.join("officers");
    let office = Office { home: root.path().join("home") };
    office.done(&["contact", "import", officers.to_str().unwrap()]);
    office.done(&["info", "--wait", "60", "--save"]);

    // What would be signed is said in words, and nothing of it is sent.
    let drafts = office.done(&["scheme", "apply", file, "--dry-run"]);
    assert_eq!(came_to(&drafts), both("lacking"));
    let words = drafts["drafts"].to_string();
    assert!(words.contains("IWAI") && words.contains("170"), "{words}");
    let client = network.client().unwrap();
    let instruments = || runtime.block_on(client.instruments()).unwrap();
    assert_eq!(instruments().len(), 0);

    let applied = office.done(&["scheme", "apply", file, "--yes"]);
    assert_eq!(came_to(&applied), both("applied"));
    let there = instruments().into_iter().find(|view| view.id.to_string() == "IWAI").unwrap();
    assert_eq!(there.instrument.terms.redemption_days, 60);
    let allowance = office.done(&["allowance", "show", "allowance-IWAI"]);
    assert_eq!(allowance["allowance"]["total"], "170000");

    // It can be given again, from any home.
    assert_eq!(came_to(&office.done(&["scheme", "apply", file, "--yes"])), both("there"));
    let other = Office { home: root.path().join("other") };
    other.done(&["contact", "import", officers.to_str().unwrap()]);
    assert_eq!(came_to(&other.done(&["scheme", "apply", file, "--yes"])), both("there"));
    assert_eq!(came_to(&other.done(&["scheme", "apply", file, "--dry-run"])), both("there"));

    // What is there otherwise is named, and nothing is sent.
    let otherwise = office.refused(&["scheme", "apply", file, "--yes", "--set", "days=90"]);
    assert_eq!(otherwise["code"], "scheme_differs");
    let said = otherwise["detail"].as_str().unwrap();
    assert!(said.contains("instrument IWAI: validity is") && said.contains("180"), "{said}");
    let budget = ["scheme", "apply", file, "--yes", "--set", "budget=170001"];
    let otherwise = office.refused(&budget);
    let said = otherwise["detail"].as_str().unwrap();
    assert!(said.contains("total is 170000 on the ledger, 170001 in the file"), "{said}");
    let fresh = Office { home: root.path().join("fresh") };
    fresh.done(&["contact", "import", officers.to_str().unwrap()]);
    assert_eq!(fresh.refused(&budget)["code"], "scheme_differs", "known by its reference alone");

    // A key that is on another device: what it must sign waits for it, and what rests on that waits, too.
    let book = fresh.home.join("contacts.toml");
    let mut contacts: toml::Table = std::fs::read_to_string(&book).unwrap().parse().unwrap();
    let second = contacts["contacts"]["issuer-officer-2"].as_table_mut().unwrap();
    assert!(second.remove("key").is_some());
    std::fs::write(&book, contacts.to_string()).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemes/amakusa.toml");
    let file = file.to_str().unwrap();
    let waits = fresh.done(&["scheme", "apply", file, "--yes"]);
    let came = came_to(&waits);
    assert!(came.len() > 2 && came.iter().all(|(_, came)| came == "waits"), "{came:?}");
    let note = waits["settings"][0]["note"].as_str().unwrap();
    assert!(note.contains("Missing") && note.contains(".musubi"), "{note}");
    assert_eq!(instruments().len(), 1);
    let came = came_to(&office.done(&["scheme", "apply", file, "--yes"]));
    assert!(came.iter().all(|(_, came)| came == "applied"), "{came:?}");
    let came = came_to(&fresh.done(&["scheme", "apply", file, "--yes"]));
    assert!(came.iter().all(|(_, came)| came == "there"), "{came:?}");
    rules_come_with_their_instruments(&office);
    runtime.block_on(network.stop()).unwrap();
}

/// A file with rules, one of them at the expense of a party that signs for that, too.
fn rules_come_with_their_instruments(office: &Office) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemes/takachiho.toml");
    let file = file.to_str().unwrap();
    let refused = office.run(&["scheme", "apply", file, "--yes"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--party 'user-fund=CONTACT'"), "{said}");
    for (name, officer) in [("fund", "registrar-officer-1"), ("office", "registrar-officer-2")] {
        office.done(&["key", "new", name, "--kind", "external"]);
        office.done(&["party", "register", name, "--as", officer, "--yes"]);
    }
    let apply = ["scheme", "apply", file, "--yes", "--party", "user-fund=fund"];
    let came = came_to(&office.done(&apply));
    assert!(came.iter().all(|(_, came)| came == "applied"), "{came:?}");
    let rules = came.iter().filter(|(what, _)| what.starts_with("rule "));
    assert_eq!(rules.count(), 4);
    let reward = office.done(&["rule", "show", "EMONEY", "1"]);
    assert!(reward["post"]["give"]["funder"].is_string(), "{reward}");
    let came = came_to(&office.done(&apply));
    assert!(came.iter().all(|(_, came)| came == "there"), "{came:?}");
    let otherwise = office.refused(&[&apply[..], &["--set", "bonus=4"]].concat());
    let said = otherwise["detail"].as_str().unwrap();
    assert!(said.contains("rule campaign") && said.contains("formula is"), "{said}");
}
