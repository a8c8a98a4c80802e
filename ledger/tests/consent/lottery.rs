//! Lotteries: who applies, who shows the seed and when, who counts, who takes.

use crate::common::*;
use musubi_ledger::{
    offer::{
        Access, OfferTerms,
        draw::{Lottery, Won, winners},
    },
    predicate::Predicate,
    rule::cap::{Period, Scope},
};

fn drawn(w: &World, stock: u32) -> OfferTerms {
    OfferTerms {
        access: Access::Lottery(lottery(w.now)),
        stock: Some(stock),
        caps: vec![units(Scope::Payer, Period::Ever, 2)],
        ..offers(100)
    }
}

const PEOPLE: [&str; 6] = ["alice", "bob", "carol", "dave", "eve", "frank"];

fn all_apply(w: &mut World, offer: TxId) -> Vec<(TxId, u8, u32)> {
    let apply = |who: &&str| (w.apply(who, applies_for(offer, who, 2), &[own(who)]), 0, 2);
    PEOPLE.iter().map(apply).collect()
}

fn right(id: TxId) -> Showing {
    Showing::Entitlement(id)
}

#[test]
fn six_apply_for_two_sets_each_and_five_sets_are_won() {
    let mut w = World::new();
    let terms = drawn(&w, 5);
    let offer = w.offer(terms);
    let applications = all_apply(&mut w, offer);
    let again = applies_for(offer, "alice", 1);
    w.reject(Code::OverOffer, "alice", again, &[own("alice")]);
    let one = [officer("issuer", "i1")];
    w.reject(Code::DeadlineInvalid, "i1", reveal(offer, "town"), &one);
    w.wait(10 * DAY);
    w.reject(Code::OfferNotOpen, "bob", applies_for(offer, "bob", 1), &[own("bob")]);
    w.void(Code::MissingConsent, "alice", reveal(offer, "town"), &[own("alice")]);
    // An officer who would rather have another seed.
    w.reject(Code::OfferMismatch, "i1", reveal(offer, "mine"), &one);
    let before = takes_of(offer, "alice", right(applications[0].0));
    w.reject(Code::OfferNotOpen, "alice", Operation::Take(before), &[credit("alice")]);
    w.apply("i1", reveal(offer, "town"), &one);
    w.reject(Code::OfferMismatch, "i1", reveal(offer, "town"), &one);
    // Anybody can say who has won, from what is public.
    let (won, places) = winners(&seed("town"), &applications, 5);
    let Won::UpTo(last) = won else { panic!("more was asked for than there is") };
    assert_eq!(last.units, 1);
    w.void(
        Code::MissingConsent,
        "alice",
        count_draw(offer, last.place.application),
        &[own("alice")],
    );
    for (place, _) in &places {
        if *place != last.place {
            let other = count_draw(offer, place.application);
            w.reject(Code::OfferMismatch, "i1", other, &one);
        }
    }
    w.reject(Code::UnknownEntitlement, "i1", count_draw(offer, TxId([1; 32])), &one);
    w.apply("i1", count_draw(offer, last.place.application), &one);
    assert_eq!(w.draw(offer).result, Some(won));
    assert_eq!(w.outcome().facts.len(), 6, "every application is told its place");
    w.reject(Code::OfferMismatch, "i1", count_draw(offer, last.place.application), &one);
    for (place, units) in &places {
        let who = PEOPLE[applications.iter().position(|a| a.0 == place.application).unwrap()];
        let take = |units| {
            Operation::Take(Take { units, ..takes_of(offer, who, right(place.application)) })
        };
        w.reject(Code::EntitlementNotOpen, who, take(units + 1), &[credit(who)]);
        if *units > 0 {
            w.apply(who, take(*units), &[credit(who)]);
        }
        assert_eq!(w.spendable(who, "MEBUKU"), 100 * u64::from(*units));
    }
    assert_eq!(w.offered(offer).left(), Some(0));
    let stranger = takes_of(offer, "shop", right(applications[0].0));
    w.reject(Code::WrongKind, "shop", Operation::Take(stranger), &[credit("shop")]);
    let theirs = takes_of(offer, "bob", right(applications[0].0));
    w.reject(Code::OfferMismatch, "bob", Operation::Take(theirs), &[credit("bob")]);
}

