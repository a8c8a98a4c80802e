//! Payments in whatever there is: across instruments, in the order of spending.

use musubi_ledger::{
    instrument::{Priority, Regime, Terms, TransferRule, Validity},
    lot::OriginKind,
};

use crate::common::*;

fn both(payer: &str, payee: &str) -> [By; 2] {
    [debit(payer), credit(payee)]
}

/// Instruments and amounts as they left a wallet, in their order.
fn spent(w: &World, payer: &str) -> Vec<(String, u64)> {
    let outcome = w.outcome();
    let from = outcome.postings.iter().filter(|p| {
        p.account == musubi_ledger::outcome::Account::Wallet(id(payer)) && p.signed() < 0
    });
    from.map(|p| (p.lot.instrument.to_string(), p.amount.0)).collect()
}

#[test]
fn points_that_expire_go_before_money() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_000);
    w.issue("alice", "POINT", 300, OriginKind::Free, 0);
    let op = Operation::Pay(pay_any("alice", "shop", 500, &["MEBUKU", "POINT"]));
    let sale = w.apply("alice", op, &both("alice", "shop"));
    assert_eq!((w.spendable("alice", "POINT"), w.spendable("alice", "MEBUKU")), (0, 800));
    assert_eq!(w.holds("shop", "POINT", Holding::Claim), 300);
    assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 200);
    // It is undone in its own lots, like any other payment.
    let legs = legs(&[("MEBUKU", 50), ("POINT", 300)]);
    let back = Operation::Refund(Refund { original: sale, legs });
    w.apply("shop", back, &[debit("shop")]);
    assert_eq!((w.spendable("alice", "POINT"), w.spendable("alice", "MEBUKU")), (300, 850));
}

#[test]
fn of_what_expires_together_the_terms_say_what_is_first_then_age() {
    let mut w = World::new();
    let end = Validity::At(w.now.plus(9 * DAY));
    let yen = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    let first = Priority { free: 1, grant: 1, paid: 1 };
    w.open("LATE", Terms { validity: end, ..yen.clone() });
    w.open("FIRST", Terms { validity: end, priority: first, ..yen.clone() });
    w.open("OLD", Terms { validity: end, ..yen });
    w.issue("alice", "OLD", 10, OriginKind::Free, 0);
    w.issue("alice", "LATE", 10, OriginKind::Free, 0);
    w.issue("alice", "FIRST", 10, OriginKind::Paid, 0);
    let op = Operation::Pay(pay_any("alice", "shop", 25, &["FIRST", "LATE", "OLD"]));
    w.apply("alice", op, &both("alice", "shop"));
    let expected = [("FIRST", 10), ("LATE", 5), ("OLD", 10)];
    let mut spent = spent(&w, "alice");
    spent.sort();
    assert_eq!(spent, expected.map(|(name, amount)| (name.to_owned(), amount)));
}

#[test]
fn steps_are_kept_and_the_rest_is_paid_in_small_change() {
    let mut w = World::new();
    let yen = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    let end = Validity::At(w.now.plus(9 * DAY));
    w.open("BOOK", Terms { step: Amount(500), validity: end, ..yen });
    w.fund("alice", "BOOK", 2_000);
    w.fund("alice", "MEBUKU", 700);
    let pay = |amount| Operation::Pay(pay_any("alice", "shop", amount, &["BOOK", "MEBUKU"]));
    w.apply("alice", pay(1_300), &both("alice", "shop"));
    assert_eq!((w.spendable("alice", "BOOK"), w.spendable("alice", "MEBUKU")), (1_000, 400));
    // A thousand in whole vouchers, and too little change for the rest.
    w.reject(Code::InsufficientFunds, "alice", pay(1_450), &both("alice", "shop"));
}

#[test]
fn what_may_not_go_this_way_is_left_out_and_if_nothing_may_it_says_why() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 500);
    w.fund("alice", "POINT", 500);
    // Merchants that are no small shops take no vouchers, and persons none at all.
    let pay = |of: &[&str]| Operation::Pay(pay_any("alice", "shop", 100, of));
    w.apply("alice", pay(&["MEBUKU", "VOUCHER"]), &both("alice", "shop"));
    assert_eq!(w.spendable("alice", "MEBUKU"), 400);
    w.reject(Code::AcceptorNotEligible, "alice", pay(&["VOUCHER"]), &both("alice", "shop"));
    w.reject(Code::UnknownInstrument, "alice", pay(&["NONE"]), &both("alice", "shop"));
    let to_bob = Operation::Pay(pay_any("alice", "bob", 100, &["VOUCHER"]));
    w.reject(Code::TransferNotAllowed, "alice", to_bob, &both("alice", "bob"));
}

#[test]
fn only_alike_units_pay_together() {
    let mut w = World::new();
    let yen = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    let terms = Terms { transfer: TransferRule::PeerToPeer, ..yen };
    w.open("TICKET", Terms { face: 100, ..terms.clone() });
    w.open("CENT", Terms { decimals: 2, ..terms });
    for other in ["TICKET", "CENT"] {
        let op = Operation::Pay(pay_any("alice", "shop", 10, &["MEBUKU", other]));
        w.reject(Code::TenderMismatch, "alice", op, &both("alice", "shop"));
    }
    let ask = RequestPayment {
        payee: id("shop"),
        payer: None,
        legs: legs(&[("MEBUKU", 10)]),
        tender: vec![instrument("MEBUKU"), instrument("TICKET")],
        due: w.now.plus(DAY),
    };
    w.reject(Code::TenderMismatch, "shop", Operation::RequestPayment(ask), &[credit("shop")]);
}

