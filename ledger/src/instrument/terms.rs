//! The rules of an instrument, accepted by everyone who is enrolled for it.

use serde::{Deserialize, Serialize};

use super::{Limit, LimitOf, Validity};
use crate::{
    amount::Amount,
    calendar::Span,
    id::{DocumentHash, PartyId},
    limits,
    lot::OriginKind,
    predicate::Predicate,
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

impl Regime {
    /// Whether holders have paid for it under the Payment Services Act, and must be told before its use ends.
    #[must_use]
    pub fn prepaid(self) -> bool {
        matches!(self, Self::PrepaidThird | Self::PrepaidOwn)
    }
}

/// Between whom holders may move it, besides spending it at a merchant and giving it back to its issuer.
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
    /// Value to spend again that is valid as if it had just been issued.
    Renew,
}

/// What a refund gives back of value that has expired meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateRefund {
    /// Nothing: it is credited and expires at once.
    ExpireAtOnce,
    /// The same value until the end of the JST day that many days later: 1 to 60.
    Grace(u16),
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

/// What is spent first of lots that expire together: the smaller number. By origin, so that one instrument can say
/// "free value first".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// Of free value.
    pub free: u8,
    /// Of grants.
    pub grant: u8,
    /// Of paid value.
    pub paid: u8,
}

impl Priority {
    /// Free value before grants before paid value, behind instruments that say less.
    pub const USUAL: Self = Self { free: 10, grant: 20, paid: 30 };

    /// That of one origin.
    #[must_use]
    pub fn of(self, origin: OriginKind) -> u8 {
        match origin {
            OriginKind::Free => self.free,
            OriginKind::Grant => self.grant,
            OriginKind::Paid => self.paid,
        }
    }
}

/// A named threshold of a balance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// From this balance on.
    pub from: Amount,
    /// Its name: 1 to 16 visible ASCII characters.
    pub name: String,
}

/// The rules of an instrument.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Who issues and redeems it.
    pub issuer: PartyId,
    /// Its legal regime.
    pub regime: Regime,
    /// Decimal places of its unit: 0 for yen.
    pub decimals: u8,
    /// Yen that one whole unit stands for; 0 for a counter. Only instruments of equal face and decimals pay together.
    pub face: u32,
    /// Smallest step of every amount, in its unit: 1 for yen, 1000 for paper-like vouchers.
    pub step: Amount,
    /// From when on it can be spent, if later than it is issued.
    pub begins: Option<Time>,
    /// Until when issued value can be spent.
    pub validity: Validity,
    /// Between whom it may move.
    pub transfer: TransferRule,
    /// How much may be held, moved and spent; all that fit apply.
    pub limits: Vec<Limit>,
    /// What merchants get.
    pub on_accept: OnAccept,
    /// Days after a lot's use expiry in which its claims can still be redeemed.
    pub redemption_days: u16,
    /// What a refund gives back of expired value.
    pub late_refund: LateRefund,
    /// What a correction's shortfall does.
    pub shortfall: Shortfall,
    /// Most that may be issued in all, corrected issues apart, if limited.
    pub supply_max: Option<Amount>,
    /// What is spent first of what expires together.
    pub priority: Priority,
    /// Who may hold it, if limited.
    pub holders: Option<Predicate>,
    /// Which merchants accept it, if limited.
    pub acceptors: Option<Predicate>,
    /// Named thresholds of a balance, ascending, at most eight: the stages of a counter. They are for views; a rule asks for
    /// an amount.
    pub tiers: Vec<Tier>,
    /// Hash of the published terms.
    pub document: DocumentHash,
}

impl Terms {
    /// The plainest: whole yen without end or limit, that merchants can only redeem and holders not move.
    #[must_use]
    pub fn plain(issuer: PartyId, regime: Regime, document: DocumentHash) -> Self {
        Self {
            issuer,
            regime,
            decimals: 0,
            face: 1,
            step: Amount(1),
            begins: None,
            validity: Validity::None,
            transfer: TransferRule::None,
            limits: Vec::new(),
            on_accept: OnAccept::Claim,
            redemption_days: 0,
            late_refund: LateRefund::ExpireAtOnce,
            shortfall: Shortfall::Refuse,
            supply_max: None,
            priority: Priority::USUAL,
            holders: None,
            acceptors: None,
            tiers: Vec::new(),
            document,
        }
    }

