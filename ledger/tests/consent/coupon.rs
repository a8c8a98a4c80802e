//! Coupons in payments: who puts them, who agrees to what they take off, how often they are used, what a refund gives back.

use crate::common::*;
use musubi_ledger::{
    fact::Fact,
    instrument::{InstrumentChange, Life, LifeStep, Regime, Terms},
    judge::coupon_quote,
    offer::{Coupon, Sponsor},
    predicate::Predicate,
    rule::{
        Base, Give, Post, RuleTerms, Trigger,
        cap::{Period, Scope},
        formula::{Formula, Rate, Rounding},
        when::When,
    },
};

fn funded() -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10_000);
    w.fund("bob", "MEBUKU", 10_000);
    w
}

fn both(from: &str, to: &str) -> [By; 2] {
    [debit(from), credit(to)]
}

fn one(offer: TxId, from: &str, to: &str, amounts: (u64, u64)) -> Operation {
    Operation::PayWithCoupons(pay_with(from, to, amounts, &[used(offer)]))
}

fn claim(w: &World, shop: &str) -> u64 {
    w.holds(shop, "MEBUKU", Holding::Claim)
}

#[test]
fn both_sides_sign_the_price_and_what_is_left_of_it() {
    let mut w = funded();
    let offer = w.coupon(coupons(tenth()));
    let op = || one(offer, "alice", "shop", (1_005, 905));
    w.void(Code::MissingConsent, "alice", op(), &[debit("alice")]);
    w.void(Code::MissingConsent, "shop", op(), &[credit("shop")]);
    let other = one(offer, "alice", "shop", (1_005, 906));
    w.reject(Code::CouponMismatch, "alice", other, &both("alice", "shop"));
    w.apply("alice", op(), &both("alice", "shop"));
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Live, Form::Live));
    assert_eq!(outcome.cites, [offer]);
    assert_eq!(outcome.facts, [Fact::Coupon { offer, discount: Amount(100), sponsor: None }]);
    assert_eq!((w.spendable("alice", "MEBUKU"), claim(&w, "shop")), (9_095, 905));
    assert_eq!(w.offered(offer).taken, 1);
}

#[test]
fn what_a_coupon_may_not_say() {
    let mut w = World::new();
    let carried = Formula::Rate(Rate { carry: true, ..Rate::floor(1, 10) });
    let shops = {
        let mut shops = vec![id("mart"), id("shop")];
        shops.sort_unstable();
        shops.reverse();
        shops
    };
    for coupon in [
        Coupon { off: Some(carried), ..tenth() },
        Coupon { off: None, most: Some(Amount(5)), ..tenth() },
        borne("issuer", Coupon { off: None, ..tenth() }),
        Coupon { most: Some(Amount::ZERO), ..tenth() },
        Coupon { at: shops, ..tenth() },
        Coupon { shops: Some(Predicate { any: Vec::new() }), ..tenth() },
    ] {
        w.reject(Code::NotWellFormed, "i1", put_offer(coupons(coupon)), &issuers());
    }
    let mut refused = |code, coupon| w.reject(code, "i1", put_offer(coupons(coupon)), &issuers());
    refused(Code::UnknownInstrument, Coupon { instrument: instrument("NONE"), ..tenth() });
    refused(Code::WrongKind, Coupon { at: vec![id("alice")], ..tenth() });
    refused(Code::WrongKind, borne("alice", off(5)));
    refused(Code::UnknownParty, borne("nobody", off(5)));
}

