//! What persons do: buy, give, pay dues, get money and points.

use musubi_ledger::{
    id::TxId,
    lot::OriginKind,
    operation::{Citation, Movement, Operation},
    transaction::Purpose,
};
use musubi_sdk::Slot;

use super::{Generator, Past, kinds, legs, movement};
use crate::{
    books::Pot,
    city::{
        charge,
        institutions::Key,
        setup::{CARD_PER_DAY, CARD_PER_USE},
    },
    item::Task,
};

/// Above this, nobody is topped up: keeps every purse far below an overspend.
const PURSE_FULL: u64 = 60_000;
/// Draws before one gives up to find somebody with money.
const DRAWS: usize = 8;

impl Generator<'_> {
    /// Somebody with a phone who can pay something, and how much of the purse it will be.
    fn payer(&mut self, least: u64, most: u64) -> Option<(usize, u64)> {
        let phones = self.city.phones();
        (0..DRAWS).find_map(|_| {
            let person = self.scribe.dice.place(phones);
            let purse = self.books.has(self.city.persons[person].party, Pot::Money);
            (purse >= least).then(|| (person, self.scribe.dice.between(least, most.min(purse))))
        })
    }

    pub(super) fn merchant(&mut self) -> usize {
        // A few shops are busy, most are not.
        let shops = self.city.plan.merchants;
        let (one, two) = (self.scribe.dice.place(shops), self.scribe.dice.place(shops));
        one.min(two)
    }

    /// A purchase in money, one in ten with points too.
    fn purchase(&mut self, credit: impl Fn(TxId) -> Citation) -> Option<(Movement, Past)> {
        let (person, money) = self.payer(100, 6_000)?;
        let merchant = self.merchant();
        let (payer, shop) = (&self.city.persons[person], &self.city.merchants[merchant]);
        let points = self.books.has(payer.party, Pot::Points);
        let points = if self.scribe.dice.hits(100) { points } else { 0 };
        self.books.take(payer.party, Pot::Money, money);
        self.books.take(payer.party, Pot::Points, points);
        self.books.give(shop.party, Pot::MoneyClaim, money);
        self.books.give(shop.party, Pot::PointClaim, points);
        let moved = movement(payer.party, shop.party, legs(money, points), credit(shop.code));
        let past = Past {
            id: TxId([0; 32]),
            at: (0, 0),
            sender: payer.party,
            reference: "x".parse().ok()?,
            merchant,
            person,
            money: (points == 0).then_some(money),
        };
        Some((moved, past))
    }

    pub(super) fn purchase_static_qr(&mut self) -> Option<(Task, Option<Past>)> {
        let (moved, past) = self.purchase(Citation::Mandate)?;
        let payer = &self.city.persons[past.person];
        let mut body = self.scribe.body(payer.party, Operation::Transfer(moved));
        body.purpose = Purpose::PURCHASE;
        let past = Past { id: body.id(), reference: body.reference.clone(), ..past };
        let signers = vec![(Slot::payer(payer.party), Key::clone(payer.phone()))];
        Some((Task::good(kinds::STATIC_QR, body, signers), Some(past)))
    }

    pub(super) fn purchase_live(&mut self) -> Option<(Task, Option<Past>)> {
        let (moved, past) = self.purchase(|_| Citation::Live)?;
        let payer = &self.city.persons[past.person];
        let shop = &self.city.merchants[past.merchant];
        let mut body = self.scribe.body(payer.party, Operation::Transfer(moved));
        body.purpose = Purpose::PURCHASE;
        let past = Past { id: body.id(), reference: body.reference.clone(), ..past };
        let signers = vec![
            (Slot::payer(payer.party), Key::clone(payer.phone())),
            (Slot::payee(shop.party), Key::clone(&shop.key)),
        ];
        Some((Task::good(kinds::LIVE, body, signers), Some(past)))
    }

    /// The card is shown, the terminal signs; nobody's phone has a part in it.
    pub(super) fn purchase_card(&mut self) -> Option<Task> {
        let phones = self.city.phones();
        let cards = self.city.plan.registrants - phones;
        let person = phones + self.scribe.dice.place(cards);
        let holder = &self.city.persons[person];
        let spent = self.card_spent.get(&person).copied().unwrap_or_default();
        let most = self.books.has(holder.party, Pot::Money);
        let most = most.min(CARD_PER_USE / 4).min(CARD_PER_DAY - spent);
        if most < 100 {
            return None;
        }
        let amount = self.scribe.dice.between(100, most);
        let merchant = self.merchant();
        let shop = &self.city.merchants[merchant];
        let card = holder.card?;
        let moved = Movement {
            debit: Citation::Medium { medium: card.medium, mandate: card.debit },
            ..movement(holder.party, shop.party, legs(amount, 0), Citation::Mandate(shop.code))
        };
        self.card_spent.insert(person, spent + amount);
        self.books.take(holder.party, Pot::Money, amount);
        self.books.give(shop.party, Pot::MoneyClaim, amount);
        let mut body = self.scribe.body(shop.party, Operation::Transfer(moved));
        body.purpose = Purpose::PURCHASE;
        let signers = vec![(Slot::terminal(shop.party), Key::clone(&shop.key))];
        Some(Task::good(kinds::CARD, body, signers))
    }

    pub(super) fn top_up(&mut self) -> Option<Task> {
        let registrants = self.city.plan.registrants;
        let start = self.scribe.dice.place(registrants);
        // Round the city from a random door: the first whose purse is not full.
        let mut doors = (0..registrants).map(|step| (start + step) % registrants);
        let person = doors
            .find(|&at| self.books.has(self.city.persons[at].party, Pot::Money) < PURSE_FULL)?;
        let amount = 1_000 * self.scribe.dice.between(1, 10);
        let person = &self.city.persons[person];
        self.books.give(person.party, Pot::Money, amount);
        let to = (person.party, Citation::Mandate(person.acceptance));
        let allowance = self.allowances.money;
        let paid = OriginKind::Paid;
        let made = charge::top_up(self.city, &mut self.scribe, allowance, to, amount, paid);
        Some(Task::good(kinds::TOP_UP, made.0, made.1))
    }

    pub(super) fn reward(&mut self) -> Option<Task> {
        let person = self.scribe.dice.place(self.city.plan.registrants);
        let person = &self.city.persons[person];
        let amount = 10 * self.scribe.dice.between(1, 30);
        self.books.give(person.party, Pot::Points, amount);
        let to = (person.party, Citation::Mandate(person.acceptance));
        let allowance = self.allowances.points;
        let free = OriginKind::Free;
        let mut made = charge::top_up(self.city, &mut self.scribe, allowance, to, amount, free);
        made.0.purpose = Purpose::REWARD;
        Some(Task::good(kinds::REWARD, made.0, made.1))
    }

    pub(super) fn gift(&mut self) -> Option<Task> {
        let (person, amount) = self.payer(500, 3_000)?;
        let other = (person + 1) % self.city.phones();
        let (from, to) = (&self.city.persons[person], &self.city.persons[other]);
        self.books.take(from.party, Pot::Money, amount);
        self.books.give(to.party, Pot::Money, amount);
        let moved = movement(from.party, to.party, legs(amount, 0), Citation::Live);
        let body = self.scribe.body(from.party, Operation::Transfer(moved));
        let signers = vec![
            (Slot::payer(from.party), Key::clone(from.phone())),
            (Slot::payee(to.party), Key::clone(to.phone())),
        ];
        Some(Task::good(kinds::GIFT, body, signers))
    }

    /// A member pays their dues, one in five by somebody else (the husband pays the wife's).
    pub(super) fn dues(&mut self) -> Option<Task> {
        let group = &self.city.groups[self.scribe.dice.place(self.city.plan.groups)];
        let (member, line) = group.members[self.scribe.dice.place(group.members.len())];
        let for_another = self.scribe.dice.hits(200);
        let payer = if for_another { (member + 1) % self.city.phones() } else { member };
        let person = &self.city.persons[payer];
        let amount = 500 * self.scribe.dice.between(1, 4);
        if self.books.has(person.party, Pot::Money) < amount {
            return None;
        }
        self.books.take(person.party, Pot::Money, amount);
        self.books.give(group.party, Pot::Money, amount);
        let credit = Citation::Mandate(group.acceptance);
        let moved = movement(person.party, group.party, legs(amount, 0), credit);
        let mut body = self.scribe.body(person.party, Operation::Transfer(moved));
        body.purpose = Purpose::DUES;
        body.on_behalf_of = for_another.then_some(line);
        let signers = vec![(Slot::payer(person.party), Key::clone(person.phone()))];
        let kind = if for_another { kinds::DUES_FOR_ANOTHER } else { kinds::DUES };
        Some(Task::good(kind, body, signers))
    }
}
