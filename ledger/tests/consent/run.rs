//! Runs: who opens and ends them, and that whoever brings their lines can do nothing but what was signed.

use crate::common::*;
use musubi_ledger::{
    fact::Fact,
    id::{MerkleHash, Salt},
    instrument::{Limit, LimitOf, Regime, Terms},
    lot::OriginKind,
    outcome::Posting,
    party::PartyStatus,
    run::{RunLine, is_set, line_id, plan::RunPlan},
};

fn open(manifest: OpenRun) -> Operation {
    Operation::OpenRun(manifest)
}

fn until(w: &World) -> Time {
    w.now.plus(30 * DAY)
}

/// What the last block tells of lines.
fn told(w: &World) -> Vec<(u32, Code)> {
    let facts = w.outcome().facts;
    let line = |fact: &Fact| match fact {
        Fact::Line { index, code, .. } => (*index, *code),
        other => panic!("{other:?}"),
    };
    facts.iter().map(line).collect()
}

fn freeze(w: &mut World, name: &str) {
    let op = Operation::Freeze(Freeze { party: id(name), evidence: document("report") });
    w.apply("r1", op, &[officer("registrar", "r1")]);
}

fn unfreeze(w: &mut World, name: &str) {
    let two = [officer("registrar", "r1"), officer("registrar", "r2")];
    w.apply("r1", Operation::Unfreeze { party: id(name) }, &two);
}

#[test]
fn two_officers_of_the_issuer_open_a_run() {
    let mut w = World::new();
    let plan = run_plan("a", &[("alice", 100)]);
    let op = open(manifest("POINT", &plan, until(&w)));
    w.void(Code::ApproversMissing, "i1", op.clone(), &[officer("issuer", "i1")]);
    let others = [officer("issuer", "c1"), officer("issuer", "p1")];
    w.void(Code::RoleMissing, "c1", op.clone(), &others);
    w.void(Code::MissingConsent, "alice", op.clone(), &[own("alice")]);
    w.apply("i1", op, &issuers());
}

#[test]
fn who_funds_it_consents_as_to_a_payment_of_the_total() {
    let mut w = World::new();
    let plan = run_plan("a", &[("alice", 60_000), ("bob", 60_000)]);
    let by = |funder: &str, w: &World| {
        open(OpenRun { funder: id(funder), ..manifest("POINT", &plan, until(w)) })
    };
    let with = |more: &[By]| [&issuers()[..], more].concat();
    let (shop, club, city) = (by("shop", &w), by("club", &w), by("city", &w));
    w.void(Code::MissingConsent, "i1", shop.clone(), &issuers());
    let run = w.apply("i1", shop, &with(&[debit("shop")]));
    w.apply("alice", chunk(&plan, run, 0, 1), &[own("alice")]);
    assert_eq!((w.owes("shop", "POINT"), w.spendable("bob", "POINT")), (60_000, 60_000));
    // A group from whom a payout of that much wants two approvers.
    let payout = [drafts("club", "alice"), approves("club", "bob")];
    w.void(Code::ApproversMissing, "i1", club.clone(), &with(&payout));
    w.void(
        Code::SamePerson,
        "i1",
        club.clone(),
        &with(&[drafts("club", "carol"), approves("club", "carol")]),
    );
    w.apply("i1", club, &with(&[&payout[..], &[approves("club", "carol")]].concat()));
    // An organisation by two officers.
    let debits = |person| by_officer("city", person);
    w.void(Code::ApproversMissing, "i1", city.clone(), &with(&[debits("c1")]));
    w.apply("i1", city, &with(&[debits("c1"), debits("both")]));
}

fn by_officer(party: &str, person: &str) -> By {
    by(Side::Debit, Role::Officer, party, person)
}