#[test]
fn a_sponsor_signs_for_all_that_it_may_cost_and_ends_it_alone() {
    let mut w = funded();
    let of = |coupon| put_offer(coupons(coupon));
    w.void(Code::MissingConsent, "i1", of(borne("shop", off(50))), &issuers());
    let with = |more: &[By]| [&issuers()[..], more].concat();
    // A rate without a bound, or without a stock, may cost anything.
    w.reject(Code::NotWellFormed, "i1", of(borne("shop", tenth())), &with(&[debit("shop")]));
    let endless = OfferTerms { stock: None, ..coupons(borne("shop", off(50))) };
    w.reject(Code::NotWellFormed, "i1", put_offer(endless), &with(&[debit("shop")]));
    // A thousand times 150 is more than one of the club approves.
    let two = [drafts("club", "alice"), approves("club", "bob")];
    let bounded = Coupon { most: Some(Amount(150)), ..borne("club", tenth()) };
    w.void(Code::ApproversMissing, "i1", of(bounded.clone()), &with(&two));
    let three = [&two[..], &[approves("club", "carol")]].concat();
    w.apply("i1", of(bounded), &with(&three));
    // A shop's own coupon costs it what it does not get: nobody has to know how much that is.
    let own = Coupon { at: vec![id("shop")], ..borne("shop", tenth()) };
    let own = OfferTerms { stock: None, ..coupons(own) };
    let offer = w.apply("i1", put_offer(own), &with(&[debit("shop")]));
    w.with_coupon("alice", "shop", (1_000, 900), offer);
    assert_eq!((claim(&w, "shop"), w.owes("shop", "MEBUKU")), (900, 0));
    w.apply("shop", end_offer(offer, w.now.plus(2 * SECOND)), &[debit("shop")]);
    w.wait(2 * SECOND);
    let late = one(offer, "alice", "shop", (1_000, 900));
    w.reject(Code::OfferNotOpen, "alice", late, &both("alice", "shop"));
}

#[test]
fn another_shop_gets_the_whole_price_and_the_sponsor_owes_the_rest() {
    let mut w = funded();
    let offer = w.coupon(coupons(borne("shop", off(300))));
    let sale = w.with_coupon("alice", "mart", (1_000, 700), offer);
    let sponsor = Some(id("shop"));
    assert_eq!(w.outcome().facts, [Fact::Coupon { offer, discount: Amount(300), sponsor }]);
    assert_eq!((claim(&w, "mart"), w.owes("shop", "MEBUKU")), (1_000, 300));
    // In parts as at once: with so much left, the shop keeps that share of it, rounded down.
    w.gives_back(sale, "mart", "MEBUKU", 1);
    assert_eq!((claim(&w, "mart"), w.owes("shop", "MEBUKU")), (998, 299));
    w.gives_back(sale, "mart", "MEBUKU", 349);
    assert_eq!((claim(&w, "mart"), w.owes("shop", "MEBUKU")), (500, 150));
    let (taken, short) = (Amount(149), Amount::ZERO);
    let back = Fact::CouponBack { offer, taken, short, returned: false };
    assert_eq!(w.outcome().facts, [back]);
    assert_eq!(w.offered(offer).taken, 1);
    w.gives_back(sale, "mart", "MEBUKU", 350);
    assert_eq!((claim(&w, "mart"), w.owes("shop", "MEBUKU")), (0, 0));
    assert_eq!((w.spendable("alice", "MEBUKU"), w.offered(offer).taken), (10_000, 0));
    // The issuer as a sponsor owes nobody.
    let offer = w.coupon(coupons(borne("issuer", off(300))));
    w.with_coupon("alice", "mart", (1_000, 700), offer);
    assert_eq!((claim(&w, "mart"), w.owes("issuer", "MEBUKU")), (1_000, 0));
    let totals = w.totals("MEBUKU");
    assert_eq!(totals.grant.issued, Amount(600));
}

