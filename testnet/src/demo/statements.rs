//! Statements of some wallets over the demo's day: fetched once, verified offline, held against the books.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use musubi_ledger::{
    genesis::Genesis,
    id::PartyId,
    policy::PolicyChain,
    proof::statement::{ProvenStatement, Statement},
    time::{Day, Time},
    wallet::{Holding, LotBalance},
};
use musubi_sdk::Client;

use super::words::grouped;
use crate::{
    books::{POTS, Pot, Purse},
    city::{City, institutions},
    random::Dice,
};

/// Persons, shops and groups of the day whose statements are wanted, besides those of the story's shop and group.
const PERSONS: usize = 12;
const SHOPS: usize = 4;
const GROUPS: usize = 2;
/// Requests side by side.
const SIDE_BY_SIDE: usize = 8;

/// What became of the statements.
#[derive(Clone, Debug, Default)]
pub(super) struct Statements {
    /// How many were wanted.
    pub(super) wanted: u64,
    /// Those that verify and say what the books say.
    pub(super) proven: u64,
    /// Lines in them.
    pub(super) lines: u64,
    /// The first that is wrong.
    pub(super) wrong: Option<String>,
}

/// Whose statements: the same for the same city and seed, nobody twice, nobody whom the books do not know.
fn chosen(city: &City, books: &BTreeMap<PartyId, Purse>, seed: u64) -> Vec<PartyId> {
    let mut dice = Dice::new(seed ^ 0x57a7e);
    let mut some = |of: Vec<PartyId>, count| {
        let mut of: Vec<PartyId> = of.into_iter().filter(|p| books.contains_key(p)).collect();
        dice.shuffle(&mut of);
        of.truncate(count);
        of
    };
    let (plan, cast) = (city.plan, city.cast);
    let persons = city.persons[..plan.registrants].iter().map(|p| p.party).collect();
    let shops = city.merchants[..plan.merchants].iter().map(|m| m.party).collect();
    let groups = city.groups[..plan.groups].iter().map(|g| g.party).collect();
    let mut all = some(persons, PERSONS);
    all.extend(some(shops, SHOPS));
    all.extend(some(groups, GROUPS));
    all.extend([city.merchants[cast.shop].party, city.groups[cast.circle].party]);
    all
}

/// Fetches and verifies. The period is from the day of the genesis document on, when nobody held anything, to
/// today: midnight may have passed meanwhile.
///
/// # Errors
/// If a node does not say what day it is. What is wrong with a statement is found, not an error.
pub(super) async fn look(
    clients: &[Client],
    policies: &PolicyChain,
    (city, books): (&City, &BTreeMap<PartyId, Purse>),
    (genesis, seed): (&Genesis, u64),
) -> anyhow::Result<Statements> {
    let now = clients[0].info().await?.time;
    let days: (Day, Day) = (genesis.time.day(), now.day());
    let parties = chosen(city, books, seed);
    let mut all = Statements { wanted: parties.len() as u64, ..Statements::default() };
    let fetched = stream::iter(parties.into_iter().enumerate()).map(|(turn, party)| async move {
        (party, clients[turn % clients.len()].statement(party, days).await)
    });
    let mut fetched = fetched.buffer_unordered(SIDE_BY_SIDE);
    while let Some((party, bytes)) = fetched.next().await {
        let bytes = bytes.map_err(|error| error.to_string());
        let purse = books.get(&party).copied().unwrap_or_default();
        // From here on it is bytes and keys.
        match bytes.and_then(|bytes| check(&bytes, policies, (party, &purse), (genesis.time, now)))
        {
            Ok(lines) => {
                all.proven += 1;
                all.lines += lines;
            }
            Err(wrong) => {
                all.wrong.get_or_insert(format!("{party}: {wrong}"));
            }
        }
    }
    Ok(all)
}

/// Verifies one statement and compares it with the books; how many lines it has.
fn check(
    bytes: &[u8],
    policies: &PolicyChain,
    (party, purse): (PartyId, &Purse),
    (from, now): (Time, Time),
) -> Result<u64, String> {
    let statement = Statement::decode(bytes).map_err(|error| error.to_string())?;
    let proven = statement.verify(policies).map_err(|error| error.to_string())?;
    compare(&proven, (party, purse), (from, now))
}

