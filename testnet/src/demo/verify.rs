//! What is checked from outside when the day is over: every node's log against the client's journal,
//! wallets against the books.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use musubi_ledger::{
    id::{PartyId, TxId},
    leaf::{Leaf, LeafKind},
    lot::Lot,
    tlog::Bundle,
};
use musubi_sdk::{Client, api::WalletView};

use crate::{
    books::{POTS, Pot, Purse},
    city::institutions,
    load::Verdicts,
};

/// Requests side by side.
const SIDE_BY_SIDE: usize = 24;

/// What one node's log says about transactions, up to a size.
#[derive(Debug, Default)]
pub(super) struct NodeLog {
    /// Verdicts by id.
    pub(super) verdicts: BTreeMap<TxId, String>,
    /// Where each stands.
    pub(super) leaves: BTreeMap<TxId, u64>,
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
    let mut index = 0;
    while let Some(leaves) = pages.try_next().await? {
        for bytes in leaves {
            log.add(index, &Leaf::decode(&bytes).context("an entry that is no leaf")?);
            index += 1;
        }
    }
    Ok(log)
}

impl NodeLog {
    fn add(&mut self, index: u64, leaf: &Leaf) {
        if leaf.kind == LeafKind::Transaction {
            let old = self.verdicts.insert(leaf.id, leaf.code.name().into());
            self.leaves.insert(leaf.id, index);
            self.twice += u64::from(old.is_some());
        }
    }

    /// How many acknowledged verdicts the log lacks, or tells otherwise.
    #[must_use]
    pub(super) fn lost(&self, journal: &Verdicts) -> u64 {
        journal.iter().filter(|(id, code)| self.verdicts.get(id) != Some(code)).count() as u64
    }

    /// Ids in the log of which nobody was told.
    #[must_use]
    pub(super) fn unexplained(&self, journal: &Verdicts) -> BTreeSet<TxId> {
        let told: BTreeSet<TxId> = journal.iter().map(|(id, _)| *id).collect();
        self.verdicts.keys().filter(|id| !told.contains(id)).copied().collect()
    }
}

/// Ids that were acknowledged with two verdicts.
#[must_use]
pub(super) fn contradicted(journal: &Verdicts) -> BTreeSet<TxId> {
    // Sorted by id: the verdicts of one are neighbours.
    let pairs = journal.iter().zip(journal.iter().skip(1));
    pairs.filter(|(one, next)| one.0 == next.0).map(|(one, _)| one.0).collect()
}

/// Asks for the status of some acknowledged ids; how many answers differ from the journal.
///
/// # Errors
/// If the node does not answer.
pub(super) async fn statuses(
    client: &Client,
    journal: &Verdicts,
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

/// What the nodes' wallets show.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The first that is not as the books have it.
    pub(super) differing: Option<String>,
    /// The sum over all wallets, lot by lot.
    pub(super) lots: BTreeMap<Lot, u64>,
}

/// Wallets against the books, the questions spread over all nodes.
///
/// # Errors
/// If a node does not answer.
pub(super) async fn wallets(
    clients: &[Client],
    books: &BTreeMap<PartyId, Purse>,
) -> anyhow::Result<Held> {
    let asked = stream::iter(books.iter().enumerate()).map(|(turn, (party, wanted))| async move {
        let wallet = clients[turn % clients.len()].wallet(*party).await?;
        Ok::<_, anyhow::Error>((wallet, wanted))
    });
    let mut asked = asked.buffer_unordered(SIDE_BY_SIDE);
    let mut held = Held::default();
    while let Some((wallet, wanted)) = asked.try_next().await? {
        held.add(&wallet, wanted);
    }
    Ok(held)
}

impl Held {
    fn add(&mut self, wallet: &WalletView, wanted: &Purse) {
        let party = wallet.party;
        let differs = match purse(wallet) {
            Ok(found) if found == *wanted => None,
            Ok(found) => Some(format!("{party} holds {found:?} instead of {wanted:?}")),
            Err(what) => Some(format!("{party} {what}")),
        };
        self.differing = self.differing.take().or(differs);
        for lot in wallet.balances.iter().flat_map(|balance| &balance.lots) {
            let all = lot.spendable.0 + lot.held.0 + lot.claim.0;
            *self.lots.entry(lot.lot).or_default() += all;
        }
    }
}

/// A wallet as the books count it.
///
/// # Errors
/// What it has that the books have no pot for.
fn purse(wallet: &WalletView) -> Result<Purse, String> {
    let mut purse = [0; POTS];
    for balance in &wallet.balances {
        let instrument = balance.instrument;
        if balance.receivable.0 > 0 {
            return Err(format!("owes {} of {instrument}", balance.receivable));
        }
        if instrument == institutions::money() {
            purse[Pot::Money as usize] = balance.spendable.0;
            purse[Pot::MoneyClaim as usize] = balance.claim.0;
            purse[Pot::MoneyHeld as usize] = balance.held.0;
        } else if instrument == institutions::points() && balance.held.0 == 0 {
            purse[Pot::Points as usize] = balance.spendable.0;
            purse[Pot::PointClaim as usize] = balance.claim.0;
        } else {
            return Err(format!("holds {instrument} that the books know nothing of"));
        }
    }
    Ok(purse)
}

#[cfg(test)]
mod tests {
    use musubi_ledger::{code::Code, time::Time};

    use super::*;

    fn id(n: u8) -> TxId {
        TxId([n; 32])
    }

    fn log(entries: &[(u8, Code)]) -> NodeLog {
        let mut log = NodeLog::default();
        for (index, (n, code)) in (0..).zip(entries) {
            log.add(
                index,
                &Leaf {
                    kind: LeafKind::Transaction,
                    height: 1,
                    time: Time(1),
                    id: id(*n),
                    code: *code,
                    signatures: [0; 32],
                    outcome: [0; 32],
                },
            );
        }
        log
    }

    fn journal(entries: &[(u8, Code)]) -> Verdicts {
        entries.iter().map(|(n, code)| (id(*n), code.name().into())).collect()
    }

    #[test]
    fn log_and_journal_must_be_the_same() {
        let told = [(1, Code::Applied), (2, Code::Expired)];
        let same = log(&told);
        assert_eq!((same.lost(&journal(&told)), same.twice), (0, 0));
        assert!(same.unexplained(&journal(&told)).is_empty());

        assert_eq!(log(&told[..1]).lost(&journal(&told)), 1, "a verdict is gone");
        let other = log(&[(1, Code::Applied), (2, Code::Applied)]);
        assert_eq!(other.lost(&journal(&told)), 1, "a verdict is another one");
        assert_eq!(same.unexplained(&journal(&told[..1])), [id(2)].into(), "nobody was told");
        assert_eq!(log(&[told[0], told[0]]).twice, 1);
    }

    #[test]
    fn an_id_with_two_verdicts_is_found_and_one_of_them_is_lost() {
        let told = journal(&[(1, Code::Applied), (2, Code::Applied), (2, Code::Expired)]);
        assert_eq!(contradicted(&told), [id(2)].into());
        assert_eq!(log(&[(1, Code::Applied), (2, Code::Expired)]).lost(&told), 1);
        assert!(contradicted(&journal(&[(1, Code::Applied), (3, Code::Applied)])).is_empty());
    }
}
