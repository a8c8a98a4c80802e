//! Lots: what makes units of one instrument different from each other.

use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::{
    id::{InstrumentId, PartyId},
    time::Time,
};

/// Where value came from. Decides refunds, legal reports and spending order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OriginKind {
    /// Given without consideration: points, premiums.
    Free,
    /// A public benefit.
    Grant,
    /// Bought with outside money.
    Paid,
}

/// A lot: units that are alike in every respect. Equal lots merge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// From when on it can no longer be spent; exclusive instant.
    pub use_expiry: Option<Time>,
    /// Paid, free or grant.
    pub origin: OriginKind,
    /// Who funded it, for free value and grants; the issuer for paid value.
    pub funder: PartyId,
    /// Campaign number; 0 for none.
    pub campaign: u32,
}

impl Lot {
    /// Whether it can still be spent at `now`.
    #[must_use]
    pub fn usable(&self, now: Time) -> bool {
        self.use_expiry.is_none_or(|end| now < end)
    }

    fn order(&self) -> (InstrumentId, Time, OriginKind, PartyId, u32) {
        let end = self.use_expiry.unwrap_or(Time(u64::MAX));
        (self.instrument, end, self.origin, self.funder, self.campaign)
    }
}

/// By instrument; earliest expiry first, none last; then free before grant before paid; then funder and campaign, so
/// that the order is total. Which of them is spent first is for [`crate::spend`] to say.
impl Ord for Lot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order()
            .cmp(&other.order())
            .then(self.use_expiry.is_none().cmp(&other.use_expiry.is_none()))
    }
}

impl PartialOrd for Lot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
