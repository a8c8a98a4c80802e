//! Offers of gifts: who puts, ends and funds them, who gives rights to them, what must be shown, how much there is.

use crate::common::*;
use musubi_ledger::{
    fact::Fact,
    instrument::{Limit, LimitOf, Regime, Terms},
    offer::{Access, Gift, Gives, OfferTerms},
    predicate::Predicate,
    rule::{
        Trigger,
        cap::{Period, Scope},
    },
};

fn with(signers: &[By], more: &[By]) -> Vec<By> {
    [signers, more].concat()
}

fn nothing(offer: TxId, to: &str) -> Operation {
    Operation::Take(takes_of(offer, to, Showing::Nothing))
}

fn showing(offer: TxId, to: &str, showing: Showing) -> Operation {
    Operation::Take(takes_of(offer, to, showing))
}

fn attest(w: &mut World, party: &str, attributes: &[(&str, &str)]) {
    let attributes = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    let op = Attest { party: id(party), registrar: id("registrar"), attributes };
    w.apply("r1", Operation::Attest(op), &[officer("registrar", "r1")]);
}

#[test]
fn two_officers_put_and_end_an_offer_and_its_taker_alone_takes() {
    let mut w = World::new();
    let one = [officer("issuer", "i1")];
    w.void(Code::ApproversMissing, "i1", put_offer(offers(500)), &one);
    let others = [officer("issuer", "c1"), officer("issuer", "p1")];
    w.void(Code::RoleMissing, "c1", put_offer(offers(500)), &others);
    w.void(Code::MissingConsent, "alice", put_offer(offers(500)), &[own("alice")]);
    let offer = w.offer(offers(500));
    w.void(Code::MissingConsent, "bob", nothing(offer, "alice"), &[credit("bob")]);
    w.takes(offer, "alice", Showing::Nothing);
    let outcome = w.outcome();
    assert_eq!(
        (outcome.debit, outcome.credit, outcome.cites),
        (Form::Offer, Form::Live, vec![offer])
    );
    assert_eq!(outcome.facts, [Fact::Taken { offer, units: 1, entitlement: None }]);
    assert_eq!((w.spendable("alice", "MEBUKU"), w.offered(offer).taken), (500, 1));
    // A group takes by a member.
    w.apply("alice", nothing(offer, "club"), &[receives("club", "alice")]);
    let at = w.now.plus(2 * SECOND);
    w.void(Code::ApproversMissing, "i1", end_offer(offer, at), &one);
    w.void(Code::MissingConsent, "alice", end_offer(offer, at), &[own("alice")]);
    w.apply("i1", end_offer(offer, w.now.plus(3 * SECOND)), &issuers());
    w.takes(offer, "bob", Showing::Nothing);
    w.wait(2 * SECOND);
    w.reject(Code::OfferNotOpen, "carol", nothing(offer, "carol"), &[credit("carol")]);
    w.reject(Code::DeadlineInvalid, "i1", end_offer(offer, w.now.plus(DAY)), &issuers());
}

#[test]
fn what_an_offer_may_not_say() {
    let mut w = World::new();
    let two_legs = |a, b| OfferTerms { gives: Gives::Gift(gift(&[a, b])), ..offers(1) };
    let paid = Part { origin: OriginKind::Paid, ..part("MEBUKU", 5) };
    let backwards = two_legs(part("POINT", 5), part("MEBUKU", 5));
    let caps = vec![units(Scope::Household, Period::Ever, 1), units(Scope::Payer, Period::Ever, 1)];
    for terms in [
        offers(0),
        OfferTerms { gives: Gives::Gift(gift(&[])), ..offers(1) },
        OfferTerms { gives: Gives::Gift(gift(&[paid])), ..offers(1) },
        backwards,
        OfferTerms { access: entitled(3), ..offers(1) },
        OfferTerms { access: entitled(0), ..offers(1) },
        OfferTerms { stock: Some(0), ..offers(1) },
        OfferTerms { caps, ..offers(1) },
        OfferTerms { caps: vec![units(Scope::All, Period::Ever, 5)], ..offers(1) },
        OfferTerms { until: Time(0), ..offers(1) },
    ] {
        w.reject(Code::NotWellFormed, "i1", put_offer(terms), &issuers());
    }
    let mut refused = |code, terms| w.reject(code, "i1", put_offer(terms), &issuers());
    refused(Code::UnknownParty, OfferTerms { issuer: id("nobody"), ..offers(1) });
    refused(Code::WrongKind, OfferTerms { issuer: id("city"), ..offers(1) });
    let by = |party| Access::Entitled(GivenBy { party: id(party), officers: 1 });
    refused(Code::WrongKind, OfferTerms { access: by("shop"), ..offers(1) });
    let weak = Access::Code(musubi_ledger::keys::PublicKey([0; 32]));
    refused(Code::WeakKey, OfferTerms { access: weak, ..offers(1) });
    let funded = |by: &str| Gives::Gift(Gift { funder: id(by), ..gift(&[part("MEBUKU", 5)]) });
    refused(Code::WrongKind, OfferTerms { gives: funded("alice"), ..offers(1) });
    refused(Code::NotWellFormed, OfferTerms { gives: funded("shop"), ..offers(1) });
    refused(
        Code::UnknownInstrument,
        OfferTerms { gives: Gives::Gift(gift(&[part("NONE", 5)])), ..offers(1) },
    );
    refused(
        Code::AmountInvalid,
        OfferTerms { gives: Gives::Gift(gift(&[part("VOUCHER", 5)])), ..offers(1) },
    );
    refused(Code::DeadlineInvalid, OfferTerms { until: Time(1), ..offers(1) });
}

