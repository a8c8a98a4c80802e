//! The life of an instrument: draft, open, and an orderly end.

use musubi_ledger::{
    calendar::Span,
    instrument::{
        InstrumentChange, LateRefund, Life, LifeStep, OnAccept, Regime, Terms, TransferRule,
        Validity,
    },
};

use crate::common::*;

fn yen() -> Terms {
    let plain = Terms::plain(id("issuer"), Regime::PrepaidThird, document("terms"));
    Terms { transfer: TransferRule::PeerToPeer, ..plain }
}

fn two() -> [By; 2] {
    [officer("issuer", "i1"), officer("issuer", "i2")]
}

fn three() -> [By; 3] {
    [officer("issuer", "i1"), officer("issuer", "i2"), officer("city", "c1")]
}

fn becomes(life: Life, at: Time) -> Operation {
    change("GIFT", InstrumentChange::Life(LifeStep { life, at }))
}

/// What the issuer's key can still put into a wallet.
fn issue(w: &mut World, amount: u64) -> Code {
    let name = format!("bank {}", w.now.0);
    let op = Operation::TopUp(top_up(w.allowance("GIFT"), "alice", amount, &name));
    let tx = w.transaction("issuer", op, &[issues(), credit("alice")]);
    w.block(&[tx])[0]
}

fn spend(w: &mut World, amount: u64) -> Code {
    let op = pay_in("alice", "shop", &[("GIFT", amount)]);
    let tx = w.transaction("alice", op, &[debit("alice"), credit("shop")]);
    w.block(&[tx])[0]
}

fn redeem(w: &mut World, amount: u64) -> Code {
    let deadline = w.now.plus(8 * DAY);
    let leg = legs(&[("GIFT", amount)])[0];
    let op = RequestRedemption { merchant: id("shop"), leg, deadline };
    let tx = w.transaction("shop", Operation::RequestRedemption(op), &[debit("shop")]);
    w.block(&[tx])[0]
}

#[test]
fn each_step_ends_what_it_says_and_no_more() {
    let mut w = World::new();
    w.open("GIFT", yen());
    assert_eq!(issue(&mut w, 1_000), Code::Applied);
    assert_eq!(spend(&mut w, 100), Code::Applied);
    // Holders who have paid are told sixty days before the use ends.
    let told = w.now.plus(61 * DAY);
    let soon = becomes(Life::UseEnded, w.now.plus(59 * DAY));
    w.reject(Code::DeadlineInvalid, "i1", soon, &three());
    w.apply("i1", becomes(Life::IssueEnded, w.now.plus(DAY)), &three());
    w.apply("i1", becomes(Life::UseEnded, told), &three());
    assert_eq!(issue(&mut w, 1), Code::Applied, "until the step is reached");
    w.wait(DAY);
    assert_eq!(issue(&mut w, 1), Code::IssueEnded);
    assert_eq!(spend(&mut w, 100), Code::Applied);
    w.now = told;
    assert_eq!(spend(&mut w, 1), Code::InstrumentNotOpen);
    assert_eq!(redeem(&mut w, 150), Code::Applied);
    // What is left is given back, so that wallets can be emptied.
    let back = pay_in("alice", "issuer", &[("GIFT", 300)]);
    let signers = [debit("alice"), settles()];
    w.apply("alice", back, &signers);
    let ends = w.now.plus(SECOND);
    w.apply("i1", becomes(Life::RedemptionEnded, ends.plus(SECOND)), &three());
    w.wait(DAY);
    assert_eq!(redeem(&mut w, 1), Code::InstrumentNotOpen);
    let back = becomes(Life::Open, w.now.plus(DAY));
    w.reject(Code::InstrumentNotOpen, "i1", back, &two());
}

#[test]
fn a_draft_does_nothing_until_it_is_opened() {
    let mut w = World::new();
    let op = DefineInstrument { instrument: instrument("GIFT"), terms: yen(), open: false };
    w.apply("i1", Operation::DefineInstrument(op), &two());
    let grant = allowance("GIFT", 9_000, 9_000, 9_000, w.now.plus(90 * DAY));
    let grant = w.apply("i1", grant, &[officer("issuer", "i1"), officer("city", "c1")]);
    w.allowances.insert("GIFT", grant);
    assert_eq!(issue(&mut w, 10), Code::InstrumentNotOpen);
    let open = becomes(Life::Open, w.now.plus(2 * SECOND));
    w.apply("i1", open, &two());
    w.wait(DAY);
    assert_eq!(issue(&mut w, 10), Code::Applied);
}

