//! Statements and group accounts: sums against the ledger, tampering, determinism.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

mod common;

use common::{
    DAY, a_group_day, days, materials, names, read, report, the_day, town::*, try_read, whole,
    written,
};
use musubi_reports::{
    format,
    report::{Category, Document, accounts, statement},
    source::{Scope, Source},
    sum::Sum,
};
use musubi_sdk::{Amount, PartyId};

async fn source() -> Source {
    read(&a_group_day(), whole(the_day())).await
}

#[tokio::test]
async fn a_members_lines_lead_from_opening_to_closing() {
    let (source, names) = (source().await, names());
    let alice = statement::make(materials(&source, &names), ALICE, the_day()).unwrap();
    assert!(alice.opening.is_empty() && alice.rest.complete);
    let sums: Vec<(Category, i128, i128, i128)> =
        alice.lines.iter().map(|l| (l.category, l.income.0, l.spending.0, l.balance.0)).collect();
    assert_eq!(
        sums,
        [
            (Category::TopUp, 20_000, 0, 20_000),
            (Category::Payment, 0, 1_280, 18_720),
            (Category::Payment, 0, 300, 18_420),
            (Category::Refund, 280, 0, 18_700),
            (Category::Payment, 0, 3_000, 15_700),
        ]
    );
    assert_eq!(alice.lines[1].with[0].name, "本町ベーカリー");
    let closing: i128 = alice.closing.iter().map(|held| held.amount.0).sum();
    assert_eq!(closing, 15_700);
    // The next day begins with what this one left.
    let next = days("2026-11-23", "2026-11-23");
    let later = read(&a_group_day(), Scope::span(next.from(), next.until()).of(ALICE)).await;
    let later = statement::make(materials(&later, &names), ALICE, next).unwrap();
    assert_eq!((later.opening, later.lines.len()), (alice.closing, 0));
    assert!(!later.rest.complete, "that day is not over");
}

#[tokio::test]
async fn a_merchants_statement_shows_claims_on_their_way_to_the_bank() {
    let (source, names) = (source().await, names());
    let shop = statement::make(materials(&source, &names), SHOP, the_day()).unwrap();
    let lines: Vec<(Category, i128, i128, i128)> =
        shop.lines.iter().map(|l| (l.category, l.income.0, l.spending.0, l.turned.0)).collect();
    assert_eq!(
        lines,
        [
            (Category::Payment, 1_280, 0, 0),
            (Category::Refund, 0, 280, 0),
            (Category::RedemptionAsked, 0, 0, 500),
        ]
    );
    assert_eq!(shop.closing.iter().map(|held| held.amount.0).collect::<Vec<_>>(), [500, 500]);
    assert_eq!(shop.sheet().title, "加盟店取引明細書");
}

#[tokio::test]
async fn a_groups_accounts_balance_and_name_who_let_payouts_go() {
    let (source, names) = (source().await, names());
    let group = accounts::make(materials(&source, &names), GROUP, the_day()).unwrap();
    let [account] = group.accounts.as_slice() else { panic!("one instrument") };
    assert_eq!((account.opening, account.closing), (Sum(0), Sum(1_000)));
    assert_eq!((account.income_total, account.spending_total), (Sum(3_500), Sum(2_500)));
    let dues: Vec<(&str, i128)> =
        group.dues.iter().map(|dues| (dues.member.as_str(), dues.amount.0)).collect();
    assert_eq!(dues, [("=HYPERLINK(\"x\")", 500)]);
    let costs = group.lines.last().unwrap();
    assert_eq!(costs.words(), "支払（経費）");
    assert_eq!(costs.remark(0), "起案 佐藤 花子 承認 =HYPERLINK(\"x\")");
    let sheet = group.sheet();
    let csv = String::from_utf8(format::csv::write(&sheet.tables[1])).unwrap();
    assert!(csv.contains("\"'=HYPERLINK(\"\"x\"\")\",MEBUKU,1,500,,\r\n"), "{csv}");
    let error = accounts::make(materials(&source, &names), ALICE, the_day()).unwrap_err();
    assert_eq!(error.code(), "no_group");
}

