//! What took effect, to be referred to.

use super::*;

impl Generator {
    /// Remembers what took effect, to refer to it.
    pub(crate) fn learn(&mut self, transactions: &[Transaction], world: &World) {
        let results: &[ItemResult] = &world.last.items;
        for (tx, result) in transactions.iter().zip(results) {
            if result.code != Code::Applied {
                continue;
            }
            let id = result.id;
            match &tx.body.operation {
                Operation::Transfer(m) => self.moves.push((id, name_of(m.to))),
                Operation::Pay(op) => self.moves.push((id, name_of(op.to))),
                Operation::TopUp(op) => {
                    self.moves.push((id, name_of(op.to)));
                    let granted = self.allowances.iter().find(|found| found.0 == op.allowance);
                    let first = world.allowances.iter().find(|found| *found.1 == op.allowance);
                    if let Some(of) = granted.map(|g| g.1).or(first.map(|f| *f.0)) {
                        self.issued.push((id, of, op.amount.0));
                    }
                }
                Operation::EnrolMedium(op) => {
                    let card = medium::card(op, id);
                    self.cards.push(card);
                    if op.credit.is_some() {
                        let accepts = musubi_ledger::state::derived_id(&id, 1);
                        self.mandates.push((accepts, card.1, Direction::Credit));
                    }
                }
                Operation::GrantAllowance(op) => {
                    let mut known = MONEY.into_iter();
                    if let Some(of) = known.find(|of| instrument(of) == op.instrument) {
                        self.allowances.push((id, of));
                    }
                }
                Operation::Propose(op) => {
                    self.proposals.push(id);
                    self.moves.push((id, name_of(op.movement.to)));
                }
                Operation::RequestPayment(op) => self.requests.push((id, op.clone())),
                Operation::PutOffer(_) => self.offers.push(id),
                Operation::Apply(_) => self.applications.push(id),
                Operation::PayWithCoupons(op) => self.moves.push((id, name_of(op.pay.to))),
                Operation::Take(op) => self.moves.push((id, name_of(op.to))),
                Operation::Hold(op) => self.holds.push((id, op.to)),
                Operation::RequestMany(op) => self.learn_dues(op, id),
                Operation::Settle(op) => {
                    self.settlements.push((id, u32::try_from(op.lines.len()).unwrap()));
                }
                Operation::RequestRedemption(_) => self.redemptions.push(id),
                Operation::GrantMandate(op) => {
                    self.mandates.push((id, name_of(op.grantor), op.terms.direction));
                }
                Operation::OpenRun(op) => self.runs.push((id, super::run::list_of(&op.root))),
                _ => {}
            }
        }
    }
}