#[test]
fn what_a_manifest_may_not_say() {
    let mut w = World::new();
    let plan = run_plan("a", &[("alice", 500)]);
    let good = manifest("VOUCHER", &plan, until(&w));
    let mut refused = |code, op: OpenRun| w.reject(code, "i1", open(op), &issuers());
    refused(Code::NotWellFormed, OpenRun { count: 0, ..good.clone() });
    refused(Code::NotWellFormed, OpenRun { count: 100_001, ..good.clone() });
    refused(Code::NotWellFormed, OpenRun { origin: OriginKind::Paid, ..good.clone() });
    refused(Code::AmountInvalid, OpenRun { total: Amount(0), ..good.clone() });
    refused(Code::AmountInvalid, OpenRun { total: Amount(501), ..good.clone() });
    refused(Code::UnknownInstrument, OpenRun { instrument: instrument("NONE"), ..good.clone() });
    refused(Code::UnknownParty, OpenRun { funder: id("nobody"), ..good.clone() });
    refused(Code::WrongKind, OpenRun { funder: id("alice"), ..good.clone() });
    refused(Code::DeadlineInvalid, OpenRun { until: Time(1), ..good });
}

/// Whatever the order and however often they come, lines are applied once each.
#[test]
fn each_line_is_applied_once() {
    let names = ["alice", "bob", "carol", "dave", "eve", "frank", "club"];
    let of: Vec<(&str, u64)> = (0..150).map(|at| (names[at % 7], at as u64 + 1)).collect();
    let plan = run_plan("many", &of);
    let total: u64 = of.iter().map(|line| line.1).sum();
    let orders: [&[(u8, u32)]; 3] = [
        &[(6, 0), (6, 1), (6, 2)],
        &[(6, 2), (0, 70), (6, 1), (6, 1), (3, 2), (6, 0), (0, 70), (6, 2)],
        &[(5, 4), (5, 0), (5, 0), (5, 3), (4, 3), (5, 1), (5, 2), (6, 0)],
    ];
    for order in orders {
        let mut w = World::new();
        let run = w.run(manifest("POINT", &plan, until(&w)));
        for (level, place) in order {
            w.apply("eve", chunk(&plan, run, *level, *place), &[own("eve")]);
        }
        for name in names {
            let due: u64 = of.iter().filter(|line| line.0 == name).map(|line| line.1).sum();
            assert_eq!(w.spendable(name, "POINT"), due, "{name} {order:?}");
        }
        let row = w.run_row(run);
        assert_eq!((row.applied, row.given.0, row.waiting), (150, total, 0));
        assert_eq!(w.totals("POINT").grant.issued.0, total);
        w.apply("bob", chunk(&plan, run, 6, 0), &[own("bob")]);
        let outcome = w.outcome();
        assert_eq!(
            (outcome.postings.len(), outcome.facts.len(), outcome.debit),
            (0, 0, Form::None)
        );
        assert_eq!(outcome.cites, [run]);
    }
}

#[test]
fn what_is_given_cites_the_run_and_is_the_lot_that_was_signed() {
    let mut w = World::new();
    let plan = run_plan("a", &[("alice", 100), ("club", 7)]);
    let free = OriginKind::Free;
    let signers = [&issuers()[..], &[debit("shop")]].concat();
    let terms = OpenRun { origin: free, funder: id("shop"), ..manifest("POINT", &plan, until(&w)) };
    let run = w.apply("i1", open(terms), &signers);
    w.apply("bob", chunk(&plan, run, 6, 0), &[own("bob")]);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Run, Form::Terms));
    assert_eq!(
        (outcome.cites.clone(), told(&w)),
        (vec![run], vec![(0, Code::Applied), (1, Code::Applied)])
    );
    let lots = |posting: &Posting| (posting.lot.origin, posting.lot.funder, posting.lot.campaign);
    assert!(outcome.postings.iter().all(|posting| lots(posting) == (free, id("shop"), 5)));
    assert_eq!(outcome.receivables.len(), 2);
    // The one who brought it gets nothing of it; who owes for it is told.
    assert_eq!(w.spendable("bob", "POINT"), 0);
    let entry = w.last.entries.last().unwrap();
    let parties = ids(&["alice", "bob", "club", "shop"]);
    assert_eq!(entry.parties, parties);
}