#[test]
fn another_issuers_instrument_is_not_given() {
    let mut w = World::new();
    let op = RegisterParty {
        organisation: Some(id("partner")),
        ..register("chamber", PartyKind::Issuer)
    };
    let together = [governs("city"), governs("partner"), proves("chamber", "chamber")];
    w.apply("city", Operation::RegisterParty(op), &together);
    w.apply("city", set_officers("chamber", &["eve", "frank"]), &together[..2]);
    let gives = Gives::Gift(Gift { funder: id("chamber"), ..gift(&[part("MEBUKU", 5)]) });
    let terms = OfferTerms { issuer: id("chamber"), gives, ..offers(5) };
    let two = [officer("chamber", "eve"), officer("chamber", "frank")];
    w.reject(Code::OfferMismatch, "eve", put_offer(terms), &two);
}

#[test]
fn who_funds_an_offer_consents_to_all_of_it_owes_what_is_taken_and_ends_it_alone() {
    let mut w = World::new();
    let funded = |by: &str, stock| OfferTerms {
        gives: Gives::Gift(Gift { funder: id(by), ..gift(&[part("MEBUKU", 500)]) }),
        stock: Some(stock),
        ..offers(1)
    };
    w.void(Code::MissingConsent, "i1", put_offer(funded("shop", 3)), &issuers());
    let signers = with(&issuers(), &[debit("shop")]);
    let offer = w.apply("i1", put_offer(funded("shop", 3)), &signers);
    let taken = w.takes(offer, "alice", Showing::Nothing);
    assert_eq!((w.owes("shop", "MEBUKU"), w.spendable("alice", "MEBUKU")), (500, 500));
    // What is taken back by a correction is owed no more.
    let op = Correct {
        original: taken,
        legs: legs(&[("MEBUKU", 200)]),
        reason: CorrectionReason::ErroneousIssue,
        evidence: document("letter"),
    };
    w.apply("i1", Operation::Correct(op), &with(&issuers(), &[officer("city", "c1")]));
    assert_eq!((w.owes("shop", "MEBUKU"), w.spendable("alice", "MEBUKU")), (300, 300));
    w.void(Code::MissingConsent, "mart", end_offer(offer, w.now.plus(DAY)), &[debit("mart")]);
    w.apply("shop", end_offer(offer, w.now.plus(DAY)), &[debit("shop")]);
    // A group: as for a payout of everything, here 100,000.
    let payout = [drafts("club", "alice"), approves("club", "bob")];
    let op = put_offer(funded("club", 200));
    w.void(Code::ApproversMissing, "i1", op.clone(), &with(&issuers(), &payout));
    w.apply("i1", op, &with(&with(&issuers(), &payout), &[approves("club", "carol")]));
}

