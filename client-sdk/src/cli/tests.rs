#![allow(clippy::unwrap_used)]
use super::*;

/// Every command with all that it needs; each must parse.
const LINES: &[&str] = &[
    "key new hanako",
    "key new pos2 --kind merchant --party bakery",
    "key list",
    "key show hanako --qr",
    "key export hanako --to backup.pem",
    "key import hanako backup.pem",
    "key change-passphrase hanako",
    "contact add taro maebashi1xyz --kind person --officer-of registrar",
    "contact list",
    "contact remove taro",
    "contact import ./tutorial/officers",
    "party register hanako --new-tag --as registrar-officer-1 --attribute resident=yes --yes",
    "party show",
    "party attest hanako --attribute age-band=60s --until 365d",
    "party officers registrar --officer a --officer b",
    "party freeze hanako --evidence report.pdf",
    "party unfreeze hanako --sign registrar-officer-2",
    "party add-key hanako2 --as hanako",
    "party rotate-key hanako2 --as hanako",
    "party revoke-key hanako --compromised",
    "party recover hanako --new hanako2 --evidence check.pdf --sign registrar-officer-2",
    "party cancel-recovery hanako",
    "medium enrol card --for ume --per-use 3000 --per-day 5000 --until 365d --evidence form.pdf",
    "medium charge card --amount 500 --mandate counter --as bakery",
    "medium revoke card",
    "medium show card",
    "group create jichikai --representative hanako --drafter taro --approver hanako \
     --registrar registrar --band 100000=2 --sign taro",
    "group show jichikai",
    "group change jichikai --drafter taro --approver hanako --new-policy --exclusive-roles",
    "group parent jichikai --under rengo --sign taro",
    "group parent jichikai --none",
    "group close jichikai --sign taro",
    "group install jichikai --representative taro --drafter taro --effective 30d",
    "topup --to hanako --amount 5000 --allowance main --funding bank-1 --as issuer-auto",
    "pay --to bakery --amount 500 --as hanako --purpose purchase --yes",
    "pay --qr MUSUBI:X/Y/Z --amount 500",
    "pay --qr-file bakery.qr --instrument MEBUKU --amount 1,280",
    "pay --to jichikai --amount 1000 --purpose dues --on-behalf-of taro",
    "pay --to bakery --amount 1000 --coupon tenth --coupon card:code=K7QM --as hanako --sign bakery",
    "pay --qr MUSUBI:X/Y/Z --coupon visit:event=2026-7",
    "pay --from jichikai --budget festival --to bakery --amount 300",
    "request create --amount 500 --from taro --due 7d --purpose 1001",
    "request show r1",
    "request cancel r1",
    "request answer r1 --on-behalf-of taro",
    "request code r1 --tag TILL3 --svg till3.svg",
    "mandate grant receive --per-use 50000 --save-as counter",
    "mandate grant give --for jichikai --per-use 1000 --total 30000 --staff taro --until 7d",
    "mandate revoke counter",
    "mandate show counter",
    "mandate code counter --tag TILL1 --amount 500 --out bakery.qr",
    "allowance grant --key issuer-auto --total 1000000 --per-wallet 50000 --per-day 500000 --until 365d",
    "allowance revoke main",
    "allowance show main",
    "evidence verify lie.evidence --genesis genesis.bin",
    "evidence verify - --policy policies.bin",
    "evidence list",
    "evidence get double_batch-00.evidence --out lie.evidence",
    "scheme check town.toml --set days=90 --set base=use",
    "scheme check - --no-run",
    "scheme apply town.toml --set days=90 --party issuer-officer[1]=ume --key issuer-auto --dry-run",
    "scheme apply town.toml --code door=ABCD-EFGH-IJKL-MNOP --yes",
    "scheme apply town.toml --node http://127.0.0.1:8080 --yes",
    "scheme catalogue docs/schemes --write",
    "instrument list",
    "instrument show MEBUKU",
    "instrument define POINT --issuer issuer --regime free --expiry 180d --document terms.pdf",
    "instrument change POINT --life use-ended --at 61d --notice notice.pdf",
    "instrument touch POINT",
    "repay --amount 600 --as bakery",
    "repay --party bakery --amount 400 --outside transfer.txt --as issuer-auto",
    "exchange ask --to airline --amount 500 --instrument POINT --order order.txt --deadline 7d --save-as e1",
    "exchange answer e1 --settled ticket.txt --as airline --sign issuer-auto",
    "exchange show e1",
    "dues ask --for jichikai --member hanako --member taro=300 --line suzuki --amount 500 --due 30d --save-as may",
    "dues list may --unpaid",
    "dues cash may suzuki --evidence slip.jpg --sign taro --mistaken",
    "document receipt 2026-1 --payment sale1 --body receipt.pdf --to hanako --as bakery",
    "document invoice I-1 --payment sale1 --registration T1234567890123 --line 8r=1080 --line 10=315 \
     --rounding half-up --basis gross --supplied 2026-04-01 --body i1.pdf --replaces I-0",
    "document credit C-1 --invoice I-1 --line 10=105:10 --body c1.pdf --for jichikai --yes",
    "document report R-2027-03 --body unused.json --as city-officer-1 --for city --sign city-officer-2",
    "document show bakery I-1",
    "document list --of sale1",
    "group children rengo --balances",
    "rule list POINT",
    "rule show POINT 1 --json",
    "rule put POINT 1 reward.json --as issuer-officer-1 --sign issuer-officer-2",
    "rule end POINT 1 --at 30d",
    "offer list",
    "offer show birth-gift --json",
    "offer put gift.json --as issuer-officer-1 --sign issuer-officer-2 --save-as birth-gift",
    "offer end birth-gift --at 30d",
    "offer entitle birth-gift --event hanako=2026-1/x7Kq --until 365d --as registrar-officer-1",
    "offer entitle postcards --code K7QM-2XPA-9DTE --code AAAA --units 1 --until 2027-03-31",
    "offer withdraw 7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a",
    "offer take birth-gift --event 2026-1/x7Kq --as hanako",
    "offer take park --code K7QM-2XPA-9DTE --units 1 --yes",
    "offer take sets --units 2 --for hanako --funding bank-7 --as issuer-auto --sign hanako",
    "offer seed --out lottery.seed",
    "offer apply sets --units 2 --as hanako",
    "offer reveal sets --seed lottery.seed --as issuer-officer-1",
    "offer count sets --as issuer-officer-1",
    "offer draw sets --json",
    "offer quote tenth --at bakery --price 1000 --for hanako --json",
    "offer codes issuer --count 20 --json",
    "offer codes issuer --code PARK2026",
    "run plan benefit.csv --instrument POINT --file benefit.run",
    "run open benefit.run --instrument POINT --until 60d --funder city --campaign 7 --sign issuer-officer-2",
    "run plan cards.csv --kind import --number-key cards.key --instrument MEBUKU --file cards.run",
    "run open cards.run --until 2027-03-31 --handover paper.pdf --sign issuer-officer-2 --sign city-officer",
    "run open cards.run --until 60d --origin free --funder city --handover paper.pdf --owed --yes",
    "run send benefit benefit.run",
    "run send benefit benefit.run --for hanako",
    "run waiting hanako",
    "run show benefit",
    "run end benefit --as issuer-officer-1",
    "draft --group jichikai --to taro --amount 3000 --purpose reward --save-as payout1",
    "approve payout1 --as hanako",
    "decline payout1",
    "withdraw payout1",
    "pending jichikai",
    "accept payment.musubi --show",
    "sign payment.musubi --qr",
    "sign one.musubi --merge two.musubi --out both.musubi",
    "submit payment.musubi",
    "refund purchase1 --amount 200 --as bakery",
    "redeem request --amount 500 --as bakery",
    "redeem answer redemption1 --paid confirmation.pdf --as issuer-auto",
    "redeem show redemption1",
    "settle open bakery=120000 books --instrument MEBUKU --cut-off 2026-12-15 --document list.pdf",
    "settle answer december --lines 0,2 --paid zengin.txt --as issuer-auto",
    "settle show december",
    "settle days --cycle 15=end --cycle end=15+1 --roll previous --holidays days.txt --from 2026-12-01",
    "balance hanako --lots",
    "balance hanako --proof balance.bin",
    "balance verify balance.bin --policy policies.musubi",
    "history --all",
    "statement --from 2026-04-01 --to 2026-04-30 --proof april.bin",
    "statement verify april.bin --policy policies.musubi --chain \
     0101010101010101010101010101010101010101010101010101010101010101",
    "proof get payout1 --out payout1.tlog-proof",
    "proof verify payout1.tlog-proof --policy policies.musubi",
    "memo read bread",
    "memo reveal bread --out bread.reveal",
    "memo verify bread.reveal --proof bread.tlog-proof --policy policies.musubi",
    "memo erase bread --yes",
    "policy export --out policies.musubi",
    "policy show --policy policies.musubi",
    "status payout1",
    "watch hanako --after 1.17 --count 3",
    "audit --node http://127.0.0.1:7001 --threads 2",
    "audit --from ./record --min-height 100 --max-age 30d --all-validators",
    "audit --chain 0101010101010101010101010101010101010101010101010101010101010101",
    "audit --download ./record",
    "report statement hanako --from 2026-04-01 --to 2026-04-30 --out april.csv",
    "completions bash",
    "info --save --wait 30 --json",
];

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("musubi").chain(line.split_whitespace()))
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_parses_with_what_it_needs() {
    for line in LINES {
        if let Err(error) = parse(line) {
            panic!("musubi {line}\n{error}");
        }
    }
}

