//! Transfers and top-ups, undoing them, redeeming what they left.

use super::*;

impl Generator {
    pub(super) fn movement(
        &self,
        step: &Step,
        from: &'static str,
        to: &'static str,
        legs: Vec<Leg>,
    ) -> (Movement, Vec<By>, Option<TxId>) {
        let mut m = Movement { legs, ..movement(from, to, 1) };
        let mut signers = gives(from, step[5]);
        let mut answers = None;
        let fits = |wanted, party: &str| {
            let good = self.mandates.iter().filter(|g| g.2 == wanted && g.1 == party);
            let good: Vec<TxId> = good.map(|g| g.0).collect();
            pick(&good, step[3]).or(pick(&self.mandates, step[3]).map(|g| g.0))
        };
        match (step[5] / 4 % 6, pick(&self.moves, 0)) {
            (0 | 1, _) => {
                if let Some(cited) = fits(Direction::Credit, to) {
                    m.credit = Citation::Mandate(cited);
                    return (m, signers, None);
                }
            }
            (2, _) => {
                if let Some(cited) = fits(Direction::Debit, from) {
                    m.debit = Citation::Mandate(cited);
                    let staff = ["eve", "frank", "bob"][usize::from(step[4] % 3)];
                    signers = vec![debit(staff)];
                    if let (0, Some(accepts)) = (step[4] % 4, fits(Direction::Credit, to)) {
                        m.credit = Citation::Mandate(accepts);
                        return (m, signers, None);
                    }
                }
            }
            (3, _) => {
                let at = usize::from(step[3]) % self.requests.len().max(1);
                if let Some((asked, request)) = self.requests.get(at) {
                    m.credit = Citation::Request;
                    if !step[4].is_multiple_of(5) {
                        m.legs.clone_from(&request.legs);
                        m.to = request.payee;
                    }
                    answers = (!step[4].is_multiple_of(9)).then_some(*asked);
                    return (m, signers, answers);
                }
            }
            _ => {}
        }
        signers.push(takes(to));
        (m, signers, answers)
    }

    pub(super) fn transfer(
        &self,
        step: &Step,
        from: &'static str,
        to: &'static str,
        legs: Vec<Leg>,
    ) -> Made {
        let (movement, signers, answers) = self.movement(step, from, to, legs);
        (Operation::Transfer(movement), signers, answers)
    }

    /// The same in whatever of some instruments there is.
    pub(super) fn pay(
        &self,
        step: &Step,
        from: &'static str,
        to: &'static str,
        amount: u64,
    ) -> Made {
        let (m, signers, answers) = self.movement(step, from, to, legs(&[("MEBUKU", amount)]));
        let tenders: [&[&str]; 5] = [
            &["MEBUKU", "POINT"],
            &["COIN", "GIFT", "MEBUKU", "POINT"],
            &["GIFT", "VOUCHER"],
            &["POINT", "MEBUKU"],
            &["MEBUKU"],
        ];
        let named = pick(&tenders, step[6] / 8).unwrap().iter().map(|name| instrument(name));
        let asked = m.legs[0].amount;
        let Movement { from, to, debit, credit, .. } = m;
        let op = Pay { from, to, instruments: named.collect(), amount: asked, debit, credit };
        (Operation::Pay(op), signers, answers)
    }

    pub(super) fn top_up(
        &mut self,
        world: &World,
        step: &Step,
        to: &'static str,
        money: &'static str,
        amount: u64,
    ) -> Made {
        self.fundings += u32::from(!step[5].is_multiple_of(8));
        let funding = format!("bank {}", self.fundings);
        let allowance = self.allowance_of(world, step, money);
        let mut op = top_up(allowance, to, amount, &funding);
        let mut signers = vec![issues(), takes(to)];
        if step[5].is_multiple_of(3) {
            op.origin = OriginKind::Free;
            op.campaign = u32::from(step[4] % 3);
            op.funder = id("eve");
            signers.push(funds("eve"));
        }
        if let (0, Some((cited, ..))) = (step[5] % 5, pick(&self.mandates, step[3])) {
            op.credit = Citation::Mandate(cited);
            signers.remove(1);
        }
        (Operation::TopUp(op), signers, None)
    }

    pub(super) fn undo(&self, step: &Step, legs: Vec<Leg>) -> Made {
        let (original, payee) = pick(&self.moves, step[1]).unwrap_or((TxId([0; 32]), "shop"));
        let signers = gives(payee, step[5]);
        (Operation::Refund(Refund { original, legs }), signers, None)
    }

    pub(super) fn redemption(
        &self,
        world: &World,
        step: &Step,
        amount: u64,
        money: &'static str,
    ) -> Made {
        if let (0 | 1, Some(redemption)) = (step[5] % 4, pick(&self.redemptions, step[1])) {
            let answer = match step[5] % 8 < 4 {
                true => RedemptionAnswer::Paid { payout: document("p") },
                false => RedemptionAnswer::Returned { notice: document("n") },
            };
            let op = AnswerRedemption { redemption, answer };
            return (Operation::AnswerRedemption(op), vec![settles()], None);
        }
        let merchant = pick(&["shop", "mart", "shop", "alice"], step[2]).unwrap();
        let days = [6, 8, 30, 91][usize::from(step[1] % 4)];
        let leg = legs(&[(money, amount)])[0];
        let op =
            RequestRedemption { merchant: id(merchant), leg, deadline: world.now.plus(days * DAY) };
        (Operation::RequestRedemption(op), vec![debit(merchant)], None)
    }
}
