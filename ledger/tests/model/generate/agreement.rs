//! What is agreed before value moves: decisions on proposals, payment requests, mandates.

use super::*;

impl Generator {
    pub(super) fn decide(&self, step: &Step) -> Made {
        let latest = self.proposals.len().saturating_sub(3);
        let proposal = pick(&self.proposals[latest..], step[1]).unwrap_or(TxId([0; 32]));
        let decision = match step[3] % 12 {
            0 => Decision::Decline,
            1 => Decision::Withdraw,
            _ => Decision::Consent,
        };
        let person = pick(&PERSONS, step[2]).unwrap();
        let party = pick(&PARTIES, step[2]).unwrap();
        let signer = match step[4] % 8 {
            0..=2 => approves("club", person),
            3 => drafts("club", person),
            4 => receives("club", person),
            5 => debit(party),
            _ => credit(party),
        };
        (decide(proposal, decision), vec![signer], None)
    }

    pub(super) fn ask(
        &self,
        world: &World,
        step: &Step,
        payee: &'static str,
        legs: Vec<Leg>,
    ) -> Made {
        if let (0, Some((request, asked))) = (step[5] % 5, self.requests.last()) {
            let signer = decides(name_of(asked.payee));
            return (Operation::CancelRequest { request: *request }, vec![signer], None);
        }
        let days = [0, 1, 5, 89, 91][usize::from(step[5] % 5)];
        let payer = pick(&PARTIES, step[1]).filter(|_| step[5].is_multiple_of(2));
        let mut tender = Vec::new();
        if let ([leg], 0) = (legs.as_slice(), step[6] % 3) {
            tender = vec![leg.instrument, instrument("POINT")];
            tender.sort();
            tender.dedup();
        }
        let op = RequestPayment {
            payee: id(payee),
            payer: payer.map(id),
            legs,
            tender,
            due: world.now.plus(days * DAY),
        };
        (Operation::RequestPayment(op), vec![takes(payee)], None)
    }

    pub(super) fn mandate(&self, world: &World, step: &Step, grantor: &'static str) -> Made {
        if let (0, Some((cited, by, _))) = (step[5] % 8, pick(&self.mandates, step[2])) {
            return (Operation::RevokeMandate { mandate: cited }, vec![decides(by)], None);
        }
        let bit = |n: u16| step[4] & n != 0;
        let direction = if bit(1) { Direction::Debit } else { Direction::Credit };
        let per_use = pick(&[50, 500, 20_000, 300_000], step[3]).unwrap();
        let mut terms = terms(direction, per_use);
        terms.instruments = vec![instrument("COIN"), instrument("MEBUKU"), instrument("POINT")];
        terms.counterparty = match step[2] % 5 {
            0 => Counterparty::Party(id(pick(&PARTIES, step[3]).unwrap())),
            1 => Counterparty::Kind(PartyKind::Merchant),
            2 => residents(),
            _ => Counterparty::Any,
        };
        terms.purpose = bit(2).then_some(Purpose::DUES);
        terms.per_day = bit(4).then_some(Amount(per_use));
        terms.per_counterparty = bit(8).then_some(Amount(2 * per_use));
        terms.total = (bit(16) || grantor == "club").then_some(Amount(3 * per_use));
        terms.uses = bit(32).then_some(2);
        if bit(64) {
            terms.staff = ids(&["eve", "frank"]);
        }
        terms.until = (bit(128) || !step[5].is_multiple_of(16)).then_some(world.now.plus(4 * DAY));
        let signers = match direction {
            Direction::Debit => gives(grantor, step[5]),
            Direction::Credit => vec![takes(grantor)],
        };
        (mandate(grantor, terms), signers, None)
    }
}
