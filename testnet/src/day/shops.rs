//! What shops do: ask to be paid, give back, turn their claims into money.

use musubi_ledger::{
    hash::sha256,
    id::{DocumentHash, TxId},
    operation::{
        AnswerRedemption, Citation, Operation, RedemptionAnswer, Refund, RequestPayment,
        RequestRedemption,
    },
    transaction::{Purpose, Role, Side},
};
use musubi_sdk::Slot;

use super::{Generator, Later, kinds, legs, movement};
use crate::{books::Pot, city::institutions::Key, item::Task};

const HOUR_MS: u64 = 3_600_000;

impl Generator<'_> {
    /// The amount stands on the shop's screen; two waves later somebody answers.
    pub(super) fn request(&mut self) -> Option<Task> {
        let phones = self.city.phones();
        let person = self.scribe.dice.place(phones);
        let payer = &self.city.persons[person];
        let amount = self.scribe.dice.between(200, 4_000);
        if self.books.has(payer.party, Pot::Money) < amount {
            return None;
        }
        // Set aside now, so that the money is there when the request is answered.
        self.books.take(payer.party, Pot::Money, amount);
        let merchant = self.merchant();
        let shop = &self.city.merchants[merchant];
        let operation = Operation::RequestPayment(RequestPayment {
            payee: shop.party,
            payer: None,
            legs: legs(amount, 0),
            tender: Vec::new(),
            due: self.scribe.now.plus(6 * HOUR_MS),
        });
        let mut body = self.scribe.body(shop.party, operation);
        body.purpose = Purpose::PURCHASE;
        let request = body.id();
        self.later(Later::Answer { request, merchant, person, amount });
        let signers = vec![(Slot::payee(shop.party), Key::clone(&shop.key))];
        Some(Task::good(kinds::REQUEST, body, signers))
    }

    pub(super) fn answer(
        &mut self,
        request: TxId,
        merchant: usize,
        person: usize,
        amount: u64,
    ) -> Task {
        let (payer, shop) = (&self.city.persons[person], &self.city.merchants[merchant]);
        self.books.give(shop.party, Pot::MoneyClaim, amount);
        let moved = movement(payer.party, shop.party, legs(amount, 0), Citation::Request);
        let mut body = self.scribe.body(payer.party, Operation::Transfer(moved));
        body.purpose = Purpose::PURCHASE;
        body.answers = Some(request);
        let signers = vec![(Slot::payer(payer.party), Key::clone(payer.phone()))];
        Task::good(kinds::DYNAMIC_QR, body, signers)
    }

    /// Half or all of an old purchase, out of claims that are surely still there.
    pub(super) fn refund(&mut self) -> Option<Task> {
        let at = self.settled_past()?;
        let past = self.past.get(at)?;
        let (merchant, person, paid) = (past.merchant, past.person, past.money?);
        let original = past.id;
        let shop = &self.city.merchants[merchant];
        let amount = if self.scribe.dice.hits(500) { paid } else { (paid / 2).max(1) };
        if self.books.has(shop.party, Pot::MoneyClaim) < amount {
            return None;
        }
        // Once is enough: nobody refunds or repeats this one again.
        self.past.remove(at);
        self.books.take(shop.party, Pot::MoneyClaim, amount);
        self.books.give(self.city.persons[person].party, Pot::Money, amount);
        let operation = Operation::Refund(Refund { original, legs: legs(amount, 0) });
        let body = self.scribe.body(shop.party, operation);
        let signers = vec![(Slot::payer(shop.party), Key::clone(&shop.key))];
        Some(Task::good(kinds::REFUND, body, signers))
    }

    pub(super) fn redemption(&mut self) -> Option<Task> {
        let merchant = self.merchant();
        let shop = &self.city.merchants[merchant];
        let claim = self.books.has(shop.party, Pot::MoneyClaim);
        // Something stays, for refunds.
        let amount = claim / 2;
        if amount == 0 {
            return None;
        }
        self.books.take(shop.party, Pot::MoneyClaim, amount);
        let operation = Operation::RequestRedemption(RequestRedemption {
            merchant: shop.party,
            leg: legs(amount, 0)[0],
            deadline: self.scribe.now.plus(30 * 24 * HOUR_MS),
        });
        let body = self.scribe.body(shop.party, operation);
        let redemption = body.id();
        self.later(Later::Redeemed { redemption, merchant, amount });
        let signers = vec![(Slot::payer(shop.party), Key::clone(&shop.key))];
        Some(Task::good(kinds::REDEMPTION, body, signers))
    }

    /// The bank paid; one in ten times it sent the money back (組戻し).
    pub(super) fn redeemed(&mut self, redemption: TxId, merchant: usize, amount: u64) -> Task {
        let issuer = &self.city.institutions.issuer;
        let paper = DocumentHash(sha256(&redemption.0));
        let answer = if self.scribe.dice.hits(100) {
            let shop = self.city.merchants[merchant].party;
            self.books.give(shop, Pot::MoneyClaim, amount);
            RedemptionAnswer::Returned { notice: paper }
        } else {
            RedemptionAnswer::Paid { payout: paper }
        };
        let operation = Operation::AnswerRedemption(AnswerRedemption { redemption, answer });
        let body = self.scribe.body(issuer.party, operation);
        let slot = Slot::new(Side::Credit, Role::Issuer, issuer.party);
        Task::good(kinds::REDEMPTION_ANSWER, body, vec![(slot, Key::clone(&issuer.key))])
    }
}
