//! What the cast holds when all ten lines are told.

use std::collections::BTreeMap;

use musubi_ledger::id::PartyId;

use crate::{
    books::{POTS, Pot, Purse},
    city::City,
};

/// The cast's purses at the end, added up from the lines as they are told: everybody began with nothing.
#[must_use]
pub(in crate::demo) fn purses(city: &City) -> BTreeMap<PartyId, Purse> {
    let cast = city.cast;
    let (shop, circle) = (&city.merchants[cast.shop], &city.groups[cast.circle]);
    let person = |at: usize| city.persons[at].party;
    let spendable = [
        // Charged; bread, Taro's dues; something of the bread back.
        (person(cast.hanako), 10_000 - 1_280 - 2_000 + 280),
        // Charged; the first purchase with the new key.
        (person(cast.taro), 3_000 - 500),
        // Charged; the card's purchase.
        (person(cast.ume), 5_000 - 640),
        (person(cast.coach), 1_500),
        (person(cast.treasurer), 0),
        (person(cast.approver), 0),
        // Dues; the payout.
        (circle.party, 2_000 - 1_500),
        // All that it was paid is redeemed.
        (shop.party, 0),
    ];
    let purse = |amount| {
        let mut purse = [0; POTS];
        purse[Pot::Money as usize] = amount;
        purse
    };
    spendable.into_iter().map(|(party, amount)| (party, purse(amount))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city::plan::Plan;

    #[test]
    fn nobody_of_the_cast_is_left_out() {
        let city = City::new(5, Plan::for_payments(400), 3);
        let plan = city.plan;
        let persons = city.persons[plan.registrants..].iter().map(|p| p.party);
        let merchants = city.merchants[plan.merchants..].iter().map(|m| m.party);
        let groups = city.groups[plan.groups..].iter().map(|g| g.party);
        let cast: Vec<PartyId> = persons.chain(merchants).chain(groups).collect();
        let purses = purses(&city);
        assert_eq!(purses.len(), cast.len());
        assert!(cast.iter().all(|party| purses.contains_key(party)));
        // Charged in all, less what was redeemed.
        let money: u64 = purses.values().map(|purse| purse[Pot::Money as usize]).sum();
        assert_eq!(money, 18_000 - (1_280 + 640 - 280 + 500));
    }
}
