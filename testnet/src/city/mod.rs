//! A generated city: who lives there ([`plan`], [`people`]), who runs its money ([`institutions`]), and
//! how all of them come onto the ledger ([`setup`]). One seed, one city, keys included.

pub mod charge;
pub mod institutions;
pub mod people;
pub mod plan;
pub mod setup;

use institutions::Institutions;
use people::{Group, Merchant, Person};
use plan::Plan;

use crate::random::Dice;

/// Members of a group who pay dues.
const MEMBERS: usize = 12;

/// A city.
#[derive(Clone, Debug)]
pub struct City {
    /// Who is there from genesis on.
    pub institutions: Institutions,
    /// How large it is, without the cast.
    pub plan: Plan,
    /// Registrants: those of the day first, then the cast.
    pub persons: Vec<Person>,
    /// Shops: those of the day first, then the cast's.
    pub merchants: Vec<Merchant>,
    /// Groups: those of the day first, then the cast's.
    pub groups: Vec<Group>,
    /// Who plays in the demo's story, and has no part in the day.
    pub cast: Cast,
}

/// The story's people, by their place in the city's lists.
#[derive(Clone, Copy, Debug)]
pub struct Cast {
    /// Pays in a shop, for herself and for her husband's dues.
    pub hanako: usize,
    /// Loses his phone.
    pub taro: usize,
    /// Holds a card and no phone.
    pub ume: usize,
    /// The group's treasurer, with a phone and a tablet.
    pub treasurer: usize,
    /// The group's approver.
    pub approver: usize,
    /// Coaches, is a member, and has a standing acceptance for what the group pays.
    pub coach: usize,
    /// The shop.
    pub shop: usize,
    /// The group.
    pub circle: usize,
}

impl City {
    /// The city of a seed, for a network of `validators`.
    #[must_use]
    pub fn new(seed: u64, plan: Plan, validators: usize) -> Self {
        let mut dice = Dice::new(seed);
        // Officers of groups come first, then other phones, then cards.
        let officers = 2 * plan.groups;
        let phones = plan.registrants.saturating_sub(plan.cards).max(officers + 1);
        let keys = |at: usize| match at {
            _ if at < officers => 2,
            _ if at < phones => 1,
            _ => 0,
        };
        let mut persons: Vec<Person> =
            (0..plan.registrants).map(|at| people::person(&mut dice, keys(at))).collect();
        let mut merchants: Vec<Merchant> =
            (0..plan.merchants).map(|_| people::merchant(&mut dice)).collect();
        let mut groups: Vec<Group> = (0..plan.groups)
            .map(|at| {
                let members: Vec<usize> = (0..MEMBERS).map(|_| dice.place(phones)).collect();
                people::group(&mut dice, 2 * at, 2 * at + 1, members)
            })
            .collect();
        let cast = Cast::join(&mut dice, &mut persons, &mut merchants, &mut groups);
        let institutions = Institutions::from_seed(seed, validators);
        Self { institutions, plan, persons, merchants, groups, cast }
    }

    /// Registrants of the day who have a phone, by place: `0..phones`.
    #[must_use]
    pub fn phones(&self) -> usize {
        let day = &self.persons[..self.plan.registrants];
        day.iter().take_while(|person| person.card.is_none()).count()
    }
}

impl Cast {
    fn join(
        dice: &mut Dice,
        persons: &mut Vec<Person>,
        merchants: &mut Vec<Merchant>,
        groups: &mut Vec<Group>,
    ) -> Self {
        let mut join = |keys| {
            persons.push(people::person(dice, keys));
            persons.len() - 1
        };
        let (hanako, taro, ume, treasurer, approver, coach) =
            (join(1), join(1), join(0), join(2), join(1), join(1));
        merchants.push(people::merchant(dice));
        groups.push(people::group(dice, treasurer, approver, [hanako, taro, coach]));
        let (shop, circle) = (merchants.len() - 1, groups.len() - 1);
        Self { hanako, taro, ume, treasurer, approver, coach, shop, circle }
    }
}
