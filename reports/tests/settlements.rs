//! Settlements in reports: fees and debts taken off, the bank's file of one settlement to the byte, what came back.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

mod common;

use common::{
    ACCOUNTS, a_group_day, days, materials, names, purchase, read, report, signed, town::*, whole,
    written,
};
use musubi_reports::{
    format::zengin::{self, LineEnd},
    report::{
        Category, Document,
        bank::Accounts,
        settlement::{self, LineOf, Settlement, Which},
        statement::{self, Statement},
    },
    source::Source,
    sum::Sum,
};
use musubi_sdk::{
    Amount, DocumentHash, PartyId, Role, Side, Slot, TxId,
    ledger::{
        id::RuleId,
        operation::{RedemptionAnswer, Settle, SettleLine},
        rule::{
            Base, Post, RuleTerms, Trigger,
            cap::Over,
            formula::{Formula, Rate},
            split::{Leg, Split},
            when::When,
        },
        state::RowKey,
        time::Time,
    },
};

const PAID: RedemptionAnswer = RedemptionAnswer::Paid { payout: DocumentHash([1; 32]) };
const RETURNED: RedemptionAnswer = RedemptionAnswer::Returned { notice: DocumentHash([2; 32]) };

/// Every payout costs 2 %, half for the operator and half for the partner.
fn fee(town: &mut Town) {
    let leg = |to| Leg { to, weight: 1 };
    let split = Split { legs: vec![leg(OPERATOR), leg(PARTNER)], remainder: 1 };
    let terms = RuleTerms {
        on: Trigger::Redeem,
        when: When::always(Time(0)),
        base: Base::RunTotal,
        formula: Formula::Rate(Rate::floor(2, 100)),
        post: Post::Fee(split),
        caps: Vec::new(),
        over: Over::Truncate,
    };
    let id = RuleId { instrument: coin(), number: 1 };
    let draft = town.composer().put_rule(BANKER, id, terms);
    officers(town, draft);
}

/// Two officers of the issuer sign.
fn officers(town: &mut Town, draft: musubi_sdk::Draft) -> TxId {
    let office = Slot::officer(ISSUER);
    let done = signed(draft, &[(office, BANKER), (office, SECOND_CLERK)]);
    town.judge(&[&done], &["applied"]);
    done.body.id()
}

fn settle(town: &mut Town, lines: &[(PartyId, u64)]) -> TxId {
    let line = |(merchant, gross): &(PartyId, u64)| SettleLine {
        merchant: *merchant,
        gross: Amount(*gross),
    };
    let settle = Settle {
        instrument: coin(),
        cut_off: town.time,
        lines: lines.iter().map(line).collect(),
        deadline: town.time.plus(30 * 86_400_000),
        document: DocumentHash([3; 32]),
    };
    let draft = town.composer().settle(BANKER, settle);
    officers(town, draft)
}

fn answer(town: &mut Town, settlement: TxId, lines: &[u32], answer: RedemptionAnswer) {
    let draft = town.composer().answer_settlement(ISSUER, settlement, lines.to_vec(), answer);
    let slot = Slot::new(Side::Credit, Role::Issuer, ISSUER);
    town.judge(&[&signed(draft, &[(slot, ISSUER)])], &["applied"]);
}

/// The bank pays what the shop asked for by itself.
fn paid_by_itself(town: &mut Town) {
    let asked = town.state.rows().find_map(|(key, _)| match key {
        RowKey::Redemption(id) => Some(*id),
        _ => None,
    });
    let draft = town.composer().answer_redemption(ISSUER, asked.unwrap(), PAID);
    let slot = Slot::new(Side::Credit, Role::Issuer, ISSUER);
    town.judge(&[&signed(draft, &[(slot, ISSUER)])], &["applied"]);
}

/// On the day after the group's, the 500 that the shop had asked for are paid. Three settlements: the first of 500 is paid; the second of 700 too, and then refunded, so
/// that the shop owes 700; the third has 2,000 of the shop's and the 12 of fees that the operator has got.
fn town() -> (Town, [TxId; 3]) {
    let mut town = a_group_day();
    paid_by_itself(&mut town);
    fee(&mut town);
    let first = settle(&mut town, &[(SHOP, 500)]);
    answer(&mut town, first, &[0], PAID);
    let back = purchase(&mut town, ALICE, 700);
    let second = settle(&mut town, &[(SHOP, 700)]);
    answer(&mut town, second, &[0], PAID);
    let refund = town.composer().refund(SHOP, back, &[yen(700)]);
    town.judge(&[&signed(refund, &[(Slot::payer(SHOP), SHOP)])], &["applied"]);
    purchase(&mut town, ALICE, 2_000);
    let third = settle(&mut town, &[(SHOP, 2_000), (OPERATOR, 12)]);
    (town, [first, second, third])
}