#[test]
fn a_birth_gives_cause_once_and_only_its_holder_takes() {
    let mut w = World::new();
    let offer = w.offer(OfferTerms { access: entitled(2), ..offers(50_000) });
    let until = w.now.plus(DAY);
    let births = [event("alice", "birth 1"), event("bob", "birth 2")];
    let op = entitle(offer, &births, until);
    let two = [officer("registrar", "r1"), officer("registrar", "r2")];
    w.void(Code::ApproversMissing, "r1", op.clone(), &two[..1]);
    w.void(Code::MissingConsent, "i1", op.clone(), &issuers());
    w.apply("r1", op.clone(), &two);
    w.reject(Code::AlreadyEntitled, "r1", op, &two);
    let again = entitle(offer, &[event("carol", "birth 1")], until);
    w.reject(Code::AlreadyEntitled, "r1", again, &two);
    let twice = entitle(offer, &[event("carol", "birth 3"), event("carol", "birth 3")], until);
    w.reject(Code::AlreadyEntitled, "r1", twice, &two);
    let alices = Showing::Entitlement(right_of(offer, "birth 1"));
    w.reject(Code::OfferMismatch, "bob", showing(offer, "bob", alices), &[credit("bob")]);
    w.reject(Code::OfferMismatch, "alice", nothing(offer, "alice"), &[credit("alice")]);
    let unknown = Showing::Entitlement(right_of(offer, "birth 9"));
    w.reject(
        Code::UnknownEntitlement,
        "alice",
        showing(offer, "alice", unknown),
        &[credit("alice")],
    );
    w.takes(offer, "alice", alices);
    assert_eq!(w.spendable("alice", "MEBUKU"), 50_000);
    let op = showing(offer, "alice", alices);
    w.reject(Code::EntitlementNotOpen, "alice", op, &[credit("alice")]);
    w.wait(DAY);
    let bobs = Showing::Entitlement(right_of(offer, "birth 2"));
    w.reject(Code::EntitlementNotOpen, "bob", showing(offer, "bob", bobs), &[credit("bob")]);
}

#[test]
fn what_entitling_wants() {
    let mut w = World::new();
    let open = w.offer(offers(5));
    let offer =
        w.offer(OfferTerms { access: entitled(1), until: w.now.plus(9 * DAY), ..offers(5) });
    let one = [officer("registrar", "r1")];
    let birth = [event("alice", "birth")];
    let soon = w.now.plus(DAY);
    let mut refused = |code, op| w.reject(code, "r1", op, &one);
    refused(Code::UnknownOffer, entitle(TxId([7; 32]), &birth, soon));
    refused(Code::OfferMismatch, entitle(open, &birth, soon));
    refused(Code::NotWellFormed, entitle(offer, &[], soon));
    refused(
        Code::NotWellFormed,
        Operation::Entitle(Entitle { offer, causes: birth.to_vec(), units: 0, until: soon }),
    );
    refused(Code::UnknownParty, entitle(offer, &[event("nobody", "birth")], soon));
    refused(Code::DeadlineInvalid, entitle(offer, &birth, Time(1)));
    refused(Code::DeadlineInvalid, entitle(offer, &birth, soon.plus(9 * DAY)));
    refused(Code::WeakKey, entitle(offer, &[Cause::Code(PublicKey([0; 32]))], soon));
    w.apply("i1", end_offer(offer, w.now.plus(SECOND)), &issuers());
    w.wait(SECOND);
    w.reject(Code::OfferNotOpen, "r1", entitle(offer, &birth, soon), &one);
}

#[test]
fn what_was_given_by_mistake_is_withdrawn_and_given_anew() {
    let mut w = World::new();
    let offer = w.offer(OfferTerms { access: entitled(1), ..offers(20_000) });
    w.entitles(offer, event("bob", "marriage"));
    let entitlement = right_of(offer, "marriage");
    let op = || Operation::WithdrawEntitlement { entitlement };
    w.void(Code::MissingConsent, "bob", op(), &[own("bob")]);
    let unknown = Operation::WithdrawEntitlement { entitlement: TxId([1; 32]) };
    w.reject(Code::UnknownEntitlement, "r1", unknown, &[officer("registrar", "r1")]);
    w.apply("r1", op(), &[officer("registrar", "r2").key("r1")]);
    w.reject(Code::EntitlementNotOpen, "r1", op(), &[officer("registrar", "r1")]);
    let shown = Showing::Entitlement(entitlement);
    w.reject(Code::EntitlementNotOpen, "bob", showing(offer, "bob", shown), &[credit("bob")]);
    w.entitles(offer, event("alice", "marriage"));
    w.reject(Code::OfferMismatch, "bob", showing(offer, "bob", shown), &[credit("bob")]);
    w.takes(offer, "alice", shown);
    // What was used is not withdrawn, so it gives no cause again.
    w.reject(Code::EntitlementNotOpen, "r1", op(), &[officer("registrar", "r1")]);
}

