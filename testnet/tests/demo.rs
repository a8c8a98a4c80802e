#![allow(clippy::unwrap_used)]
//! The demo, small, as it is run by people: real processes, a killed leader, an audit.

use std::{path::Path, process::Command};

use serde_json::Value;

#[test]
fn a_small_day_holds_in_every_figure() {
    let program = Path::new(env!("CARGO_BIN_EXE_musubi-testnet"));
    let node = program.with_file_name("musubi-node");
    assert!(node.exists(), "{} is missing: run `cargo xtask build`", node.display());
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("figures.json");
    let output = Command::new(program)
        .args(["demo", "--payments", "400", "--seed", "11", "--json", json.to_str().unwrap()])
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}\n{errors}");

    let figures: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let number = |name: &str| figures[name].as_u64().unwrap_or_else(|| panic!("{name}: {figures}"));
    assert_eq!(number("lost"), 0);
    assert_eq!(number("duplicated"), 0);
    assert!(number("committed") >= 400);
    assert!(number("leaderless_ms") <= 5_000);
    for flag in ["supply_conserved", "roots_equal"] {
        assert_eq!(figures[flag], true, "{flag}");
    }
    let audit = &figures["audit"];
    assert_eq!(audit["ok"], true);
    assert!(audit["signatures"].as_u64().unwrap() > number("committed"));
    let story = figures["story"].as_array().unwrap();
    assert_eq!(story.len(), 10);
    for line in story {
        assert_eq!(line["ok"], true, "{line}");
        assert_eq!(line["id"].as_str().unwrap().len(), 64);
    }
    let bad = figures["bad_attempts"].as_array().unwrap();
    assert!(bad.len() >= 18);
    for attempt in bad {
        assert_eq!(attempt["got"], attempt["expected_code"], "{attempt}");
        assert!(attempt["sent"].as_u64().unwrap() > 0, "{attempt}");
    }
    for form in ["live", "mandate", "request", "allowance", "attested", "terms"] {
        assert!(figures["consent_forms"][form].as_u64().is_some_and(|n| n > 0), "{form}");
    }
    assert!(shown.contains("supply conserved") && !shown.contains('✗'), "{shown}");
}