#[test]
fn every_command_has_a_line_here_and_a_sentence_of_help() {
    let mut missing = Vec::new();
    walk(&Cli::command(), "", &mut |path, command| {
        assert!(command.get_about().is_some(), "musubi {path} says what it does");
        let line = |line: &&&str| format!("{line} ").starts_with(&format!("{path} "));
        if !LINES.iter().any(|l| line(&l)) {
            missing.push(path.to_owned());
        }
        for argument in command.get_arguments().filter(|a| !a.is_hide_set()) {
            let id = argument.get_id();
            assert!(argument.get_help().is_some(), "musubi {path}: {id} is explained");
        }
    });
    assert!(missing.is_empty(), "no line for {missing:?}");
}

fn walk(command: &clap::Command, path: &str, visit: &mut dyn FnMut(&str, &clap::Command)) {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let path = format!("{path} {}", sub.get_name());
        let path = path.trim_start();
        visit(path, sub);
        walk(sub, path, visit);
    }
}

#[test]
fn what_cannot_work_is_refused_at_once() {
    for line in [
        "",
        "pay --amount 500",
        "pay --to a --qr b --amount 1",
        "pay --to a",
        "pay --to a --amount 1 --purpose fun",
        "pay --to a --amount 1 --budget b",
        "redeem answer r",
        "redeem answer r --paid a --returned b",
        "draft --to a --amount 1 --deadline soon",
        "audit --from a --download b",
        "medium enrol m --for a --per-use 1 --per-day 1",
        "mandate grant keep --per-use 1",
        "history --all --before 3",
        "group create g --representative a --registrar r --band 1000",
    ] {
        assert!(parse(line).is_err(), "musubi {line}");
    }
}

#[test]
fn global_options_stand_before_or_behind_the_command() {
    for line in ["--as hanako --json balance", "balance --as hanako --json"] {
        let cli = parse(line).unwrap();
        assert_eq!(cli.global.identity.as_deref(), Some("hanako"));
        assert!(cli.global.json);
    }
    let cli = parse("info --node http://a:1,http://b:2 --node http://c:3").unwrap();
    assert_eq!(cli.global.node, ["http://a:1", "http://b:2", "http://c:3"]);
}

#[test]
fn no_secret_is_taken_from_the_command_line() {
    let mut names = Vec::new();
    walk(&Cli::command(), "", &mut |_, command| {
        names.extend(command.get_arguments().filter_map(|a| a.get_long().map(str::to_owned)));
    });
    assert!(!names.iter().any(|name| name == "passphrase" || name == "secret"), "{names:?}");
}

#[test]
fn completions_know_the_commands() {
    let script = completions(clap_complete::Shell::Bash).unwrap().text;
    for word in ["topup", "approve", "change-passphrase"] {
        assert!(script.contains(word), "{word}");
    }
}
