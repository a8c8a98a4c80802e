//! Tables for analysis: pseudonyms, small cells, sums.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

mod common;

use common::{a_group_day, days, materials, names, read, the_day, town::*};
use musubi_reports::{
    format::parquet::{self, Values},
    report::export::{self, Export, Wanted, pseudonym},
    source::{Scope, Source},
};
use musubi_sdk::{Amount, ledger::outcome::Account};

fn wanted(small: u64, sums_only: bool) -> Wanted {
    let attributes = vec!["resident".into()];
    Wanted { period: the_day(), key: [7; 32], small, attributes, sums_only }
}

async fn source() -> Source {
    read(&a_group_day(), Scope::span(the_day().from(), the_day().until())).await
}

fn made(source: &Source, wanted: &Wanted) -> Export {
    export::make(materials(source, &names()), wanted).unwrap()
}

fn column<'e>(export: &'e Export, table: &str, name: &str) -> &'e Values {
    let (_, columns) = export.tables.iter().find(|(key, _)| *key == table).unwrap();
    &columns.iter().find(|(key, _)| *key == name).unwrap().1
}

fn wholes(values: &Values) -> Vec<Option<i64>> {
    match values {
        Values::Whole(numbers) => numbers.iter().copied().map(Some).collect(),
        Values::MaybeWhole(numbers) => numbers.clone(),
        other => panic!("{other:?}"),
    }
}

fn texts(values: &Values) -> Vec<Option<String>> {
    match values {
        Values::Text(texts) => texts.iter().cloned().map(Some).collect(),
        Values::MaybeText(texts) => texts.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn postings_lead_to_balances_and_name_nobody() {
    let source = source().await;
    let export = made(&source, &wanted(1, false));
    let sum = |table| wholes(column(&export, table, "amount")).into_iter().flatten().sum::<i64>();
    assert_eq!((sum("postings"), sum("balances")), (40_000, 40_000));
    let alice = pseudonym(&[7; 32], ALICE);
    assert_eq!(alice.len(), 16);
    assert_ne!(alice, pseudonym(&[8; 32], ALICE), "another key makes another name");
    assert!(texts(column(&export, "balances", "party")).contains(&Some(alice)));
    let mut bytes = Vec::new();
    for (table, columns) in &export.tables {
        let file = parquet::write(table, columns).unwrap();
        assert_eq!(file, parquet::write(table, columns).unwrap());
        assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
        bytes.extend(file);
    }
    for secret in [ALICE.to_string(), hex::encode(ALICE.0), source.events[5].id.to_string()] {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} is told");
    }
    assert!(!bytes.windows(32).any(|window| window == source.events[5].id.0));
}

#[tokio::test]
async fn what_too_few_have_in_common_is_suppressed() {
    let source = source().await;
    // Two residents were topped up together; only one shop asked for money.
    let of = |small| {
        let export = made(&source, &wanted(small, true));
        let names: Vec<&str> = export.tables.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["instruments", "daily"], "sums alone");
        let whats = texts(column(&export, "daily", "what")).into_iter().flatten();
        let sums = wholes(column(&export, "daily", "plus"));
        whats.zip(sums).collect::<Vec<_>>()
    };
    let export = made(&source, &wanted(1, true));
    let regimes = texts(column(&export, "instruments", "regime"));
    assert_eq!(regimes, [Some("prepaid_third".into())]);
    assert!(of(1).contains(&("top_up".into(), Some(40_000))));
    assert!(of(1).contains(&("request_redemption".into(), Some(500))));
    assert!(of(2).contains(&("top_up".into(), Some(40_000))));
    assert!(of(2).contains(&("request_redemption".into(), None)));
    assert!(of(10).iter().all(|(_, sum)| sum.is_none()));
    for (small, merchants) in [(1, 1), (2, 0)] {
        let export = made(&source, &wanted(small, false));
        let kinds = texts(column(&export, "parties", "kind"));
        let shown = kinds.iter().flatten().filter(|kind| *kind == "merchant").count();
        assert_eq!(shown, merchants, "one shop is its own name");
    }
}

#[tokio::test]
async fn one_yen_more_and_there_is_no_export() {
    let mut source = source().await;
    let event = source.events.iter_mut().find(|event| event.touches(ALICE)).unwrap();
    let posting = event.postings.iter_mut().find(|p| p.account == Account::Wallet(ALICE)).unwrap();
    posting.amount = Amount(posting.amount.0 + 1);
    let names = names();
    let error = export::make(materials(&source, &names), &wanted(1, false)).unwrap_err();
    assert_eq!(error.code(), "totals_differ");
    let late = Wanted { period: days("2026-11-22", "2026-11-23"), ..wanted(1, true) };
    assert_eq!(export::make(materials(&source, &names), &late).unwrap_err().code(), "too_early");
}
