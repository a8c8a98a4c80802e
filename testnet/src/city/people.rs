//! The people, shops and groups of a generated city, with their keys.

use musubi_ledger::{
    hash::sha256,
    id::{MediumId, PartyId, PersonTag, RosterLine, TxId},
};

use super::institutions::{Key, key};
use crate::random::Dice;

/// A card in place of a phone.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// What is printed on it.
    pub medium: MediumId,
    /// The mandate to pay with it; known once it is enrolled.
    pub debit: TxId,
}

/// A registrant.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who.
    pub party: PartyId,
    /// What makes the human unique.
    pub tag: PersonTag,
    /// The phone's key first; none for the holder of a card. Officers of groups have two.
    pub keys: Vec<Key>,
    /// The card.
    pub card: Option<Card>,
    /// The standing acceptance of top-ups, rewards and payouts; known once it is granted.
    pub acceptance: TxId,
}

/// A shop.
#[derive(Clone, Debug)]
pub struct Merchant {
    /// Who.
    pub party: PartyId,
    /// The terminal's key.
    pub key: Key,
    /// The standing acceptance behind the printed code; known once it is granted.
    pub code: TxId,
}

/// A group. Persons by their place in the city's list.
#[derive(Clone, Debug)]
pub struct Group {
    /// Who.
    pub party: PartyId,
    /// Answers for it, drafts and may approve what others draft; has two keys.
    pub treasurer: usize,
    /// Approves.
    pub approver: usize,
    /// Pay dues, each with their line of the roster.
    pub members: Vec<(usize, RosterLine)>,
    /// The standing acceptance of dues; known once it is granted.
    pub acceptance: TxId,
}

const UNKNOWN: TxId = TxId([0; 32]);

pub(super) fn person(dice: &mut Dice, keys: usize) -> Person {
    let party = PartyId(dice.bytes());
    Person {
        party,
        tag: PersonTag(sha256(&dice.bytes::<16>())),
        keys: (0..keys).map(|_| key(dice)).collect(),
        card: (keys == 0).then(|| Card { medium: MediumId(dice.bytes()), debit: UNKNOWN }),
        acceptance: UNKNOWN,
    }
}

pub(super) fn merchant(dice: &mut Dice) -> Merchant {
    Merchant { party: PartyId(dice.bytes()), key: key(dice), code: UNKNOWN }
}

pub(super) fn group(
    dice: &mut Dice,
    treasurer: usize,
    approver: usize,
    members: impl IntoIterator<Item = usize>,
) -> Group {
    let party = PartyId(dice.bytes());
    let members = members.into_iter().map(|person| (person, RosterLine(dice.bytes()))).collect();
    Group { party, treasurer, approver, members, acceptance: UNKNOWN }
}

impl Person {
    /// The phone's key.
    ///
    /// # Panics
    /// For the holder of a card, who has none.
    #[must_use]
    pub fn phone(&self) -> &Key {
        self.keys.first().expect("somebody with a phone was chosen")
    }
}