#[test]
fn a_code_is_worth_something_once_and_only_with_its_own_signature() {
    let mut w = World::new();
    let offer = w.offer(OfferTerms { access: entitled(1), ..offers(1_500) });
    w.entitles(offer, by_code("K7QM"));
    let key = code_key("K7QM").public();
    let op = |to| showing(offer, to, Showing::Code(key));
    // Its key is in the log from now on; who does not know the code cannot sign by it.
    w.void(Code::MissingConsent, "bob", op("bob"), &[credit("bob")]);
    let wrong = [credit("bob"), shows("bob", "XXXX")];
    w.void(Code::MissingConsent, "bob", op("bob"), &wrong);
    let for_alice = [credit("bob"), shows("alice", "K7QM")];
    w.void(Code::MissingConsent, "bob", op("bob"), &for_alice);
    let guessed = showing(offer, "bob", Showing::Code(code_key("XXXX").public()));
    w.reject(Code::UnknownEntitlement, "bob", guessed, &wrong);
    let named = showing(offer, "bob", Showing::Entitlement(right_behind(offer, "K7QM")));
    w.reject(Code::OfferMismatch, "bob", named, &[credit("bob")]);
    w.apply("alice", op("alice"), &[credit("alice"), shows("alice", "K7QM")]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 1_500);
    let again = [credit("bob"), shows("bob", "K7QM")];
    w.reject(Code::EntitlementNotOpen, "bob", op("bob"), &again);
}

#[test]
fn a_check_in_code_gives_each_person_once_a_day() {
    let mut w = World::new();
    let access = Access::Code(code_key("PARK").public());
    let caps = vec![units(Scope::Payer, Period::Day, 1)];
    let offer = w.offer(OfferTerms { access, caps, ..offers(50) });
    let key = code_key("PARK").public();
    let op = |to| showing(offer, to, Showing::Code(key));
    w.reject(Code::OfferMismatch, "alice", nothing(offer, "alice"), &[credit("alice")]);
    let other = showing(offer, "alice", Showing::Code(code_key("BEACH").public()));
    w.reject(Code::OfferMismatch, "alice", other, &[credit("alice"), shows("alice", "BEACH")]);
    for person in ["alice", "bob"] {
        w.apply(person, op(person), &[credit(person), shows(person, "PARK")]);
    }
    let alice = [credit("alice"), shows("alice", "PARK")];
    w.reject(Code::OverOffer, "alice", op("alice"), &alice);
    w.wait(DAY);
    w.apply("alice", op("alice"), &alice);
    assert_eq!((w.spendable("alice", "MEBUKU"), w.spendable("bob", "MEBUKU")), (100, 50));
}

#[test]
fn stock_households_and_conditions_bound_what_is_taken() {
    let mut w = World::new();
    for person in ["alice", "bob"] {
        attest(&mut w, person, &[("household", "h1"), ("resident", "yes")]);
    }
    attest(&mut w, "carol", &[("resident", "yes")]);
    let terms = OfferTerms {
        who: Some(Predicate::is("resident", &["yes"])),
        stock: Some(3),
        caps: vec![units(Scope::Payer, Period::Ever, 2), units(Scope::Household, Period::Ever, 2)],
        ..offers(10)
    };
    let offer = w.offer(terms);
    let some = |to, units| Operation::Take(Take { units, ..takes_of(offer, to, Showing::Nothing) });
    w.reject(Code::NotWellFormed, "alice", some("alice", 0), &[credit("alice")]);
    w.reject(Code::TakerNotEligible, "dave", some("dave", 1), &[credit("dave")]);
    w.reject(Code::OverOffer, "alice", some("alice", 3), &[credit("alice")]);
    w.apply("alice", some("alice", 1), &[credit("alice")]);
    // Alice's household has one left, Carol, who has none attested, is one herself.
    w.reject(Code::OverOffer, "bob", some("bob", 2), &[credit("bob")]);
    w.apply("bob", some("bob", 1), &[credit("bob")]);
    w.reject(Code::OutOfStock, "carol", some("carol", 2), &[credit("carol")]);
    w.apply("carol", some("carol", 1), &[credit("carol")]);
    w.reject(Code::OutOfStock, "carol", some("carol", 1), &[credit("carol")]);
    assert_eq!(w.offered(offer).left(), Some(0));
}

