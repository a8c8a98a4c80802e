//! Lists of dues and cash in a group's accounts: matched to members, and in no balance.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

mod common;

use common::{a_group_day, materials, names, read, signed, the_day, town, town::*, whole};
use musubi_reports::{
    format,
    report::{
        Category, Document,
        accounts::{self, Accounts},
        dues::Standing,
        statement,
    },
    sum::Sum,
};
use musubi_sdk::{
    Amount, DocumentHash, PartyId, Purpose, RosterLine, Slot, TxId,
    ledger::{
        operation::{DuesLine, Hold, Member, RequestMany},
        state::derived_id,
        transaction::Role,
    },
};

const DAY_MS: u64 = 86_400_000;
const SUZUKI: RosterLine = RosterLine([7; 16]);
const TANAKA: RosterLine = RosterLine([8; 16]);

/// Asks Bob and Carol for 500 each, two without wallets for 300 each; the lines' requests in this order.
fn ask(town: &mut Town, within_ms: u64) -> [TxId; 4] {
    let members = [
        (Member::Party(BOB), 500),
        (Member::Party(CAROL), 500),
        (Member::Roster(SUZUKI), 300),
        (Member::Roster(TANAKA), 300),
    ];
    let line = |(member, amount)| DuesLine { member, amount: Amount(amount) };
    let due = town.time.plus(within_ms);
    let lines = members.map(line).to_vec();
    let op = RequestMany { payee: GROUP, lines, instrument: coin(), tender: Vec::new(), due };
    let draft = town.composer().request_many(ALICE, op).purpose(Purpose::DUES);
    let asked = signed(draft, &[(Slot::receiver(GROUP, Role::Drafter), ALICE)]);
    town.judge(&[&asked], &["applied"]);
    [0, 1, 2, 3].map(|at| derived_id(&asked.body.id(), at))
}

fn cash(town: &mut Town, request: TxId, received: bool) {
    let evidence = DocumentHash([5; 32]);
    let draft = town.composer().record_cash(ALICE, request, received, evidence);
    let record = signed(draft, &[(Slot::member(GROUP, Role::Drafter), ALICE)]);
    town.judge(&[&record], &["applied"]);
}

fn pay(town: &mut Town, payer: PartyId, request: TxId) -> TxId {
    let draft = town.composer().pay_request(payer, GROUP, &[yen(500)], request);
    let paid = signed(draft.purpose(Purpose::DUES), &[(Slot::payer(payer), payer)]);
    town.judge(&[&paid], &["applied"]);
    paid.body.id()
}

/// Bob pays his own line, Alice pays Carol's; Suzuki pays in cash, and Tanaka is said to by mistake.
async fn made(within_ms: u64) -> Accounts {
    let mut town = town::a_day();
    let [bob, carol, suzuki, tanaka] = ask(&mut town, within_ms);
    pay(&mut town, BOB, bob);
    pay(&mut town, ALICE, carol);
    cash(&mut town, suzuki, true);
    cash(&mut town, tanaka, true);
    cash(&mut town, tanaka, false);
    town.block_after(DAY_MS, Vec::new());
    let source = read(&town, whole(the_day())).await;
    accounts::make(materials(&source, &names()), GROUP, the_day()).unwrap()
}

#[tokio::test]
async fn dues_are_matched_to_members_and_cash_is_in_no_balance() {
    let before = {
        let source = read(&town::a_day(), whole(the_day())).await;
        accounts::make(materials(&source, &names()), GROUP, the_day()).unwrap()
    };
    let group = made(30 * DAY_MS).await;
    let income = |accounts: &Accounts| accounts.accounts[0].income_total;
    assert_eq!(income(&group), income(&before) + Sum(1_000), "what wallets paid, and no cash");
    let dues: Vec<(&str, u64, i128, i128, i128)> = group
        .dues
        .iter()
        .map(|d| (d.member.as_str(), d.count, d.amount.0, d.cash.0, d.unpaid.0))
        .collect();
    let (suzuki, tanaka) = (SUZUKI.to_string(), TANAKA.to_string());
    let expected = [
        (suzuki.as_str(), 0, 0, 300, 0),
        (tanaka.as_str(), 0, 0, 0, 300),
        ("=HYPERLINK(\"x\")", 1, 500, 0, 0),
        ("鈴木 三郎", 1, 500, 0, 0),
    ];
    assert_eq!(dues, expected, "Carol's dues are hers, although Alice paid them");
}

