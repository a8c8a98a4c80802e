//! What is checked from outside when the day is over: every node's log against the client's journal,
//! roots against each other, wallets against the books.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use musubi_ledger::{
    genesis::Genesis,
    hash::Hash,
    id::{PartyId, TxId},
    leaf::{Leaf, LeafKind},
    tlog::{Algorithm, Bundle, Checkpoint, VerifierKey},
};
use musubi_sdk::{Client, api::WalletView};

use crate::{
    books::{POTS, Pot, Purse},
    city::institutions,
    network::Network,
};

/// How long the nodes may take to stand at one height; an idle leader makes a block every 10 s.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests side by side.
const SIDE_BY_SIDE: usize = 24;

/// Every node at one height with one root, by its own signed checkpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Leaves in the log.
    pub(super) size: u64,
    /// The root that all signed.
    pub(super) root: Hash,
    /// The last block.
    pub(super) height: u64,
}

/// Waits until all nodes have signed one and the same checkpoint of all there is.
///
/// # Errors
/// If two nodes sign different roots of one size, or they do not meet in time.
pub(super) async fn standing(network: &Network) -> anyhow::Result<Standing> {
    let begun = Instant::now();
    loop {
        if let Some(standing) = meet(network).await? {
            return Ok(standing);
        }
        if begun.elapsed() > PATIENCE {
            bail!("the nodes did not reach one height within {PATIENCE:?}; see their logs");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn meet(network: &Network) -> anyhow::Result<Option<Standing>> {
    let mut standings: Vec<Standing> = Vec::new();
    for (at, validator) in network.validators().iter().enumerate() {
        let client = network.client_of(at)?;
        let info = client.info().await?;
        let note = client.log_checkpoint().await?;
        let opened = open(network.genesis(), at, &note)
            .with_context(|| format!("node {}'s checkpoint", validator.node))?;
        if opened.size() != info.size {
            return Ok(None);
        }
        let (size, root) = (opened.size(), *opened.root());
        standings.push(Standing { size, root, height: info.height });
    }
    let first = standings[0];
    if standings.iter().any(|s| s.size == first.size && s.root != first.root) {
        bail!("two nodes signed different roots of {} leaves", first.size);
    }
    let together = standings.iter().all(|s| (s.size, s.height) == (first.size, first.height));
    Ok(together.then_some(first))
}

fn open(genesis: &Genesis, at: usize, note: &str) -> anyhow::Result<Checkpoint> {
    let origin = genesis.origin();
    let key = genesis.nodes.get(at).context("the node is in the genesis document")?.node;
    let key = [VerifierKey::new(&origin, Algorithm::Ed25519, &key.0)?];
    Ok(Checkpoint::open(note.as_bytes(), &origin, &key)?.checkpoint)
}

/// What one node's log says about transactions, up to a size.
#[derive(Debug, Default)]
pub(super) struct NodeLog {
    /// Verdicts by id.
    pub(super) verdicts: BTreeMap<TxId, String>,
    /// Ids that stand there twice.
    pub(super) twice: u64,
}

/// Reads a node's whole public log.
///
/// # Errors
/// If a bundle cannot be read, or holds something that is no leaf.
pub(super) async fn node_log(client: &Client, size: u64) -> anyhow::Result<NodeLog> {
    let bundles = (0..).map_while(|index| Bundle::in_log(index, size));
    let mut pages =
        stream::iter(bundles).map(|bundle| client.leaves(bundle)).buffered(SIDE_BY_SIDE);
    let mut log = NodeLog::default();
    while let Some(leaves) = pages.try_next().await? {
        for bytes in leaves {
            let leaf = Leaf::decode(&bytes).context("an entry that is no leaf")?;
            if leaf.kind == LeafKind::Transaction {
                let old = log.verdicts.insert(leaf.id, leaf.code.name().into());
                log.twice += u64::from(old.is_some());
            }
        }
    }
    Ok(log)
}

/// Journal against log: how many acknowledged verdicts the log lacks, or tells otherwise.
#[must_use]
pub(super) fn lost(journal: &BTreeMap<TxId, String>, log: &NodeLog) -> u64 {
    journal.iter().filter(|(id, code)| log.verdicts.get(id) != Some(code)).count() as u64
}

/// Asks for the status of some acknowledged ids; how many answers differ from the journal.
///
/// # Errors
/// If the node does not answer.
pub(super) async fn statuses(
    client: &Client,
    journal: &BTreeMap<TxId, String>,
    every: usize,
) -> anyhow::Result<u64> {
    let some: Vec<_> = journal.iter().step_by(every.max(1)).collect();
    let answers = stream::iter(some).map(|(id, code)| async move {
        let status = client.status(*id).await?;
        Ok::<_, anyhow::Error>(status.code.is_none_or(|found| found.name() != code))
    });
    let wrong: Vec<bool> = answers.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
    Ok(wrong.into_iter().filter(|wrong| *wrong).count() as u64)
}

/// Wallets against the books, spread over all nodes; returns the first that differs, if any.
///
/// # Errors
/// If a node does not answer.
pub(super) async fn wallets(
    clients: &[Client],
    books: &BTreeMap<PartyId, Purse>,
) -> anyhow::Result<Option<String>> {
    let asked = stream::iter(books.iter().enumerate()).map(|(turn, (party, wanted))| async move {
        let found = purse(&clients[turn % clients.len()].wallet(*party).await?);
        let differs = || format!("{party} holds {found:?} instead of {wanted:?}");
        Ok::<_, anyhow::Error>((found != *wanted).then(differs))
    });
    let differing: Vec<Option<String>> = asked.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
    Ok(differing.into_iter().flatten().next())
}

/// A wallet as the books count it.
#[must_use]
pub(super) fn purse(wallet: &WalletView) -> Purse {
    let mut purse = [0; POTS];
    for balance in &wallet.balances {
        if balance.instrument == institutions::money() {
            purse[Pot::Money as usize] = balance.spendable.0;
            purse[Pot::MoneyClaim as usize] = balance.claim.0;
            purse[Pot::MoneyHeld as usize] = balance.held.0;
        } else {
            purse[Pot::Points as usize] = balance.spendable.0;
            purse[Pot::PointClaim as usize] = balance.claim.0;
        }
    }
    purse
}
