//! What must hold of coupons whatever they say: never more than the offer lets anybody have, and undoing all of a payment leaves nothing of
//! them, in whichever parts.

use crate::common::*;
use musubi_ledger::{
    offer::{Coupon, Gives},
    rule::{
        RuleTerms, Trigger,
        cap::{Period, Scope},
        formula::{Formula, Rate, Rounding, Steps},
        when::When,
    },
};
use proptest::prelude::*;

fn some() -> impl Strategy<Value = Coupon> {
    let rounding = prop_oneof![Just(Rounding::Floor), Just(Rounding::Ceil), Just(Rounding::HalfUp)];
    let rate = (1..40_u32, 41..300_u32, rounding)
        .prop_map(|(num, den, rounding)| Formula::Rate(Rate { num, den, rounding, carry: false }));
    let steps = (30..300_u64, 1..20_u64).prop_map(|(every, give)| {
        Formula::Steps(Steps { every: Amount(every), give: Amount(give) })
    });
    let off = prop_oneof![rate, steps, (1..90_u64).prop_map(|off| Formula::Fixed(Amount(off)))];
    (off, 1..200_u64, 0..4_u8).prop_map(|(off, most, by)| {
        let coupon = Coupon { off: Some(off), most: Some(Amount(most)), ..tenth() };
        match by {
            0 => coupon,
            1 => borne("issuer", coupon),
            // At `shop` its own, at `mart` another's.
            _ => borne("shop", coupon),
        }
    })
}

fn world(coupons: &[Coupon], caps: (u64, u64), stock: u32) -> (World, Vec<TxId>) {
    let mut w = World::new();
    for name in ["alice", "bob"] {
        w.fund(name, "MEBUKU", 20_000);
    }
    let caps =
        vec![units(Scope::Payer, Period::Ever, caps.1), units(Scope::Payer, Period::Day, caps.0)];
    let put = |coupon: &Coupon| {
        let terms = OfferTerms { caps: caps.clone(), stock: Some(stock), ..coupons_of(coupon) };
        w.coupon(terms)
    };
    let offers: Vec<TxId> = coupons.iter().map(put).collect();
    // Points back for the first of them.
    let when = When { offer: Some(offers[0]), ..When::always(Time(0)) };
    let base = musubi_ledger::rule::Base::Gross;
    w.rule(
        "MEBUKU",
        1,
        RuleTerms { when, base, ..rewards(Trigger::Purchase, percent(7), "POINT") },
    );
    (w, offers)
}

fn coupons_of(coupon: &Coupon) -> OfferTerms {
    coupons(coupon.clone())
}

/// A payment that uses some coupons, if anything is left to pay.
fn payment(
    w: &World,
    (from, to): (&str, &str),
    gross: u64,
    offers: &[TxId],
) -> Option<PayWithCoupons> {
    let off = |offer: &TxId| match w.offered(*offer).terms.gives {
        Gives::Coupon(coupon) => coupon.takes_off(Amount(gross), Amount(1)).unwrap().0,
        other => panic!("{other:?}"),
    };
    let left = gross.checked_sub(offers.iter().map(off).sum()).filter(|left| *left > 0)?;
    let uses: Vec<UseCoupon> = offers.iter().map(|offer| used(*offer)).collect();
    Some(pay_with(from, to, (gross, left), &uses))
}

/// What everybody holds and owes, and how much of each offer is taken.
fn all(w: &World, offers: &[TxId]) -> Vec<String> {
    let of = |name: &str| {
        let lots = w.wallet(name).lots;
        let lots: Vec<_> = lots.iter().map(|b| (b.lot, b.spendable, b.held, b.claim)).collect();
        format!("{name} {lots:?} {:?}", ["MEBUKU", "POINT"].map(|of| w.owes(name, of)))
    };
    let taken = offers.iter().map(|offer| w.offered(*offer).taken.to_string());
    ["alice", "bob", "shop", "mart", "issuer"].map(of).into_iter().chain(taken).collect()
}