#[test]
fn it_is_well_formed_and_needs_both_sides() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 500);
    let good = pay_any("alice", "shop", 100, &["MEBUKU", "POINT"]);
    let twice = vec![instrument("MEBUKU"); 2];
    let none = Pay { instruments: Vec::new(), ..good.clone() };
    let request = Pay { debit: Citation::Request, ..good.clone() };
    for bad in [Pay { instruments: twice, ..good.clone() }, none, request] {
        w.reject(Code::NotWellFormed, "alice", Operation::Pay(bad), &both("alice", "shop"));
    }
    let zero = Pay { amount: Amount(0), ..good.clone() };
    w.reject(Code::AmountInvalid, "alice", Operation::Pay(zero), &both("alice", "shop"));
    let op = Operation::Pay(good);
    w.void(Code::MissingConsent, "alice", op.clone(), &[debit("alice")]);
    w.void(Code::MissingConsent, "shop", op.clone(), &[credit("shop")]);
    let op = Operation::Pay(pay_any("alice", "alice", 1, &["MEBUKU"]));
    w.reject(Code::SameParty, "alice", op, &both("alice", "alice"));
}

#[test]
fn a_group_pays_so_with_a_drafter_and_an_approver() {
    let mut w = World::new();
    w.fund("club", "MEBUKU", 500);
    let op = Operation::Pay(pay_any("club", "shop", 100, &["COIN", "MEBUKU"]));
    let drafter = drafts("club", "carol");
    w.void(Code::MissingConsent, "carol", op.clone(), &[drafter.clone(), credit("shop")]);
    let signers = [drafter, approves("club", "bob"), credit("shop")];
    w.apply("carol", op, &signers);
    assert_eq!(w.spendable("club", "MEBUKU"), 400);
}

#[test]
fn a_mandate_must_cover_every_instrument_that_may_be_spent() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 500);
    let terms = MandateTerms {
        instruments: vec![instrument("MEBUKU"), instrument("POINT")],
        ..terms(Direction::Credit, 300)
    };
    let code = w.apply("shop", mandate("shop", terms), &[credit("shop")]);
    let pay = |of: &[&str], amount| {
        let credit = Citation::Mandate(code);
        Operation::Pay(Pay { credit, ..pay_any("alice", "shop", amount, of) })
    };
    w.apply("alice", pay(&["MEBUKU", "POINT"], 300), &[debit("alice")]);
    w.reject(Code::MandateMismatch, "alice", pay(&["COIN", "MEBUKU"], 10), &[debit("alice")]);
    w.reject(Code::OverMandate, "alice", pay(&["MEBUKU"], 301), &[debit("alice")]);
}

#[test]
fn a_request_may_leave_open_in_what_it_is_paid() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 500);
    w.fund("alice", "POINT", 500);
    let ask = |w: &mut World, tender: &[&str]| {
        let tender = tender.iter().map(|name| instrument(name)).collect();
        let legs = legs(&[("MEBUKU", 100)]);
        let due = w.now.plus(DAY);
        let ask = RequestPayment { payee: id("shop"), payer: None, legs, tender, due };
        w.apply("shop", Operation::RequestPayment(ask), &[credit("shop")])
    };
    let answer = |w: &mut World, request, op: Pay| {
        let op = Operation::Pay(Pay { credit: Citation::Request, ..op });
        let mut body = w.body("alice", op);
        body.answers = Some(request);
        let tx = sign(body, &[debit("alice")]);
        w.block(&[tx])[0]
    };
    let open = ask(&mut w, &["MEBUKU", "POINT"]);
    let both = pay_any("alice", "shop", 100, &["MEBUKU", "POINT"]);
    let wider = pay_any("alice", "shop", 100, &["COIN", "MEBUKU"]);
    let less = Pay { amount: Amount(99), ..both.clone() };
    assert_eq!(answer(&mut w, open, wider), Code::RequestMismatch);
    assert_eq!(answer(&mut w, open, less), Code::RequestMismatch);
    assert_eq!(answer(&mut w, open, both.clone()), Code::Applied);
    assert_eq!(answer(&mut w, open, both.clone()), Code::RequestNotOpen);
    let exact = ask(&mut w, &[]);
    assert_eq!(answer(&mut w, exact, both), Code::RequestMismatch, "its legs are exact");
    for tender in [&["POINT"][..], &["POINT", "MEBUKU"]] {
        let tender = tender.iter().map(|name| instrument(name)).collect();
        let (legs, due) = (legs(&[("MEBUKU", 100)]), w.now.plus(DAY));
        let bad = RequestPayment { payee: id("shop"), payer: None, legs, tender, due };
        let signer = [credit("shop")];
        w.reject(Code::NotWellFormed, "shop", Operation::RequestPayment(bad), &signer);
    }
}