#[test]
fn only_lines_of_the_manifest_at_their_place_are_applied() {
    let mut w = World::new();
    let of: Vec<(&str, u64)> = (0..70).map(|_| ("alice", 5)).collect();
    let plan = run_plan("a", &of);
    let run = w.run(manifest("POINT", &plan, until(&w)));
    let good = plan.chunk(run, 6, 0).unwrap();
    let mut refused = |code, change: &dyn Fn(&mut RunChunk)| {
        let mut chunk = good.clone();
        change(&mut chunk);
        w.reject(code, "alice", Operation::RunChunk(chunk), &[own("alice")]);
    };
    let wrong = Code::LinesNotProved;
    refused(wrong, &|chunk| chunk.lines[3].amount = Amount(6));
    refused(wrong, &|chunk| chunk.lines[3].to = id("bob"));
    refused(wrong, &|chunk| chunk.lines[3].salt = Salt([0; 16]));
    refused(wrong, &|chunk| chunk.lines.swap(3, 4));
    refused(wrong, &|chunk| chunk.place = 1);
    refused(wrong, &|chunk| chunk.place = u32::MAX);
    refused(wrong, &|chunk| chunk.lines.truncate(chunk.lines.len() - 1));
    refused(wrong, &|chunk| chunk.proof[0] = MerkleHash([0; 32]));
    refused(wrong, &|chunk| chunk.proof.clear());
    refused(Code::NotWellFormed, &|chunk| chunk.lines.push(chunk.lines[0]));
    refused(Code::NotWellFormed, &|chunk| chunk.lines.clear());
    refused(Code::NotWellFormed, &|chunk| chunk.level = 7);
    refused(Code::NotWellFormed, &|chunk| chunk.proof = vec![MerkleHash([0; 32]); 18]);
    refused(Code::UnknownRun, &|chunk| chunk.run = TxId([0; 32]));
    // The same lines under another run's name.
    let other = run_plan("b", &of);
    let second = w.run(manifest("POINT", &other, until(&w)));
    let borrowed = RunChunk { run: second, ..good };
    w.reject(wrong, "alice", Operation::RunChunk(borrowed), &[own("alice")]);
    assert_eq!(w.spendable("alice", "POINT"), 0);
}

#[test]
fn never_more_than_the_manifest_says() {
    let mut w = World::new();
    let plan = run_plan("a", &[("alice", 60), ("bob", 60), ("carol", 30)]);
    let terms = OpenRun { total: Amount(100), ..manifest("POINT", &plan, until(&w)) };
    let run = w.run(terms);
    w.apply("eve", chunk(&plan, run, 6, 0), &[own("eve")]);
    let lines = [(0, Code::Applied), (1, Code::OverRun), (2, Code::Applied)];
    assert_eq!(told(&w), lines);
    assert_eq!((w.run_row(run).given, w.spendable("bob", "POINT")), (Amount(90), 0));
}

#[test]
fn it_ends_at_its_time_or_earlier_by_the_issuer_or_who_funds_it() {
    let mut w = World::new();
    let plan = run_plan("a", &[("alice", 5), ("bob", 5)]);
    let first = w.run(manifest("POINT", &plan, w.now.plus(10 * SECOND)));
    w.apply("eve", chunk(&plan, first, 0, 0), &[own("eve")]);
    w.wait(10 * SECOND);
    w.reject(Code::RunNotOpen, "eve", chunk(&plan, first, 0, 1), &[own("eve")]);
    w.reject(Code::RunNotOpen, "i1", end_run(first), &issuers()[..1]);
    let signers = [&issuers()[..], &[debit("shop")]].concat();
    let funded = OpenRun { funder: id("shop"), ..manifest("POINT", &plan, until(&w)) };
    for who in [officer("issuer", "i2"), debit("shop")] {
        let run = w.apply("i1", open(funded.clone()), &signers);
        w.void(Code::MissingConsent, "mart", end_run(run), &[debit("mart")]);
        let sender = who.key.clone();
        w.apply(&sender, end_run(run), core::slice::from_ref(&who));
        w.reject(Code::RunNotOpen, "eve", chunk(&plan, run, 6, 0), &[own("eve")]);
    }
    w.reject(Code::UnknownRun, "i1", end_run(TxId([0; 32])), &issuers()[..1]);
    // The issuer bears it: no other ends it.
    let own_run = w.run(manifest("POINT", &plan, until(&w)));
    w.void(Code::MissingConsent, "shop", end_run(own_run), &[debit("shop")]);
}

