//! Drafts that move value, or prepare that.

use musubi_ledger::{
    amount::Amount,
    id::{DocumentHash, InstrumentId, MediumId, PartyId, TxId},
    lot::OriginKind,
    operation::{
        AnswerRedemption, AnswerSettlement, Citation, Correct, CorrectionReason, Decide, Decision,
        Leg, Movement, Operation, Pay, PayWithCoupons, Propose, RedemptionAnswer, Refund,
        RequestPayment, RequestRedemption, Settle, TopUp, Touch,
    },
    time::Time,
    transaction::Purpose,
};

use super::{Composer, Draft};
use crate::{entropy, qr::ShopCode};

/// A top-up's particulars; the issuer's backend sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funding {
    /// The allowance under which the issuer's key acts.
    pub allowance: TxId,
    /// The issuer, who sends.
    pub issuer: PartyId,
    /// Paid, free or grant.
    pub origin: OriginKind,
    /// Who gave the outside funds.
    pub funder: PartyId,
    /// Campaign number, 0 for none.
    pub campaign: u32,
    /// Hash of the outside payment's reference.
    pub payment: DocumentHash,
}

/// Legs in the order in which the ledger wants them.
fn ordered(legs: &[Leg]) -> Vec<Leg> {
    let mut legs = legs.to_vec();
    legs.sort_by_key(|leg| leg.instrument);
    legs
}

/// Instruments in the order in which the ledger wants them.
fn ascending(instruments: &[InstrumentId]) -> Vec<InstrumentId> {
    let mut instruments = instruments.to_vec();
    instruments.sort_unstable();
    instruments.dedup();
    instruments
}

fn live(from: PartyId, to: PartyId, legs: &[Leg]) -> Movement {
    Movement { from, to, legs: ordered(legs), debit: Citation::Live, credit: Citation::Live }
}

impl Composer {
    /// A payment that both sides sign now; `from` sends.
    pub fn pay(&self, from: PartyId, to: PartyId, legs: &[Leg]) -> Draft {
        self.transfer(from, live(from, to, legs))
    }

    /// Any transfer, with the citations that it carries.
    pub fn transfer(&self, sender: PartyId, movement: Movement) -> Draft {
        self.draft(sender, Operation::Transfer(movement))
    }

    /// A payment of an amount in whichever of its instruments the payer's lots make up. Instruments may stand in any
    /// order.
    pub fn pay_any(&self, sender: PartyId, mut pay: Pay) -> Draft {
        pay.instruments = ascending(&pay.instruments);
        self.draft(sender, Operation::Pay(pay))
    }

    /// A payment of a price less what coupons take off it. Instruments and coupons may stand in any order.
    pub fn pay_with_coupons(&self, sender: PartyId, mut op: PayWithCoupons) -> Draft {
        op.pay.instruments = ascending(&op.pay.instruments);
        op.coupons.sort_unstable_by_key(|used| used.offer);
        self.draft(sender, Operation::PayWithCoupons(op))
    }

    /// Renews value whose expiry slides.
    pub fn touch(&self, sender: PartyId, party: PartyId, instrument: InstrumentId) -> Draft {
        self.draft(sender, Operation::Touch(Touch { party, instrument }))
    }

    /// A payment to somebody who consented in advance: the payer alone signs.
    pub fn pay_with_mandate(
        &self,
        from: PartyId,
        to: PartyId,
        legs: &[Leg],
        credit: TxId,
    ) -> Draft {
        let credit = Citation::Mandate(credit);
        let movement = Movement { credit, ..live(from, to, legs) };
        self.transfer(from, movement)
    }

    /// A payment that answers a request: the payer alone signs.
    pub fn pay_request(&self, from: PartyId, to: PartyId, legs: &[Leg], request: TxId) -> Draft {
        let movement = Movement { credit: Citation::Request, ..live(from, to, legs) };
        self.transfer(from, movement).answers(request)
    }

    /// A purchase at a shop's printed or shown code: cites what the code cites, and carries its tag in
    /// front of the reference, so that the shop finds the payment of its till in the feed.
    /// `legs` is what the payer enters; a code that names an amount wins over it.
    pub fn pay_shop(&self, from: PartyId, code: &ShopCode, legs: &[Leg]) -> Draft {
        let legs = code.leg.map_or_else(|| legs.to_vec(), |leg| vec![leg]);
        let draft = match (code.request, code.mandate) {
            (Some(request), _) => self.pay_request(from, code.merchant, &legs, request),
            (None, Some(mandate)) => self.pay_with_mandate(from, code.merchant, &legs, mandate),
            (None, None) => self.pay(from, code.merchant, &legs),
        };
        draft.purpose(Purpose::PURCHASE).reference(entropy::reference(code.tag.as_str()))
    }

    /// A purchase by a medium shown at the merchant's terminal, whose key alone signs.
    pub fn pay_by_medium(
        &self,
        holder: PartyId,
        merchant: PartyId,
        legs: &[Leg],
        (medium, mandate): (MediumId, TxId),
        credit: TxId,
    ) -> Draft {
        let movement = Movement {
            debit: Citation::Medium { medium, mandate },
            credit: Citation::Mandate(credit),
            ..live(holder, merchant, legs)
        };
        self.transfer(merchant, movement).purpose(Purpose::PURCHASE)
    }