fn over(town: &mut Town) {
    town.block_after(86_400_000, Vec::new());
}

fn the_next_day() -> musubi_reports::period::Period {
    days("2026-11-23", "2026-11-23")
}

fn made(source: &Source, which: Which) -> Settlement {
    settlement::make(materials(source, &names()), which).unwrap()
}

/// Per merchant: the claim, fees, what is netted, what is paid.
fn sums(made: &Settlement) -> Vec<(PartyId, i128, i128, i128, i128)> {
    let of = |line: &settlement::Payout| {
        let sum = |of: fn(&settlement::Part) -> Sum| line.parts.iter().map(of).sum::<Sum>().0;
        let taken = (sum(|p| p.amount), sum(|p| p.fees), sum(|p| p.netted));
        (line.merchant.party, taken.0, taken.1, taken.2, line.amount_yen.0)
    };
    made.lines.iter().map(of).collect()
}

/// Where the operator gets its part of the fees.
const OPERATORS_OWN: &str = r#"
[payee."OPERATOR"]
bank = "0128"
bank_name = "グンマ"
branch = "101"
branch_name = "マエバシ"
kind = "ordinary"
account = "99"
name = "マチヅクリキョウカイ"
"#;

/// The bakery's and the operator's accounts.
fn accounts_file() -> String {
    ACCOUNTS.to_owned() + &OPERATORS_OWN.replace("OPERATOR", &OPERATOR.to_string())
}

/// In Unicode for reading: each character is one byte of the file.
const GOLDEN: [&str; 5] = [
    "12100000123456ﾑｽﾋﾞｼﾞﾑｷﾖｸ                              11300128ｸﾞﾝﾏ           101ﾏｴﾊﾞｼ          27654321                 ",
    "20128ｸﾞﾝﾏ           101ﾏｴﾊﾞｼ          000010000099ﾏﾁﾂﾞｸﾘｷﾖｳｶｲ                   00000000120000000000100000000007        ",
    "21351ｷﾘﾕｳｼﾝｷﾝ       007ﾎﾝﾁﾖｳ          000010000042ｶ)ﾎﾝﾏﾁﾍﾞ-ｶﾘ-                  00000012600000000000200000000007        ",
    "8000002000000001272                                                                                                     ",
    "9                                                                                                                       ",
];

fn banks_file(made: &Settlement) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), accounts_file()).unwrap();
    let (accounts, names) = (Accounts::read(file.path()).unwrap(), names());
    let (sender, items) = accounts.orders(made, &names).unwrap();
    zengin::write(sender, "2026-11-30".parse().unwrap(), &items, LineEnd::None).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    let byte = |c: char| match c {
        '\u{ff61}'..='\u{ff9f}' => u8::try_from(u32::from(c) - 0xff61 + 0xa1).unwrap(),
        ascii => u8::try_from(ascii).unwrap(),
    };
    text.chars().map(byte).collect()
}

#[tokio::test]
async fn the_banks_file_of_one_settlement_is_right_to_the_byte() {
    let (town, [first, _, third]) = town();
    let of = |id| Which::Settlement { id };
    let source = read(&town, of(third).scope()).await;
    let made = made(&source, of(third));
    // The debt is netted behind the fee.
    assert_eq!(sums(&made), [(OPERATOR, 12, 0, 0, 12), (SHOP, 2_000, 40, 700, 1_260)]);
    assert_eq!(made.total_yen, Sum(1_272));
    let place = |line| Some(LineOf { settlement: third, line });
    assert_eq!([0, 1].map(|at: usize| made.lines[at].parts[0].of), [place(0), place(1)]);
    let file = banks_file(&made);
    assert_eq!(file.len(), 600);
    for (record, golden) in file.chunks(120).zip(GOLDEN) {
        assert_eq!(golden.chars().count(), 120);
        assert_eq!(record, bytes(golden), "{golden}");
    }
    // The first one has its answer: nothing of it is paid twice.
    let first = settlement::make(materials(&source, &names()), of(first)).unwrap();
    assert!(first.lines.is_empty());
    let none = Which::Settlement { id: TxId([9; 32]) };
    let error = settlement::make(materials(&source, &names()), none).unwrap_err();
    assert_eq!(error.code(), "unknown_settlement");
}