#[test]
fn endings_and_supply_take_another_organisation() {
    let mut w = World::new();
    w.open("GIFT", yen());
    let ends = becomes(Life::IssueEnded, w.now.plus(DAY));
    let cap = change("GIFT", InstrumentChange::SupplyMax(Some(Amount(5))));
    for op in [ends, cap] {
        w.void(Code::OrganisationsMissing, "i1", op.clone(), &two());
        let one = [officer("issuer", "i1"), officer("city", "c1")];
        w.void(Code::ApproversMissing, "i1", op.clone(), &one);
        w.apply("i1", op, &three());
    }
    let zero = change("GIFT", InstrumentChange::SupplyMax(Some(Amount(0))));
    w.reject(Code::NotWellFormed, "i1", zero, &three());
    let worded = change("GIFT", InstrumentChange::Document(document("clearer terms")));
    w.apply("i1", worded, &two());
    let unknown = change("NONE", InstrumentChange::SupplyMax(None));
    w.reject(Code::UnknownInstrument, "i1", unknown, &three());
}

#[test]
fn no_more_is_issued_than_the_supply_allows() {
    let mut w = World::new();
    w.open("GIFT", Terms { supply_max: Some(Amount(1_000)), ..yen() });
    assert_eq!(issue(&mut w, 900), Code::Applied);
    assert_eq!(issue(&mut w, 101), Code::OverSupplyMax);
    assert_eq!(spend(&mut w, 900), Code::Applied);
    assert_eq!(issue(&mut w, 101), Code::OverSupplyMax, "what was spent was issued all the same");
    assert_eq!(issue(&mut w, 100), Code::Applied);
    let raise = change("GIFT", InstrumentChange::SupplyMax(Some(Amount(1_001))));
    w.apply("i1", raise, &three());
    assert_eq!((issue(&mut w, 2), issue(&mut w, 1)), (Code::OverSupplyMax, Code::Applied));
}

#[test]
fn it_is_not_spent_before_it_begins() {
    let mut w = World::new();
    let begins = Some(w.now.plus(3 * DAY));
    w.open("GIFT", Terms { begins, ..yen() });
    assert_eq!(issue(&mut w, 10), Code::Applied);
    assert_eq!(spend(&mut w, 10), Code::InstrumentNotOpen);
    let op = Operation::Pay(pay_any("alice", "shop", 5, &["GIFT", "MEBUKU"]));
    w.fund("alice", "MEBUKU", 5);
    w.apply("alice", op, &[debit("alice"), credit("shop")]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 0, "what has begun is spent instead");
    w.wait(3 * DAY);
    assert_eq!(spend(&mut w, 10), Code::Applied);
}

#[test]
fn terms_fit_their_regime() {
    let mut w = World::new();
    let six =
        Terms { regime: Regime::SixMonth, validity: Validity::After(Span::Days(180)), ..yen() };
    let counter = Terms { regime: Regime::Counter, face: 0, transfer: TransferRule::None, ..yen() };
    let bad = [
        Terms { validity: Validity::After(Span::Days(181)), ..six.clone() },
        Terms { validity: Validity::After(Span::Months(6)), ..six.clone() },
        Terms { validity: Validity::Sliding(Span::Days(100)), ..six.clone() },
        Terms { validity: Validity::None, ..six.clone() },
        Terms { on_accept: OnAccept::Renew, ..six.clone() },
        Terms { late_refund: LateRefund::Grace(1), ..six.clone() },
        Terms { late_refund: LateRefund::Grace(61), ..yen() },
        Terms { face: 1, ..counter.clone() },
        Terms { transfer: TransferRule::PeerToPeer, ..counter.clone() },
        Terms { face: 0, ..yen() },
        Terms { supply_max: Some(Amount(0)), ..yen() },
        Terms { validity: Validity::After(Span::Days(0)), ..yen() },
        Terms { begins: Some(w.now.plus(DAY)), validity: Validity::At(w.now.plus(DAY)), ..yen() },
    ];
    for terms in bad {
        w.reject(Code::NotWellFormed, "i1", define("BAD", terms), &two());
    }
    w.apply("i1", define("MILES", counter), &two());
    // Six months from today, at most: a fixed end that lies further ahead is issued later.
    let end = Validity::At(w.now.plus(200 * DAY));
    w.open("GIFT", Terms { validity: end, ..six });
    assert_eq!(issue(&mut w, 10), Code::InstrumentNotOpen);
    w.wait(20 * DAY);
    assert_eq!(issue(&mut w, 10), Code::Applied);
}
