//! Sets that are bought: for outside funds, as an allowance would issue them, or for value that the issuer takes back.

use crate::common::*;
use musubi_ledger::{
    instrument::{Regime, Terms},
    offer::{Gives, OfferTerms, Outside, Price, Set},
    rule::{
        Trigger,
        cap::{Period, Scope},
    },
};

/// 5,000 paid and 30 % on top, at most five sets each.
fn sets(stock: u32) -> OfferTerms {
    OfferTerms {
        gives: sold(5_000, &[premium("MEBUKU", 1_500), paid("MEBUKU", 5_000)]),
        stock: Some(stock),
        caps: vec![units(Scope::Payer, Period::Ever, 5)],
        ..offers(1)
    }
}

fn on_sale(w: &mut World, terms: OfferTerms) -> TxId {
    w.apply("i1", put_offer(terms), &across())
}

#[test]
fn two_organisations_put_a_sale_and_the_issuers_key_says_that_funds_came() {
    let mut w = World::new();
    let op = || put_offer(sets(10));
    w.void(Code::OrganisationsMissing, "i1", op(), &issuers());
    let one = [officer("issuer", "i1"), officer("city", "c1")];
    w.void(Code::ApproversMissing, "i1", op(), &one);
    let offer = on_sale(&mut w, sets(10));
    let buy = || buys(offer, "alice", 2, "bank 1");
    w.void(Code::MissingConsent, "alice", buy(), &[credit("alice")]);
    w.void(Code::MissingConsent, "issuer", buy(), &[issues()]);
    let spare = AddKey { party: id("issuer"), key: key("issuer/2").public() };
    let together = [governs("city"), governs("partner"), proves("issuer", "issuer/2")];
    w.apply("city", Operation::AddKey(spare), &together);
    w.void(Code::RoleMissing, "issuer", buy(), &[issues().key("issuer/2"), credit("alice")]);
    w.apply("issuer", buy(), &[issues(), credit("alice")]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 13_000);
    let totals = w.totals("MEBUKU");
    assert_eq!((totals.paid.issued, totals.free.issued), (Amount(10_000), Amount(3_000)));
    let both = [issues(), credit("alice")];
    w.reject(Code::FundingUsed, "issuer", buy(), &both);
    w.reject(Code::OverOffer, "issuer", buys(offer, "alice", 4, "bank 2"), &both);
    // A top-up and a sale share the references of outside payments.
    let top_up = top_up(w.allowance("MEBUKU"), "alice", 5_000, "bank 1");
    w.reject(Code::FundingUsed, "issuer", Operation::TopUp(top_up), &both);
    let free = Operation::Take(takes_of(offer, "alice", Showing::Nothing));
    w.reject(Code::OfferMismatch, "issuer", free, &both);
}

#[test]
fn what_a_sale_may_not_say() {
    let mut w = World::new();
    let mut refused = |code, terms| w.reject(code, "i1", put_offer(terms), &across());
    refused(Code::NotWellFormed, OfferTerms { stock: None, ..sets(1) });
    let of = |gives| OfferTerms { gives, ..sets(1) };
    refused(Code::NotWellFormed, of(sold(0, &[paid("MEBUKU", 5_000)])));
    refused(Code::NotWellFormed, of(sold(5_000, &[premium("MEBUKU", 5_000)])));
    refused(Code::NotWellFormed, of(exchanged("POINT", 0, &[premium("MEBUKU", 5)])));
    refused(Code::NotWellFormed, of(exchanged("POINT", 5, &[paid("MEBUKU", 5)])));
    // Paid value is what was paid, not a yen more or less.
    refused(Code::OfferMismatch, of(sold(5_001, &[paid("MEBUKU", 5_000)])));
    refused(Code::OfferMismatch, of(sold(4_999, &[paid("MEBUKU", 5_000)])));
    let Gives::Set(set) = sold(5_000, &[paid("MEBUKU", 5_000)]) else { unreachable!() };
    let stranger = Price::Outside(Outside { yen: Amount(5_000), key: key("alice").public() });
    refused(Code::WrongKind, of(Gives::Set(Set { price: stranger, ..set })));
    refused(Code::AmountInvalid, of(exchanged("VOUCHER", 1, &[premium("MEBUKU", 5)])));
    refused(Code::UnknownInstrument, of(exchanged("NONE", 1, &[premium("MEBUKU", 5)])));
}

#[test]
fn paid_value_counts_by_its_face() {
    let mut w = World::new();
    let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    w.open("TICKET", Terms { face: 500, decimals: 0, ..plain.clone() });
    w.open("CENT", Terms { decimals: 2, ..plain });
    let parts = [paid("CENT", 250_000), paid("TICKET", 15)];
    let terms = OfferTerms { gives: sold(10_000, &parts), ..sets(3) };
    let offer = on_sale(&mut w, terms);
    w.apply("issuer", buys(offer, "alice", 1, "bank"), &[issues(), credit("alice")]);
    assert_eq!((w.spendable("alice", "TICKET"), w.spendable("alice", "CENT")), (15, 250_000));
}