#[tokio::test]
async fn one_yen_more_in_any_posting_and_there_is_no_report() {
    let names = names();
    let clean = source().await;
    let parties = [ALICE, BOB, CAROL, SHOP, GROUP];
    let make = |source: &Source, party: PartyId| {
        statement::make(materials(source, &names), party, the_day()).map(drop)
    };
    let mut tried = 0;
    for (at, event) in clean.events.iter().enumerate() {
        for (place, posting) in event.postings.iter().enumerate() {
            let mut source = clean.clone();
            source.events[at].postings[place].amount = Amount(posting.amount.0 + 1);
            let refused = parties.iter().filter(|party| make(&source, **party).is_err()).count();
            let touched =
                matches!(posting.account, musubi_sdk::ledger::outcome::Account::Wallet(_));
            assert_eq!(refused, usize::from(touched), "event {at}, posting {place}");
            tried += refused;
        }
    }
    assert!(tried > 15, "{tried} postings were tried");
    let error = {
        let mut source = clean.clone();
        let alices = source.events.iter_mut().find(|event| event.touches(ALICE)).unwrap();
        alices
            .postings
            .retain(|p| p.account != musubi_sdk::ledger::outcome::Account::Wallet(ALICE));
        make(&source, ALICE).unwrap_err()
    };
    assert_eq!(error.code(), "totals_differ");
}

#[tokio::test]
async fn a_record_that_does_not_hold_gives_no_report() {
    let town = a_group_day();
    let folder = written(&town);
    let file = folder.path().join("entries.bin");
    let mut bytes = std::fs::read(&file).unwrap();
    // The amount of a top-up, little-endian, made one more.
    let amount = 20_000_u64.to_le_bytes();
    let at = bytes.windows(8).position(|window| window == amount).unwrap();
    bytes[at] += 1;
    std::fs::write(&file, bytes).unwrap();
    let error = try_read(folder.path(), whole(the_day())).await.unwrap_err();
    assert!(matches!(error, musubi_reports::ReportError::Audit(_)), "{error}");
    assert!(error.next().starts_with("no report is made"), "{}", error.next());
}

#[tokio::test]
async fn the_same_record_gives_the_same_bytes() {
    let town = a_group_day();
    let names = names();
    let (one, two) = (read(&town, whole(the_day())).await, read(&town, whole(the_day())).await);
    let bytes = |source: &Source| {
        let report = accounts::make(materials(source, &names), GROUP, the_day()).unwrap();
        let tables = report.sheet().tables;
        let csv = tables.iter().map(format::csv::write);
        std::iter::once(format::json::write(&report)).chain(csv).collect::<Vec<_>>()
    };
    assert_eq!(bytes(&one), bytes(&two));
}

#[test]
fn the_command_writes_files_and_says_what_is_wrong() {
    let folder = written(&a_group_day());
    let run = |line: &str| report(folder.path(), line);
    let line = format!("statement {ALICE} --from {DAY} --to {DAY} --dir .");
    let (code, json, error) = run(&line);
    assert_eq!(code, 0, "{error}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["lines"][0]["income"], "20000");
    assert_eq!(json["rest"]["basis"]["pinned"], false);
    assert_eq!(run(&format!("{line} --out a.csv")).0, 0);
    let csv = std::fs::read_to_string(folder.path().join("a.csv")).unwrap();
    assert!(csv.starts_with("\u{feff}日時,内容,相手,種類,入,出,残高,備考,取引番号\r\n"), "{csv}");
    for (line, status, code) in [
        (format!("{line} --out a.csv"), 2, "file_exists"),
        (format!("{line} --format csv --table x"), 2, "no_table"),
        (line.replace(&ALICE.to_string(), "nobody"), 2, "who"),
        (line.replace("--dir .", ""), 2, "no_source"),
        (line.replace("--dir .", "--dir nowhere"), 1, "file"),
        (format!("unused --at {} --dir .", "2027-03-31"), 2, "too_early"),
        (format!("{line} --chain {}", "01".repeat(32)), 1, "chain_mismatch"),
    ] {
        let (got, _, error) = run(&format!("{line} --json"));
        let problem: serde_json::Value = serde_json::from_str(&error).unwrap();
        assert_eq!(got, status, "{line}: {problem}");
        if code != "chain_mismatch" {
            assert_eq!(problem["code"], code, "{line}");
        }
    }
}
