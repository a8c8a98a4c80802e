//! A report that somebody signed is made again when the log has grown: the same bytes, and no others.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

mod common;

use std::path::Path;

use common::{DAY, a_group_day, purchase, report, signed, town::*, written};
use musubi_sdk::{
    DocumentHash, Slot,
    ledger::{
        document::{DocumentKind, Report, ReportKind},
        hash::sha256,
        operation::IssueDocument,
    },
};
use serde_json::Value;

/// What the command makes of a record, and what it says of itself.
fn made(folder: &Path, line: &str) -> (Vec<u8>, Value) {
    let (code, text, error) = report(folder, line);
    assert_eq!(code, 0, "{line}: {error}");
    let value = serde_json::from_str(&text).unwrap();
    (text.into_bytes(), value)
}

/// Signs a report as the shop, with what it says about itself.
fn sign_as_shop(town: &mut Town, number: &str, kind: Report, bytes: &[u8]) {
    let op = IssueDocument {
        issuer: SHOP,
        number: number.parse().unwrap(),
        addressee: None,
        body: DocumentHash(sha256(bytes)),
        replaces: None,
        kind: DocumentKind::Report(kind),
    };
    let draft = town.composer().issue_document(SHOP, op);
    let issued = signed(draft, &[(Slot::holder(SHOP), SHOP)]);
    town.judge(&[&issued], &["applied"]);
}

fn rests_on(made: &Value, what: ReportKind, from: Option<&str>) -> Report {
    let basis = &made["rest"]["basis"];
    assert_eq!(basis["signed_height"], basis["height"]);
    Report {
        what,
        from: from.map(|day| day.parse().unwrap()),
        to: DAY.parse().unwrap(),
        height: basis["height"].as_u64().unwrap(),
        size: basis["size"].as_u64().unwrap(),
        root: basis["root"].as_str().unwrap().parse().unwrap(),
    }
}

#[test]
fn the_same_block_gives_the_same_bytes_when_the_log_has_grown() {
    let mut town = a_group_day();
    let chain = town.genesis.chain();
    let lines = [
        (format!("unused --at {DAY} --dir . --chain {chain}"), ReportKind::Unused, None),
        (
            format!("kpi --from {DAY} --to {DAY} --dir . --chain {chain}"),
            ReportKind::Kpi,
            Some(DAY),
        ),
    ];
    let first = written(&town);
    let before = lines.each_ref().map(|(line, what, from)| {
        let (bytes, value) = made(first.path(), line);
        let kind = rests_on(&value, *what, *from);
        (bytes, kind)
    });
    // The reports are signed, and life goes on.
    for (at, (bytes, kind)) in before.iter().enumerate() {
        sign_as_shop(&mut town, &format!("K-{at}"), *kind, bytes);
    }
    purchase(&mut town, ALICE, 700);
    town.block_after(86_400_000, Vec::new());
    let later = written(&town);
    for ((line, ..), (bytes, kind)) in lines.iter().zip(&before) {
        let (again, _) = made(later.path(), &format!("{line} --height {}", kind.height));
        assert!(again == *bytes, "{line}");
        let (other, _) = made(later.path(), line);
        assert!(other != *bytes, "{line}: another record, and it says so");
        let (next, _) = made(later.path(), &format!("{line} --height {}", kind.height + 1));
        assert!(next != *bytes, "{line}");
        // One figure more or less is not what was signed.
        let mut flipped = again.clone();
        let at = flipped.iter().rposition(u8::is_ascii_digit).unwrap();
        flipped[at] ^= 1;
        assert_ne!(sha256(&flipped), sha256(bytes), "{line}");
    }
}

#[test]
fn a_report_at_a_block_knows_nothing_of_later_ones() {
    let mut town = a_group_day();
    let height = town.blocks.len() as u64 - 1;
    let chain = town.genesis.chain();
    // The next day: a payment of that day must not be in a report of both days at the earlier block.
    purchase(&mut town, ALICE, 700);
    town.block_after(86_400_000, Vec::new());
    let folder = written(&town);
    let line = format!("kpi --from {DAY} --to 2026-11-23 --dir . --chain {chain}");
    let (_, all) = made(folder.path(), &line);
    let (_, part) = made(folder.path(), &format!("{line} --height {height}"));
    let settled = |made: &Value| made["settlement"]["period_yen"].as_str().unwrap().to_owned();
    assert_eq!((settled(&part), settled(&all)), ("1000".into(), "1700".into()));
    assert_eq!(
        (&part["rest"]["complete"], &all["rest"]["complete"]),
        (&false.into(), &true.into())
    );
    let beyond = format!("{line} --height {} --json", town.blocks.len());
    let (code, _, error) = report(folder.path(), &beyond);
    let problem: Value = serde_json::from_str(&error).unwrap();
    assert_eq!((code, &problem["code"]), (2, &"no_block".into()));
}

/// A record that is wrong behind the block that was asked for is wrong.
#[test]
fn what_came_later_is_verified_too() {
    let mut town = a_group_day();
    let height = town.blocks.len() as u64 - 1;
    purchase(&mut town, ALICE, 700);
    let folder = written(&town);
    let leaves = folder.path().join("leaves.bin");
    let mut bytes = std::fs::read(&leaves).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&leaves, bytes).unwrap();
    let line = format!("unused --at {DAY} --dir . --height {height}");
    assert_eq!(report(folder.path(), &line).0, 1);
}

/// What `musubi document report` tells reports apart by: each has its own field, and no other's.
#[test]
fn each_report_says_which_it_is_and_its_days() {
    let folder = written(&a_group_day());
    let fields = ["base_date", "group_moves", "accounts", "owes", "which"];
    for (line, own, days) in [
        (format!("unused --at {DAY}"), "base_date", None),
        (format!("kpi --from {DAY} --to {DAY}"), "group_moves", Some("/period")),
        (format!("accounts {GROUP} --from {DAY} --to {DAY}"), "accounts", Some("/period")),
        (format!("statement {ALICE} --from {DAY} --to {DAY}"), "owes", Some("/period")),
        (format!("settlement --cut-off {DAY}"), "which", None),
        (format!("settlement --from {DAY} --to {DAY}"), "which", Some("/which/paid")),
    ] {
        let (_, made) = made(folder.path(), &format!("{line} --dir ."));
        let there = fields.map(|field| (field, made.get(field).is_some()));
        assert_eq!(there, fields.map(|field| (field, field == own)), "{line}");
        assert_eq!(made["rest"]["complete"], true, "{line}");
        if let Some(days) = days {
            let days = made.pointer(days).unwrap();
            assert_eq!((&days["first"], &days["last"]), (&DAY.into(), &DAY.into()), "{line}");
        }
    }
    let (_, unused) = made(folder.path(), &format!("unused --at {DAY} --dir ."));
    assert_eq!(unused["base_date"], DAY);
    let (_, waiting) = made(folder.path(), &format!("settlement --cut-off {DAY} --dir ."));
    assert_eq!(waiting["which"]["waiting"]["cut_off"], DAY);
}
