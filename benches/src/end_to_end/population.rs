//! Who pays whom: payers drawn evenly, payees by Zipf's law, both signatures live.

use musubi_ledger::{
    amount::Amount,
    id::ChainId,
    lot::OriginKind,
    operation::{Citation, Leg, Movement, Operation},
    transaction::Purpose,
};
use musubi_sdk::Slot;
use musubi_testnet::{
    city::{City, charge, institutions, institutions::Key, plan::Plan, setup},
    item::{Scribe, Task},
    network::now,
    random::Dice,
};

use super::Options;

/// What every payer begins with, in yen: more than anybody will spend.
const FUNDS: u64 = 50_000;
/// Most that one transfer moves.
const AMOUNT_MAX: u64 = 50;

/// A generated city and what is written for it.
pub(super) struct Population {
    city: City,
    scribe: Scribe,
    payees: Zipf,
}

impl Population {
    pub(super) fn new(options: &Options, chain: ChainId, validators: usize) -> Self {
        let size = |n: u32| usize::try_from(n).expect("a population fits memory");
        let (payers, payees) = (size(options.payers), size(options.payees));
        let plan = Plan { registrants: payers, cards: 0, merchants: payees, groups: 0 };
        Self {
            city: City::new(options.seed, plan, validators),
            scribe: Scribe::new(chain, now(), Dice::new(options.seed ^ 0xbe7c), "bench"),
            payees: Zipf::new(payees),
        }
    }

    /// Everybody is registered, then every payer gets money: two waves.
    pub(super) fn set_up(&mut self) -> Vec<Vec<Task>> {
        let (mut first, allowances) = setup::allowances(&self.city, &mut self.scribe);
        first.extend(setup::registrations(&self.city, &mut self.scribe));
        let payers = 0..self.city.plan.registrants;
        let second = payers.map(|payer| {
            let person = &self.city.persons[payer];
            let (to, paid) = ((person.party, Citation::Live), OriginKind::Paid);
            let (body, mut signers) =
                charge::top_up(&self.city, &mut self.scribe, allowances.money, to, FUNDS, paid);
            signers.push((Slot::payee(person.party), Key::clone(person.phone())));
            Task::good("top-up", body, signers)
        });
        let second = second.collect();
        vec![first, second]
    }

    /// Transfers that payer and payee sign.
    pub(super) fn transfers(&mut self, count: u32) -> Vec<Task> {
        (0..count).map(|_| self.transfer()).collect()
    }

    fn transfer(&mut self) -> Task {
        let dice = &mut self.scribe.dice;
        let payer = &self.city.persons[dice.place(self.city.plan.registrants)];
        let payee = &self.city.merchants[self.payees.draw(dice)];
        let amount = Amount(dice.between(1, AMOUNT_MAX));
        let movement = Movement {
            from: payer.party,
            to: payee.party,
            legs: vec![Leg { instrument: institutions::money(), amount }],
            debit: Citation::Live,
            credit: Citation::Live,
        };
        let mut body = self.scribe.body(payer.party, Operation::Transfer(movement));
        body.purpose = Purpose::PURCHASE;
        let signers = vec![
            (Slot::payer(payer.party), Key::clone(payer.phone())),
            (Slot::payee(payee.party), Key::clone(&payee.key)),
        ];
        Task::good("transfer", body, signers)
    }
}

/// Zipf's law with exponent 1, in integers.
struct Zipf {
    /// Sums of the weights up to and with each rank.
    sums: Vec<u64>,
}

impl Zipf {
    fn new(ranks: usize) -> Self {
        let weights = (1..=ranks as u64).map(|rank| (1 << 40) / rank);
        let add = |sum: &mut u64, weight: u64| {
            *sum += weight;
            Some(*sum)
        };
        Self { sums: weights.scan(0, add).collect() }
    }

    fn draw(&self, dice: &mut Dice) -> usize {
        let all = self.sums.last().expect("there is a payee");
        let at = dice.between(0, all - 1);
        self.sums.partition_point(|sum| *sum <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_drawn_twice_as_often_as_the_second_and_the_last_is_drawn_too() {
        let (zipf, mut dice) = (Zipf::new(50), Dice::new(1));
        let mut drawn = [0u32; 50];
        for _ in 0..100_000 {
            drawn[zipf.draw(&mut dice)] += 1;
        }
        assert!(drawn[0].abs_diff(2 * drawn[1]) < drawn[0] / 10, "{drawn:?}");
        assert!(drawn[49] > 0, "{drawn:?}");
    }
}