#[test]
fn what_a_shop_has_redeemed_of_a_sponsors_part_it_owes() {
    let mut w = funded();
    let offer = w.coupon(coupons(borne("issuer", off(300))));
    let sale = w.with_coupon("alice", "mart", (1_000, 700), offer);
    let op = RequestRedemption {
        merchant: id("mart"),
        leg: legs(&[("MEBUKU", 1_000)])[0],
        deadline: w.now.plus(30 * DAY),
    };
    let redemption = w.apply("mart", Operation::RequestRedemption(op), &[debit("mart")]);
    w.reject(Code::ClaimHeld, "mart", refund(sale, 700), &[debit("mart")]);
    let answer = RedemptionAnswer::Paid { payout: document("zengin") };
    let op = AnswerRedemption { redemption, answer };
    w.apply("issuer", Operation::AnswerRedemption(op), &[settles()]);
    w.apply("mart", refund(sale, 700), &[debit("mart")]);
    let (taken, short) = (Amount::ZERO, Amount(300));
    let back = Fact::CouponBack { offer, taken, short, returned: true };
    assert_eq!(w.outcome().facts, [back]);
    assert_eq!((w.owes("mart", "MEBUKU"), w.spendable("alice", "MEBUKU")), (1_000, 10_000));
}

#[test]
fn it_is_used_as_often_as_it_may_be_and_a_full_refund_gives_it_back() {
    let mut w = funded();
    let caps = vec![units(Scope::Payer, Period::Day, 1), units(Scope::Household, Period::Ever, 2)];
    let offer = w.coupon(OfferTerms { caps, stock: Some(3), ..coupons(tenth()) });
    let op = || one(offer, "alice", "shop", (1_000, 900));
    let sale = w.with_coupon("alice", "shop", (1_000, 900), offer);
    w.reject(Code::OverOffer, "alice", op(), &both("alice", "shop"));
    w.gives_back(sale, "shop", "MEBUKU", 899);
    w.reject(Code::OverOffer, "alice", op(), &both("alice", "shop"));
    w.gives_back(sale, "shop", "MEBUKU", 1);
    w.with_coupon("alice", "shop", (1_000, 900), offer);
    w.wait(DAY);
    w.with_coupon("alice", "shop", (1_000, 900), offer);
    w.wait(DAY);
    w.reject(Code::OverOffer, "alice", op(), &both("alice", "shop"));
    w.with_coupon("bob", "shop", (1_000, 900), offer);
    w.wait(DAY);
    let more = one(offer, "bob", "shop", (1_000, 900));
    w.reject(Code::OutOfStock, "bob", more, &both("bob", "shop"));
}

#[test]
fn rights_and_codes_are_shown_and_used_once() {
    let mut w = funded();
    let offer = w.coupon(OfferTerms { access: entitled(1), ..coupons(tenth()) });
    w.entitles(offer, event("alice", "visit"));
    w.entitles(offer, by_code("K7QM"));
    let with = |from, showing| {
        let coupon = UseCoupon { offer, showing };
        Operation::PayWithCoupons(pay_with(from, "shop", (1_000, 900), &[coupon]))
    };
    let right = Showing::Entitlement(right_of(offer, "visit"));
    w.reject(Code::OfferMismatch, "bob", with("bob", right), &both("bob", "shop"));
    w.reject(Code::OfferMismatch, "alice", with("alice", Showing::Nothing), &both("alice", "shop"));
    let sale = w.apply("alice", with("alice", right), &both("alice", "shop"));
    assert_eq!(w.outcome().cites, [offer, right_of(offer, "visit")]);
    w.reject(Code::EntitlementNotOpen, "alice", with("alice", right), &both("alice", "shop"));
    w.gives_back(sale, "shop", "MEBUKU", 900);
    w.apply("alice", with("alice", right), &both("alice", "shop"));
    let code = Showing::Code(code_key("K7QM").public());
    w.void(Code::MissingConsent, "bob", with("bob", code), &both("bob", "shop"));
    let shown = [&both("bob", "shop")[..], &[shows("bob", "K7QM")]].concat();
    w.apply("bob", with("bob", code), &shown);
    // A coupon is used in a payment, and nothing else is.
    let take = Operation::Take(takes_of(offer, "alice", right));
    w.reject(Code::OfferMismatch, "alice", take, &[credit("alice")]);
    let gift = w.offer(offers(5));
    let op = one(gift, "alice", "shop", (1_000, 900));
    w.reject(Code::OfferMismatch, "alice", op, &both("alice", "shop"));
}

