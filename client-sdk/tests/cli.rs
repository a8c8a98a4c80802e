//! The `musubi` command as a process: exit codes, what goes to which stream, files of a home. What needs
//! a network is tested against real nodes elsewhere.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::command::{code, json, musubi, ok, problem};
use musubi_sdk::{ChainId, Composer, HalfSigned, Leg, Slot, entropy, keystore, ledger::time::Time};

#[test]
fn a_key_is_made_listed_exported_imported_and_locked_anew() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let made = json(home, "key new hanako");
    assert_eq!(made["kind"], "person");
    assert_eq!(json(home, "key list")[0], made);
    let pem = std::fs::read_to_string(home.join("keys/hanako.pem")).unwrap();
    let key = keystore::open(&pem, "correct horse").unwrap();
    assert_eq!(made["public"], key.public().to_string());
    assert_eq!(code(home, "key new hanako"), "name_taken");

    let backup = home.join("backup.pem");
    ok(home, &format!("key export hanako --to {}", backup.display()));
    assert_eq!(code(home, &format!("key export hanako --to {}", backup.display())), "file_error");
    let party = made["party"].as_str().unwrap();
    let imported = json(home, &format!("key import again {} --party {party}", backup.display()));
    assert_eq!(imported["public"], made["public"]);
    assert_eq!(imported["party"], made["party"]);

    let new = home.join("new-passphrase");
    std::fs::write(&new, "battery staple\n").unwrap();
    let change = format!("key change-passphrase hanako --new-passphrase-file {}", new.display());
    ok(home, &change);
    assert_eq!(code(home, &change), "wrong_passphrase");
    ok(home, &format!("--passphrase-file {} {change}", new.display()));
}

#[test]
fn a_home_shows_its_secrets_to_nobody() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    ok(home, "key new hanako");
    for file in ["keys/hanako.pem", "contacts.toml"] {
        let mode = std::fs::metadata(home.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
    let book = std::fs::read_to_string(home.join("contacts.toml")).unwrap();
    let pem = std::fs::read_to_string(home.join("keys/hanako.pem")).unwrap();
    let seed = keystore::open(&pem, "correct horse").unwrap().seed();
    let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!book.contains(&hex) && !pem.contains(&hex));
}

#[test]
fn errors_say_what_happened_the_code_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (error, exit) = problem(home, "balance");
    assert_eq!((error["code"].as_str(), exit), (Some("no_identity"), 2));
    assert!(error["next"].as_str().unwrap().contains("musubi key new"));
    ok(home, "key new hanako");
    assert_eq!(code(home, "balance"), "no_nodes");
    assert_eq!(code(home, "balance --as saburo"), "unknown_name");
    let (error, exit) = problem(home, "balance --node http://127.0.0.1:9");
    assert_eq!((error["code"].as_str(), exit), (Some("unreachable"), 1));
    let text = String::from_utf8(musubi(home, "balance").stderr).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("musubi: "), "{text}");
    assert_eq!(lines[1], "  code: no_nodes");
    assert!(lines[2].starts_with("  next: "), "{text}");
}

#[test]
fn a_wrong_command_line_is_exit_code_two_in_both_faces() {
    let home = tempfile::tempdir().unwrap();
    let output = musubi(home.path(), "pay --amount 500");
    assert_eq!(output.status.code(), Some(2));
    let (error, exit) = problem(home.path(), "pay --amount 500");
    assert_eq!((error["code"].as_str(), exit), (Some("usage"), 2));
    assert!(ok(home.path(), "--version").starts_with("musubi "));
}

#[test]
fn another_homes_contacts_are_taken_over_with_their_keys_and_network() {
    let (officers, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    ok(officers.path(), "key new registrar-officer-1");
    std::fs::write(
        officers.path().join("profile.toml"),
        "nodes = [\"http://127.0.0.1:9\"]\ntoken = \"secret\"\nscheme = \"maebashi\"\n",
    )
    .unwrap();
    ok(home.path(), &format!("contact import {}", officers.path().display()));
    let listed = json(home.path(), "key list");
    assert_eq!(listed[0]["name"], "registrar-officer-1");
    assert!(listed[0]["address"].as_str().unwrap().starts_with("maebashi1"));
    // The key is found where it stays.
    let copy = home.path().join("copy.pem");
    ok(home.path(), &format!("key export registrar-officer-1 --to {}", copy.display()));
    let empty = home.path().join("nobody");
    assert_eq!(code(home.path(), &format!("contact import {}", empty.display())), "no_contacts");
}

/// A payment to hanako that its payer signed on another device.
fn half_signed(home: &Path, chain: ChainId) -> HalfSigned {
    let made = json(home, "key new hanako");
    std::fs::write(home.join("profile.toml"), format!("chain = \"{}\"\n", ChainId([1; 32])))
        .unwrap();
    let to = made["party"].as_str().unwrap().parse().unwrap();
    let (from, key) = (entropy::party_id(), entropy::secret_key());
    let leg = Leg { instrument: "MEBUKU".parse().unwrap(), amount: "500".parse().unwrap() };
    let draft = Composer::new(chain, Time(1_795_359_600_000)).pay(from, to, &[leg]);
    draft.half_signed().sign(Slot::payer(from), &key).unwrap()
}

#[test]
fn a_half_signed_payment_is_read_in_words_and_signed_on_another_device() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let half = half_signed(home, ChainId([1; 32]));
    let file = home.join("payment.musubi");
    std::fs::write(&file, half.encode()).unwrap();
    let shown = ok(home, &format!("accept {} --show", file.display()));
    for words in ["Pay 500 MEBUKU", "hanako", "Signed by holder", "Missing: "] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    // Without a terminal nothing is signed unasked.
    let (error, exit) = problem(home, &format!("sign {}", file.display()));
    assert_eq!((error["code"].as_str(), exit), (Some("confirmation_needed"), 2));
    // The text of a QR code does as well as the file.
    let signed = json(home, &format!("sign {half} --text --yes"));
    let both: HalfSigned = signed["text"].as_str().unwrap().parse().unwrap();
    assert_eq!(both.id(), half.id());
    assert_eq!(both.signatures().len(), 2);
    let again = problem(home, &format!("sign {both} --yes")).0;
    assert_eq!(again["code"], "signature_not_wanted");
    let in_place = json(home, &format!("sign {} --yes", file.display()));
    assert_eq!(in_place["missing"], serde_json::json!([]));
    let written = HalfSigned::read(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(written.signatures().len(), 2);
}

#[test]
fn what_is_damaged_or_for_another_ledger_is_not_signed() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let half = half_signed(home, ChainId([2; 32]));
    assert_eq!(code(home, &format!("sign {half} --yes")), "wrong_chain");
    let text = half.to_string();
    let damaged = &text[..text.len() - 2];
    assert_eq!(code(home, &format!("sign {damaged} --yes")), "damaged_transaction_text");
    assert_eq!(code(home, "sign gone.musubi --yes"), "file_error");
}

