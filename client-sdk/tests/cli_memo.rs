//! `musubi` and memos: written by one, read by the other before signing, refused where they are not what they must
//! be, revealed to a third.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use common::{
    command::{code, json, ok},
    http::{Act, Request, Server, bytes, serve},
    routes::{SharedTown, node, problem},
    town::{ALICE, BOB, CAROL, a_day, coin, key, yen},
};
use musubi_sdk::{
    Amount, HalfSigned, PartyId, Slot,
    api::InstrumentView,
    keystore::{self, Hardness},
    ledger::{
        hash::sha256,
        instrument::Totals,
        memo::{MemoBlob, Reveal, split},
        state::{ReadState, Row, RowKey, Shared},
    },
    memo,
};

type Blobs = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A node that keeps memos, and what it keeps.
async fn network(town: &SharedTown) -> (Server, Blobs) {
    let (town, blobs) = (Arc::clone(town), Blobs::default());
    let kept = Arc::clone(&blobs);
    let server = serve(move |request: Request| -> Act {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/v1/memos") => {
                let (transaction, blob) = split(&request.body).unwrap();
                let name = musubi_sdk::DocumentHash(sha256(blob)).to_string();
                kept.lock().unwrap().insert(name, blob.to_vec());
                let (path, body) = ("/v1/transactions".into(), transaction.to_vec());
                node(&town, &Request { path, body, ..request })
            }
            ("GET", path) if path.starts_with("/v1/memos/") => {
                match kept.lock().unwrap().get(&path[10..]) {
                    Some(blob) => bytes(blob.clone()),
                    None => problem(404, "memo_not_here"),
                }
            }
            ("DELETE", path) if path.starts_with("/v1/memos/") => {
                if !request.head.contains("bearer operator") {
                    return problem(403, "operator_only");
                }
                let was_here = kept.lock().unwrap().remove(&path[10..]).is_some();
                common::http::json(200, &serde_json::json!({ "was_here": was_here }))
            }
            ("GET", "/v1/instruments") => {
                let row = town.lock().unwrap().state.row(&RowKey::Instrument(coin()));
                let Some(Row::Instrument(instrument)) = row else { panic!("it is defined") };
                let instrument = Shared::into_value(instrument);
                let (totals, outstanding) = (Totals::default(), Amount(0));
                let view =
                    InstrumentView { id: coin(), instrument, totals, outstanding, height: 1 };
                common::http::json(200, &[view])
            }
            _ => node(&town, &request),
        }
    })
    .await;
    (server, blobs)
}

/// A home with one key, which knows the others' public ones.
fn home(server: &Server, name: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("key.pem");
    let mut contacts = String::new();
    for (other, party) in [("alice", ALICE), ("bob", BOB), ("carol", CAROL)] {
        let public = key(party).public();
        contacts += &format!(
            "[contacts.{other}]\nparty = \"{party}\"\nkind = \"person\"\npublic = \"{public}\"\n"
        );
        if other == name {
            keystore::write(&file, &key(party), "correct horse", Hardness::TEST_ONLY).unwrap();
            contacts += "key = \"key.pem\"\n";
        }
    }
    fs::write(home.path().join("contacts.toml"), contacts).unwrap();
    let profile = format!("nodes = [\"{}\"]\ntoken = \"secret\"\n", server.url);
    fs::write(home.path().join("profile.toml"), profile).unwrap();
    home
}