#[test]
fn where_when_for_whom_and_with_which_others() {
    let mut w = funded();
    let reject = |w: &mut World, code, op| w.reject(code, "alice", op, &both("alice", "shop"));
    let at_mart = w.coupon(coupons(Coupon { at: vec![id("mart")], ..tenth() }));
    reject(&mut w, Code::CouponNotAccepted, one(at_mart, "alice", "shop", (1_000, 900)));
    let shops = Some(Predicate::is("area", &["town"]));
    let in_town = w.coupon(coupons(Coupon { shops, ..tenth() }));
    reject(&mut w, Code::CouponNotAccepted, one(in_town, "alice", "shop", (1_000, 900)));
    let large = w.coupon(coupons(Coupon { least: Amount(1_001), ..tenth() }));
    reject(&mut w, Code::UnderLeast, one(large, "alice", "shop", (1_000, 900)));
    let who = Some(Predicate::is("resident", &["yes"]));
    let ours = w.coupon(OfferTerms { who, ..coupons(tenth()) });
    reject(&mut w, Code::TakerNotEligible, one(ours, "alice", "shop", (1_000, 900)));
    let points = Coupon { instrument: instrument("VOUCHER"), ..tenth() };
    let voucher = w.coupon(coupons(points));
    reject(&mut w, Code::CouponMismatch, one(voucher, "alice", "shop", (1_000, 900)));
    let all = w.coupon(coupons(off(1_000)));
    reject(&mut w, Code::AmountInvalid, one(all, "alice", "shop", (1_000, 0)));
    reject(&mut w, Code::CouponMismatch, one(all, "alice", "shop", (999, 1)));
    reject(&mut w, Code::UnknownOffer, one(TxId([9; 32]), "alice", "shop", (1_000, 900)));
    // Each reckons from the price before all of them.
    let (first, second) = (w.coupon(coupons(tenth())), w.coupon(coupons(off(50))));
    let two =
        |amount, offers: [TxId; 2]| pay_with("alice", "shop", (1_000, amount), &offers.map(used));
    let op = two(850, [first, second]);
    let mut backwards = op.clone();
    backwards.coupons.reverse();
    reject(&mut w, Code::NotWellFormed, Operation::PayWithCoupons(backwards));
    let none = PayWithCoupons { coupons: Vec::new(), ..op.clone() };
    reject(&mut w, Code::NotWellFormed, Operation::PayWithCoupons(none));
    reject(&mut w, Code::NotWellFormed, Operation::PayWithCoupons(two(800, [first, first])));
    w.apply("alice", Operation::PayWithCoupons(op), &both("alice", "shop"));
    let alone = w.coupon(coupons(Coupon { alone: true, ..off(50) }));
    reject(&mut w, Code::CouponMismatch, Operation::PayWithCoupons(two(850, [first, alone])));
    // Persons are no shops, and shops use none.
    let op = one(first, "alice", "bob", (1_000, 900));
    w.reject(Code::WrongKind, "alice", op, &both("alice", "bob"));
}

