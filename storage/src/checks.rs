//! What must hold before a directory is trusted. Nothing here writes.

use std::ops::ControlFlow;

use musubi_ledger::{
    digest::{SetDigest, WalletTree, sum},
    execute::Chain,
    genesis::Genesis,
    hash::Hash,
    id::PartyId,
    leaf::{LEAF_BYTES, Leaf, SealBody},
    state::{Row, Table},
    tlog::{Frontier, tile::TileNodes},
};

use crate::{
    OpenSettings,
    backend::{Backend, Family, Scan, after_prefix},
    error::{OpenError, StoreError, short},
    incoming::TAKEN_WRITE,
    layout::{self, Base, BlockRecord, Identity, KeptHardState, STORAGE_FORMAT, Tip, Word, part},
    raft_log::{self, LogTail},
    recover::identity,
    runs::RunsOf,
    tiles::TileHashes,
    watermark::{Found, Mark, Slot},
};

/// Whose directory it is, and that database and watermark belong together.
pub(crate) fn check_identity(
    backend: &dyn Backend,
    found: Found,
    settings: &OpenSettings,
) -> Result<Identity, OpenError> {
    let Some(identity) = identity(backend)? else {
        return Err(match found {
            Found::Nothing => OpenError::Empty,
            // The database is synced before the watermark file gets its first byte.
            Found::Damaged => OpenError::damaged("there is a watermark file, but no database"),
            Found::Slot(slot) => lost(&slot, 0),
        });
    };
    if identity.format != STORAGE_FORMAT {
        return Err(OpenError::Format { found: identity.format, expected: STORAGE_FORMAT });
    }
    if let Some(expected) = settings.chain.filter(|&expected| expected != identity.chain) {
        let (found, expected) = (identity.chain.to_string(), expected.to_string());
        return Err(OpenError::Chain { found, expected });
    }
    match found {
        Found::Slot(slot) if slot.directory != identity.directory => Err(OpenError::Mixed),
        _ => Ok(identity),
    }
}

pub(crate) fn check_genesis(
    backend: &dyn Backend,
    identity: &Identity,
) -> Result<Genesis, OpenError> {
    let bytes: Vec<u8> = layout::meta(backend, Word::Genesis)?;
    let genesis = Genesis::decode(&bytes)?;
    if genesis.chain() != identity.chain {
        return Err(OpenError::damaged("the genesis document is of another chain"));
    }
    Ok(genesis)
}

fn lost(slot: &Slot, found: u64) -> OpenError {
    let Mark { write, index, term, .. } = slot.mark;
    OpenError::AcknowledgedLost { acknowledged: write, found, index, term }
}

/// That nothing acknowledged is missing, and the end of the log is what was written.
pub(crate) fn check_log(
    backend: &dyn Backend,
    found: Found,
    identity: &Identity,
    settings: &OpenSettings,
) -> Result<LogTail, OpenError> {
    let mark: Mark = layout::meta(backend, Word::Mark)?;
    match found {
        Found::Slot(slot) => {
            assert_eq!(slot.directory, identity.directory, "checked with the identity");
            if slot.mark.write > mark.write {
                return Err(lost(&slot, mark.write));
            }
            if slot.mark.write == mark.write && slot.mark != mark {
                return Err(OpenError::damaged(format!(
                    "watermark and database differ about write {}",
                    mark.write
                )));
            }
        }
        // Nothing was acknowledged before the first write: a creation was cut short.
        Found::Nothing | Found::Damaged if mark.write <= unacknowledged(backend)? => {}
        Found::Nothing | Found::Damaged => return Err(OpenError::WatermarkLost),
    }
    let last_term = check_log_end(backend, &mark, settings.checked_entries)?;
    let kept: KeptHardState = layout::meta(backend, Word::HardState)?;
    if (kept.0, kept.1) != (mark.term, mark.vote) || last_term > kept.0 || kept.2 > mark.index {
        return Err(OpenError::damaged(format!(
            "term {}, vote {} and commit {} do not fit a log that ends at entry {} of term {last_term}",
            kept.0, kept.1, kept.2, mark.index
        )));
    }
    Ok(LogTail { mark, hard_state: layout::read_hard_state(kept), last_term })
}

/// The last write of the log that was not acknowledged by anybody: a snapshot's entry is the first one.
fn unacknowledged(backend: &dyn Backend) -> Result<u64, StoreError> {
    let base: Option<Base> = layout::get(backend, Family::Meta, &Word::Base.key())?;
    Ok(if base.is_some() { TAKEN_WRITE } else { 0 })
}