fn compare(
    proven: &ProvenStatement,
    (party, purse): (PartyId, &Purse),
    (from, now): (Time, Time),
) -> Result<u64, String> {
    if proven.party != party {
        return Err(format!("the statement of {}", proven.party));
    }
    if proven.from > from || proven.proven_until <= now {
        return Err(format!("proven from {} until {} only", proven.from, proven.proven_until));
    }
    // Nothing before the day: then all that is held, the lines brought.
    if proven.opening_seal.is_some() || !proven.opening.is_empty() {
        return Err("it begins with something before the first day".into());
    }
    let mut brought = Counted::default();
    for posting in proven.lines.iter().flat_map(|line| line.postings(&party)) {
        brought.add(&posting.lot.instrument, posting.holding, posting.signed());
    }
    let mut held = Counted::default();
    for LotBalance { lot, spendable, held: waits, claim, since: _ } in &proven.closing {
        for (holding, amount) in
            [(Holding::Spendable, spendable), (Holding::Held, waits), (Holding::Claim, claim)]
        {
            held.add(&lot.instrument, holding, i128::from(amount.0));
        }
    }
    let books = Counted { purse: purse.map(i128::from), other: 0 };
    if brought != books {
        return Err(format!("its lines come to {:?}, the books to {purse:?}", brought.purse));
    }
    if held != books {
        return Err(format!("it closes with {:?}, the books with {purse:?}", held.purse));
    }
    Ok(proven.lines.len() as u64)
}

/// Sums as the books count them.
#[derive(Default, Debug, PartialEq, Eq)]
struct Counted {
    purse: [i128; POTS],
    /// In pots that the books do not have.
    other: i128,
}

impl Counted {
    fn add(
        &mut self,
        instrument: &musubi_ledger::id::InstrumentId,
        holding: Holding,
        amount: i128,
    ) {
        let (money, points) =
            (*instrument == institutions::money(), *instrument == institutions::points());
        let pot = match holding {
            Holding::Spendable if money => Pot::Money,
            Holding::Claim if money => Pot::MoneyClaim,
            Holding::Held if money => Pot::MoneyHeld,
            Holding::Spendable if points => Pot::Points,
            Holding::Claim if points => Pot::PointClaim,
            _ => {
                self.other += amount.abs();
                return;
            }
        };
        self.purse[pot as usize] += amount;
    }
}

impl Statements {
    /// In words.
    pub(super) fn words(&self) -> String {
        let (all, lines) = (grouped(self.proven), grouped(self.lines));
        format!("{all} wallets' days, {lines} lines, no leaf left out, sums as in the books")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::city::plan::Plan;

    #[test]
    fn some_of_everybody_is_chosen_once_and_by_seed() {
        let city = City::new(5, Plan::for_payments(400), 3);
        let persons = city.persons.iter().map(|p| p.party);
        let shops = city.merchants.iter().map(|m| m.party);
        let groups = city.groups.iter().map(|g| g.party);
        let all: Vec<PartyId> = persons.chain(shops).chain(groups).collect();
        let books: BTreeMap<PartyId, Purse> = all.iter().map(|p| (*p, [0; POTS])).collect();
        let mut one = chosen(&city, &books, 1);
        assert_eq!(one, chosen(&city, &books, 1));
        assert_ne!(one, chosen(&city, &books, 2));
        assert_eq!(one.len(), PERSONS + SHOPS + GROUPS + 2);
        one.sort_unstable();
        one.dedup();
        assert_eq!(one.len(), PERSONS + SHOPS + GROUPS + 2, "nobody twice");
    }

    #[test]
    fn pots_of_instruments_and_holdings() {
        let mut counted = Counted::default();
        counted.add(&institutions::money(), Holding::Claim, 7);
        counted.add(&institutions::points(), Holding::Spendable, -3);
        assert_eq!(counted, Counted { purse: [0, -3, 7, 0, 0], other: 0 });
        // What the books know nothing of is never nothing.
        counted.add(&institutions::points(), Holding::Held, 1);
        counted.add(&institutions::points(), Holding::Held, -1);
        assert_eq!(counted.other, 2);
    }
}