#[test]
fn a_compromised_key_or_a_frozen_funder_stops_it() {
    let mut w = World::new();
    let plan = run_plan("a", &[("alice", 5)]);
    let signers = [&issuers()[..], &[debit("shop")]].concat();
    let funded = OpenRun { funder: id("shop"), ..manifest("POINT", &plan, until(&w)) };
    let run = w.apply("i1", open(funded), &signers);
    freeze(&mut w, "shop");
    w.reject(Code::PartyFrozen, "eve", chunk(&plan, run, 6, 0), &[own("eve")]);
    unfreeze(&mut w, "shop");
    let party = id("shop");
    let more = AddKey { party, key: key("shop/2").public() };
    w.apply("shop", Operation::AddKey(more), &[own("shop"), proves("shop", "shop/2")]);
    let gone = RevokeKey { party, key: key("shop").public(), compromised: true };
    w.apply("shop", Operation::RevokeKey(gone), &[own("shop").key("shop/2")]);
    w.reject(Code::RunNotOpen, "eve", chunk(&plan, run, 6, 0), &[own("eve")]);
}

#[test]
fn who_is_not_on_the_ledger_has_an_entitlement_until_they_are() {
    let mut w = World::new();
    let plan = run_plan("a", &[("alice", 5), ("zoe", 70), ("choir", 8)]);
    let run = w.run(manifest("POINT", &plan, until(&w)));
    for _ in 0..2 {
        w.apply("eve", chunk(&plan, run, 6, 0), &[own("eve")]);
        let waits = [w.waits("zoe", run, 1), w.waits("choir", run, 2), w.waits("alice", run, 0)];
        assert_eq!(waits, [Some(70), Some(8), None]);
        let row = w.run_row(run);
        assert_eq!((row.applied, row.given.0, row.waiting), (1, 5, 2));
    }
    let told_of_zoe =
        Fact::Line { index: 1, code: Code::UnknownParty, entitlement: Some(line_id(&run, 1)) };
    assert_eq!(w.outcome().facts[0], told_of_zoe);
    w.register("zoe", PartyKind::Person);
    // She brings her line herself, and it tells nothing of the others.
    w.apply("zoe", chunk(&plan, run, 0, 1), &[own("zoe")]);
    assert_eq!((w.spendable("zoe", "POINT"), w.waits("zoe", run, 1)), (70, None));
    assert_eq!((w.run_row(run).applied, w.run_row(run).waiting), (2, 1));
    w.apply("zoe", chunk(&plan, run, 6, 0), &[own("zoe")]);
    assert_eq!(w.spendable("zoe", "POINT"), 70);
}

#[test]
fn what_cannot_be_posted_now_is_told_and_comes_again() {
    let mut w = World::new();
    let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    let limits = vec![Limit::for_all(LimitOf::Wallet, Amount(100))];
    w.open("STAMP", Terms { limits, ..plain });
    w.fund("bob", "STAMP", 60);
    let of = [("alice", 50), ("bob", 50), ("shop", 5), ("carol", 0), ("dave", 50), ("club", 9)];
    let plan = run_plan("a", &of);
    let run = w.run(manifest("STAMP", &plan, until(&w)));
    freeze(&mut w, "dave");
    w.apply("eve", chunk(&plan, run, 6, 0), &[own("eve")]);
    let first = [
        (0, Code::Applied),
        (1, Code::OverWalletMax),
        (2, Code::WrongKind),
        (3, Code::AmountInvalid),
        (4, Code::PartyFrozen),
        (5, Code::Applied),
    ];
    assert_eq!(told(&w), first);
    let bits = w.run_bits(run);
    assert_eq!((bits.applied[0], bits.tried[0]), (0b10_0001, 0b01_1110));
    unfreeze(&mut w, "dave");
    w.sale("bob", "shop", "STAMP", 20);
    w.apply("eve", chunk(&plan, run, 6, 0), &[own("eve")]);
    let second =
        [(1, Code::Applied), (2, Code::WrongKind), (3, Code::AmountInvalid), (4, Code::Applied)];
    assert_eq!(told(&w), second);
    assert_eq!((w.spendable("bob", "STAMP"), w.spendable("dave", "STAMP")), (90, 50));
    assert!(is_set(&w.run_bits(run).tried, 2) && !is_set(&w.run_bits(run).tried, 4));
}

