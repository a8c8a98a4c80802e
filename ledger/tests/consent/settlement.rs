//! Settlements: the issuer freezes claims at a cut-off, less fees and what is owed, and answers line by line.

use crate::common::*;
use musubi_ledger::{
    fact::Fact,
    rule::{Base, Post, RuleTerms, Trigger},
    state::{Redemption, RedemptionStatus},
};

const PAID: fn() -> RedemptionAnswer = || RedemptionAnswer::Paid { payout: document("zengin") };
const RETURNED: fn() -> RedemptionAnswer =
    || RedemptionAnswer::Returned { notice: document("no such account") };

/// Shop has claims of 10,000, mart of 5,000; 2 % are charged, half for the operator and half for the partner.
fn world() -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 50_000);
    let fee = RuleTerms {
        base: Base::RunTotal,
        post: Post::Fee(split(&[("operator", 1), ("partner", 1)], 1)),
        ..rewards(Trigger::Redeem, percent(2), "MEBUKU")
    };
    w.rule("MEBUKU", 1, fee);
    w.sale("alice", "shop", "MEBUKU", 10_000);
    w.sale("alice", "mart", "MEBUKU", 5_000);
    w
}

fn settle(w: &mut World, lines: &[(&str, u64)]) -> TxId {
    let op = settlement("MEBUKU", lines, w.now);
    w.apply("i1", Operation::Settle(op), &issuers())
}

/// The place of a merchant's line.
fn place(lines: &[&str], merchant: &str) -> u32 {
    let all = ids(lines);
    u32::try_from(all.iter().position(|party| *party == id(merchant)).unwrap()).unwrap()
}

fn line_of(w: &World, settlement: TxId, index: u32) -> Redemption {
    match w.state.row(&RowKey::Redemption(settlement_line(&settlement, index))) {
        Some(Row::Redemption(redemption)) => (*redemption).clone(),
        other => panic!("{other:?}"),
    }
}

fn states(w: &World, merchant: &str) -> (u64, u64) {
    let of = |holding| w.holds(merchant, "MEBUKU", holding);
    (of(Holding::Claim), of(Holding::Held))
}

fn codes(w: &World) -> Vec<Code> {
    let of = |fact: &Fact| match fact {
        Fact::Line { code, .. } => Some(*code),
        _ => None,
    };
    w.outcome().facts.iter().filter_map(of).collect()
}

#[test]
fn two_officers_freeze_and_the_issuers_key_answers() {
    let mut w = world();
    let op =
        || Operation::Settle(settlement("MEBUKU", &[("shop", 10_000), ("mart", 5_000)], BEGIN));
    let soon = |w: &World| match op() {
        Operation::Settle(op) => Operation::Settle(Settle { deadline: w.now.plus(30 * DAY), ..op }),
        _ => unreachable!(),
    };
    let good = soon(&w);
    w.void(Code::ApproversMissing, "i1", good.clone(), &issuers()[..1]);
    w.void(Code::MissingConsent, "issuer", good.clone(), &[settles()]);
    w.void(Code::MissingConsent, "shop", good.clone(), &[debit("shop")]);
    let run = w.apply("i1", good, &issuers());
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Terms, Form::Live));
    assert_eq!((states(&w, "shop"), states(&w, "mart")), ((0, 10_000), (0, 5_000)));
    let two = ["shop", "mart"];
    let shop = place(&two, "shop");
    w.void(Code::MissingConsent, "i1", answer_lines(run, &[shop], PAID()), &issuers());
    w.void(Code::MissingConsent, "shop", answer_lines(run, &[shop], PAID()), &[credit("shop")]);
    w.apply("issuer", answer_lines(run, &[shop], PAID()), &[settles()]);
    assert_eq!((states(&w, "shop"), states(&w, "mart")), ((0, 0), (0, 5_000)));
    let claims = ["operator", "partner"].map(|leg| w.holds(leg, "MEBUKU", Holding::Claim));
    assert_eq!(claims, [100, 100]);
    assert_eq!(w.totals("MEBUKU").paid.redeemed, Amount(9_800));
    // What has its answer gets no other; the bank returns the other line.
    let both = answer_lines(run, &[0, 1], RETURNED());
    w.reject(Code::RedemptionNotOpen, "issuer", both, &[settles()]);
    w.apply("issuer", answer_lines(run, &[1 - shop], RETURNED()), &[settles()]);
    assert_eq!(states(&w, "mart"), (5_000, 0));
    assert_eq!(line_of(&w, run, shop).status, RedemptionStatus::Answered(PAID()));
}