/// Recomputes the hashes of the last `count` entries; gives the last one's term.
fn check_log_end(backend: &dyn Backend, mark: &Mark, count: u64) -> Result<u64, OpenError> {
    let last = raft_log::last(backend)?;
    let (index, hash, term) = last.map_or((0, [0; 32], 0), |(i, head)| (i, head.hash, head.term));
    if (index, hash) != (mark.index, mark.hash) {
        return Err(OpenError::damaged(format!(
            "the log ends at entry {index} with hash {}, it was written up to entry {} with hash {}",
            short(&hash),
            mark.index,
            short(&mark.hash)
        )));
    }
    let first = (index + 1).saturating_sub(count).max(raft_log::first(backend)?);
    let mut term_before = 0;
    for at in first..=index {
        for entry in raft_log::entries(backend, at, at + 1, u64::MAX)? {
            if entry.term < term_before {
                return Err(OpenError::damaged(format!("the term falls at Raft entry {at}")));
            }
            term_before = entry.term;
        }
    }
    Ok(term)
}

/// That the last block, its seal and the log of proof fit each other and the Raft log.
pub(crate) fn check_tip(
    backend: &dyn Backend,
    tip: &Tip,
    log: &LogTail,
) -> Result<(BlockRecord, Frontier), OpenError> {
    let applied = tip.applied;
    let in_log = applied.index == 0
        || raft_log::head(backend, applied.index)?.is_some_and(|head| head.term == applied.term);
    if applied.index > log.mark.index || !in_log {
        return Err(OpenError::damaged(format!(
            "entry {} of term {} is applied, but not in the log",
            applied.index, applied.term
        )));
    }
    let height = tip.head.height;
    let block: Option<BlockRecord> = layout::get(backend, Family::Blocks, &part(height, 0))?;
    let block = block
        .filter(|block| {
            (block.head, block.root) == (tip.head, tip.root) && block.seal.height == height
        })
        .ok_or_else(|| {
            OpenError::damaged(format!("block {height} is not the last one recorded"))
        })?;
    let frontier = Frontier::from_nodes(&TileNodes(TileHashes(backend)), tip.head.size)
        .map_err(|missing| OpenError::damaged(missing.to_string()))?;
    check_root("tiles", &frontier.root(), &tip.root)?;
    let runs = RunsOf { family: Family::Leaves, prefix: &[], item: LEAF_BYTES };
    let leaf = runs.read(backend, tip.head.size - 1..tip.head.size)?;
    if Leaf::decode(&leaf).ok() != Some(block.seal.leaf()) {
        return Err(OpenError::damaged(format!("the last leaf is not the seal of block {height}")));
    }
    Ok((block, frontier))
}

fn check_root(what: &str, found: &Hash, expected: &Hash) -> Result<(), OpenError> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (short(found), short(expected));
    Err(OpenError::damaged(format!("the {what} lead to root {found}, {expected} was recorded")))
}

/// Rebuilds the chain and compares its state digest with the last seal's.
pub(crate) fn resume(
    backend: &dyn Backend,
    identity: &Identity,
    tip: &Tip,
    frontier: Frontier,
    seal: &SealBody,
) -> Result<Chain, OpenError> {
    let lanes: &[u8; sum::BYTES] = tip.rows[..]
        .try_into()
        .map_err(|_| OpenError::damaged("the digest of rows has another length"))?;
    let wallets = WalletTree::from_leaves(wallet_leaves(backend)?);
    let rows = SetDigest::from_bytes(lanes);
    let mut chain = Chain::resume(identity.chain, tip.head, frontier, wallets, rows);
    check_root("wallets and rows", &chain.state_digest(), &seal.state)?;
    Ok(chain)
}

/// Leaves of the tree of wallets, by serial number.
pub(crate) fn wallet_leaves(backend: &dyn Backend) -> Result<Vec<Hash>, OpenError> {
    let prefix = [Table::Wallet as u8];
    let until = after_prefix(&prefix);
    let scan =
        Scan { family: Family::State, from: &prefix, until: until.as_deref(), reverse: false };
    let (mut leaves, mut fault) = (Vec::new(), None);
    backend.scan(scan, &mut |key, value| {
        match wallet_leaf(key, value) {
            Some(leaf) => leaves.push(leaf),
            None => fault = Some(OpenError::damaged("a wallet does not decode")),
        }
        if fault.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    leaves.sort_unstable_by_key(|(serial, _)| *serial);
    if (0u64..).zip(&leaves).any(|(expected, (serial, _))| *serial != expected) {
        return Err(OpenError::damaged("a wallet is missing, or two have one serial number"));
    }
    Ok(leaves.into_iter().map(|(_, leaf)| leaf).collect())
}

fn wallet_leaf(key: &[u8], value: &[u8]) -> Option<(u64, Hash)> {
    let party = PartyId(key.get(1..)?.try_into().ok()?);
    match Row::decode(value).ok()? {
        Row::Wallet(wallet) => Some((wallet.serial, wallet.state_leaf(&party))),
        _ => None,
    }
}
