#![allow(clippy::unwrap_used)]
//! The demo, small, as it is run by people: real processes, a killed leader, an audit.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

/// How the ten lines begin.
const STORY: [&str; 10] = [
    "top-up: Hanako",
    "static-QR purchase: ",
    "card-only purchase: Ume",
    "dues for another member: Hanako pays Taro's",
    "self-approval by a second key: rejected",
    "approved payout: ¥1,500 to the coach, a member",
    "refund: the shop",
    "lost phone: frozen at once, re-keyed",
    "claim redeemed: the shop",
    "a statement that adds up: the circle's",
];

fn run_small_day() -> (Value, String) {
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
    (serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap(), shown.into())
}

/// Counts by name, each above zero.
fn counts(figures: &Value, name: &str) -> BTreeMap<String, u64> {
    let counts: BTreeMap<String, u64> = serde_json::from_value(figures[name].clone()).unwrap();
    assert!(counts.values().all(|n| *n > 0), "{name}: {counts:?}");
    counts
}

fn check_bad_attempts(figures: &Value) -> u64 {
    let bad = figures["bad_attempts"].as_array().unwrap();
    let kinds: BTreeSet<&str> = bad.iter().map(|b| b["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), bad.len(), "each kind once");
    for kind in ["forged_signature", "wrong_signer", "replay", "one_sided", "self_approval"] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    assert!(bad.len() >= 18);
    for attempt in bad {
        assert!(!attempt["expected_code"].as_str().unwrap().is_empty(), "{attempt}");
        assert_eq!(attempt["got"], attempt["expected_code"], "{attempt}");
        assert!(attempt["sent"].as_u64().unwrap() > 0, "{attempt}");
        let place = attempt["place"].as_str().unwrap();
        assert!(attempt["expected_place"].as_str().unwrap().contains(place), "{attempt}");
    }
    bad.iter().map(|b| b["sent"].as_u64().unwrap()).sum()
}

/// Finality, proofs and statements. The sample of a small day is all of its verdicts.
fn check_proof(figures: &Value) {
    assert_eq!(figures["final"].as_f64(), Some(1.0));
    let ms = |of: &Value, name: &str| of[name].as_f64().unwrap();
    for of in [&figures["final_ms"], &figures["final_ms"]["apart_from_outage"]] {
        assert!(ms(of, "p50") > 0.0 && ms(of, "p50") <= ms(of, "p99"), "{of}");
    }
    assert_eq!(figures["proofs_verified"], figures["committed"]);
    assert_eq!(figures["statements_proven"], 20);
}

#[test]
fn a_small_day_holds_in_every_figure() {
    let (figures, shown) = run_small_day();
    let number = |name: &str| figures[name].as_u64().unwrap_or_else(|| panic!("{name}: {figures}"));
    for nothing in ["lost", "duplicated", "unexplained", "contradicted"] {
        assert_eq!(number(nothing), 0, "{nothing}");
    }
    assert!(number("committed") >= 400 && number("tx_per_s") > 0);
    assert_eq!(figures["replicas"], 2, "one of them follows the other");
    for flag in ["supply_conserved", "roots_equal", "replicas_equal", "evidence_caught"] {
        assert_eq!(figures[flag], true, "{flag}");
    }

    // The leader was killed at work, and another leads in a later term.
    assert!((1..=3).contains(&number("killed_node")) && number("killed_term") > 0);
    assert_ne!(number("successor_node"), number("killed_node"));
    assert!(number("successor_term") > number("killed_term"));
    let leaderless = number("leaderless_ms");
    assert!(leaderless > 0 && leaderless <= 5_000);
    let (before, after) = (number("acknowledged_before"), number("acknowledged_after"));
    assert!(before > 0 && after > 0);

    let (kinds, rejected) = (counts(&figures, "kinds"), counts(&figures, "rejected"));
    let applied: u64 = kinds.values().sum();
    assert_eq!(applied, before + after);
    assert_eq!(applied + rejected.values().sum::<u64>(), number("committed"));
    for kind in ["purchase_static_qr", "purchase_live", "top_up", "dues", "reward_points"] {
        assert!(kinds.contains_key(kind), "{kind}: {kinds:?}");
    }
    assert!(rejected.contains_key("insufficient_funds"), "{rejected:?}");
    assert!(check_bad_attempts(&figures) > rejected.values().sum());

    let latency = |name: &str| figures["latency_ms"][name].as_f64().unwrap();
    assert!(latency("p50") > 0.0 && latency("p50") <= latency("p99"));

    check_proof(&figures);

    let audit = &figures["audit"];
    assert_eq!(audit["ok"], true);
    assert!(audit["entries"].as_u64().unwrap() > number("committed"));
    assert!(audit["signatures"].as_u64().unwrap() > number("committed"));
    assert!(audit["seconds"].as_f64().unwrap() >= 0.0);
    for form in ["live", "mandate", "request", "allowance", "attested", "terms"] {
        assert!(counts(&figures, "consent_forms").contains_key(form), "{form}");
    }

    let story = figures["story"].as_array().unwrap();
    assert_eq!(story.len(), STORY.len());
    let ids: BTreeSet<&str> = story.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), story.len(), "each line has a transaction of its own");
    for (line, begins) in story.iter().zip(STORY) {
        assert_eq!(line["ok"], true, "{line}");
        assert!(line["line"].as_str().unwrap().starts_with(begins), "{line}");
        let id = line["id"].as_str().unwrap();
        assert!(id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
        assert!(shown.contains(id), "{line}");
    }
    for figure in [
        "another leader took over",
        "unexplained entries",
        "supply conserved",
        "proofs verified offline",
        "evidence drill caught",
    ] {
        assert!(shown.contains(figure), "{figure}: {shown}");
    }
    assert!(!shown.contains('✗'), "{shown}");
}