#[tokio::test]
async fn cash_and_lists_have_sections_of_their_own() {
    let group = made(30 * DAY_MS).await;
    let records: Vec<i128> = group.cash.iter().map(|record| record.amount.0).collect();
    assert_eq!(records, [300, 300, -300], "a mistake stays visible");
    assert!(group.cash.iter().all(|record| record.by.name == "佐藤 花子"));
    let mut standing: Vec<(Standing, bool, Option<&str>)> = group
        .asked
        .iter()
        .map(|a| (a.standing, a.settled.is_some(), a.payer.as_ref().map(|p| p.name.as_str())))
        .collect();
    standing.sort_unstable();
    let expected = [
        (Standing::Unpaid, false, None),
        (Standing::Paid, true, Some("=HYPERLINK(\"x\")")),
        (Standing::Paid, true, Some("佐藤 花子")),
        (Standing::Cash, true, None),
    ];
    assert_eq!(standing, expected);
    let sheet = group.sheet();
    let keys: Vec<&str> = sheet.tables.iter().map(|table| table.key).collect();
    assert_eq!(keys, ["accounts", "dues", "cash", "asked", "lines"]);
    let text = |at: usize| String::from_utf8(format::csv::write(&sheet.tables[at])).unwrap();
    assert!(text(2).contains(",現金収納合計,,MEBUKU,300,,\r\n"), "{}", text(2));
    assert!(text(2).contains("（記録の取消）,会費,MEBUKU,-300,佐藤 花子,"), "{}", text(2));
    assert!(text(3).contains("鈴木 三郎,会費,MEBUKU,500,納入済,"), "{}", text(3));
    assert!(sheet.notes.iter().any(|note| note.contains("現金収納")));
    if let Ok(folder) = std::env::var("MUSUBI_KEEP_FILES") {
        use musubi_reports::format::pdf::{self, Extras, Fonts};
        let pdf = pdf::write(&sheet, &Extras::default(), &Fonts::find(None).unwrap()).unwrap();
        std::fs::write(format!("{folder}/会費.pdf"), pdf).unwrap();
    }
}

#[tokio::test]
async fn what_was_not_paid_in_time_is_overdue() {
    let group = made(3_600_000).await;
    assert!(group.asked.iter().any(|line| line.standing == Standing::Overdue));
}

#[tokio::test]
async fn a_group_without_lists_has_empty_sections() {
    let source = read(&a_group_day(), whole(the_day())).await;
    let group = accounts::make(materials(&source, &names()), GROUP, the_day()).unwrap();
    assert!(group.asked.is_empty() && group.cash.is_empty());
    assert!(group.sheet().notes.iter().all(|note| !note.contains("現金収納")));
}

/// Exchange and repayment have words of their own on a statement.
#[tokio::test]
async fn what_waits_for_an_exchange_is_said_in_words() {
    let mut town = town::a_day();
    let deadline = town.time.plus(7_200_000);
    let order = DocumentHash([6; 32]);
    let hold = |town: &Town| {
        let op = Hold { from: ALICE, to: ISSUER, leg: yen(400), deadline, order };
        let draft = town.composer().hold(ALICE, op);
        signed(draft, &[(Slot::payer(ALICE), ALICE)])
    };
    let (one, two) = (hold(&town), hold(&town));
    town.judge(&[&one, &two], &["applied"; 2]);
    town.block_after(DAY_MS, Vec::new());
    town.block_after(DAY_MS, Vec::new());
    let period = common::days(common::DAY, "2026-11-23");
    let source = read(&town, whole(period)).await;
    let alice = statement::make(materials(&source, &names()), ALICE, period).unwrap();
    let exchange = alice.lines.iter().filter(|line| line.category == Category::Exchange);
    let words: Vec<String> = exchange.map(|line| line.words()).collect();
    assert_eq!(words, ["交換申込", "交換申込", "交換期限切れ", "交換期限切れ"]);
    assert!(alice.sheet().tables.iter().flat_map(|t| &t.rows).flatten().all(|cell| {
        let shown = cell.shown();
        !shown.contains("hold") && !shown.contains("その他（")
    }));
}