#[test]
fn where_there_is_enough_everybody_wins_at_once() {
    let mut w = World::new();
    let terms = drawn(&w, 12);
    let offer = w.offer(terms);
    let applications = all_apply(&mut w, offer);
    w.wait(10 * DAY);
    w.apply("i1", reveal(offer, "town"), &[officer("issuer", "i1")]);
    assert_eq!(w.draw(offer).result, Some(Won::All));
    let take = Take { units: 2, ..takes_of(offer, "eve", right(applications[4].0)) };
    w.apply("eve", Operation::Take(take), &[credit("eve")]);
}

#[test]
fn a_seed_that_is_not_shown_in_time_makes_nobody_win() {
    let mut w = World::new();
    let terms = drawn(&w, 5);
    let offer = w.offer(terms);
    let applications = all_apply(&mut w, offer);
    w.wait(17 * DAY);
    w.reject(Code::DeadlineInvalid, "i1", reveal(offer, "town"), &[officer("issuer", "i1")]);
    let take = Operation::Take(takes_of(offer, "alice", right(applications[0].0)));
    w.reject(Code::OfferNotOpen, "alice", take, &[credit("alice")]);
}

#[test]
fn tiers_go_first_and_conditions_hold_when_one_applies() {
    let mut w = World::new();
    for who in ["alice", "bob", "carol"] {
        attest(&mut w, who, &["resident"]);
    }
    let tiers = vec![Predicate::is("family", &["yes"])];
    let lottery = Lottery { tiers, ..lottery(w.now) };
    let who = Some(Predicate::is("resident", &["yes"]));
    let terms = OfferTerms { access: Access::Lottery(lottery), who, ..drawn(&w, 1) };
    let offer = w.offer(terms);
    w.reject(Code::TakerNotEligible, "eve", applies_for(offer, "eve", 1), &[own("eve")]);
    w.reject(Code::NotWellFormed, "bob", applies_for(offer, "bob", 0), &[own("bob")]);
    w.void(Code::MissingConsent, "bob", applies_for(offer, "alice", 1), &[own("bob")]);
    let first = w.apply("alice", applies_for(offer, "alice", 1), &[own("alice")]);
    w.apply("bob", applies_for(offer, "bob", 1), &[own("bob")]);
    attest(&mut w, "carol", &["family", "resident"]);
    let carols = w.apply("carol", applies_for(offer, "carol", 1), &[own("carol")]);
    w.wait(10 * DAY);
    let one = [officer("issuer", "i1")];
    w.apply("i1", reveal(offer, "town"), &one);
    w.reject(Code::OfferMismatch, "i1", count_draw(offer, first), &one);
    w.apply("i1", count_draw(offer, carols), &one);
}

fn attest(w: &mut World, who: &str, names: &[&str]) {
    let attributes = names.iter().map(|name| attribute(name, "yes")).collect();
    let op = Attest { party: id(who), registrar: id("registrar"), attributes };
    w.apply("r1", Operation::Attest(op), &[officer("registrar", "r1")]);
}

#[test]
fn what_a_lottery_may_not_say() {
    let mut w = World::new();
    let ten = lottery(w.now);
    let of = |lottery: Lottery| OfferTerms {
        access: Access::Lottery(lottery),
        stock: Some(5),
        ..offers(1)
    };
    let five = vec![Predicate::is("family", &["yes"]); 5];
    for terms in [
        OfferTerms { stock: None, ..of(ten.clone()) },
        of(Lottery { closes: ten.reveal_until, ..ten.clone() }),
        of(Lottery { closes: Time(0), ..ten.clone() }),
        of(Lottery { tiers: five, ..ten.clone() }),
        OfferTerms { until: ten.closes, ..of(ten.clone()) },
    ] {
        w.reject(Code::NotWellFormed, "i1", put_offer(terms), &issuers());
    }
    let open = w.offer(offers(5));
    w.reject(Code::OfferMismatch, "bob", applies_for(open, "bob", 1), &[own("bob")]);
    w.reject(Code::OfferMismatch, "i1", reveal(open, "town"), &[officer("issuer", "i1")]);
    w.reject(Code::UnknownOffer, "bob", applies_for(TxId([3; 32]), "bob", 1), &[own("bob")]);
}
