//! Balances taken over from another system, in reports: held, to be secured, and no sale of the period.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

mod common;

use common::{a_group_day, days, materials, names, read, signed, the_day, town::*, whole};
use musubi_reports::{
    report::{Category, accounts, kpi, statement, unused},
    source::Scope,
    sum::Sum,
};
use musubi_sdk::{
    Amount, DocumentHash, OriginKind, Role, Side, Slot,
    ledger::{
        operation::{Import, OpenRun},
        run::OldBalance,
    },
    run_file::old::{NumberKey, plan_old},
};

/// On the second day Bob's old card with twelve million that last for two days, and the group's with 300 that last, are taken over.
fn with_imports() -> Town {
    let mut town = a_group_day();
    let key = NumberKey::generate();
    let end = days("2026-11-24", "2026-11-24").until();
    let old = |number, use_expiry| OldBalance { reference: key.reference(number), use_expiry };
    let cards =
        [(BOB, Amount(12_000_000), old("1", Some(end))), (GROUP, Amount(300), old("2", None))];
    let plan = plan_old(cards).unwrap();
    let manifest = OpenRun {
        instrument: coin(),
        origin: OriginKind::Paid,
        funder: ISSUER,
        campaign: 0,
        root: plan.root(),
        count: plan.count(),
        total: plan.total(),
        until: town.time.plus(86_400_000),
        import: Some(Import { handover: DocumentHash([3; 32]), owed: false }),
    };
    let opens = signed(
        town.composer().open_run(BANKER, manifest),
        &[
            (Slot::officer(ISSUER), BANKER),
            (Slot::officer(ISSUER), SECOND_CLERK),
            (Slot::officer(REGISTRAR), CLERK),
        ],
    );
    town.judge(&[&opens], &["applied"]);
    let chunk = plan.chunks(opens.body.id()).next().unwrap();
    let brings = town.composer().run_chunk(CAROL, chunk);
    let brings = signed(brings, &[(Slot::new(Side::Authority, Role::Holder, CAROL), CAROL)]);
    town.judge(&[&brings], &["applied"]);
    town.block_after(86_400_000, Vec::new());
    town
}

#[tokio::test]
async fn paid_balances_are_to_be_secured_from_the_day_they_are_taken_over_until_they_expire() {
    let mut town = with_imports();
    town.block_after(2 * 86_400_000, Vec::new());
    let names = names();
    for (day, unused, secured) in [
        ("2026-11-22", 39_000, 0),
        ("2026-11-23", 12_039_300, 6_019_650),
        ("2026-11-24", 39_300, 0),
    ] {
        let day: musubi_sdk::Day = day.parse().unwrap();
        let instant = day.next().begin();
        let source = read(&town, Scope::span(instant, instant)).await;
        let report = unused::make(materials(&source, &names), day).unwrap();
        let [balance] = report.balances.as_slice() else { panic!("one instrument, one origin") };
        assert_eq!((balance.origin, balance.unused), (OriginKind::Paid, Sum(unused)), "{day}");
        assert_eq!(report.deposits[0].deposit_yen, Sum(secured), "{day}");
    }
}

#[tokio::test]
async fn they_are_no_payment_and_no_top_up_of_the_period() {
    let town = with_imports();
    let period = days("2026-11-23", "2026-11-23");
    let (source, names) = (read(&town, whole(period)).await, names());
    let figures = kpi::make(materials(&source, &names), period).unwrap();
    for flow in [&figures.group_moves, &figures.settlement] {
        assert_eq!((flow.period_yen, flow.moves), (Sum(0), 0));
    }
    assert!(figures.flags["imports"].starts_with("not counted"));
    let totals = source.end().totals(coin());
    assert_eq!((totals.paid.issued.0, totals.paid.imported.0), (40_000, 12_000_300));
    // The first day's figures are what they were.
    let source = read(&town, whole(the_day())).await;
    let before = kpi::make(materials(&source, &names), the_day()).unwrap();
    let alone = read(&a_group_day(), whole(the_day())).await;
    let alone = kpi::make(materials(&alone, &names), the_day()).unwrap();
    assert_eq!(before.group_moves, alone.group_moves);
}

#[tokio::test]
async fn statements_and_accounts_name_them() {
    let town = with_imports();
    let period = days("2026-11-23", "2026-11-23");
    let (source, names) = (read(&town, whole(period)).await, names());
    let bob = statement::make(materials(&source, &names), BOB, period).unwrap();
    let [line] = bob.lines.as_slice() else { panic!("{:?}", bob.lines) };
    assert_eq!((line.category, line.income), (Category::Import, Sum(12_000_000)));
    assert_eq!((line.words(), line.what.as_str()), ("残高引継".into(), "run_chunk"));
    let group = accounts::make(materials(&source, &names), GROUP, period).unwrap();
    let headings: Vec<_> =
        group.accounts[0].income.iter().map(|h| (h.category, h.amount)).collect();
    assert_eq!(headings, [(Category::Import, Sum(300))]);
}
