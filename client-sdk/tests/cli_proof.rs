//! `musubi proof` and `musubi policy`: offline with the ledger's vectors, and against a node that has them.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{
    command::{code, json, ok, problem},
    http::{Act, Request, Server, bytes, serve},
    routes,
};
use serde_json::Value;

fn vectors() -> Value {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../ledger/vectors/proofs.json"].iter().collect();
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// A home with the vectors' policy bundle.
fn bundle(home: &Path, vectors: &Value) -> PathBuf {
    let path = home.join("bundle");
    fs::write(&path, unhex(vectors["bundle"].as_str().unwrap())).unwrap();
    path
}

fn verify(home: &Path, case: &Value, bundle: &Path) -> String {
    let file = home.join("given.tlog-proof");
    fs::write(&file, case["file"].as_str().unwrap()).unwrap();
    format!("proof verify {} --policy {}", file.display(), bundle.display())
}

#[test]
fn good_proofs_are_told_and_altered_ones_refused_with_their_codes() {
    let vectors = vectors();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let bundle = bundle(home, &vectors);
    for case in vectors["proofs"].as_array().unwrap() {
        let shown = json(home, &verify(home, case, &bundle));
        assert_eq!((&shown["id"], &shown["leaf"]), (&case["id"], &case["index"]));
        assert_eq!((&shown["code"], &shown["outcome"]), (&case["code"], &case["outcome"]));
        assert_eq!(shown["transaction"]["body"], case["body"]);
        assert_eq!(
            shown["checkpoint"]["cosigned"].as_array().unwrap().len(),
            case["cosigned"].as_array().unwrap().len()
        );
        assert_eq!(shown["trust"], "bundle");
    }
    let sample = |list: &str| vectors[list].as_array().unwrap().iter().step_by(5).cloned();
    for case in sample("altered").chain(sample("lies")) {
        let line = verify(home, &case, &bundle);
        let (error, exit) = problem(home, &line);
        assert_eq!((&error["code"], exit), (&case["code"], 1), "{}", case["name"]);
    }
}

#[test]
fn the_account_says_who_paid_whom_what_when_and_who_stands_for_it() {
    let vectors = vectors();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let bundle = bundle(home, &vectors);
    let chain = vectors["chain"].as_str().unwrap();
    let purchase = &vectors["proofs"][0];
    let told = ok(home, &format!("{} --chain {chain}", verify(home, purchase, &bundle)));
    for part in [
        purchase["id"].as_str().unwrap(),
        "applied",
        "2026-04-01T09:00:17",
        "Pay 1,280 MEBUKU",
        "For: purchase",
        "Reference receipt-2026-0042",
        "gives for mebuku1",
        "-1,280 MEBUKU (paid)",
        "to be redeemed",
        "policy 1: 2 of 3 members must cosign",
        "city (",
        "by ledger.example/city/node/3",
        "as given with --chain",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let rejected = ok(home, &verify(home, &vectors["proofs"][1], &bundle));
    assert!(rejected.contains("rejected: insufficient_funds") && rejected.contains("nothing"));
    assert!(rejected.contains("compare it once"), "nobody pinned the chain:\n{rejected}");
    let expired = ok(home, &verify(home, &vectors["proofs"][6], &bundle));
    assert!(expired.contains("came to its use expiry") && expired.contains("-30 POINT"));
}

#[test]
fn the_trust_root_is_the_chain() {
    let vectors = vectors();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let bundle = bundle(home, &vectors);
    let line = verify(home, &vectors["proofs"][0], &bundle);
    assert_eq!(code(home, &format!("{line} --chain {}", "0".repeat(64))), "other_chain");
    fs::write(home.join("profile.toml"), format!("chain = \"{}\"\n", "0".repeat(64))).unwrap();
    assert_eq!(code(home, &line), "other_chain");
    let chain = vectors["chain"].as_str().unwrap();
    assert_eq!(json(home, &format!("{line} --chain {chain}"))["trust"], "given");
    fs::write(home.join("profile.toml"), format!("chain = \"{chain}\"\n")).unwrap();
    assert_eq!(json(home, &line)["trust"], "profile");
    let show = format!("policy show --policy {}", bundle.display());
    assert_eq!(ok(home, &show).trim_end(), vectors["policy"].as_str().unwrap().trim_end());
    fs::write(&bundle, "not a bundle").unwrap();
    assert_eq!(code(home, &line), "bad_bundle");
}

/// A node that has the first proof of the vectors under every id, and their policies.
async fn node(vectors: &Value) -> Server {
    let file = vectors["proofs"][0]["file"].as_str().unwrap().to_owned();
    let policies = unhex(vectors["bundle"].as_str().unwrap());
    serve(move |request: Request| -> Act {
        match request.path.as_str() {
            "/v1/policies" => bytes(policies.clone()),
            path if path.starts_with("/v1/proofs/") || path.starts_with("/v1/leaves/") => {
                bytes(file.clone().into_bytes())
            }
            _ => routes::problem(404, "not_found"),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_and_policies_are_fetched_once_and_checked_as_they_come() {
    let vectors = vectors();
    let server = node(&vectors).await;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    fs::write(home.join("profile.toml"), format!("nodes = [\"{}\"]\n", server.url)).unwrap();
    let purchase = &vectors["proofs"][0];
    let (id, file) = (purchase["id"].as_str().unwrap(), purchase["file"].as_str().unwrap());
    assert_eq!(ok(home, &format!("proof get {id}")), file, "what is piped is the file");
    let (proof, bundle) = (home.join("kept.tlog-proof"), home.join("kept.musubi"));
    let get = format!("proof get {id} --out {}", proof.display());
    assert_eq!(json(home, &get)["id"], id);
    assert_eq!(fs::read_to_string(&proof).unwrap(), file);
    assert_eq!(code(home, &get), "file_error", "nothing is overwritten");
    assert_eq!(json(home, "proof get --leaf 34")["leaf"], 34);
    // A node that gives another's proof is caught before anything is kept.
    assert_eq!(code(home, &format!("proof get {}", "ab".repeat(32))), "bad_answer");
    assert_eq!(code(home, "proof get --leaf 35"), "bad_answer");
    let export = format!("policy export --out {}", bundle.display());
    assert_eq!(code(home, &format!("{export} --chain {}", "0".repeat(64))), "other_chain");
    assert!(!bundle.exists());
    assert_eq!(json(home, &export)["chain"], vectors["chain"]);
    let verify = format!("proof verify {} --policy {}", proof.display(), bundle.display());
    assert_eq!(json(home, &verify)["id"], id);
}