#[tokio::test]
async fn what_waits_and_what_was_paid_take_settlements_in() {
    let (mut town, [.., third]) = town();
    answer(&mut town, third, &[1], PAID);
    over(&mut town);
    let day = the_next_day();
    let waits = Which::Waiting { cut_off: day.last };
    let source = read(&town, Which::Paid(day).scope()).await;
    assert_eq!(sums(&made(&source, waits)), [(OPERATOR, 12, 0, 0, 12)]);
    let paid = made(&source, Which::Paid(day));
    // 500 of the day before were asked for by the shop itself, without fee.
    assert_eq!(sums(&paid), [(SHOP, 3_700, 10 + 14 + 40, 700, 500 + 490 + 686 + 1_260)]);
    let of: Vec<bool> = paid.lines[0].parts.iter().map(|part| part.of.is_some()).collect();
    assert_eq!(of, [false, true, true, true]);
    let sheet = paid.sheet();
    assert!(sheet.tables[1].rows.len() == 4, "one row per redemption");
}

#[tokio::test]
async fn what_the_bank_returned_waits_for_the_next_settlement() {
    let (mut town, [.., third]) = town();
    answer(&mut town, third, &[0, 1], RETURNED);
    let again = settle(&mut town, &[(SHOP, 2_000)]);
    over(&mut town);
    let source = read(&town, whole(the_next_day())).await;
    assert!(made(&source, Which::Settlement { id: third }).lines.is_empty());
    // What was netted was owed again, and is netted again.
    let expected = [(SHOP, 2_000, 40, 700, 1_260)];
    assert_eq!(sums(&made(&source, Which::Settlement { id: again })), expected);
    let waiting = made(&source, Which::Waiting { cut_off: the_next_day().last });
    assert_eq!(waiting.total_yen, Sum(1_260));
}

fn statement_of(source: &Source, party: PartyId) -> Statement {
    statement::make(materials(source, &names()), party, the_next_day()).unwrap()
}

fn lines(statement: &Statement) -> Vec<(Category, i128, i128, i128, String)> {
    let line = |line: &musubi_reports::report::Line| {
        let sums = (line.income.0, line.spending.0, line.turned.0);
        (line.category, sums.0, sums.1, sums.2, line.remark(0))
    };
    statement.lines.iter().map(line).collect()
}

#[tokio::test]
async fn a_merchants_statement_tells_what_becomes_of_its_claims() {
    use Category::*;
    let (mut town, [.., third]) = town();
    answer(&mut town, third, &[0], RETURNED);
    answer(&mut town, third, &[1], PAID);
    over(&mut town);
    let source = read(&town, whole(the_next_day())).await;
    let shop = statement_of(&source, SHOP);
    let line = |category, income, spending, turned, remark: &str| {
        (category, income, spending, turned, remark.to_owned())
    };
    let expected = [
        line(RedemptionPaid, 0, 500, 0, "振込 500"),
        line(RedemptionAsked, 0, 0, 500, "手数料 10 振込予定 490 500 を振替"),
        line(RedemptionPaid, 0, 500, 0, "手数料 10 振込 490"),
        line(Payment, 700, 0, 0, ""),
        line(RedemptionAsked, 0, 0, 700, "手数料 14 振込予定 686 700 を振替"),
        line(RedemptionPaid, 0, 700, 0, "手数料 14 振込 686"),
        line(Payment, 2_000, 0, 0, ""),
        line(RedemptionAsked, 0, 0, 2_000, "手数料 40 相殺 700 振込予定 1,260 2,000 を振替"),
        line(RedemptionPaid, 0, 2_000, 0, "手数料 40 相殺 700 振込 1,260"),
    ];
    assert_eq!(lines(&shop), expected);
    assert!(shop.owes.is_empty());
    // A leg of the fees gets its part beside the payout, and its own line of the settlement came back.
    let expected = [
        line(Derived, 5, 0, 0, ""),
        line(Derived, 7, 0, 0, ""),
        line(RedemptionAsked, 0, 0, 12, "振込予定 12 12 を振替"),
        line(RedemptionReturned, 0, 0, 12, "12 を振替"),
        line(Derived, 20, 0, 0, ""),
    ];
    assert_eq!(lines(&statement_of(&source, OPERATOR)), expected);
}

#[test]
fn the_command_writes_the_file_of_one_settlement() {
    let (town, [.., third]) = town();
    let folder = written(&town);
    let at = |name: &str| folder.path().join(name);
    let accounts = accounts_file();
    std::fs::write(at("accounts.toml"), accounts.replace("本町ベーカリー", &SHOP.to_string()))
        .unwrap();
    let line = format!(
        "settlement --settlement {third} --dir . --format zengin --accounts accounts.toml \
         --pay-on 2026-11-30 --no-line-ends --out bank.txt"
    );
    let (code, _, error) = report(folder.path(), &line);
    assert_eq!((code, error.as_str()), (0, ""));
    let golden: Vec<u8> = GOLDEN.iter().flat_map(|record| bytes(record)).collect();
    assert_eq!(std::fs::read(at("bank.txt")).unwrap(), golden);
}
