//! Old balances taken over: who signs, each once for ever, never longer than they were good for.

use std::collections::BTreeMap;

use crate::common::*;
use musubi_ledger::{
    fact::Fact,
    instrument::{Limit, LimitOf, Regime, Terms, Validity},
    lot::{Lot, OriginKind},
    run::{OldBalance, RunLine, plan::RunPlan},
};
use proptest::prelude::*;

/// What happens to lines, by their place.
fn told(w: &World) -> Vec<(u32, Code)> {
    let line = |fact: &Fact| match fact {
        Fact::Line { index, code, .. } => (*index, *code),
        other => panic!("{other:?}"),
    };
    w.outcome().facts.iter().map(line).collect()
}

fn until(w: &World) -> Time {
    w.now.plus(300 * DAY)
}

fn good(_: usize) -> Option<Time> {
    None
}

fn opened(w: &mut World, op: OpenRun) -> TxId {
    w.apply("i1", Operation::OpenRun(op), &across())
}

fn bring(w: &mut World, plan: &RunPlan, run: TxId) {
    w.apply("eve", chunk(plan, run, 6, 0), &[own("eve")]);
}

fn lots(w: &World, party: &str) -> Vec<(Lot, u64)> {
    match w.state.row(&RowKey::Wallet(id(party))) {
        Some(Row::Wallet(wallet)) => wallet.lots.iter().map(|l| (l.lot, l.spendable.0)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn two_officers_of_the_issuer_and_one_of_another_organisation_sign_and_who_hands_over() {
    let mut w = World::new();
    let plan = old_plan("a", &[("alice", 500)], good);
    let by = |funder: &str, w: &World| {
        Operation::OpenRun(OpenRun {
            funder: id(funder),
            ..import("MEBUKU", &plan, until(w), funder)
        })
    };
    let with = |more: &[By]| [&issuers()[..], more].concat();
    let (own_cards, shops) = (by("issuer", &w), by("shop", &w));
    w.void(Code::OrganisationsMissing, "i1", own_cards.clone(), &issuers());
    let one = [officer("issuer", "i1"), officer("city", "c1")];
    w.void(Code::ApproversMissing, "i1", own_cards.clone(), &one);
    w.void(
        Code::OrganisationsMissing,
        "i1",
        own_cards.clone(),
        &with(&[officer("issuer", "both")]),
    );
    w.apply("i1", own_cards, &across());
    w.void(Code::MissingConsent, "i1", shops.clone(), &across());
    w.void(Code::OrganisationsMissing, "i1", shops.clone(), &with(&[debit("shop")]));
    w.apply("i1", shops, &[&across()[..], &[debit("shop")]].concat());
}

#[test]
fn a_paper_hands_over_once() {
    let mut w = World::new();
    let plan = old_plan("a", &[("alice", 500)], good);
    let op = import("MEBUKU", &plan, until(&w), "paper");
    opened(&mut w, op.clone());
    w.reject(Code::FundingUsed, "i1", Operation::OpenRun(op), &across());
    // Nor does money that came in for a top-up hand anything over.
    let sale = top_up(w.allowance("MEBUKU"), "alice", 5, "bank");
    w.apply("alice", Operation::TopUp(sale), &[issues(), credit("alice")]);
    let mut op = import("MEBUKU", &plan, until(&w), "other");
    op.import = Some(Import { handover: document("bank"), owed: false });
    w.reject(Code::FundingUsed, "i1", Operation::OpenRun(op), &across());
}

/// Paid value is the issuer's whoever handed it over; what was given keeps who gave it. It counts apart from sales.
#[test]
fn what_is_taken_over_is_the_lot_that_was_signed_and_no_sale() {
    let mut w = World::new();
    let end = w.now.plus(9 * DAY);
    let plan = old_plan("a", &[("alice", 500), ("club", 70)], |at| (at == 0).then_some(end));
    let funded = [&across()[..], &[debit("shop")]].concat();
    for (origin, owed) in [(OriginKind::Paid, false), (OriginKind::Grant, true)] {
        let paper = format!("{origin:?}");
        let cards =
            old_plan(&paper, &[("alice", 500), ("club", 70)], |at| (at == 0).then_some(end));
        let handover = document(&paper);
        let op = OpenRun {
            origin,
            funder: id("shop"),
            import: Some(Import { handover, owed }),
            ..import("MEBUKU", &plan, until(&w), "")
        };
        let op = OpenRun { root: cards.root(), ..op };
        let run = w.apply("i1", Operation::OpenRun(op), &funded);
        bring(&mut w, &cards, run);
        let outcome = w.outcome();
        assert_eq!((outcome.debit, outcome.credit), (Form::Run, Form::Terms));
        assert_eq!(outcome.cites, [run]);
        let funder = if origin == OriginKind::Paid { id("issuer") } else { id("shop") };
        for posting in &outcome.postings {
            assert_eq!((posting.lot.origin, posting.lot.funder), (origin, funder));
        }
        assert_eq!(lots(&w, "alice")[0].0.use_expiry, Some(end));
        assert_eq!(w.owes("shop", "MEBUKU"), if owed { 570 } else { 0 });
    }
    let totals = w.totals("MEBUKU");
    assert_eq!((totals.paid.imported.0, totals.paid.issued.0), (570, 0));
    assert_eq!((totals.grant.imported.0, totals.grant.issued.0), (570, 0));
    assert_eq!((totals.outstanding().0, totals.issued()), (1_140, 1_140));
}

/// The earlier of its own expiry and what the terms give from now; what has expired is not taken over.
#[test]
fn a_balance_never_lasts_longer_than_it_did_nor_than_the_terms_give() {
    let mut w = World::new();
    let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    let stop = w.now.plus(20 * DAY);
    w.open("STAMP", Terms { validity: Validity::At(stop), ..plain });
    let soon = w.now.plus(3 * DAY);
    let ends = [None, Some(soon), Some(w.now.plus(50 * DAY)), Some(w.now)];
    let of = [("alice", 1), ("alice", 10), ("alice", 100), ("alice", 1_000)];
    let plan = old_plan("a", &of, |at| ends[at]);
    let op = import("STAMP", &plan, until(&w), "paper");
    let run = opened(&mut w, op);
    bring(&mut w, &plan, run);
    let fine = Code::Applied;
    assert_eq!(told(&w), [(0, fine), (1, fine), (2, fine), (3, Code::BalanceLapsed)]);
    let ends: Vec<_> = lots(&w, "alice").iter().map(|(lot, sum)| (lot.use_expiry, *sum)).collect();
    assert_eq!(ends, [(Some(soon), 10), (Some(stop), 101)]);
    w.wait(3 * DAY);
    assert_eq!(w.spendable("alice", "STAMP"), 101);
}

#[test]
fn each_old_balance_is_taken_over_once_for_ever() {
    let mut w = World::new();
    let of = [("alice", 500), ("bob", 40)];
    let first = old_plan("a", &of, good);
    // The same cards in another list, for other people and amounts; and one twice in one list.
    let mut lines = old_lines("b", &[("carol", 9), ("carol", 8), ("carol", 7)], good);
    lines[0].old = first.lines()[0].old;
    lines[2].old = lines[1].old;
    let second = RunPlan::new(lines).unwrap();
    let (one, two) =
        (import("MEBUKU", &first, until(&w), "1"), import("COIN", &second, until(&w), "2"));
    let (one, two) = (opened(&mut w, one), opened(&mut w, two));
    bring(&mut w, &first, one);
    bring(&mut w, &second, two);
    let used = Code::FundingUsed;
    assert_eq!(told(&w), [(0, used), (1, Code::Applied), (2, used)]);
    assert_eq!((w.spendable("carol", "COIN"), w.spendable("carol", "MEBUKU")), (8, 0));
    w.apply("i1", end_run(one), &issuers()[..1]);
    bring(&mut w, &second, two);
    assert_eq!(told(&w), [(0, used), (2, used)]);
}

#[test]
fn lines_are_what_the_manifest_says_they_are() {
    let mut w = World::new();
    let mut lines = old_lines("a", &[("alice", 5), ("bob", 6)], good);
    lines[0].old = None;
    let plan = RunPlan::new(lines).unwrap();
    let grant = w.run(manifest("MEBUKU", &plan, until(&w)));
    bring(&mut w, &plan, grant);
    assert_eq!(told(&w), [(0, Code::Applied), (1, Code::NotWellFormed)]);
    let op = import("MEBUKU", &plan, until(&w), "paper");
    let run = opened(&mut w, op);
    bring(&mut w, &plan, run);
    assert_eq!(told(&w), [(0, Code::NotWellFormed), (1, Code::Applied)]);
    // Without being taken over, nothing was paid for.
    let paid = OpenRun { origin: OriginKind::Paid, ..manifest("MEBUKU", &plan, until(&w)) };
    w.reject(Code::NotWellFormed, "i1", Operation::OpenRun(paid), &across());
    // No reference is used up by a line that was not applied.
    let mut lines = old_lines("a", &[("alice", 5), ("bob", 6)], good);
    lines.truncate(1);
    let plan = RunPlan::new(lines).unwrap();
    let op = import("MEBUKU", &plan, until(&w), "paper 2");
    let run = opened(&mut w, op);
    bring(&mut w, &plan, run);
    assert_eq!(told(&w), [(0, Code::Applied)]);
}

#[test]
fn who_is_not_here_yet_gets_it_when_they_come_unless_it_has_lapsed_or_gone_elsewhere() {
    let mut w = World::new();
    let soon = w.now.plus(DAY);
    let of = [("zoe", 500), ("zoe", 40), ("zoe", 3)];
    let plan = old_plan("a", &of, |at| (at == 1).then_some(soon));
    let op = import("MEBUKU", &plan, until(&w), "paper");
    let run = opened(&mut w, op);
    bring(&mut w, &plan, run);
    assert_eq!((w.run_row(run).waiting, w.waits("zoe", run, 1)), (3, Some(40)));
    // The third is paid into another wallet after all, by a list of its own.
    let moved = RunLine { to: id("alice"), ..plan.lines()[2] };
    let other = RunPlan::new(vec![moved]).unwrap();
    let op = import("MEBUKU", &other, until(&w), "paper 2");
    let second = opened(&mut w, op);
    bring(&mut w, &other, second);
    w.wait(DAY);
    w.register("zoe", PartyKind::Person);
    w.apply("zoe", chunk(&plan, run, 6, 0), &[own("zoe")]);
    let each = [(0, Code::Applied), (1, Code::BalanceLapsed), (2, Code::FundingUsed)];
    assert_eq!(told(&w), each);
    assert_eq!((w.spendable("zoe", "MEBUKU"), w.run_row(run).waiting), (500, 0));
    assert_eq!(w.waits("zoe", run, 1), None);
}

#[test]
fn what_the_instrument_bounds_bounds_imports_too() {
    let mut w = World::new();
    let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    let limits = vec![Limit::for_all(LimitOf::Wallet, Amount(100))];
    w.open("STAMP", Terms { limits, supply_max: Some(Amount(150)), ..plain });
    let of = [("alice", 100), ("alice", 1), ("bob", 60), ("bob", 50)];
    let plan = old_plan("a", &of, good);
    let op = import("STAMP", &plan, until(&w), "paper");
    let run = opened(&mut w, op);
    bring(&mut w, &plan, run);
    let each = [Code::Applied, Code::OverWalletMax, Code::OverSupplyMax, Code::Applied];
    assert_eq!(told(&w).into_iter().map(|line| line.1).collect::<Vec<_>>(), each);
}

/// Cards as they come: whose, how much, how long, and whether it is one of few numbers.
fn anything() -> impl Strategy<Value = Vec<(usize, u64, Option<u64>, Option<u8>)>> {
    let card =
        (0..8_usize, 1..500_u64, prop::option::of(0..30_u64), prop::option::weighted(0.2, 0..3_u8));
    prop::collection::vec(card, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// In whatever order and pieces lines come, and however often, the same is there in the end, as long as no number stands in
    /// two of them: then whichever came first counts, and it is one of them.
    #[test]
    fn any_order_and_any_number_of_times_give_the_same(
        cards in anything(), order in prop::collection::vec((0..7_u8, any::<u32>()), 0..40),
    ) {
        let names = ["alice", "bob", "carol", "dave", "eve", "frank", "club", "zoe"];
        let mut plain = World::new();
        let of: Vec<(&str, u64)> = cards.iter().map(|card| (names[card.0], card.1)).collect();
        let mut lines = old_lines("any", &of, |at| cards[at].2.map(|days| plain.now.plus(days * DAY)));
        for (line, card) in lines.iter_mut().zip(&cards) {
            if let (Some(number), Some(old)) = (card.3, line.old) {
                line.old = Some(OldBalance { reference: document(&format!("{number}")), ..old });
            }
        }
        let plan = RunPlan::new(lines).unwrap();
        let op = import("COIN", &plan, until(&plain), "paper");
        let mut mixed = World::new();
        let (run, other) = (opened(&mut plain, op.clone()), opened(&mut mixed, op));
        assert_eq!(run, other);
        for (level, place) in order {
            let place = place % plan.count().div_ceil(1 << level.min(6));
            mixed.apply("eve", chunk(&plan, run, level.min(6), place), &[own("eve")]);
        }
        for world in [&mut plain, &mut mixed] {
            for place in 0..plan.count().div_ceil(64) {
                world.apply("eve", chunk(&plan, run, 6, place), &[own("eve")]);
            }
        }
        let (one, two) = (plain.run_row(run), mixed.run_row(run));
        assert_eq!(one.applied, two.applied);
        let fresh = |name: &str, w: &World| -> BTreeMap<Lot, u64> { lots(w, name).into_iter().collect() };
        if cards.iter().all(|card| card.3.is_none()) {
            assert_eq!(one, two);
            for name in names {
                assert_eq!(fresh(name, &plain), fresh(name, &mixed), "{name}");
            }
        }
        // Again from the start: nothing.
        let before: Vec<_> = names.iter().map(|name| lots(&mixed, name)).collect();
        mixed.apply("bob", chunk(&plan, run, 6, 0), &[own("bob")]);
        assert!(mixed.outcome().postings.is_empty());
        assert_eq!(before, names.iter().map(|name| lots(&mixed, name)).collect::<Vec<_>>());
    }
}
