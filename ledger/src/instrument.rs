//! Instruments: divisible things held, with their legal regime and rules.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    id::{DocumentHash, PartyId},
    party::AttributeTest,
    time::Time,
};

/// Under which law an instrument stands (Payment Services Act, 資金決済法).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// Issued by a public body: exempt (art. 4 (1) iii, iv).
    Public,
    /// Usable for less than six months: exempt (art. 4 (2)).
    SixMonth,
    /// Third-party prepaid instrument.
    PrepaidThird,
    /// Own prepaid instrument.
    PrepaidOwn,
    /// Given without consideration.
    Free,
    /// Funds transfer.
    FundsTransfer,
    /// A counter without value: mileage, stages.
    Counter,
}

/// Between whom holders may move it, besides spending it at a merchant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferRule {
    /// Nobody.
    None,
    /// Between groups and persons, one of the two being a group.
    WithGroups,
    /// Between any persons and groups.
    PeerToPeer,
}

/// What a merchant that accepts it holds afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnAccept {
    /// A claim that can only be redeemed.
    Claim,
    /// The same value, to spend again.
    Keep,
}

/// Until when issued value can be spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UseExpiry {
    /// For ever.
    None,
    /// Until a fixed exclusive instant.
    At(Time),
    /// Until the end of the JST day that many days after issue.
    Days(u16),
}

/// What happens when a correction finds less than it must take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// The correction is rejected.
    Refuse,
    /// What is missing becomes the holder's receivable.
    Receivable,
    /// The issuer bears what is missing.
    IssuerBears,
}

/// The rules of an instrument, accepted by everyone who is enrolled for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Who issues and redeems it.
    pub issuer: PartyId,
    /// Its legal regime.
    pub regime: Regime,
    /// Decimal places of its unit: 0 for yen.
    pub decimals: u8,
    /// Smallest step of every amount, in its unit: 1 for yen, 1000 for paper-like vouchers.
    pub step: Amount,
    /// Between whom it may move.
    pub transfer: TransferRule,
    /// What merchants get.
    pub on_accept: OnAccept,
    /// Until when it can be spent.
    pub use_expiry: UseExpiry,
    /// Days after a lot's use expiry in which its claims can still be redeemed.
    pub redemption_days: u16,
    /// What a correction's shortfall does.
    pub shortfall: Shortfall,
    /// Most that one wallet may hold, if limited.
    pub wallet_max: Option<Amount>,
    /// Most that one transfer between holders may move, if limited.
    pub transfer_max: Option<Amount>,
    /// Who may hold it, if limited.
    pub holders: Option<AttributeTest>,
    /// Which merchants accept it, if limited.
    pub acceptors: Option<AttributeTest>,
    /// Hash of the published terms.
    pub document: DocumentHash,
}

impl Terms {
    /// The use expiry of value issued at `now`.
    #[must_use]
    pub fn expiry_of_issue(&self, now: Time) -> Option<Time> {
        match self.use_expiry {
            UseExpiry::None => None,
            UseExpiry::At(end) => Some(end),
            UseExpiry::Days(days) => Some(now.end_of_day_after(days)),
        }
    }

    /// Until when a claim on a lot with this use expiry can be redeemed; exclusive.
    #[must_use]
    pub fn redemption_end(&self, use_expiry: Option<Time>) -> Option<Time> {
        use_expiry.map(|end| end.plus(u64::from(self.redemption_days) * 86_400_000))
    }
}

impl Terms {
    /// Whether steps, decimals and tests are within bounds.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let tests = [&self.holders, &self.acceptors];
        !self.step.is_zero()
            && self.decimals <= 8
            && tests.into_iter().flatten().all(crate::party::AttributeTest::well_formed)
    }
}
