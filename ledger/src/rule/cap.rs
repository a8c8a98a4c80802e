//! How much and how often a rule gives: caps by event, payer, household, payee and in all, in calendar periods.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    hash::tagged,
    id::PartyId,
    party::Party,
    time::{Day, Time},
};

/// The attribute whose value says which parties are one household.
pub const HOUSEHOLD: &str = "household";

/// What a cap counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapOf {
    /// What was given.
    Given,
    /// How often something was given.
    Times,
}

/// Whom a cap is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Scope {
    /// One event alone.
    Event = 0,
    /// Each payer.
    Payer = 1,
    /// Each payer's household; a payer without one is one.
    Household = 2,
    /// Each payee.
    Payee = 3,
    /// Everybody together: the budget.
    All = 4,
}

impl Scope {
    /// Every scope, by number.
    pub const ALL: [Self; 5] = [Self::Event, Self::Payer, Self::Household, Self::Payee, Self::All];
}

/// In which time a cap counts: JST days, calendar months, fiscal years from April.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// For ever.
    Ever,
    /// A day.
    Day,
    /// A month.
    Month,
    /// A fiscal year (年度).
    FiscalYear,
}

impl Period {
    /// Its number at a time.
    #[must_use]
    pub fn number(self, at: Time) -> u32 {
        let day = at.day();
        match self {
            Self::Ever => 0,
            Self::Day => day.0,
            Self::Month => day.month(),
            Self::FiscalYear => Day::fiscal_year(day),
        }
    }
}

/// A cap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// About whom.
    pub scope: Scope,
    /// In which time; [`Period::Ever`] for an event's.
    pub per: Period,
    /// What it counts; what was given, for an event's.
    pub of: CapOf,
    /// The most.
    pub most: Amount,
}

impl Cap {
    /// Whether its parts go together.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        self.scope != Scope::Event || (self.per, self.of) == (Period::Ever, CapOf::Given)
    }
}

/// What an event that meets a cap gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// What the cap still allows.
    Truncate,
    /// Nothing, unless all fits.
    Skip,
    /// Nothing, and what caused it is rejected too.
    Refuse,
}

/// Of whom a use is counted: a party, a household or everybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Subject(#[serde(with = "crate::bytes::array")] pub [u8; 16]);

impl Subject {
    /// Everybody.
    pub const ALL: Self = Self([0; 16]);

    /// A party.
    #[must_use]
    pub fn party(party: PartyId) -> Self {
        Self(party.0)
    }

    /// The household of a party at a time: of the hash of its token, or itself.
    #[must_use]
    pub fn household(id: PartyId, party: &Party, now: Time) -> Self {
        let Some(token) = party.attribute(HOUSEHOLD, now) else {
            return Self::party(id);
        };
        let hash = tagged("musubi/v1/household", &[token.as_bytes()]);
        let mut subject = [0; 16];
        subject.copy_from_slice(&hash[..16]);
        Self(subject)
    }
}

/// What one subject has got by a rule.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RuleUse {
    /// By kind of period, ascending: the newest period alone. Those before it bind nobody any more.
    pub counts: Vec<Count>,
    /// What a payer carries on, in parts of the rate's denominator.
    pub carry: i64,
}

/// What was given in one period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Count {
    /// Of which kind.
    pub per: Period,
    /// Its number.
    pub period: u32,
    /// Given.
    pub given: Amount,
    /// How often.
    pub times: u64,
}

impl RuleUse {
    fn in_period(&self, per: Period, at: Time) -> Option<&Count> {
        let period = per.number(at);
        self.counts.iter().find(|count| (count.per, count.period) == (per, period))
    }

    /// How much more a cap lets be given at a time.
    #[must_use]
    pub fn room(&self, cap: &Cap, at: Time) -> Amount {
        let (given, times) =
            self.in_period(cap.per, at).map_or((0, 0), |count| (count.given.0, count.times));
        match cap.of {
            CapOf::Given => Amount(cap.most.0.saturating_sub(given)),
            CapOf::Times if times < cap.most.0 => Amount(u64::MAX),
            CapOf::Times => Amount::ZERO,
        }
    }

    /// Counts what was given once, at a time.
    pub fn count(&mut self, per: Period, at: Time, given: Amount) {
        let fresh = Count { per, period: per.number(at), given: Amount::ZERO, times: 0 };
        let place = match self.counts.binary_search_by_key(&per, |count| count.per) {
            Ok(place) if self.counts[place].period == fresh.period => place,
            Ok(place) => {
                self.counts[place] = fresh;
                place
            }
            Err(place) => {
                self.counts.insert(place, fresh);
                place
            }
        };
        let count = &mut self.counts[place];
        // Caps of what was given bound it; without one the sum is only told, and stays within its range.
        count.given = Amount(count.given.0.saturating_add(given.0));
        count.times = count.times.saturating_add(1);
    }

    /// Gives back what was given at a time, and once of it if all of that is undone. A period that is over needs nothing
    /// back.
    pub fn give_back(&mut self, per: Period, at: Time, undone: Amount, all: bool) {
        let period = per.number(at);
        let found = self.counts.iter_mut().find(|c| (c.per, c.period) == (per, period));
        if let Some(count) = found {
            count.given = Amount(count.given.0.saturating_sub(undone.0));
            count.times = count.times.saturating_sub(u64::from(all));
        }
    }
}
