//! What groups do: pay out, on the word of a drafter and of another person who approves.

use musubi_ledger::{
    id::{PartyId, TxId},
    operation::{Citation, Decide, Decision, Operation, Propose},
    transaction::Purpose,
};
use musubi_sdk::Slot;

use super::{Generator, Later, kinds, legs, movement};
use crate::{books::Pot, city::institutions::Key, item::Task};

const HOUR_MS: u64 = 3_600_000;

impl Generator<'_> {
    /// A group that can pay, a person whom it can pay, and how much; taken out of its purse.
    fn payout_of(&mut self) -> Option<(usize, usize, u64)> {
        let group = self.scribe.dice.place(self.city.plan.groups);
        let purse = self.books.has(self.city.groups[group].party, Pot::Money);
        if purse < 1_000 {
            return None;
        }
        let person = self.scribe.dice.place(self.city.phones());
        // The payee never approves.
        if person == self.city.groups[group].approver {
            return None;
        }
        let amount = self.scribe.dice.between(1_000, purse.min(8_000));
        self.books.take(self.city.groups[group].party, Pot::Money, amount);
        Some((group, person, amount))
    }

    /// Both are in the same room: one transaction with both signatures.
    pub(super) fn payout(&mut self) -> Option<Task> {
        let (group, person, amount) = self.payout_of()?;
        let (group, payee) = (&self.city.groups[group], &self.city.persons[person]);
        self.books.give(payee.party, Pot::Money, amount);
        let treasurer = &self.city.persons[group.treasurer];
        let approver = &self.city.persons[group.approver];
        let credit = Citation::Mandate(payee.acceptance);
        let moved = movement(group.party, payee.party, legs(amount, 0), credit);
        let mut body = self.scribe.body(treasurer.party, Operation::Transfer(moved));
        body.purpose = Purpose::EXPENSE;
        let signers = vec![
            (Slot::drafter(group.party), Key::clone(treasurer.phone())),
            (Slot::approver(group.party), Key::clone(approver.phone())),
        ];
        Some(Task::good(kinds::PAYOUT, body, signers))
    }

    pub(super) fn proposal(&mut self) -> Option<Task> {
        let (at, person, amount) = self.payout_of()?;
        let (group, payee) = (&self.city.groups[at], &self.city.persons[person]);
        let treasurer = &self.city.persons[group.treasurer];
        let credit = Citation::Mandate(payee.acceptance);
        let operation = Operation::Propose(Propose {
            movement: movement(group.party, payee.party, legs(amount, 0), credit),
            deadline: self.scribe.now.plus(24 * HOUR_MS),
        });
        let mut body = self.scribe.body(treasurer.party, operation);
        body.purpose = Purpose::REWARD;
        let proposal = body.id();
        self.later(Later::Approve { proposal, group: at, payee: payee.party, amount });
        let signers = vec![(Slot::drafter(group.party), Key::clone(treasurer.phone()))];
        Some(Task::good(kinds::PROPOSAL, body, signers))
    }

    /// The approver's consent completes the payout.
    pub(super) fn approve(
        &mut self,
        proposal: TxId,
        group: usize,
        payee: PartyId,
        amount: u64,
    ) -> Task {
        self.books.give(payee, Pot::Money, amount);
        let group = &self.city.groups[group];
        let approver = &self.city.persons[group.approver];
        let decide = Decide { proposal, decision: Decision::Consent };
        let body = self.scribe.body(approver.party, Operation::Decide(decide));
        let signers = vec![(Slot::approver(group.party), Key::clone(approver.phone()))];
        Task::good(kinds::APPROVAL, body, signers)
    }
}
