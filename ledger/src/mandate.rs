//! Mandates: bounded, revocable consent in advance. Limits of several mandates intersect, never add.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    id::{InstrumentId, MediumId, PartyId},
    keys::PublicKey,
    limits,
    party::{AttributeTest, PartyKind},
    time::{Day, Time},
    transaction::Purpose,
};

/// Which consent it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To give.
    Debit,
    /// To receive.
    Credit,
}

/// With whom it may be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Counterparty {
    /// Anyone.
    Any,
    /// One party.
    Party(PartyId),
    /// Any party of a kind.
    Kind(PartyKind),
    /// Any party of a kind that meets a test.
    Attribute(PartyKind, AttributeTest),
}

/// The bounds of a mandate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MandateTerms {
    /// To give or to receive.
    pub direction: Direction,
    /// Of which instruments, ascending, at least one.
    pub instruments: Vec<InstrumentId>,
    /// With whom.
    pub counterparty: Counterparty,
    /// For which purpose alone, if limited.
    pub purpose: Option<Purpose>,
    /// Most at one use, over all legs.
    pub per_use: Amount,
    /// Most on one JST day, if limited.
    pub per_day: Option<Amount>,
    /// Most with one counterparty, if limited.
    pub per_counterparty: Option<Amount>,
    /// Most in all, if limited; required where a group gives.
    pub total: Option<Amount>,
    /// Most uses, if limited.
    pub uses: Option<u32>,
    /// Persons who alone may use it (an event budget's staff), ascending; anyone if empty.
    pub staff: Vec<PartyId>,
    /// From when on.
    pub from: Time,
    /// Exclusive end; required where a group gives.
    pub until: Option<Time>,
}

impl MandateTerms {
    /// Whether lists ascend within limits and no bound is empty.
    #[must_use]
    pub fn well_formed(&self) -> bool {
        let test_ok = match &self.counterparty {
            Counterparty::Attribute(_, test) => test.well_formed(),
            _ => true,
        };
        (1..=limits::MANDATE_INSTRUMENTS_MAX).contains(&self.instruments.len())
            && self.instruments.windows(2).all(|pair| pair[0] < pair[1])
            && self.staff.len() <= limits::MANDATE_STAFF_MAX
            && self.staff.windows(2).all(|pair| pair[0] < pair[1])
            && !self.per_use.is_zero()
            && self.until.is_none_or(|end| self.from < end)
            && test_ok
    }
}

/// A mandate as the state keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mandate {
    /// Whose consent.
    pub grantor: PartyId,
    /// Its bounds.
    pub terms: MandateTerms,
    /// The medium through which alone it is used, if any.
    pub medium: Option<MediumId>,
    /// Whether a registrar attested the consent in place of a key of the grantor.
    pub attested: bool,
    /// The keys that granted it: if one is compromised later, so is the mandate.
    pub granted_by: Vec<PublicKey>,
    /// When it was granted.
    pub granted: Time,
    /// When it was revoked.
    pub revoked: Option<Time>,
    /// Used in all.
    pub used: Amount,
    /// Uses so far.
    pub uses: u32,
    /// The JST day that `used_today` counts.
    pub day: Day,
    /// Used on that day.
    pub used_today: Amount,
}
