//! Conditions on a party: over its attested attributes, joined by *and*, *or* and *not*.

use serde::{Deserialize, Serialize};

use crate::{
    limits,
    party::{Party, is_word},
    time::Time,
};

/// A condition: any of its alternatives, each of which is all of its tests. "Lives, works or studies here" is three
/// alternatives of one test each.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predicate {
    /// One to four alternatives of one to four tests.
    pub any: Vec<Vec<Test>>,
}

/// One test of one attribute, as it is attested when the test is made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The attribute.
    pub name: String,
    /// Any of these values, ascending.
    pub any_of: Vec<String>,
    /// The other way round: holds where the attribute is absent, no longer valid, or of another value.
    pub not: bool,
}

impl Predicate {
    /// That an attribute has one of these values.
    #[must_use]
    pub fn is(name: &str, values: &[&str]) -> Self {
        let any_of = values.iter().map(|value| (*value).to_owned()).collect();
        Self { any: vec![vec![Test { name: name.to_owned(), any_of, not: false }]] }
    }

    /// Whether there are alternatives, tests and values within limits, and values ascend.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let counted = |count: usize| (1..=limits::PREDICATE_PARTS_MAX).contains(&count);
        counted(self.any.len())
            && self.any.iter().all(|all| counted(all.len()) && all.iter().all(Test::well_formed))
    }

    /// Whether it holds of `party` at `now`.
    #[must_use]
    pub fn holds(&self, party: &Party, now: Time) -> bool {
        self.any.iter().any(|all| all.iter().all(|test| test.holds(party, now)))
    }
}

impl Test {
    fn well_formed(&self) -> bool {
        is_word(&self.name)
            && (1..=limits::ATTRIBUTES_MAX).contains(&self.any_of.len())
            && self.any_of.iter().all(|value| is_word(value))
            && self.any_of.windows(2).all(|pair| pair[0] < pair[1])
    }

    fn holds(&self, party: &Party, now: Time) -> bool {
        let value = party.attribute(&self.name, now);
        value.is_some_and(|value| self.any_of.iter().any(|wanted| wanted == value)) != self.not
    }
}