#[test]
fn a_request_is_for_the_price_and_bears_only_what_its_payee_has_signed() {
    let mut w = funded();
    let (own, all) = (borne("shop", Coupon { at: vec![id("shop")], ..tenth() }), tenth());
    let (own, all) = (w.coupon(coupons(own)), w.coupon(coupons(all)));
    let given = w.coupon(coupons(borne("issuer", off(100))));
    let asks = |w: &mut World, tender: &[&str]| {
        let mut tender: Vec<_> = tender.iter().map(|name| instrument(name)).collect();
        tender.sort_unstable();
        let (legs, due) = (legs(&[("MEBUKU", 1_000)]), w.now.plus(DAY));
        let op = RequestPayment { payee: id("shop"), payer: None, legs, tender, due };
        w.apply("shop", Operation::RequestPayment(op), &[credit("shop")])
    };
    let answers = |w: &mut World, request, coupon, amounts| {
        let mut op = pay_with("alice", "shop", amounts, &[used(coupon)]);
        op.pay.credit = Citation::Request;
        let mut body = w.body("alice", Operation::PayWithCoupons(op));
        body.answers = Some(request);
        sign(body, &[debit("alice")])
    };
    let request = asks(&mut w, &[]);
    let tx = answers(&mut w, request, own, (900, 810));
    w.rejects(Code::RequestMismatch, &tx);
    let tx = answers(&mut w, request, all, (1_000, 900));
    w.rejects(Code::CouponNotAccepted, &tx);
    let tx = answers(&mut w, request, own, (1_000, 900));
    w.applies(&tx);
    assert_eq!(w.outcome().cites, [request, own]);
    let request = asks(&mut w, &["MEBUKU", "POINT"]);
    let tx = answers(&mut w, request, given, (1_000, 900));
    w.applies(&tx);
    assert_eq!(claim(&w, "shop"), 1_900);
    // A standing acceptance says nothing of a price.
    let accepts =
        w.apply("shop", mandate("shop", terms(Direction::Credit, 5_000)), &[credit("shop")]);
    let mut op = pay_with("alice", "shop", (1_000, 900), &[used(own)]);
    op.pay.credit = Citation::Mandate(accepts);
    let op = Operation::PayWithCoupons(op);
    w.reject(Code::CouponNotAccepted, "alice", op, &[debit("alice")]);
}

#[test]
fn points_back_are_a_rule_about_a_coupon_and_go_back_with_it() {
    let mut w = funded();
    let back = w.coupon(coupons(Coupon { off: None, ..tenth() }));
    let less = w.coupon(coupons(off(200)));
    let of = |offer, base| RuleTerms {
        when: When { offer: Some(offer), ..When::always(Time(0)) },
        base,
        ..rewards(Trigger::Purchase, percent(10), "POINT")
    };
    w.rule("MEBUKU", 1, of(back, Base::AfterDiscount));
    w.rule("MEBUKU", 2, of(less, Base::Gross));
    w.sale("alice", "shop", "MEBUKU", 1_000);
    assert_eq!(w.spendable("alice", "POINT"), 0);
    w.with_coupon("alice", "shop", (1_000, 1_000), back);
    assert_eq!(w.spendable("alice", "POINT"), 100);
    let two = pay_with("alice", "shop", (1_000, 800), &[used(back), used(less)]);
    let sale = w.apply("alice", Operation::PayWithCoupons(two), &both("alice", "shop"));
    // A tenth of what was paid, and a tenth of the price.
    assert_eq!(w.spendable("alice", "POINT"), 100 + 80 + 100);
    w.gives_back(sale, "shop", "MEBUKU", 400);
    assert_eq!(w.spendable("alice", "POINT"), 100 + 40 + 50);
    w.gives_back(sale, "shop", "MEBUKU", 400);
    assert_eq!((w.spendable("alice", "POINT"), w.offered(less).taken), (100, 0));
    // The shop funds what it gives back: it owes the issuer as much.
    let given = Give { funder: id("shop"), ..give("MEBUKU") };
    let funded = RuleTerms { post: Post::Give(given), ..of(back, Base::Gross) };
    let three = [&issuers()[..], &[debit("shop")]].concat();
    w.apply("i1", put("MEBUKU", 3, funded), &three);
    w.with_coupon("bob", "shop", (500, 500), back);
    assert_eq!((w.spendable("bob", "MEBUKU"), w.owes("shop", "MEBUKU")), (9_550, 50));
}

