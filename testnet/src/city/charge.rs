//! Top-ups by the issuer's automated key.

use musubi_ledger::{
    amount::Amount,
    hash::sha256,
    id::{DocumentHash, PartyId, TxId},
    lot::OriginKind,
    operation::{Citation, Operation, TopUp},
    transaction::Body,
};
use musubi_sdk::Slot;

use super::{City, institutions::Key};
use crate::item::Scribe;

/// A top-up with outside money, by the issuer's automated key and `credit`; where that is a live
/// signature, the caller adds the holder's.
pub fn top_up(
    city: &City,
    scribe: &mut Scribe,
    allowance: TxId,
    (to, credit): (PartyId, Citation),
    amount: u64,
    origin: OriginKind,
) -> (Body, Vec<(Slot, Key)>) {
    let issuer = &city.institutions.issuer;
    let funder = if origin == OriginKind::Paid { to } else { issuer.party };
    let operation = Operation::TopUp(TopUp {
        allowance,
        to,
        amount: Amount(amount),
        origin,
        funder,
        campaign: 0,
        funding: DocumentHash(sha256(&scribe.dice.bytes::<16>())),
        credit,
    });
    let body = scribe.body(issuer.party, operation);
    (body, vec![(Slot::issuer(issuer.party), Key::clone(&issuer.key))])
}
