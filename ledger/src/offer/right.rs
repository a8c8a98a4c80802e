//! Entitlements: rights to take of an offer, and the codes behind which they may stand.

use serde::{Deserialize, Serialize};

use super::draw::Application;
use crate::{
    hash::tagged,
    id::{PartyId, TxId},
    keys::PublicKey,
    time::Time,
};

/// For whom an entitlement is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A party.
    Party(PartyId),
    /// Whoever knows a code: its key signs.
    Code(PublicKey),
}

/// A right to take of an offer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entitlement {
    /// The offer.
    pub offer: TxId,
    /// For whom.
    pub holder: Holder,
    /// How many units.
    pub units: u32,
    /// How many of them were taken.
    pub used: u32,
    /// Exclusive end.
    pub until: Time,
    /// The officers' keys that gave it.
    pub given_by: Vec<PublicKey>,
    /// When it was withdrawn.
    pub withdrawn: Option<Time>,
    /// Where it is an application to a lottery: what the draw sees of it. It is worth something only if it wins.
    pub application: Option<Application>,
}

/// The id of an entitlement: one for each offer and cause, so that nothing gives cause twice. The cause is the hash of an
/// event's reference, or a code's key.
#[must_use]
pub fn entitlement_id(offer: &TxId, cause: &[u8; 32]) -> TxId {
    TxId(tagged("musubi/v1/entitlement", &[&offer.0, cause]))
}

/// The seed of a code's key. Who knows the code can sign by it, for one party and one transaction: shown in a log or to a
/// node it is worth nothing to anybody else.
#[must_use]
pub fn code_seed(issuer: &PartyId, code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    tagged("musubi/v1/code", &[&issuer.0, plain.to_ascii_uppercase().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let (issuer, other) = (PartyId([1; 16]), PartyId([2; 16]));
        let seed = code_seed(&issuer, "K7QM-2XPA");
        assert_eq!(seed, code_seed(&issuer, " k7qm 2xpa "));
        assert_ne!(seed, code_seed(&other, "K7QM-2XPA"));
        assert_ne!(seed, code_seed(&issuer, "K7QM-2XPB"));
    }
}
