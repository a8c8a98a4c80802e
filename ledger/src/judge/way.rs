//! A payment as its judge sees it, whichever operation asked for it: between whom, of what, by whose consents.

use super::case::total;
use crate::{
    amount::Amount,
    code::Code,
    id::{InstrumentId, PartyId},
    operation::{Citation, Leg, Movement, Pay, PayWithCoupons, UseCoupon},
};

/// What shall move.
#[derive(Clone, Copy)]
pub(super) enum Tender<'m> {
    /// Exactly these amounts.
    Legs(&'m [Leg]),
    /// An amount in any of these instruments, as the ledger chooses.
    Any { instruments: &'m [InstrumentId], amount: Amount },
}

/// A payment.
#[derive(Clone, Copy)]
pub(super) struct Way<'m> {
    pub(super) from: PartyId,
    pub(super) to: PartyId,
    pub(super) debit: Citation,
    pub(super) credit: Citation,
    pub(super) tender: Tender<'m>,
    /// The price before coupons, where some are used.
    pub(super) gross: Option<Amount>,
    pub(super) coupons: &'m [UseCoupon],
}

impl<'m> Way<'m> {
    pub(super) fn of_movement(movement: &'m Movement) -> Self {
        let Movement { from, to, legs, debit, credit } = movement;
        let (tender, gross, coupons) = (Tender::Legs(legs), None, &[]);
        Self { from: *from, to: *to, debit: *debit, credit: *credit, tender, gross, coupons }
    }

    pub(super) fn of_pay(pay: &'m Pay) -> Self {
        let Pay { from, to, instruments, amount, debit, credit } = pay;
        let tender = Tender::Any { instruments, amount: *amount };
        let (gross, coupons) = (None, &[]);
        Self { from: *from, to: *to, debit: *debit, credit: *credit, tender, gross, coupons }
    }

    pub(super) fn of_coupons(op: &'m PayWithCoupons) -> Self {
        Self { gross: Some(op.gross), coupons: &op.coupons, ..Self::of_pay(&op.pay) }
    }
}

impl Tender<'_> {
    /// The sum, as policies and mandates count it.
    pub(super) fn total(&self) -> Result<Amount, Code> {
        match self {
            Self::Legs(legs) => total(legs),
            Self::Any { amount, .. } => Ok(*amount),
        }
    }

    /// How many instruments may move.
    fn count(&self) -> usize {
        match self {
            Self::Legs(legs) => legs.len(),
            Self::Any { instruments, .. } => instruments.len(),
        }
    }

    /// The instruments that may move.
    pub(super) fn instruments(&self) -> impl Iterator<Item = InstrumentId> {
        (0..self.count()).map(|at| match self {
            Self::Legs(legs) => legs[at].instrument,
            Self::Any { instruments, .. } => instruments[at],
        })
    }
}