#[test]
fn a_sponsors_part_comes_only_as_value_of_its_instrument_may() {
    let mut w = funded();
    let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    let acceptors = Some(Predicate::is("area", &["town"]));
    w.open("LOCAL", Terms { acceptors, ..plain.clone() });
    w.open("FEW", Terms { supply_max: Some(Amount(150)), ..plain });
    let of = |name, amount| Coupon { instrument: instrument(name), ..borne("issuer", off(amount)) };
    let local = w.coupon(coupons(of("LOCAL", 100)));
    let op = one(local, "alice", "shop", (1_000, 900));
    w.reject(Code::AcceptorNotEligible, "alice", op, &both("alice", "shop"));
    let few = w.coupon(coupons(of("FEW", 100)));
    w.with_coupon("alice", "shop", (1_000, 900), few);
    let op = || one(few, "alice", "shop", (1_000, 900));
    w.reject(Code::OverSupplyMax, "alice", op(), &both("alice", "shop"));
    let end = LifeStep { life: Life::IssueEnded, at: w.now.plus(SECOND) };
    let across = across();
    w.apply("i1", change("FEW", InstrumentChange::Life(end)), &across);
    w.wait(SECOND);
    w.reject(Code::IssueEnded, "alice", op(), &both("alice", "shop"));
    // What nobody adds needs nothing of the kind.
    let shared = Coupon { sponsor: Sponsor::Payee, ..of("FEW", 100) };
    let shared = w.coupon(coupons(shared));
    w.with_coupon("alice", "shop", (1_000, 900), shared);
}

#[test]
fn roundings_are_the_coupons_own_and_a_group_uses_it_as_it_pays() {
    let mut w = funded();
    let up = Formula::Rate(Rate { num: 1, den: 3, rounding: Rounding::Ceil, carry: false });
    let offer = w.coupon(coupons(Coupon { off: Some(up), most: Some(Amount(34)), ..tenth() }));
    w.with_coupon("alice", "shop", (100, 66), offer);
    w.with_coupon("alice", "shop", (1_000, 966), offer);
    w.fund("club", "MEBUKU", 1_000);
    let op = || one(offer, "club", "shop", (100, 66));
    let two = [drafts("club", "alice"), credit("shop")];
    w.void(Code::MissingConsent, "alice", op(), &two);
    let all = [drafts("club", "alice"), approves("club", "bob"), credit("shop")];
    w.apply("alice", op(), &all);
    assert_eq!(w.spendable("club", "MEBUKU"), 934);
}

#[test]
fn a_quote_says_what_a_payment_would() {
    let mut w = funded();
    let caps = vec![units(Scope::Payer, Period::Ever, 1)];
    let coupon = Coupon { least: Amount(500), at: vec![id("mart")], ..borne("shop", off(300)) };
    let offer = w.coupon(OfferTerms { caps, stock: Some(1), ..coupons(coupon) });
    let asks = |w: &World, from, to, gross| {
        let sides = (id(from), id(to));
        let quote = coupon_quote(&w.state, offer, sides, Amount(gross), w.now);
        quote.map(|quote| (quote.discount.0, quote.sponsor))
    };
    assert_eq!(asks(&w, "alice", "mart", 1_000), Ok((300, Some(id("shop")))));
    for (from, to, gross, code) in [
        ("alice", "shop", 1_000, Code::CouponNotAccepted),
        ("alice", "mart", 499, Code::UnderLeast),
        ("mart", "shop", 1_000, Code::WrongKind),
        ("alice", "bob", 1_000, Code::WrongKind),
    ] {
        assert_eq!(asks(&w, from, to, gross), Err(code));
        let signers = [debit(from), credit(to)];
        w.reject(code, from, one(offer, from, to, (gross, gross - 300)), &signers);
    }
    w.with_coupon("alice", "mart", (1_000, 700), offer);
    assert_eq!(asks(&w, "alice", "mart", 1_000), Err(Code::OverOffer));
    assert_eq!(asks(&w, "bob", "mart", 1_000), Err(Code::OutOfStock));
    let gift = w.offer(offers(5));
    let sides = (id("bob"), id("mart"));
    let quote = coupon_quote(&w.state, gift, sides, Amount(1_000), w.now);
    assert_eq!(quote, Err(Code::OfferMismatch));
}
