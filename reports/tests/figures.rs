//! Unused balances and key figures.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

mod common;

use common::{
    a_group_day, days, materials, names, pay_group, payout, purchase, read, signed, the_day,
    town::*, whole,
};
use musubi_reports::{
    report::{Document, kpi, unused},
    source::Scope,
    sum::Sum,
};
use musubi_sdk::{OriginKind, Purpose, Slot};

/// A group that was opened, a member and a shop with some money, nothing else yet.
fn a_fresh_group() -> Town {
    let mut town = a_day();
    town.block_after(86_400_000, Vec::new());
    town
}

#[tokio::test]
async fn dues_of_500_and_costs_of_500_count_1000() {
    let mut town = a_fresh_group();
    let dues = pay_group(&town, BOB, 500, Purpose::DUES);
    town.judge(&[&dues], &["applied"]);
    payout(&mut town, CAROL, 500, Purpose::EXPENSE);
    let period = days("2026-11-23", "2026-11-23");
    let (source, names) = (read(&town, whole(period)).await, names());
    let kpi = kpi::make(materials(&source, &names), period).unwrap();
    assert_eq!(kpi.group_moves.period_yen, Sum(1_000));
    assert_eq!(kpi.group_moves.moves, 2);
    // The day before: 3,000 in, 2,000 out.
    assert_eq!(kpi.group_moves.cumulative_yen, Sum(6_000));
    assert_eq!(kpi.flags["group_to_group"], "counts on both sides: twice the amount");
    let rows = &kpi.sheet().tables[0].rows;
    assert_eq!(
        rows.last().unwrap().iter().map(|c| c.shown()).collect::<Vec<_>>()[2..],
        ["5,000", "6,000", "1,000"]
    );
}

#[tokio::test]
async fn grants_count_nothing_and_a_reversal_takes_off_what_was_counted() {
    let mut town = a_fresh_group();
    // Carol's: Bob approves what goes back, and nobody approves what they get.
    let grant = pay_group(&town, CAROL, 700, Purpose::GRANT);
    let dues = pay_group(&town, CAROL, 500, Purpose::DUES);
    town.judge(&[&grant, &dues], &["applied"; 2]);
    let back = |town: &Town, original, amount| {
        let draft = town.composer().refund(ALICE, original, &[yen(amount)]);
        signed(draft, &[(Slot::drafter(GROUP), ALICE), (Slot::approver(GROUP), BOB)])
    };
    let (one, two) = (back(&town, dues.body.id(), 200), back(&town, grant.body.id(), 700));
    town.judge(&[&one, &two], &["applied"; 2]);
    let bought = purchase(&mut town, ALICE, 900);
    let refund = town.composer().refund(SHOP, bought, &[yen(900)]);
    let refund = signed(refund, &[(Slot::payer(SHOP), SHOP)]);
    town.judge(&[&refund], &["applied"]);
    purchase(&mut town, ALICE, 40);
    let period = days("2026-11-23", "2026-11-23");
    let (source, names) = (read(&town, whole(period)).await, names());
    let kpi = kpi::make(materials(&source, &names), period).unwrap();
    assert_eq!(kpi.group_moves.period_yen, Sum(300));
    assert_eq!(kpi.settlement.period_yen, Sum(40));
    assert_eq!(kpi.settlement.cumulative_yen, Sum(1_040));
    assert_eq!((kpi.groups.before, kpi.groups.after), (1, 1));
    assert_eq!((kpi.registrants.after, kpi.merchants.after), (6, 1));
}

#[tokio::test]
async fn unused_is_what_can_still_be_spent_and_not_what_a_shop_has_accepted() {
    let period = the_day();
    let until = period.until();
    let (source, names) = (read(&a_group_day(), Scope::span(until, until)).await, names());
    let unused = unused::make(materials(&source, &names), period.last).unwrap();
    let [balance] = unused.balances.as_slice() else { panic!("one instrument, one origin") };
    assert_eq!(balance.origin, OriginKind::Paid);
    // 40,000 were issued; the shop accepted 1,280 and gave 280 back.
    assert_eq!((balance.unused, balance.claims), (Sum(39_000), Sum(1_000)));
    assert_eq!((balance.outstanding, balance.expired), (Sum(40_000), Sum(0)));
    assert_eq!(balance.holders, 4);
    let [deposit] = unused.deposits.as_slice() else { panic!("one issuer") };
    assert_eq!((deposit.balance_yen, deposit.required), (Sum(39_000), false));
    assert!(!unused.statutory);
    let early = unused::make(materials(&source, &names), "2026-11-23".parse().unwrap());
    assert_eq!(early.unwrap_err().code(), "too_early");
}

#[tokio::test]
async fn what_expired_is_not_unused_before_any_leaf_has_burnt_it() {
    let mut town = a_group_day();
    // Lots live 180 days: until the end of 2027-05-21. No block in between burns them.
    let day: musubi_sdk::Day = "2027-05-21".parse().unwrap();
    let ms = day.next().begin().0 - town.time.0;
    town.block_after(ms, Vec::new());
    let at = |day: musubi_sdk::Day| Scope::span(day.next().begin(), day.next().begin());
    let names = names();
    let source = read(&town, at(day)).await;
    let unused = unused::make(materials(&source, &names), day).unwrap();
    let balance = &unused.balances[0];
    assert_eq!((balance.unused, balance.expired), (Sum(0), Sum(39_000)));
    let before = musubi_sdk::Day(day.0 - 1);
    let source = read(&town, at(before)).await;
    let unused = unused::make(materials(&source, &names), before).unwrap();
    assert_eq!(unused.balances[0].unused, Sum(39_000));
}