type Sale = (bool, bool, u64, u8, Vec<u64>);

fn sales() -> impl Strategy<Value = Vec<Sale>> {
    let parts = prop::collection::vec(1..400_u64, 0..3);
    prop::collection::vec((any::<bool>(), any::<bool>(), 1..900_u64, 0..8_u8, parts), 1..8)
}

fn chosen(offers: &[TxId], choice: u8) -> Vec<TxId> {
    let some = offers.iter().enumerate().filter(|(at, _)| choice & (1 << at) != 0);
    some.map(|(_, offer)| *offer).collect()
}

fn names((by_alice, at_shop): (bool, bool)) -> (&'static str, &'static str) {
    (if by_alice { "alice" } else { "bob" }, if at_shop { "shop" } else { "mart" })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn refund_of_all_is_identity_on_balances_and_rights(
        coupons in prop::collection::vec(some(), 3), sales in sales(),
    ) {
        let (mut w, offers) = world(&coupons, (9, 9), 20);
        let before = all(&w, &offers);
        let mut open = Vec::new();
        for (by_alice, at_shop, gross, choice, parts) in sales {
            let (from, to) = names((by_alice, at_shop));
            let used = chosen(&offers, choice.max(1));
            let Some(op) = payment(&w, (from, to), gross, &used) else { continue };
            let amount = op.pay.amount.0;
            let sale = w.apply(from, Operation::PayWithCoupons(op), &[debit(from), credit(to)]);
            open.push((sale, to, amount, parts));
        }
        for (sale, to, amount, parts) in open {
            let mut left = amount;
            for part in parts.into_iter().chain([u64::MAX]) {
                let part = part.min(left);
                if part > 0 {
                    w.gives_back(sale, to, "MEBUKU", part);
                    left -= part;
                }
            }
        }
        prop_assert_eq!(before, all(&w, &offers));
    }

    /// What the scan after each block looks up, counted here by hand.
    #[test]
    fn no_coupon_is_used_more_often_than_it_may_be(
        coupons in prop::collection::vec(some(), 3), sales in sales(),
        caps in (1..3_u64, 1..4_u64), stock in 1..6_u32,
    ) {
        let (mut w, offers) = world(&coupons, caps, stock);
        let mut uses: std::collections::BTreeMap<(TxId, &str), u64> = Default::default();
        for (by_alice, at_shop, gross, choice, parts) in sales {
            let (from, to) = names((by_alice, at_shop));
            let wanted = chosen(&offers, choice.max(1));
            let Some(op) = payment(&w, (from, to), gross, &wanted) else { continue };
            let amount = op.pay.amount.0;
            let tx = w.transaction(from, Operation::PayWithCoupons(op), &[debit(from), credit(to)]);
            let code = w.block(core::slice::from_ref(&tx))[0];
            let of = |offer: &TxId, uses: &std::collections::BTreeMap<(TxId, &str), u64>| {
                let by = |name| uses.get(&(*offer, name)).copied().unwrap_or(0);
                (by(from), by("alice") + by("bob"))
            };
            let fits = |offer: &TxId| {
                let (mine, all) = of(offer, &uses);
                mine < caps.0.min(caps.1) && all < u64::from(stock)
            };
            prop_assert_eq!(code == Code::Applied, wanted.iter().all(fits), "{:?}", code);
            if code != Code::Applied {
                continue;
            }
            wanted.iter().for_each(|offer| *uses.entry((*offer, from)).or_default() += 1);
            // Only who has everything back has the coupon back.
            let part = parts.first().map_or(0, |part| *part.min(&amount));
            if part > 0 {
                w.gives_back(tx.body.id(), to, "MEBUKU", part);
            }
            if part == amount {
                wanted.iter().for_each(|offer| *uses.get_mut(&(*offer, from)).unwrap() -= 1);
            }
        }
    }
}
