//! Redemptions in the settlement report: what waits, what was paid, the bank's file to the byte.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

mod common;

use common::{
    ACCOUNTS, a_group_day, days, materials, names, read, report, signed, the_day, town::*, written,
};
use musubi_reports::{
    format::zengin::{self, LineEnd},
    report::{
        bank::Accounts,
        settlement::{self, Which},
    },
    source::Scope,
    sum::Sum,
};
use musubi_sdk::{DocumentHash, Role, Side, Slot, TxId, ledger::operation::RedemptionAnswer};

/// The file as a bank would get it, in Unicode for reading: each of its characters is one byte.
const GOLDEN: [&str; 4] = [
    "12100000123456ﾑｽﾋﾞｼﾞﾑｷﾖｸ                              11300128ｸﾞﾝﾏ           101ﾏｴﾊﾞｼ          27654321                 ",
    "21351ｷﾘﾕｳｼﾝｷﾝ       007ﾎﾝﾁﾖｳ          000010000042ｶ)ﾎﾝﾏﾁﾍﾞ-ｶﾘ-                  00000005000000000000100000000007        ",
    "8000001000000000500                                                                                                     ",
    "9                                                                                                                       ",
];

fn accounts(text: &str) -> Accounts {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Accounts::read(file.path()).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    let byte = |c: char| match c {
        '\u{ff61}'..='\u{ff9f}' => u8::try_from(u32::from(c) - 0xff61 + 0xa1).unwrap(),
        ascii => u8::try_from(ascii).unwrap(),
    };
    text.chars().map(byte).collect()
}

fn waiting() -> Which {
    Which::Waiting { cut_off: the_day().last }
}

#[tokio::test]
async fn the_banks_file_is_right_to_the_byte() {
    let until = the_day().until();
    let (source, names) = (read(&a_group_day(), Scope::span(until, until)).await, names());
    let made = settlement::make(materials(&source, &names), waiting()).unwrap();
    assert_eq!((made.total_yen, made.lines.len()), (Sum(500), 1));
    let accounts = accounts(ACCOUNTS);
    let (sender, items) = accounts.orders(&made, &names).unwrap();
    let pay_on = "2026-11-30".parse().unwrap();
    let file = zengin::write(sender, pay_on, &items, LineEnd::None).unwrap();
    assert_eq!(file.len(), 480);
    for (record, golden) in file.chunks(120).zip(GOLDEN) {
        assert_eq!(golden.chars().count(), 120);
        assert_eq!(record, bytes(golden), "{golden}");
    }
    let lines = zengin::write(sender, pay_on, &items, LineEnd::CrLf).unwrap();
    let cut: Vec<u8> = lines.chunks(122).flat_map(|line| line[..120].to_vec()).collect();
    assert!(cut == file && lines.chunks(122).all(|line| line.ends_with(b"\r\n")));
}

#[tokio::test]
async fn whoever_has_no_account_is_named_and_nobody_is_left_out() {
    let until = the_day().until();
    let (source, names) = (read(&a_group_day(), Scope::span(until, until)).await, names());
    let made = settlement::make(materials(&source, &names), waiting()).unwrap();
    let nobody = accounts(ACCOUNTS.split("[payee").next().unwrap());
    let error = nobody.orders(&made, &names).unwrap_err();
    assert_eq!(error.code(), "bank_details");
    assert!(error.to_string().contains("本町ベーカリー"), "{error}");
    let twice = format!(
        "{ACCOUNTS}\n{}",
        ACCOUNTS[ACCOUNTS.find("[payee").unwrap()..].replace("本町ベーカリー", &SHOP.to_string())
    );
    assert_eq!(accounts(&twice).orders(&made, &names).unwrap_err().code(), "bank_details");
}

/// Answers the town's one redemption.
fn answer(town: &mut Town, answer: RedemptionAnswer) -> TxId {
    let redemption = town.state.rows().find_map(|(key, _)| match key {
        musubi_sdk::ledger::state::RowKey::Redemption(id) => Some(*id),
        _ => None,
    });
    let id = redemption.unwrap();
    let draft = town.composer().answer_redemption(ISSUER, id, answer);
    let answer = signed(draft, &[(Slot::new(Side::Credit, Role::Issuer, ISSUER), ISSUER)]);
    town.judge(&[&answer], &["applied"]);
    town.block_after(86_400_000, Vec::new());
    id
}

#[tokio::test]
async fn what_was_paid_waits_no_more_and_what_came_back_was_not_paid() {
    let names = names();
    let next = days("2026-11-23", "2026-11-23");
    let scope = || Scope::span(next.from(), next.until());
    let mut town = a_group_day();
    let id = answer(&mut town, RedemptionAnswer::Paid { payout: DocumentHash([1; 32]) });
    let source = read(&town, scope()).await;
    let of = |which| settlement::make(materials(&source, &names), which).unwrap();
    assert!(of(Which::Waiting { cut_off: next.last }).lines.is_empty());
    let paid = of(Which::Paid(next));
    assert_eq!(paid.total_yen, Sum(500));
    assert_eq!(paid.lines[0].parts[0].redemption, id);
    let mut town = a_group_day();
    answer(&mut town, RedemptionAnswer::Returned { notice: DocumentHash([1; 32]) });
    let source = read(&town, scope()).await;
    let paid = settlement::make(materials(&source, &names), Which::Paid(next)).unwrap();
    assert!(paid.lines.is_empty());
}

#[test]
fn the_command_writes_a_banks_file_and_names_what_is_missing() {
    let folder = written(&a_group_day());
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("accounts.toml"), ACCOUNTS).unwrap();
    std::fs::write(at("names.toml"), format!("[names]\n\"{SHOP}\" = \"本町ベーカリー\"\n"))
        .unwrap();
    let run = |line: &str| {
        let (code, _, error) = report(folder.path(), line);
        (code, error)
    };
    let line =
        "settlement --cut-off 2026-11-22 --dir . --names names.toml --format zengin --out bank.txt";
    let (code, error) = run(line);
    assert!(code == 2 && error.contains("bank_details"), "{error}");
    let line = format!("{line} --accounts accounts.toml --pay-on 2026-11-30");
    assert_eq!(run(&line), (0, String::new()));
    assert_eq!(std::fs::read(at("bank.txt")).unwrap().len(), 4 * 122);
    let kanji = ACCOUNTS.replace("ホンチョウ", "本町");
    std::fs::write(at("accounts.toml"), kanji).unwrap();
    let (code, error) = run(&line.replace("bank.txt", "b.txt"));
    assert!(code == 2 && error.contains("a bank file cannot hold `本`"), "{error}");
    assert!(!at("b.txt").exists());
    assert_eq!(run("kpi --from 2026-11-22 --to 2026-11-22 --dir . --format zengin").0, 2);
}
