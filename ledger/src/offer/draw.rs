//! Lotteries: who wins is fixed by a seed that was committed to before anybody applied, and by all applications.
//!
//! The offer holds the SHA-256 of a seed. While the list is open, every application is chained into the list's hash. After
//! it has closed the seed is shown. An application's rank is SHA-256(seed ‖ list ‖ application): the issuer could not know it
//! before the list had closed, and nobody else before the seed was shown. The smaller (tier, rank, application) goes first. So
//! anybody can replay a draw from the log: [`winners`] is all of it.

use serde::{Deserialize, Serialize};

use crate::{
    hash::{Hash, sha256, tagged},
    id::{DocumentHash, Seed, TxId},
    limits,
    party::Party,
    predicate::Predicate,
    time::Time,
};

/// How winners are drawn.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lottery {
    /// SHA-256 of the seed's 32 bytes.
    pub commitment: DocumentHash,
    /// Applications are taken until then, exclusive.
    pub closes: Time,
    /// The seed is shown from the closing until then, exclusive; otherwise nobody wins.
    pub reveal_until: Time,
    /// Whose applications go first, at most four: the first that holds is an application's tier.
    pub tiers: Vec<Predicate>,
}

impl Lottery {
    pub(super) fn well_formed(&self, from: Time, until: Time) -> bool {
        from < self.closes
            && self.closes < self.reveal_until
            && self.reveal_until <= until
            && self.tiers.len() <= limits::LOTTERY_TIERS_MAX
            && self.tiers.iter().all(Predicate::well_formed)
    }

    /// The tier of a party that applies at `now`; who is in none comes last.
    ///
    /// # Panics
    /// Never: there are at most four tiers.
    #[must_use]
    pub fn tier(&self, party: &Party, now: Time) -> u8 {
        let found = self.tiers.iter().position(|tier| tier.holds(party, now));
        u8::try_from(found.unwrap_or(self.tiers.len())).expect("tiers are few")
    }
}

/// What a draw sees of an entitlement that is an application.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Application {
    /// Its tier, when it was made.
    pub tier: u8,
    /// The application before it, if it is not the first.
    pub before: Option<TxId>,
}

/// An application's place: the smaller goes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Place {
    /// Its tier.
    pub tier: u8,
    /// Its rank there.
    #[serde(with = "crate::bytes::digest")]
    pub rank: Hash,
    /// The application, should two ranks ever be equal.
    pub application: TxId,
}

impl Place {
    /// The place that a seed and the whole list give to an application.
    #[must_use]
    pub fn of(seed: &Seed, list: &Hash, tier: u8, application: TxId) -> Self {
        let rank = sha256(&[&seed.0[..], list, &application.0].concat());
        Self { tier, rank, application }
    }
}

/// The hash of a list that goes on with an application.
#[must_use]
pub fn list_with(list: &Hash, application: &TxId) -> Hash {
    tagged("musubi/v1/applications", &[list, &application.0])
}

/// What a seed is committed to by.
#[must_use]
pub fn commitment(seed: &Seed) -> DocumentHash {
    DocumentHash(sha256(&seed.0))
}

/// Where a lottery stands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Draw {
    /// How many applied.
    pub applications: u32,
    /// For how many units together.
    pub units: u64,
    /// The newest application: each knows the one before it.
    pub newest: Option<TxId>,
    /// The hash of the list: of its applications one after the other, 32 zero bytes to begin with.
    #[serde(with = "crate::bytes::digest")]
    pub list: Hash,
    /// The seed, once it is shown.
    pub seed: Option<Seed>,
    /// A count that has begun.
    pub count: Option<Count>,
    /// Who has won.
    pub result: Option<Won>,
}

/// A count of what goes before an application: whether it takes the last place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Count {
    /// Which one.
    pub last: TxId,
    /// The next application to look at, from the newest to the first.
    pub next: TxId,
    /// Units that go before, so far.
    pub before: u64,
}

/// Who has won.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Won {
    /// Everybody: there is enough.
    All,
    /// Those up to a place.
    UpTo(Last),
}

/// The last place that wins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Last {
    /// Whose.
    pub place: Place,
    /// How many units are left for it.
    pub units: u32,
}

impl Won {
    /// How many of its units an application has won.
    #[must_use]
    pub fn units(&self, place: &Place, units: u32) -> u32 {
        match self {
            Self::All => units,
            Self::UpTo(last) if *place < last.place => units,
            Self::UpTo(last) if *place == last.place => last.units,
            Self::UpTo(_) => 0,
        }
    }
}

/// Replays a draw: all applications in the order in which they were made, each with its tier and units. The result, and each
/// application's place with what it has won, the first place first.
#[must_use]
pub fn winners(
    seed: &Seed,
    applications: &[(TxId, u8, u32)],
    stock: u32,
) -> (Won, Vec<(Place, u32)>) {
    let list = applications.iter().fold([0; 32], |list, (id, ..)| list_with(&list, id));
    let place = |(id, tier, units): &(TxId, u8, u32)| (Place::of(seed, &list, *tier, *id), *units);
    let mut places: Vec<(Place, u32)> = applications.iter().map(place).collect();
    places.sort_unstable();
    let (mut left, mut won) = (stock, Won::All);
    for (place, units) in &mut places {
        let wanted = *units;
        *units = wanted.min(left);
        left = left.saturating_sub(wanted);
        if left == 0 && won == Won::All && *units > 0 {
            won = Won::UpTo(Last { place: *place, units: *units });
        }
    }
    let all: u64 = applications.iter().map(|(.., units)| u64::from(*units)).sum();
    (if all <= u64::from(stock) { Won::All } else { won }, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applications(count: u8) -> Vec<(TxId, u8, u32)> {
        (0..count).map(|n| (TxId([n; 32]), n % 2, 1 + u32::from(n % 3))).collect()
    }

    #[test]
    fn tiers_go_first_the_last_gets_what_is_left_and_no_more_is_won_than_there_is() {
        let all = applications(30);
        let wanted: u32 = all.iter().map(|(.., units)| units).sum();
        for stock in 1..wanted + 5 {
            let (won, places) = winners(&Seed([7; 32]), &all, stock);
            assert!(places.windows(2).all(|pair| pair[0].0 < pair[1].0));
            assert_eq!(places.iter().map(|(_, units)| units).sum::<u32>(), stock.min(wanted));
            for (place, units) in &places {
                let asked = all.iter().find(|(id, ..)| *id == place.application);
                assert_eq!(asked.map(|(.., asked)| won.units(place, *asked)), Some(*units));
            }
        }
    }

    #[test]
    fn another_seed_or_one_more_application_is_another_draw() {
        let order = |seed, count| {
            let (_, places) = winners(&Seed([seed; 32]), &applications(count), 5);
            places.iter().map(|(place, _)| place.application).collect::<Vec<_>>()
        };
        assert_ne!(order(7, 30), order(8, 30));
        let without: Vec<_> = order(7, 31).into_iter().filter(|id| id.0[0] != 30).collect();
        assert_ne!(order(7, 30), without);
    }
}