#[test]
fn a_block_full_of_takers_takes_no_more_than_there_is() {
    let mut w = World::new();
    let offer = w.offer(OfferTerms { stock: Some(2), ..offers(10) });
    let people = ["alice", "bob", "carol", "dave"];
    let all: Vec<Transaction> =
        people.map(|who| w.transaction(who, nothing(offer, who), &[credit(who)])).to_vec();
    let codes = w.block(&all);
    assert_eq!(codes, [Code::Applied, Code::Applied, Code::OutOfStock, Code::OutOfStock]);
}

#[test]
fn the_instruments_own_terms_stand_above_an_offer() {
    let mut w = World::new();
    let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    let most = Limit::for_all(LimitOf::Wallet, Amount(700));
    w.open("GIFT", Terms { supply_max: Some(Amount(1_500)), limits: vec![most], ..plain });
    let offer = w.offer(OfferTerms { gives: Gives::Gift(gift(&[part("GIFT", 500)])), ..offers(1) });
    let some = |to, units| Operation::Take(Take { units, ..takes_of(offer, to, Showing::Nothing) });
    w.reject(Code::OverWalletMax, "alice", some("alice", 2), &[credit("alice")]);
    w.reject(Code::OverSupplyMax, "alice", some("alice", 4), &[credit("alice")]);
    w.reject(Code::WrongKind, "shop", some("shop", 1), &[credit("shop")]);
    w.takes(offer, "alice", Showing::Nothing);
}

#[test]
fn a_holder_without_keys_takes_by_the_credit_mandate() {
    let mut w = World::new();
    let mandate = mandate("alice", terms(Direction::Credit, 600));
    let mandate = w.apply("alice", mandate, &[credit("alice")]);
    let offer = w.offer(OfferTerms { access: entitled(1), ..offers(500) });
    w.entitles(offer, event("alice", "birth"));
    let shown = Showing::Entitlement(right_of(offer, "birth"));
    let take = Take { credit: Citation::Mandate(mandate), ..takes_of(offer, "alice", shown) };
    let large = w.offer(offers(700));
    let credit = Citation::Mandate(mandate);
    let over = Take { credit, ..takes_of(large, "alice", Showing::Nothing) };
    w.reject(Code::OverMandate, "r1", Operation::Take(over), &[own("r1")]);
    w.apply("r1", Operation::Take(take), &[own("r1")]);
    let outcome = w.outcome();
    assert_eq!((outcome.credit, outcome.cites[0]), (Form::Mandate, offer));
    assert!(outcome.cites.contains(&mandate));
    let request = Take { credit: Citation::Request, ..take };
    w.reject(Code::NotWellFormed, "r1", Operation::Take(request), &[own("r1")]);
}

#[test]
fn a_compromised_key_ends_what_it_put_and_gave() {
    let mut w = World::new();
    let offer = w.offer(OfferTerms { access: entitled(1), ..offers(5) });
    w.entitles(offer, event("alice", "one"));
    let revoke = |party: &str| {
        let op = RevokeKey { party: id(party), key: key(party).public(), compromised: true };
        Operation::RevokeKey(op)
    };
    let add = AddKey { party: id("r1"), key: key("r1/2").public() };
    w.apply("r1", Operation::AddKey(add), &[own("r1"), proves("r1", "r1/2")]);
    w.apply("r1", revoke("r1"), &[own("r1")]);
    let one = Showing::Entitlement(right_of(offer, "one"));
    w.reject(Code::EntitlementNotOpen, "alice", showing(offer, "alice", one), &[credit("alice")]);
    let second = w.offer(offers(5));
    let add = AddKey { party: id("i2"), key: key("i2/2").public() };
    w.apply("i2", Operation::AddKey(add), &[own("i2"), proves("i2", "i2/2")]);
    w.apply("i2", revoke("i2"), &[own("i2")]);
    w.reject(Code::OfferNotOpen, "alice", nothing(second, "alice"), &[credit("alice")]);
}

#[test]
fn rules_follow_what_is_taken() {
    let mut w = World::new();
    let offer = w.offer(offers(1_000));
    let other = w.offer(offers(1_000));
    let mut rule = rewards(Trigger::Take, percent(10), "POINT");
    rule.when.offer = Some(offer);
    w.rule("MEBUKU", 1, rule);
    w.takes(other, "alice", Showing::Nothing);
    assert_eq!(w.spendable("alice", "POINT"), 0);
    w.takes(offer, "alice", Showing::Nothing);
    assert_eq!((w.spendable("alice", "MEBUKU"), w.spendable("alice", "POINT")), (2_000, 100));
}
