#![allow(clippy::unwrap_used)]
//! Scheme files on real validators: files of this repository, and ones that nobody had when this was built.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use musubi_schemes::{read, run, stage::InProcess};
use serde_json::Value;

const MANUAL: &str = include_str!("../../docs/SCHEMES.md");

/// The example of the manual, as another town's.
fn unseen(name: &str) -> String {
    let (_, after) = MANUAL.split_once("```toml\n").unwrap();
    let (example, _) = after.split_once("```").unwrap();
    example.replace("name = \"example\"", &format!("name = \"{name}\""))
}

fn scenario(args: &[&Path]) -> Output {
    let program = env!("CARGO_BIN_EXE_musubi-testnet");
    Command::new(program).arg("scenario").args(args).output().unwrap()
}

fn told(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr];
    texts.map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

#[test]
fn files_come_to_the_same_on_validators_as_in_process() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schemes");
    let root = tempfile::tempdir().unwrap();
    let json = root.path().join("out.json");
    let names = ["kiso", "kunitachi"];
    let only = Path::new("--only");
    let [first, second] = names.map(Path::new);
    let output = scenario(&[&folder, only, first, only, second, Path::new("--json"), &json]);
    assert!(output.status.success(), "{}", told(&output));
    let list: Vec<Value> = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(list.len(), names.len());
    for (name, on_network) in names.iter().zip(&list) {
        assert_eq!((&on_network["name"], &on_network["ok"]), (&(*name).into(), &true.into()));
        assert!(on_network["leaves"].as_u64() > on_network["blocks"].as_u64());
        // Verdict by verdict and figure by figure what the rules alone come to.
        let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        let scheme = read(name, &text).unwrap();
        let mut stage = InProcess::open(name, scheme.head.begins);
        let report = run(&scheme, &mut stage).unwrap().to_json();
        assert_eq!(on_network["report"], report, "{name}");
        assert_eq!(on_network["steps"], scheme.steps.len());
        assert_eq!(on_network["checks"], scheme.expects.len());
    }
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("木曽町") && table.contains("2 of 2 schemes"), "{table}");
}

#[test]
fn a_file_that_nobody_has_seen_is_played_and_its_faults_are_placed() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("schemes");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("elsewhere.toml", &unseen("elsewhere"));
    // One yen less is spent: the figure of what expired is another, and says where it stands.
    let poorer = unseen("poorer").replace("amount = 2_000 }", "amount = 1_999 }");
    write("poorer.toml", &poorer);
    write("unreadable.toml", &unseen("unreadable").replace("\"public\"", "\"publik\""));
    let output = scenario(&[&folder, Path::new("--json"), Path::new("-")]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let list: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> = list.iter().map(|played| played["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["elsewhere", "poorer", "unreadable"]);
    let oks: Vec<bool> = list.iter().map(|played| played["ok"].as_bool().unwrap()).collect();
    assert_eq!(oks, [true, false, false], "{list:?}");
    assert_eq!((&list[0]["steps"], &list[0]["checks"]), (&8.into(), &2.into()));
    assert_eq!(list[0]["report"]["checks"][1]["got"], 1_000);
    for kind in ["cap", "expiry", "over_limit", "wrong_shop"] {
        assert_eq!(list[0]["refusals"][kind], 1, "{kind}");
    }
    let line = 1 + poorer.lines().position(|line| line == "figure = 1_000").unwrap();
    let difference = list[1]["differences"][0].as_str().unwrap();
    let wanted = format!("poorer.toml:{line}: expired(TOWN) is 1001, not 1000 yen that expired");
    assert!(difference.contains(&wanted), "{difference}");
    let mistake = list[2]["differences"][0].as_str().unwrap();
    assert!(mistake.contains("did you mean public?"), "{mistake}");

    // Another choice is tried on one file alone.
    let output = scenario(&[&folder, Path::new("--set"), Path::new("days=31")]);
    assert!(!output.status.success() && told(&output).contains("--set is for one scheme"));
    let output = scenario(&[&folder, Path::new("--only"), Path::new("nowhere")]);
    let said = told(&output);
    assert!(!output.status.success() && said.contains("no scheme nowhere; there are elsewhere"));
}
