//! The life of an instrument, from its draft to an orderly end.

use serde::{Deserialize, Serialize};

use super::Terms;
use crate::{amount::Amount, calendar::Span, code::Code, id::DocumentHash, time::Time};

/// Where an instrument stands. It only goes forward.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// Defined, and not in use yet.
    Draft,
    /// Issued, spent, redeemed.
    Open,
    /// Nothing more is issued.
    IssueEnded,
    /// Nothing more is spent; claims can be redeemed.
    UseEnded,
    /// Nothing more is redeemed.
    RedemptionEnded,
    /// Barred: what is left counts as recovered.
    Barred,
}

/// A step of an instrument's life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifeStep {
    /// What it becomes.
    pub life: Life,
    /// From when on.
    pub at: Time,
}

/// What officers may change of an instrument after it was defined. Nothing of what its holders accepted gets worse but
/// by an orderly end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstrumentChange {
    /// A further step of its life.
    Life(LifeStep),
    /// The most that may be issued in all.
    SupplyMax(Option<Amount>),
    /// The hash of the published terms, newly worded.
    Document(DocumentHash),
}

/// An instrument as the state keeps it. What was issued of it is counted apart ([`super::Totals`]), so that what
/// everybody reads hardly ever changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Instrument {
    /// Its rules.
    pub terms: Terms,
    /// The steps of its life, ascending by step and time; at least one.
    pub life: Vec<LifeStep>,
    /// A bit for each trigger that has rules ([`crate::rule::Trigger::bit`]): where there are none, nothing more is read.
    pub triggers: u8,
}

impl Instrument {
    /// One that stands so from `now` on.
    #[must_use]
    pub fn new(terms: Terms, life: Life, now: Time) -> Self {
        Self { terms, life: vec![LifeStep { life, at: now }], triggers: 0 }
    }

    /// Where it stands at `now`.
    #[must_use]
    pub fn life_at(&self, now: Time) -> Life {
        let reached = self.life.iter().rev().find(|step| step.at <= now);
        reached.map_or(Life::Draft, |step| step.life)
    }

    /// Whether it can be spent and moved at `now`, as far as that depends on the instrument alone.
    ///
    /// # Errors
    /// [`Code::InstrumentNotOpen`].
    pub fn check_spendable(&self, now: Time) -> Result<(), Code> {
        let open = matches!(self.life_at(now), Life::Open | Life::IssueEnded);
        if open && self.terms.begun(now) { Ok(()) } else { Err(Code::InstrumentNotOpen) }
    }

    /// Whether it is issued at `now`, to expire then.
    ///
    /// # Errors
    /// [`Code::IssueEnded`] where it is over, or what is issued would have expired; [`Code::InstrumentNotOpen`] before
    /// it is open, or where what is issued would be valid for six months or longer and must not be.
    pub fn check_issuable(&self, now: Time, expiry: Option<Time>) -> Result<(), Code> {
        match self.life_at(now) {
            Life::Draft => return Err(Code::InstrumentNotOpen),
            Life::Open => {}
            _ => return Err(Code::IssueEnded),
        }
        if expiry.is_some_and(|end| end <= now) {
            return Err(Code::IssueEnded);
        }
        let six_months = Span::Months(6).end_from(now);
        let too_long = expiry.is_none_or(|end| end > six_months);
        if self.terms.regime == super::Regime::SixMonth && too_long {
            return Err(Code::InstrumentNotOpen);
        }
        Ok(())
    }

    /// Whether claims on it can be redeemed at `now`.
    ///
    /// # Errors
    /// [`Code::InstrumentNotOpen`].
    pub fn check_redeemable(&self, now: Time) -> Result<(), Code> {
        let open = (Life::Open..Life::RedemptionEnded).contains(&self.life_at(now));
        if open { Ok(()) } else { Err(Code::InstrumentNotOpen) }
    }

    /// Whether `step` may follow at `now`.
    ///
    /// # Errors
    /// [`Code::InstrumentNotOpen`] where it does not go forward; [`Code::DeadlineInvalid`] where it lies in the past,
    /// before the last step, or ends the use of a prepaid instrument sooner than its holders must be told.
    ///
    /// # Panics
    /// Never: an instrument has a first step.
    pub fn check_step(&self, step: LifeStep, now: Time) -> Result<(), Code> {
        let last = self.life.last().expect("an instrument has a first step");
        if step.life <= last.life {
            return Err(Code::InstrumentNotOpen);
        }
        let told = now.plus(crate::limits::WIND_DOWN_NOTICE_MS);
        let ends_use = step.life >= Life::UseEnded && last.life < Life::UseEnded;
        let untold = ends_use && self.terms.regime.prepaid() && step.at < told;
        if step.at < now || step.at < last.at || untold {
            return Err(Code::DeadlineInvalid);
        }
        Ok(())
    }
}