/// Alice writes a payment to Bob with a memo; the file for him, and its id.
fn payment(alice: &Path, text: &str) -> (PathBuf, String) {
    let file = alice.join("given.musubi");
    let line = format!("pay --to bob --amount 5 --memo {text} --yes --out {}", file.display());
    let report = json(alice, &line);
    assert_eq!(report["submitted"], false);
    (file, report["id"].as_str().unwrap().into())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_parties_read_it_one_before_signing_and_a_third_does_not() {
    let town = Arc::new(Mutex::new(a_day()));
    let (server, blobs) = network(&town).await;
    let (alice, bob, carol) =
        (home(&server, "alice"), home(&server, "bob"), home(&server, "carol"));
    let (alice, bob, carol) = (alice.path(), bob.path(), carol.path());
    let (file, id) = payment(alice, "会費、4月");
    assert!(blobs.lock().unwrap().is_empty(), "nothing was sent");
    let shown = ok(bob, &format!("accept {} --show", file.display()));
    assert!(shown.contains("which 2 keys can read, says:\n  会費、4月"), "{shown}");
    let shown = ok(carol, &format!("accept {} --show", file.display()));
    assert!(shown.contains("none of them on this device") && !shown.contains("会費"), "{shown}");
    ok(bob, &format!("accept {} --yes", file.display()));
    for home in [alice, bob] {
        assert_eq!(ok(home, &format!("memo read {id}")).trim_end(), "会費、4月");
    }
    let read = format!("memo read {id}");
    assert_eq!(json(bob, &read)["text"], "会費、4月");
    assert_eq!(code(carol, &read), "memo_not_addressed");
    // One of them reveals it.
    let shown = bob.join("shown.memo");
    ok(bob, &format!("memo reveal {id} --out {}", shown.display()));
    let reveal = Reveal::parse(&fs::read(&shown).unwrap()).unwrap();
    let half = HalfSigned::read(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(memo::verify(&reveal, half.body()).unwrap(), "会費、4月");
    assert_eq!(half.memo(), Some(&reveal.blob));

    // A node cannot serve another one in its place.
    let name = reveal.blob.hash().to_string();
    let (other, _) = payment(alice, "another");
    let other = HalfSigned::read(&fs::read(other).unwrap()).unwrap().memo().unwrap().encode();
    blobs.lock().unwrap().insert(name.clone(), other);
    assert_eq!(code(bob, &read), "other_memo");
    blobs.lock().unwrap().insert(name.clone(), b"rubbish".to_vec());
    assert_eq!(code(bob, &read), "malformed_memo");

    assert_eq!(code(bob, &format!("memo erase {id} --yes")), "memo_not_erased");
    let erased = json(bob, &format!("memo erase {id} --yes --token operator"));
    assert_eq!(erased["nodes"][0]["was_here"], true);
    assert_eq!(code(bob, &read), "memo_not_here");
    let again = json(bob, &format!("memo erase --memo {name} --yes --token operator"));
    assert_eq!(again["nodes"][0]["was_here"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_beside_a_memo_that_is_not_what_it_must_be() {
    let town = Arc::new(Mutex::new(a_day()));
    let (server, blobs) = network(&town).await;
    let (alice, bob) = (home(&server, "alice"), home(&server, "bob"));
    let (alice, bob) = (alice.path(), bob.path());
    let (file, _) = payment(alice, "good");
    let half = HalfSigned::read(&fs::read(&file).unwrap()).unwrap();
    let blob = half.memo().unwrap().clone();
    let accept = format!("accept {} --yes", file.display());

    // Another blob beside the same body.
    let mut other = blob.clone();
    other.sealed[0] ^= 1;
    let transaction = half.clone().complete().encode();
    let joined = musubi_sdk::ledger::memo::join(&transaction, &other.encode());
    fs::write(&file, joined).unwrap();
    assert_eq!(code(bob, &accept), "other_memo");

    // A writer who makes it unreadable for Bob, and signs for that.
    let spoilt = |change: &dyn Fn(&mut MemoBlob)| {
        let draft = town.lock().unwrap().composer().pay(ALICE, BOB, &[yen(5)]);
        let readers: Vec<_> = [ALICE, BOB].map(|party: PartyId| key(party).public()).to_vec();
        let (draft, mut blob) = memo::attach(draft, "secret", &readers).unwrap();
        change(&mut blob);
        let half = draft.memo(blob.hash()).sign(Slot::payer(ALICE), &key(ALICE));
        fs::write(&file, half.with_memo(blob).unwrap().encode()).unwrap();
        code(bob, &accept)
    };
    let of_bob = |blob: &MemoBlob| {
        blob.wraps.iter().position(|wrap| wrap.reader == key(BOB).public()).unwrap()
    };
    let wrap = spoilt(&|blob| {
        let at = of_bob(blob);
        blob.wraps[at].sealed[3] ^= 1;
    });
    assert_eq!(wrap, "memo_wrap_broken");
    assert_eq!(spoilt(&|blob| blob.commitment[0] ^= 1), "memo_wrap_broken");
    assert_eq!(spoilt(&|blob| blob.sealed[3] ^= 1), "memo_text_broken");
    assert!(blobs.lock().unwrap().is_empty(), "nothing was sent");

    let long = "x".repeat(1025);
    let pay = |text: &str| format!("pay --to bob --amount 5 --memo {text} --yes --no-submit");
    assert_eq!(code(alice, &pay(&long)), "memo_length");
    ok(alice, &pay(&long[1..]));
}

#[test]
fn a_reveal_beside_another_payments_proof_shows_nothing() {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../ledger/vectors/proofs.json"].iter().collect();
    let vectors: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../ledger/vectors/memos.json"].iter().collect();
    let memos: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let hex = vectors["bundle"].as_str().unwrap();
    let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let bundle: Vec<u8> = (0..hex.len()).step_by(2).map(digit).collect();
    fs::write(home.join("bundle"), bundle).unwrap();
    fs::write(home.join("proof"), vectors["proofs"][0]["file"].as_str().unwrap()).unwrap();
    let reveal = memos[0]["reveal"].as_str().unwrap();
    let at = home.display();
    let by_proof = format!("proof verify {at}/proof --memo {at}/memo --policy {at}/bundle");
    let by_memo = format!("memo verify {at}/memo --proof {at}/proof --policy {at}/bundle");
    for (content, expected) in [
        (reveal.to_owned(), "memo_not_cited"),
        (reveal.replace("@v1", "@v2"), "malformed_reveal"),
        (reveal.trim_end().to_owned(), "malformed_reveal"),
        (format!("{reveal}\n"), "malformed_reveal"),
        (String::new(), "malformed_reveal"),
    ] {
        fs::write(home.join("memo"), content).unwrap();
        assert_eq!(code(home, &by_proof), expected);
        assert_eq!(code(home, &by_memo), expected);
    }
}