#[test]
fn what_a_merchant_owes_is_netted_and_owed_again_if_it_is_not_paid() {
    let mut w = world();
    // What is refunded after it was redeemed is owed.
    let sale = w.sale("alice", "shop", "MEBUKU", 700);
    let first = settle(&mut w, &[("shop", 10_700)]);
    w.apply("issuer", answer_lines(first, &[0], PAID()), &[settles()]);
    w.gives_back(sale, "shop", "MEBUKU", 700);
    assert_eq!(w.owes("shop", "MEBUKU"), 700);
    w.sale("alice", "shop", "MEBUKU", 2_000);
    let told = |gross, net, netted| {
        let half = (gross - net - netted) / 2;
        let legs = vec![(id("operator"), Amount(half)), (id("partner"), Amount(half))];
        let (gross, net, netted) = (Amount(gross), Amount(net), Amount(netted));
        Fact::Fee { index: 0, gross, net, netted, legs }
    };
    for end in ["returned", "timed out", "paid"] {
        let run = settle(&mut w, &[("shop", 2_000)]);
        assert_eq!(w.owes("shop", "MEBUKU"), 0, "{end}");
        assert!(w.outcome().facts.contains(&told(2_000, 1_260, 700)));
        match end {
            "returned" => {
                w.apply("issuer", answer_lines(run, &[0], RETURNED()), &[settles()]);
            }
            "timed out" => {
                w.wait(30 * DAY);
                assert_eq!(w.outcome().receivables.len(), 1);
            }
            _ => {
                w.apply("issuer", answer_lines(run, &[0], PAID()), &[settles()]);
            }
        }
        let owes = if end == "paid" { 0 } else { 700 };
        assert_eq!(w.owes("shop", "MEBUKU"), owes, "{end}");
    }
    assert_eq!(w.outcome().facts, [told(2_000, 1_260, 700)]);
    assert_eq!(states(&w, "shop"), (0, 0));
}

#[test]
fn more_is_owed_than_comes_in() {
    let mut w = world();
    let sale = w.sale("alice", "shop", "MEBUKU", 700);
    let first = settle(&mut w, &[("shop", 10_700)]);
    w.apply("issuer", answer_lines(first, &[0], PAID()), &[settles()]);
    w.gives_back(sale, "shop", "MEBUKU", 700);
    w.sale("alice", "shop", "MEBUKU", 400);
    // All of it is netted, less the fee: nothing is paid out, and the rest is still owed.
    let run = settle(&mut w, &[("shop", 400)]);
    assert_eq!((w.owes("shop", "MEBUKU"), line_of(&w, run, 0).netted), (308, Amount(392)));
    w.apply("issuer", answer_lines(run, &[0], PAID()), &[settles()]);
    w.sale("alice", "shop", "MEBUKU", 800);
    settle(&mut w, &[("shop", 801)]);
    assert_eq!(codes(&w), [Code::InsufficientClaim]);
    settle(&mut w, &[("shop", 800)]);
    assert_eq!((w.owes("shop", "MEBUKU"), states(&w, "shop")), (0, (0, 800)));
}

#[test]
fn a_line_that_fails_stops_no_other() {
    let mut w = world();
    let freeze = Freeze { party: id("mart"), evidence: document("report") };
    w.apply("r1", Operation::Freeze(freeze), &[officer("registrar", "r1")]);
    let lines = [("shop", 4_000), ("mart", 5_000), ("alice", 5), ("club", 1), ("nobody", 1)];
    let run = settle(&mut w, &lines);
    let names = lines.map(|(name, _)| name);
    let found: Vec<Code> = codes(&w);
    let code = |name: &str| found[place(&names, name) as usize];
    assert_eq!(code("shop"), Code::Applied);
    assert_eq!(code("mart"), Code::PartyFrozen);
    assert_eq!(code("alice"), Code::WrongKind);
    assert_eq!(code("club"), Code::InsufficientClaim);
    assert_eq!(code("nobody"), Code::UnknownParty);
    assert_eq!(states(&w, "shop"), (6_000, 4_000));
    let mart = place(&names, "mart");
    let none = answer_lines(run, &[mart], PAID());
    w.reject(Code::UnknownRedemption, "issuer", none, &[settles()]);
}

#[test]
fn what_a_settlement_may_not_say() {
    let mut w = world();
    let good = settlement("MEBUKU", &[("shop", 100), ("mart", 100)], w.now);
    let mut refused = |code, op: Settle| w.reject(code, "i1", Operation::Settle(op), &issuers());
    refused(Code::NotWellFormed, Settle { lines: vec![], ..good.clone() });
    let turned = good.lines.iter().rev().copied().collect();
    refused(Code::NotWellFormed, Settle { lines: turned, ..good.clone() });
    let twice = vec![good.lines[0]; 2];
    refused(Code::NotWellFormed, Settle { lines: twice, ..good.clone() });
    let none = vec![SettleLine { gross: Amount(0), ..good.lines[0] }];
    refused(Code::AmountInvalid, Settle { lines: none, ..good.clone() });
    refused(Code::UnknownInstrument, Settle { instrument: instrument("NONE"), ..good.clone() });
    refused(Code::DeadlineInvalid, Settle { deadline: BEGIN.plus(DAY), ..good.clone() });
    refused(Code::DeadlineInvalid, Settle { cut_off: BEGIN.plus(DAY), ..good });
    let run = settle(&mut w, &[("shop", 100)]);
    for lines in [&[][..], &[0, 0], &[1, 0]] {
        let op = answer_lines(run, lines, PAID());
        w.reject(Code::NotWellFormed, "issuer", op, &[settles()]);
    }
    w.reject(Code::UnknownRedemption, "issuer", answer_lines(run, &[1], PAID()), &[settles()]);
    // A line is a redemption like any other: it may be answered alone.
    let one = AnswerRedemption { redemption: settlement_line(&run, 0), answer: PAID() };
    w.apply("issuer", Operation::AnswerRedemption(one), &[settles()]);
    w.reject(Code::RedemptionNotOpen, "issuer", answer_lines(run, &[0], PAID()), &[settles()]);
}