#[test]
fn what_could_not_be_sent_stays_in_the_outbox() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let half = half_signed(home, ChainId([1; 32]));
    let file = home.join("payment.musubi");
    std::fs::write(&file, half.encode()).unwrap();
    let line = format!("accept {} --yes --node http://127.0.0.1:9 --save-as p1", file.display());
    let (error, exit) = problem(home, &line);
    assert_eq!((error["code"].as_str(), exit), (Some("unreachable"), 1));
    assert_eq!(error["id"], half.id().to_string());
    let next = error["next"].as_str().unwrap();
    let kept = next.rsplit(' ').next().unwrap().trim_end_matches('`');
    let whole_id = format!("outbox/{}.musubi", half.id());
    assert!(kept.ends_with(&whole_id), "two ids may share a short code: {kept}");
    let kept = HalfSigned::read(&std::fs::read(kept).unwrap()).unwrap();
    assert_eq!((kept.id(), kept.signatures().len()), (half.id(), 2));
    let book = std::fs::read_to_string(home.join("contacts.toml")).unwrap();
    assert!(book.contains(&half.id().to_string()), "the name stands before it is sent");
}

#[test]
fn an_audit_pins_the_chain_and_says_how_far_signatures_reach() {
    let home = tempfile::tempdir().unwrap();
    let (home, record) = (home.path(), home.path().join("record"));
    std::fs::create_dir(&record).unwrap();
    let town = common::town::a_day();
    town.write(&record);
    let line = format!("audit --from {}", record.display());
    let last = town.blocks.len() - 1;

    let loose = json(home, &line);
    assert_eq!(loose["pinned"], false);
    assert_eq!(loose["warnings"][0]["code"], "chain_not_pinned");
    let covered = &loose["covered_by_majority"];
    assert_eq!(
        (covered["height"].as_u64(), covered["blocks_beyond"].as_u64()),
        (Some(last as u64), Some(0))
    );
    assert!(covered["age_ms"].is_u64());
    assert_eq!(loose["covered_by_all"]["blocks_beyond"], 1);
    let text = ok(home, &line);
    for words in
        ["(not pinned)", "Signed by a majority", "1 block lies beyond", "heed the warnings"]
    {
        assert!(text.contains(words), "{words} in {text}");
    }

    let (own, other) = (town.chain.id(), ChainId([1; 32]));
    let pinned = ok(home, &format!("{line} --chain {own}"));
    assert!(pinned.ends_with("Everything agrees.\n"), "{pinned}");
    assert_eq!(code(home, &format!("{line} --chain {other}")), "wrong_chain");
    // The profile's chain is as good, and the command line wins over it.
    std::fs::write(home.join("profile.toml"), format!("chain = \"{other}\"\n")).unwrap();
    assert_eq!(code(home, &line), "wrong_chain");
    assert_eq!(json(home, &format!("{line} --chain {own}"))["pinned"], true);
    std::fs::write(home.join("profile.toml"), format!("chain = \"{own}\"\n")).unwrap();
    assert_eq!(json(home, &line)["pinned"], true);

    ok(home, &format!("{line} --min-height {last}"));
    assert_eq!(code(home, &format!("{line} --min-height {}", last + 1)), "not_covered");
    // Node 3 is a block behind.
    let all = format!("{line} --min-height {last} --all-validators");
    assert_eq!(code(home, &all), "not_covered");
    ok(home, &format!("{line} --max-age 99999d"));
    assert_eq!(code(home, &format!("{line} --max-age 0s")), "not_covered");
}

#[test]
fn completions_come_without_a_home() {
    let script = ok(Path::new("/nonexistent"), "completions zsh");
    assert!(script.starts_with("#compdef musubi"));
}