#[test]
fn the_instrument_decides_who_holds_it_how_long_it_is_issued_and_how_much_of_it() {
    let mut w = World::new();
    // Residents alone hold it, in steps of 500.
    let plan = run_plan("a", &[("alice", 500), ("alice", 250)]);
    let run = w.run(OpenRun { total: Amount(1_000), ..manifest("VOUCHER", &plan, until(&w)) });
    w.apply("eve", chunk(&plan, run, 6, 0), &[own("eve")]);
    assert_eq!(told(&w), [(0, Code::HolderNotEligible), (1, Code::AmountInvalid)]);
    let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    w.open("STAMP", Terms { supply_max: Some(Amount(120)), ..plain });
    let plan = run_plan("b", &[("alice", 100), ("bob", 100), ("carol", 20)]);
    let run = w.run(manifest("STAMP", &plan, until(&w)));
    w.apply("eve", chunk(&plan, run, 6, 0), &[own("eve")]);
    assert_eq!(told(&w), [(0, Code::Applied), (1, Code::OverSupplyMax), (2, Code::Applied)]);
    w.wait(21 * DAY);
    let plan = run_plan("c", &[("alice", 500)]);
    let run = w.run(manifest("VOUCHER", &plan, until(&w)));
    w.apply("eve", chunk(&plan, run, 6, 0), &[own("eve")]);
    assert_eq!(told(&w)[0].0, 0);
    assert_ne!(told(&w)[0].1, Code::Applied);
}

#[test]
fn closing_groups_and_closed_parties_get_nothing() {
    let mut w = World::new();
    let plan = run_plan("a", &[("club", 50), ("alice", 5)]);
    let run = w.run(manifest("POINT", &plan, until(&w)));
    w.fund("club", "POINT", 5);
    let both = [represents("club", "dave"), member("club", "alice")];
    w.apply("dave", Operation::CloseGroup { group: id("club") }, &both);
    w.apply("eve", chunk(&plan, run, 6, 0), &[own("eve")]);
    assert_eq!(told(&w), [(0, Code::GroupClosing), (1, Code::Applied)]);
    let status = |w: &World| match w.state.row(&RowKey::Party(id("club"))) {
        Some(Row::Party(party)) => party.status,
        other => panic!("{other:?}"),
    };
    assert_eq!(status(&w), PartyStatus::Active);
}

/// As many lots as a wallet may have: the line waits until there is room.
#[test]
fn a_full_wallet_gets_no_further_lot() {
    let mut w = World::new();
    let plan = run_plan("a", &[("alice", 1)]);
    let open_until = until(&w);
    let many: Vec<Transaction> = (0..257_u32)
        .map(|campaign| {
            let terms = OpenRun { campaign, ..manifest("MEBUKU", &plan, open_until) };
            w.transaction("i1", open(terms), &issuers())
        })
        .collect();
    assert!(w.block(&many).iter().all(|code| *code == Code::Applied));
    let chunks: Vec<Transaction> = many
        .iter()
        .map(|opened| w.transaction("eve", chunk(&plan, opened.body.id(), 6, 0), &[own("eve")]))
        .collect();
    assert!(w.block(&chunks).iter().all(|code| *code == Code::Applied));
    assert_eq!(told_of(&w, 255), [(0, Code::Applied)]);
    assert_eq!(told_of(&w, 256), [(0, Code::TooManyLots)]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 256);
}

fn told_of(w: &World, at: usize) -> Vec<(u32, Code)> {
    let entries = w.last.entries.iter().filter(|entry| !entry.outcome.cites.is_empty());
    let facts = entries.map(|entry| &entry.outcome.facts).nth(at).unwrap();
    facts
        .iter()
        .map(|fact| match fact {
            Fact::Line { index, code, .. } => (*index, *code),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// A line is found by its place, so the same one twice is two lines.
#[test]
fn equal_lines_are_two() {
    let mut w = World::new();
    let line = RunLine { to: id("alice"), amount: Amount(5), salt: Salt([1; 16]), old: None };
    let plan = RunPlan::new(vec![line, line]).unwrap();
    let run = w.run(manifest("POINT", &plan, until(&w)));
    for _ in 0..2 {
        w.apply("eve", chunk(&plan, run, 6, 0), &[own("eve")]);
        assert_eq!(w.spendable("alice", "POINT"), 10);
    }
}
