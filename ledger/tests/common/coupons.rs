//! Coupons in the words of a test.

use musubi_ledger::{
    amount::Amount,
    execute::MemoryState,
    id::TxId,
    offer::{Coupon, Gives, OfferTerms, Sponsor},
    operation::{Operation, PayWithCoupons, Showing, UseCoupon},
    rule::formula::Formula,
    state::{ReadState, Row, RowKey, UsedCoupons},
};

use super::{
    names::{credit, debit, id, instrument},
    offers::offers,
    operations::pay_any,
    rules::{issuers, percent},
    world::World,
};

/// A tenth off at every shop, which bears it.
pub fn tenth() -> Coupon {
    Coupon {
        instrument: instrument("MEBUKU"),
        off: Some(percent(10)),
        most: None,
        least: Amount::ZERO,
        at: Vec::new(),
        shops: None,
        alone: false,
        sponsor: Sponsor::Payee,
        campaign: 0,
    }
}

/// So much off.
pub fn off(amount: u64) -> Coupon {
    Coupon { off: Some(Formula::Fixed(Amount(amount))), ..tenth() }
}

/// Borne by a party.
pub fn borne(by: &str, coupon: Coupon) -> Coupon {
    Coupon { sponsor: Sponsor::Party(id(by)), ..coupon }
}

/// An offer of coupons, for everybody, a thousand of them.
pub fn coupons(coupon: Coupon) -> OfferTerms {
    OfferTerms { gives: Gives::Coupon(coupon), stock: Some(1_000), ..offers(1) }
}

/// Uses it without showing anything.
pub fn used(offer: TxId) -> UseCoupon {
    UseCoupon { offer, showing: Showing::Nothing }
}

/// Pays in MEBUKU what some coupons leave of a price.
pub fn pay_with(
    from: &str,
    to: &str,
    (gross, amount): (u64, u64),
    coupons: &[UseCoupon],
) -> PayWithCoupons {
    let mut coupons = coupons.to_vec();
    coupons.sort_unstable_by_key(|used| used.offer);
    PayWithCoupons { pay: pay_any(from, to, amount, &["MEBUKU"]), gross: Amount(gross), coupons }
}

impl World {
    /// Puts a coupon that must be applied; a sponsor that is not the issuer signs too.
    #[track_caller]
    pub fn coupon(&mut self, terms: OfferTerms) -> TxId {
        let mut signers = issuers().to_vec();
        if terms.funder() == id("shop") {
            signers.push(debit("shop"));
        }
        self.apply("i1", super::offers::put_offer(terms), &signers)
    }

    /// A payment with a coupon and both sides' live consent, which must be applied.
    #[track_caller]
    pub fn with_coupon(&mut self, from: &str, to: &str, amounts: (u64, u64), coupon: TxId) -> TxId {
        let op = Operation::PayWithCoupons(pay_with(from, to, amounts, &[used(coupon)]));
        self.apply(from, op, &[debit(from), credit(to)])
    }
}

/// What was paid and what coupons took off is the price; no more of a sponsor's part is undone than was added (INV-22).
pub fn check_coupons(state: &MemoryState, payment: TxId, coupons: &UsedCoupons) {
    let Some(Row::Judged(judged)) = state.row(&RowKey::Judged(payment)) else {
        panic!("a payment with coupons was judged");
    };
    let settled = judged.settled.as_ref().expect("it settled");
    let paid: u64 = settled.lots.iter().map(|lot| lot.amount.0).sum();
    let off: u64 = coupons.used.iter().map(|used| used.discount.0).sum();
    assert_eq!(paid + off, coupons.gross.0, "INV-22: the price");
    let undone = settled.lots.iter().all(|lot| lot.undone == lot.amount);
    for sponsored in coupons.used.iter().filter_map(|used| used.sponsored) {
        let lot = sponsored.lot;
        assert!(lot.undone <= lot.amount, "INV-22: undone");
        assert!(!undone || lot.undone == lot.amount, "INV-22: nothing stays without its payment");
    }
}