#[test]
fn a_sale_that_is_charged_back_is_corrected_as_a_top_up_is() {
    let mut w = World::new();
    let offer = on_sale(&mut w, sets(10));
    let bought = w.apply("issuer", buys(offer, "alice", 1, "bank"), &[issues(), credit("alice")]);
    let op = Correct {
        original: bought,
        legs: legs(&[("MEBUKU", 6_500)]),
        reason: CorrectionReason::Chargeback,
        evidence: document("letter"),
    };
    w.apply("i1", Operation::Correct(op), &across());
    assert_eq!(w.spendable("alice", "MEBUKU"), 0);
}

#[test]
fn points_are_exchanged_for_what_they_cost_by_their_holder() {
    let mut w = World::new();
    w.issue("alice", "POINT", 250, OriginKind::Free, 0);
    let gives = exchanged("POINT", 100, &[premium("MEBUKU", 90)]);
    let offer = w.offer(OfferTerms { gives, ..offers(1) });
    let exchange = |to: &str, units| {
        let payment = Payment::Value;
        Operation::Take(Take { units, payment, ..takes_of(offer, to, Showing::Nothing) })
    };
    w.void(Code::MissingConsent, "alice", exchange("alice", 1), &[credit("alice")]);
    let both = [debit("alice"), credit("alice")];
    w.reject(Code::InsufficientFunds, "alice", exchange("alice", 3), &both);
    let done = w.apply("alice", exchange("alice", 2), &both);
    assert_eq!((w.spendable("alice", "POINT"), w.spendable("alice", "MEBUKU")), (50, 180));
    assert_eq!(w.totals("POINT").free.redeemed, Amount(200));
    // One side alone is not taken back.
    let op = Correct {
        original: done,
        legs: legs(&[("MEBUKU", 90)]),
        reason: CorrectionReason::ErroneousIssue,
        evidence: document("letter"),
    };
    w.reject(Code::UnknownOriginal, "i1", Operation::Correct(op), &across());
    // A group pays as for a payout, and receives by any member.
    w.issue("club", "POINT", 100, OriginKind::Free, 0);
    let drafted = [drafts("club", "alice"), receives("club", "alice")];
    w.void(Code::MissingConsent, "alice", exchange("club", 1), &drafted);
    let approved = [drafts("club", "alice"), approves("club", "bob"), receives("club", "alice")];
    w.apply("alice", exchange("club", 1), &approved);
}

#[test]
fn premium_may_come_by_a_rule_that_watches_what_is_taken() {
    let mut w = World::new();
    let gives = sold(5_000, &[paid("MEBUKU", 5_000)]);
    let offer = on_sale(&mut w, OfferTerms { gives, ..sets(10) });
    let mut rule = rewards(Trigger::Take, percent(30), "POINT");
    rule.base = musubi_ledger::rule::Base::PaidLots;
    rule.when.offer = Some(offer);
    w.rule("MEBUKU", 1, rule);
    let bought = w.apply("issuer", buys(offer, "alice", 2, "bank"), &[issues(), credit("alice")]);
    assert_eq!((w.spendable("alice", "MEBUKU"), w.spendable("alice", "POINT")), (10_000, 3_000));
    let op = Correct {
        original: bought,
        legs: legs(&[("MEBUKU", 5_000)]),
        reason: CorrectionReason::Chargeback,
        evidence: document("letter"),
    };
    w.apply("i1", Operation::Correct(op), &across());
    assert_eq!((w.spendable("alice", "MEBUKU"), w.spendable("alice", "POINT")), (5_000, 1_500));
}

/// A town's sale: 14,000 sets of 5,000 and 30 %, of which 9,800 on paper are one account's; 91,000,000 in all.
#[test]
fn fourteen_thousand_sets_share_one_stock_and_one_supply() {
    let mut w = World::new();
    let plain = Terms::plain(id("issuer"), Regime::Public, document("terms"));
    w.open("SET", Terms { supply_max: Some(Amount(91_000_000)), ..plain });
    let gives = sold(5_000, &[premium("SET", 1_500), paid("SET", 5_000)]);
    let offer = on_sale(&mut w, OfferTerms { gives, caps: Vec::new(), ..sets(14_000) });
    let member = receives("club", "alice");
    w.apply("issuer", buys(offer, "club", 9_800, "paper"), &[issues(), member]);
    w.apply("issuer", buys(offer, "bob", 4_199, "app"), &[issues(), credit("bob")]);
    let bob = [issues(), credit("bob")];
    w.reject(Code::OverSupplyMax, "issuer", buys(offer, "bob", 2, "more"), &bob);
    w.apply("issuer", buys(offer, "bob", 1, "last"), &bob);
    assert_eq!((w.spendable("club", "SET"), w.spendable("bob", "SET")), (63_700_000, 27_300_000));
    let totals = w.totals("SET");
    assert_eq!((totals.paid.issued.0, totals.free.issued.0), (70_000_000, 21_000_000));
    assert_eq!(w.offered(offer).left(), Some(0));
}
