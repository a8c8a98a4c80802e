//! A town's record of two days, written to a folder, and reports of it.

#[path = "../../../client-sdk/tests/common/town.rs"]
#[allow(dead_code)]
pub mod town;

use std::path::Path;

use musubi_reports::{
    ReportError,
    names::Names,
    period::Period,
    report::Materials,
    source::{Scope, Source},
};
use musubi_sdk::{
    Draft, PartyId, Purpose, Slot, Time, Transaction, TxId,
    audit::{self, Options},
    ledger::transaction::Role,
};
use town::{ALICE, BOB, CAROL, GROUP, SHOP, Town, sign, yen};

/// The first day of the record.
pub const DAY: &str = "2026-11-22";

pub fn days(from: &str, to: &str) -> Period {
    Period::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
}

pub fn the_day() -> Period {
    days(DAY, DAY)
}

/// A day of a group: top-ups of 20,000; dues of 500, 300 of them given back; costs of 500 paid to Carol; a purchase of 1,280
/// with 280 refunded; a redemption of 500. Then an idle block of the next day.
pub fn a_group_day() -> Town {
    let mut town = town::a_day();
    let dues = pay_group(&town, BOB, 500, Purpose::DUES);
    town.judge(&[&dues], &["applied"]);
    let costs = payout(&mut town, CAROL, 500, Purpose::EXPENSE);
    assert_ne!(costs, dues.body.id());
    town.block_after(86_400_000, Vec::new());
    town
}

pub fn signed(draft: Draft, slots: &[(Slot, PartyId)]) -> Transaction {
    sign(draft.half_signed(), slots)
}

pub fn pay_group(town: &Town, from: PartyId, amount: u64, purpose: Purpose) -> Transaction {
    let draft = town.composer().pay(from, GROUP, &[yen(amount)]).purpose(purpose);
    signed(draft, &[(Slot::payer(from), from), (Slot::receiver(GROUP, Role::Drafter), ALICE)])
}

/// Drafted by Alice, approved by Bob, accepted by the payee.
pub fn payout(town: &mut Town, to: PartyId, amount: u64, purpose: Purpose) -> TxId {
    let deadline = town.time.plus(3_600_000);
    let draft = town.composer().propose_payout(ALICE, GROUP, to, &[yen(amount)], deadline);
    let proposal = signed(draft.purpose(purpose), &[(Slot::drafter(GROUP), ALICE)]);
    let id = proposal.body.id();
    town.judge(&[&proposal], &["applied"]);
    let approve = signed(town.composer().consent(BOB, id), &[(Slot::approver(GROUP), BOB)]);
    let accept = signed(town.composer().consent(to, id), &[(Slot::payee(to), to)]);
    town.judge(&[&approve, &accept], &["applied"; 2]);
    id
}

/// A purchase in the shop, both signing.
pub fn purchase(town: &mut Town, from: PartyId, amount: u64) -> TxId {
    let draft = town.composer().pay(from, SHOP, &[yen(amount)]).purpose(Purpose::PURCHASE);
    let purchase = signed(draft, &[(Slot::payer(from), from), (Slot::payee(SHOP), SHOP)]);
    town.judge(&[&purchase], &["applied"]);
    purchase.body.id()
}

pub fn written(town: &Town) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    town.write(folder.path());
    folder
}

pub async fn try_read(folder: &Path, scope: Scope) -> Result<Source, ReportError> {
    let record = audit::Source::directory(folder)?;
    Source::read(record, Options::default(), scope, |_| {}).await
}

pub async fn read(town: &Town, scope: Scope) -> Source {
    try_read(written(town).path(), scope).await.unwrap()
}

pub fn whole(period: Period) -> Scope {
    Scope { from: Time::ZERO, ..Scope::span(period.from(), period.until()) }
}

pub fn names() -> Names {
    let text = format!(
        "[names]\n\"{ALICE}\" = \"佐藤 花子\"\n\"{BOB}\" = \"=HYPERLINK(\\\"x\\\")\"\n\
         \"{CAROL}\" = \"鈴木 三郎\"\n\"{SHOP}\" = \"本町ベーカリー\"\n\"{GROUP}\" = \"本町自治会\"\n"
    );
    Names::parse(&text, "maebashi").unwrap()
}

pub fn materials<'m>(source: &'m Source, names: &'m Names) -> Materials<'m> {
    Materials { source, names }
}

/// Runs `musubi-report` in a folder, apart from this machine's settings: its exit code, output and error output.
pub fn report(folder: &Path, line: &str) -> (i32, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_musubi-report"));
    for name in ["MUSUBI_NODE", "MUSUBI_TOKEN", "MUSUBI_CHAIN", "MUSUBI_NAMES"] {
        command.env_remove(name);
    }
    let output = command.args(line.split_whitespace()).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// The operator's file of bank accounts: its own and the bakery's.
pub const ACCOUNTS: &str = r#"
[sender]
code = "123456"
bank = "0128"
bank_name = "グンマ"
branch = "101"
branch_name = "マエバシ"
kind = "current"
account = "7654321"
name = "ムスビジムキョク"

[payee."本町ベーカリー"]
bank = "1351"
bank_name = "キリュウシンキン"
branch = "007"
branch_name = "ホンチョウ"
kind = "ordinary"
account = "42"
name = "カ)ホンマチベーカリー"
"#;