    /// A transfer that collects consents on the ledger until `deadline`.
    pub fn propose(&self, sender: PartyId, movement: Movement, deadline: Time) -> Draft {
        let propose = Propose { movement, deadline };
        self.draft(sender, Operation::Propose(propose))
    }

    /// A group's payout as a proposal: `drafter` sends and signs, others approve, the payee consents.
    pub fn propose_payout(
        &self,
        drafter: PartyId,
        group: PartyId,
        to: PartyId,
        legs: &[Leg],
        deadline: Time,
    ) -> Draft {
        self.propose(drafter, live(group, to, legs), deadline)
    }

    /// A decision about a proposal.
    pub fn decide(&self, sender: PartyId, proposal: TxId, decision: Decision) -> Draft {
        let decide = Decide { proposal, decision };
        self.draft(sender, Operation::Decide(decide))
    }

    /// Consents to a proposal, in the side and role of the signature that follows.
    pub fn consent(&self, sender: PartyId, proposal: TxId) -> Draft {
        self.decide(sender, proposal, Decision::Consent)
    }

    /// Says no to a proposal.
    pub fn decline(&self, sender: PartyId, proposal: TxId) -> Draft {
        self.decide(sender, proposal, Decision::Decline)
    }

    /// The proposer takes a proposal back.
    pub fn withdraw(&self, sender: PartyId, proposal: TxId) -> Draft {
        self.decide(sender, proposal, Decision::Withdraw)
    }

    /// A payee's one-use consent to be paid exactly `legs`, by anyone or by `payer` alone.
    pub fn request(
        &self,
        sender: PartyId,
        payee: PartyId,
        payer: Option<PartyId>,
        legs: &[Leg],
        due: Time,
    ) -> Draft {
        let legs = ordered(legs);
        let request = RequestPayment { payee, payer, legs, tender: Vec::new(), due };
        self.draft(sender, Operation::RequestPayment(request))
    }

    /// The same for an amount that may be paid in any of `tender` together, instruments of one unit.
    pub fn request_tender(
        &self,
        sender: PartyId,
        payee: PartyId,
        payer: Option<PartyId>,
        (tender, amount): (&[InstrumentId], Amount),
        due: Time,
    ) -> Draft {
        let tender = ascending(tender);
        let legs = tender.first().map(|id| Leg { instrument: *id, amount }).into_iter().collect();
        let request = RequestPayment { payee, payer, legs, tender, due };
        self.draft(sender, Operation::RequestPayment(request))
    }

    /// Withdraws an open payment request.
    pub fn cancel_request(&self, sender: PartyId, request: TxId) -> Draft {
        self.draft(sender, Operation::CancelRequest { request })
    }

    /// Issue into a wallet; the issuer sends.
    pub fn top_up(&self, to: PartyId, amount: Amount, funding: Funding, credit: Citation) -> Draft {
        let operation = TopUp {
            allowance: funding.allowance,
            to,
            amount,
            origin: funding.origin,
            funder: funding.funder,
            campaign: funding.campaign,
            funding: funding.payment,
            credit,
        };
        self.draft(funding.issuer, Operation::TopUp(operation))
    }

    /// The payee gives (part of) a transfer back.
    pub fn refund(&self, sender: PartyId, original: TxId, legs: &[Leg]) -> Draft {
        let legs = ordered(legs);
        self.draft(sender, Operation::Refund(Refund { original, legs }))
    }

    /// The issuer undoes (part of) what it issued.
    pub fn correct(
        &self,
        sender: PartyId,
        original: TxId,
        legs: &[Leg],
        reason: CorrectionReason,
        evidence: DocumentHash,
    ) -> Draft {
        let legs = ordered(legs);
        let correct = Correct { original, legs, reason, evidence };
        self.draft(sender, Operation::Correct(correct))
    }

    /// A merchant asks its issuer to pay a claim out.
    pub fn redeem(&self, merchant: PartyId, leg: Leg, deadline: Time) -> Draft {
        let redeem = RequestRedemption { merchant, leg, deadline };
        self.draft(merchant, Operation::RequestRedemption(redeem))
    }

    /// The issuer says of lines of a settlement whether the bank paid or returned them.
    pub fn answer_settlement(
        &self,
        sender: PartyId,
        settlement: TxId,
        lines: Vec<u32>,
        answer: RedemptionAnswer,
    ) -> Draft {
        let answer = AnswerSettlement { settlement, lines, answer };
        self.draft(sender, Operation::AnswerSettlement(answer))
    }

    /// Settles merchants' claims at a cut-off; an officer of the issuer sends.
    pub fn settle(&self, sender: PartyId, mut settle: Settle) -> Draft {
        settle.lines.sort_unstable_by_key(|line| line.merchant);
        self.draft(sender, Operation::Settle(settle))
    }

    /// The issuer confirms the payout, or returns the claim.
    pub fn answer_redemption(
        &self,
        sender: PartyId,
        redemption: TxId,
        answer: RedemptionAnswer,
    ) -> Draft {
        let answer = AnswerRedemption { redemption, answer };
        self.draft(sender, Operation::AnswerRedemption(answer))
    }
}
