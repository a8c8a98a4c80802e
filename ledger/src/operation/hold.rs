//! Holds: value waits while somebody outside delivers for it. And paying back what is owed to an issuer.

use serde::{Deserialize, Serialize};

use super::Leg;
use crate::{
    id::{DocumentHash, PartyId, TxId},
    time::Time,
};

/// Value waits for what is exchanged for it: points of a system outside, or a benefit of the issuer's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Who gives.
    pub from: PartyId,
    /// Who delivers: an external party, or the instrument's issuer.
    pub to: PartyId,
    /// How much of what.
    pub leg: Leg,
    /// Unanswered, the value returns then: an hour to 90 days ahead. Value that expires by then cannot be held.
    pub deadline: Time,
    /// Hash of the order: what is wanted, and where it goes.
    pub order: DocumentHash,
}

/// Whoever delivers answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerHold {
    /// The hold.
    pub hold: TxId,
    /// Delivered, or returned.
    pub answer: HoldAnswer,
}

/// How a hold ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldAnswer {
    /// It was delivered: the value is burnt.
    Settled {
        /// Hash of the other system's reference; each is used once, for ever, by whoever delivers.
        reference: DocumentHash,
    },
    /// Nothing is delivered: the value is its holder's again.
    Returned {
        /// Hash of the reason.
        notice: DocumentHash,
    },
}

/// A party pays what it owes an instrument's issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repay {
    /// Who owes.
    pub party: PartyId,
    /// How much of what.
    pub leg: Leg,
    /// Out of its wallet, or by other means.
    pub by: RepayBy,
}

/// How a debt to an issuer is paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepayBy {
    /// Value out of the party's wallet is burnt; a merchant's out of its claims.
    Wallet,
    /// The issuer got outside funds.
    Outside {
        /// Hash of the outside payment's reference; each is used once, for ever, per issuer.
        funding: DocumentHash,
    },
}
