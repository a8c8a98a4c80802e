//! The invariants that hold of a whole state, checked row by row after every block.

use std::collections::BTreeMap;

use musubi_ledger::{
    amount::Amount,
    digest::{SetDigest, WalletTree, state_digest},
    execute::{Block, MemoryState},
    hash::Hash,
    id::{InstrumentId, PartyId},
    limits,
    lot::Lot,
    party::KeyStatus,
    state::{HoldStatus, RedemptionStatus, Row, RowKey},
    wallet::{Holding, Wallet},
};

use super::{coupons, groups, offers, rules, runs};

/// Sums over all wallets, rows of the supply, and digests.
pub fn scan(state: &MemoryState, block: &Block) {
    scan_rows(state);
    assert_eq!(
        block.seal.state,
        recomputed_digest(state),
        "INV-10: the seal's digest is that of all rows"
    );
    assert_eq!(block.rows.digest(), rows_digest(state).digest());
    for entry in &block.entries {
        entry.outcome.assert_balanced();
        assert_eq!(entry.leaf.outcome, leaf_outcome(entry));
    }
}

fn leaf_outcome(entry: &musubi_ledger::execute::Entry) -> Hash {
    match entry.leaf.kind {
        musubi_ledger::leaf::LeafKind::Genesis => [0; 32],
        _ => entry.outcome.hash(&entry.salt),
    }
}

/// What must hold of the rows alone.
pub fn scan_rows(state: &MemoryState) {
    let mut held: BTreeMap<Lot, u128> = BTreeMap::new();
    let mut supply: BTreeMap<Lot, u128> = BTreeMap::new();
    let mut per_instrument: BTreeMap<InstrumentId, u64> = BTreeMap::new();
    let mut totals: BTreeMap<InstrumentId, u64> = BTreeMap::new();
    let mut waiting: BTreeMap<(PartyId, Lot), u64> = BTreeMap::new();
    let mut redeemed: BTreeMap<(PartyId, Lot), u64> = BTreeMap::new();
    for (key, row) in state.rows() {
        match (key, row) {
            (RowKey::Wallet(party), Row::Wallet(wallet)) => {
                check_wallet(wallet);
                for b in &wallet.lots {
                    let sum = [b.spendable, b.held, b.claim].map(|a| u128::from(a.0));
                    *held.entry(b.lot).or_default() += sum.iter().sum::<u128>();
                    if !b.held.is_zero() {
                        waiting.insert((*party, b.lot), b.held.0);
                    }
                }
            }
            (RowKey::Supply(lot), Row::Supply(s)) => {
                supply.insert(*lot, u128::from(s.issued.0 - s.burnt.0));
                *per_instrument.entry(lot.instrument).or_default() += s.issued.0 - s.burnt.0;
            }
            (RowKey::Totals(id), Row::Totals(t)) => {
                totals.insert(*id, t.outstanding().0);
            }
            (_, Row::Redemption(r)) if r.status == RedemptionStatus::Open => {
                for (lot, amount) in &r.lots {
                    *redeemed.entry((r.merchant, *lot)).or_default() += amount.0;
                }
            }
            (_, Row::Hold(h)) if h.status == HoldStatus::Open => {
                for (lot, amount) in &h.lots {
                    *redeemed.entry((h.from, *lot)).or_default() += amount.0;
                }
            }
            _ => check_grant(state, key, row),
        }
    }
    groups::check_bodies(state);
    supply.retain(|_, amount| *amount > 0);
    assert_eq!(held, supply, "INV-1: wallets hold what was issued and not burnt");
    assert_eq!(totals, per_instrument, "INV-1: instruments sum their lots");
    assert_eq!(waiting, redeemed, "INV-2: what is held is what redemptions and holds wait for");
}

/// Lots in order, none twice, none empty.
fn check_wallet(wallet: &Wallet) {
    let ascending = wallet.lots.windows(2).all(|w| w[0].lot < w[1].lot);
    let empty = wallet.lots.iter().any(|b| {
        [Holding::Spendable, Holding::Held, Holding::Claim].iter().all(|h| b.amount(*h).is_zero())
    });
    assert!(ascending && !empty, "INV-2: a wallet keeps merged, filled lots");
}

/// No grant was used beyond its bounds, no original undone beyond itself, no key is lost or shared.
fn check_grant(state: &MemoryState, key: &RowKey, row: &Row) {
    let within = |used: Amount, cap: Option<Amount>| cap.is_none_or(|cap| used <= cap);
    match (key, row) {
        (_, Row::Mandate(m)) => {
            assert!(within(m.used, m.terms.total), "INV-6: mandate total");
            assert!(within(m.used_today, m.terms.per_day), "INV-6: mandate day");
            assert!(m.terms.uses.is_none_or(|most| m.uses <= most), "INV-6");
        }
        (_, Row::Allowance(a)) => {
            assert!(a.used <= a.total && a.used_today <= a.per_day, "INV-6");
        }
        (RowKey::Judged(_), Row::Judged(judged)) => {
            rules::check_derived(judged);
            let lots = judged.settled.iter().flat_map(|s| &s.lots);
            assert!(lots.into_iter().all(|l| l.undone <= l.amount), "INV-7");
        }
        (RowKey::Key(key), Row::Key(record)) => {
            let owner = musubi_ledger::state::ReadState::row(state, &RowKey::Party(record.party));
            let Some(Row::Party(owner)) = owner else {
                panic!("a key's party exists");
            };
            // Beyond a party's number of keys, those that ended leave its row; their own stay.
            let signs = matches!(record.status, KeyStatus::Active | KeyStatus::Waiting);
            let full = owner.keys.len() == limits::KEYS_PER_PARTY_MAX;
            assert!(
                owner.keys.contains(key) || (full && !signs),
                "INV-11: a key belongs to one party"
            );
            let waits = owner.recovery.is_some_and(|r| r.key == *key);
            assert_eq!(waits, record.status == KeyStatus::Waiting);
        }
        (
            RowKey::Offer(_) | RowKey::OfferUse(..) | RowKey::Entitlement(_) | RowKey::Draw(_),
            row,
        ) => {
            offers::check_offer(state, key, row);
        }
        (RowKey::Coupons(payment), Row::Coupons(used)) => {
            coupons::check_coupons(state, *payment, used);
        }
        _ => {
            rules::check_rule(state, key, row);
            runs::check_run(state, key, row);
        }
    }
}

/// The digest of all rows but wallets.
fn rows_digest(state: &MemoryState) -> SetDigest {
    let mut digest = SetDigest::new();
    for (key, row) in state.rows() {
        if !matches!(key, RowKey::Wallet(_)) {
            digest.add(&key.to_bytes(), &row.encode());
        }
    }
    digest
}

/// The state digest, from nothing but the rows.
fn recomputed_digest(state: &MemoryState) -> Hash {
    let mut leaves: Vec<(u64, Hash)> = Vec::new();
    for (key, row) in state.rows() {
        if let (RowKey::Wallet(party), Row::Wallet(wallet)) = (key, row) {
            leaves.push((wallet.serial, wallet.state_leaf(party)));
        }
    }
    leaves.sort_unstable();
    let mut tree = WalletTree::from_leaves(leaves.into_iter().map(|(_, leaf)| leaf).collect());
    state_digest(tree.count(), &tree.root(), &rows_digest(state).digest())
}
