//! Whether money was neither made nor lost: three accounts of it, kept apart, must agree.

use std::collections::BTreeMap;

use musubi_ledger::{
    id::{InstrumentId, PartyId},
    lot::Lot,
};
use musubi_sdk::audit::{Report, SupplyLine};

use crate::{
    books::{Pot, Purse},
    city::institutions,
};

/// The audit has recounted every lot over the wallets of its own re-execution and found issue less
/// burning. That must be, lot by lot, what the nodes' wallets show (`held`), and per instrument what the
/// generator's books say.
///
/// # Errors
/// What differs first, in words.
pub(super) fn conserved(
    audit: &Report,
    held: &BTreeMap<Lot, u64>,
    books: &BTreeMap<PartyId, Purse>,
) -> Result<(), String> {
    let mut counted: BTreeMap<Lot, u64> = BTreeMap::new();
    for line in &audit.supply {
        let lots: u64 = line.lots.iter().map(|(_, amount)| amount.0).sum();
        if lots != line.outstanding.0 {
            let (instrument, outstanding) = (line.instrument, line.outstanding);
            return Err(format!("{lots} of {instrument} in lots, {outstanding} outstanding"));
        }
        counted.extend(line.lots.iter().map(|(lot, amount)| (*lot, amount.0)));
    }
    for lot in counted.keys().chain(held.keys()) {
        let of = |lots: &BTreeMap<Lot, u64>| lots.get(lot).copied().unwrap_or(0);
        if of(&counted) != of(held) {
            let (held, counted) = (of(held), of(&counted));
            return Err(format!("wallets show {held} of {}, the audit {counted}", name(lot)));
        }
    }
    for (instrument, pots) in [
        (institutions::money(), &[Pot::Money, Pot::MoneyClaim, Pot::MoneyHeld][..]),
        (institutions::points(), &[Pot::Points, Pot::PointClaim]),
    ] {
        let purse = |purse: &Purse| pots.iter().map(|pot| purse[*pot as usize]).sum::<u64>();
        let wanted: u64 = books.values().map(purse).sum();
        let found = outstanding(audit, instrument);
        if found != wanted {
            return Err(format!("{found} of {instrument} outstanding, {wanted} in the books"));
        }
    }
    Ok(())
}

/// What is issued and not burnt of an instrument, by the audit.
#[must_use]
pub(super) fn outstanding(audit: &Report, instrument: InstrumentId) -> u64 {
    let is = |line: &&SupplyLine| line.instrument == instrument;
    audit.supply.iter().find(is).map_or(0, |line| line.outstanding.0)
}

fn name(lot: &Lot) -> String {
    let end = lot.use_expiry.map_or("no expiry".into(), |end| format!("expiry {}", end.0));
    format!("{} ({:?}, campaign {}, {end})", lot.instrument, lot.origin, lot.campaign)
}

#[cfg(test)]
mod tests {
    use musubi_ledger::{amount::Amount, lot::OriginKind, time::Time};

    use super::{super::checks::tests::report, *};

    fn lot(instrument: InstrumentId, end: u64) -> Lot {
        let funder = PartyId([9; 16]);
        let use_expiry = Some(Time(end));
        Lot { instrument, use_expiry, origin: OriginKind::Paid, funder, campaign: 0 }
    }

    fn line(instrument: InstrumentId, outstanding: u64, lots: &[(u64, u64)]) -> SupplyLine {
        let lots = lots.iter().map(|(end, amount)| (lot(instrument, *end), Amount(*amount)));
        let (issued, burnt) = (Amount(outstanding + 5), Amount(5));
        let outstanding = Amount(outstanding);
        SupplyLine { instrument, issued, burnt, outstanding, lots: lots.collect() }
    }

    #[test]
    fn three_accounts_must_agree_lot_by_lot() {
        let (money, points) = (institutions::money(), institutions::points());
        let mut audit = report();
        audit.supply = vec![line(money, 100, &[(1, 60), (2, 40)]), line(points, 7, &[(3, 7)])];
        let held: BTreeMap<Lot, u64> =
            [(lot(money, 1), 60), (lot(money, 2), 40), (lot(points, 3), 7)].into();
        let books: BTreeMap<PartyId, Purse> =
            [(PartyId([1; 16]), [50, 5, 30, 2, 0]), (PartyId([2; 16]), [0, 0, 0, 0, 20])].into();
        assert_eq!(conserved(&audit, &held, &books), Ok(()));

        // The same sum in other lots is not the same.
        let mut moved = held.clone();
        moved.insert(lot(money, 1), 61);
        moved.insert(lot(money, 2), 39);
        assert!(conserved(&audit, &moved, &books).is_err());
        let mut more = held.clone();
        more.insert(lot(money, 8), 1);
        assert!(conserved(&audit, &more, &books).is_err());
        let mut other = books.clone();
        other.insert(PartyId([3; 16]), [1, 0, 0, 0, 0]);
        assert!(conserved(&audit, &held, &other).is_err());
        // An audit whose own sums do not agree is a figure that does not hold, not a panic.
        audit.supply[0].outstanding = Amount(99);
        assert!(conserved(&audit, &held, &books).is_err());
        audit.supply.clear();
        assert!(conserved(&audit, &held, &books).is_err());
    }
}
