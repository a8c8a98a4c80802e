//! Rules: what the ledger posts by itself when something happens, within bounds that two officers of the issuer signed.
//!
//! Types and arithmetic stand here and know nothing of the state: [`formula`] says how much, [`split`] to whom, [`cap`]
//! how much at most, [`when`](mod@when) for what. The judge reads books, posts and undoes.

pub mod cap;
pub mod fee;
pub mod formula;
pub mod split;
pub mod when;
pub mod words;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    codec,
    id::{InstrumentId, PartyId},
    keys::PublicKey,
    limits,
    lot::OriginKind,
    time::Time,
};
use cap::{Cap, Over};
use formula::Formula;
use split::Split;
use when::When;

/// What makes a rule look.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Trigger {
    /// A top-up. The payer is the holder.
    TopUp = 0,
    /// A payment to a merchant.
    Purchase = 1,
    /// A payment to a person or group.
    Transfer = 2,
    /// A merchant's claim is paid out.
    Redeem = 3,
    /// Something is taken of an offer. The payer is who takes.
    Take = 4,
}

impl Trigger {
    /// Every trigger, by number.
    pub const ALL: [Self; 5] =
        [Self::TopUp, Self::Purchase, Self::Transfer, Self::Redeem, Self::Take];

    /// Its bit in an instrument's row.
    #[must_use]
    pub fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

/// What a rule reckons from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// All that was paid, before discounts.
    Gross,
    /// All that was paid.
    AfterDiscount,
    /// The paid value among the lots that the rule sees.
    PaidLots,
    /// All lots that the rule sees.
    Tender,
    /// A merchant's whole claim that is paid out.
    RunTotal,
}

impl Base {
    /// Whether it is part of a payment in other instruments too.
    #[must_use]
    pub fn of_whole(self) -> bool {
        matches!(self, Self::Gross | Self::AfterDiscount)
    }
}

/// Who gets what is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The payer.
    Payer,
    /// The payee.
    Payee,
    /// Somebody else.
    Party(PartyId),
}

/// Whose a share is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Giver {
    /// The payer's, on top of the payment. Only where the payer itself signs the payment.
    Payer,
    /// The payee's, out of what it received.
    Payee,
}

/// New value for somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Give {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Free or grant.
    pub origin: OriginKind,
    /// Who funds it: who is not its issuer owes the issuer as much.
    pub funder: PartyId,
    /// Campaign number; 0 for none.
    pub campaign: u32,
    /// To whom.
    pub to: Recipient,
}

/// Part of the moved lots goes on to others.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Whose.
    pub from: Giver,
    /// To whom.
    pub split: Split,
}

/// What a rule posts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Post {
    /// New value: rewards, premiums, bonuses.
    Give(Give),
    /// Part of what moved: donations, a share per sale.
    Share(Share),
    /// Part of a payout, for named parties.
    Fee(Split),
}

/// A rule as officers sign it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTerms {
    /// What makes it look.
    pub on: Trigger,
    /// When it gives.
    pub when: When,
    /// What it reckons from.
    pub base: Base,
    /// How much.
    pub formula: Formula,
    /// What it posts.
    pub post: Post,
    /// At most six, ascending by scope, period and what they count, each once.
    pub caps: Vec<Cap>,
    /// What happens at a cap.
    pub over: Over,
}

impl RuleTerms {
    /// Whether every part is within its bounds and they go together.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let key = |cap: &Cap| (cap.scope, cap.per, cap.of);
        self.when.well_formed()
            && self.formula.well_formed()
            && self.posts_well()
            && (self.base == Base::RunTotal) == (self.on == Trigger::Redeem)
            && self.caps.len() <= limits::RULE_CAPS_MAX
            && self.caps.iter().all(Cap::well_formed)
            && self.caps.windows(2).all(|pair| key(&pair[0]) < key(&pair[1]))
            && codec::encode(self).len() <= limits::RULE_BYTES_MAX
    }

    /// Value is given for what comes and for what is paid, shared where it is paid, and charged where it is paid out. What the
    /// payee shares is part of what it got there. A fee is charged on all of a claim: there is nothing to count.
    fn posts_well(&self) -> bool {
        let paid = matches!(self.on, Trigger::Purchase | Trigger::Transfer);
        match &self.post {
            Post::Give(give) => self.on != Trigger::Redeem && give.origin != OriginKind::Paid,
            Post::Share(share) => {
                let received = share.from == Giver::Payer || self.base == Base::Tender;
                paid && received && share.split.well_formed() && !self.formula.carries()
            }
            Post::Fee(split) => {
                let plain = self.caps.is_empty() && self.when.tier.is_none();
                self.on == Trigger::Redeem
                    && split.well_formed()
                    && plain
                    && !self.formula.carries()
            }
        }
    }

    /// The cap on all that it ever gives, if it has one.
    #[must_use]
    pub fn budget(&self) -> Option<Amount> {
        let all = (cap::Scope::All, cap::Period::Ever, cap::CapOf::Given);
        let found = self.caps.iter().find(|cap| (cap.scope, cap.per, cap.of) == all);
        found.map(|cap| cap.most)
    }
}

/// A rule as the state keeps it, for ever: what it gave is taken back by it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// What was signed.
    pub terms: RuleTerms,
    /// The keys that signed.
    pub granted_by: Vec<PublicKey>,
    /// From when on it no longer gives.
    pub ended: Option<Time>,
}

impl Rule {
    /// Whether it may still give at `now` or later.
    #[must_use]
    pub fn lives(&self, now: Time) -> bool {
        let ahead = |end: Option<Time>| end.is_none_or(|end| now < end);
        ahead(self.terms.when.until) && ahead(self.ended)
    }

    /// Whether it has not been ended by `now`.
    #[must_use]
    pub fn in_force(&self, now: Time) -> bool {
        self.ended.is_none_or(|end| now < end)
    }
}

/// The rules of an instrument for one trigger that may still give, so that one row tells them all.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RuleBook {
    /// By number: the order in which they are evaluated.
    pub rules: Vec<(u16, Rule)>,
}

impl RuleBook {
    /// Puts a rule at its place, in place of one of the same number, and drops those that are over. Whether there is room.
    #[must_use]
    pub fn put(&mut self, number: u16, rule: Rule, now: Time) -> bool {
        match self.rules.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(at) => self.rules[at].1 = rule,
            Err(at) => self.rules.insert(at, (number, rule)),
        }
        self.rules.retain(|(_, rule)| rule.lives(now));
        self.rules.len() <= limits::RULES_PER_BOOK_MAX
    }
}
