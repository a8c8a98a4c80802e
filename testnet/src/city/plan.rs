//! How large the city is. The proportions are those that a city of 330,000 plans with.

/// Registrants, merchants and groups that the plan counts on (KPIs ⑤, ⑥ and ①, third year).
const REGISTRANTS: u64 = 35_000;
const MERCHANTS: u64 = 1_900;
const GROUPS: u64 = 200;

/// Sizes of a city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Persons, those with a card instead of a phone among them.
    pub registrants: usize,
    /// Of those, how many hold a card and no key.
    pub cards: usize,
    /// Shops.
    pub merchants: usize,
    /// Groups (自治会, サークル).
    pub groups: usize,
}

impl Plan {
    /// A city that has a day of `payments`: about one registrant per four payments.
    #[must_use]
    pub fn for_payments(payments: u64) -> Self {
        let registrants = (payments / 4).clamp(40, REGISTRANTS);
        let scaled = |of: u64, least: u64| (registrants * of / REGISTRANTS).max(least);
        let size = |n: u64| usize::try_from(n).expect("a city's size fits memory");
        Self {
            registrants: size(registrants),
            cards: size((registrants / 25).max(2)),
            merchants: size(scaled(MERCHANTS, 8)),
            groups: size(scaled(GROUPS, 4)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportions_hold_and_small_cities_have_all_kinds() {
        let whole = Plan::for_payments(140_000);
        assert_eq!((whole.registrants, whole.merchants, whole.groups), (35_000, 1_900, 200));
        let usual = Plan::for_payments(20_000);
        assert_eq!((usual.registrants, usual.merchants, usual.groups), (5_000, 271, 28));
        let least = Plan::for_payments(1);
        assert_eq!((least.registrants, least.merchants, least.groups), (40, 8, 4));
        assert!(least.cards >= 2);
    }
}