    /// The use expiry of value issued at `now`.
    #[must_use]
    pub fn expiry_of_issue(&self, now: Time) -> Option<Time> {
        self.validity.end_from(now)
    }

    /// Until when a claim on a lot with this use expiry can be redeemed; exclusive.
    #[must_use]
    pub fn redemption_end(&self, use_expiry: Option<Time>) -> Option<Time> {
        use_expiry.map(|end| end.plus(u64::from(self.redemption_days) * 86_400_000))
    }

    /// Whether a claim on a lot with this use expiry can still be redeemed; it has lapsed otherwise, swept or not.
    #[must_use]
    pub fn redeemable(&self, use_expiry: Option<Time>, now: Time) -> bool {
        self.redemption_end(use_expiry).is_none_or(|end| now < end)
    }

    /// Whether it has begun at `now`.
    #[must_use]
    pub fn begun(&self, now: Time) -> bool {
        self.begins.is_none_or(|begins| begins <= now)
    }

    /// Whether value of both can make up one payment.
    #[must_use]
    pub fn pays_with(&self, other: &Self) -> bool {
        (self.face, self.decimals) == (other.face, other.decimals)
    }

    /// Whether every part is within its bounds and the regime allows what they say.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let predicates = [&self.holders, &self.acceptors];
        let grace = match self.late_refund {
            LateRefund::ExpireAtOnce => true,
            LateRefund::Grace(days) => (1..=60).contains(&days),
        };
        let ends = match (self.begins, self.validity) {
            (Some(begins), Validity::At(end)) => begins < end,
            _ => true,
        };
        !self.step.is_zero()
            && self.decimals <= 8
            && self.supply_max.is_none_or(|max| !max.is_zero())
            && self.validity.well_formed()
            && self.limits.len() <= limits::INSTRUMENT_LIMITS_MAX
            && self.limits.iter().all(Limit::well_formed)
            && predicates.into_iter().flatten().all(Predicate::well_formed)
            && self.tiers_well_formed()
            && grace
            && ends
            && self.fits_regime()
    }

    fn tiers_well_formed(&self) -> bool {
        let named = |tier: &Tier| {
            (1..=16).contains(&tier.name.len()) && tier.name.bytes().all(|b| b.is_ascii_graphic())
        };
        self.tiers.len() <= limits::TIERS_MAX
            && self.tiers.iter().all(named)
            && self.tiers.windows(2).all(|pair| pair[0].from < pair[1].from)
    }

    /// The highest threshold that a balance has reached.
    #[must_use]
    pub fn tier_of(&self, balance: Amount) -> Option<&Tier> {
        self.tiers.iter().rev().find(|tier| tier.from <= balance)
    }

    /// A counter is worth nothing and goes nowhere. Value that is exempt because it dies within six months does
    /// (art. 4 (2)): it is never renewed, not even by a refund.
    fn fits_regime(&self) -> bool {
        match self.regime {
            Regime::Counter => self.face == 0 && self.transfer == TransferRule::None,
            Regime::SixMonth => {
                let short = match self.validity {
                    Validity::At(_) => true,
                    Validity::After(Span::Days(days)) => days <= 180,
                    _ => false,
                };
                let renewed = self.on_accept == OnAccept::Renew
                    || matches!(self.late_refund, LateRefund::Grace(_));
                self.face > 0 && short && !renewed
            }
            _ => self.face > 0,
        }
    }

    /// The least that a limit of this kind allows a party that `fits` says it is about.
    pub(crate) fn most(&self, of: LimitOf, fits: impl Fn(&Limit) -> bool) -> Option<Amount> {
        let of_kind = self.limits.iter().filter(|limit| limit.of == of);
        of_kind.filter(|limit| fits(limit)).map(|limit| limit.most).min()
    }
}
