//! What can be checked of entries before they are executed, on any thread: decoding, the leader's
//! signature, and every signature of every item in one large batch.

use musubi_ledger::{
    batch::{Batch, BatchError},
    epoch::{FIRST_EPOCH, epoch_of},
    execute::{CheckedItem, check_items},
    genesis::Genesis,
    hash::Hash,
    id::ChainId,
    keys::PublicKey,
};

use super::fault::Fault;

/// What checking needs to know of a chain.
#[derive(Clone, Debug)]
pub struct Checker {
    chain: ChainId,
    rules_version: u16,
    leaders: Vec<(u64, PublicKey)>,
}

/// An entry after its checks.
#[derive(Clone, Debug)]
pub struct CheckedEntry {
    /// The batch, unless it is none. Of the first epoch's items only as many empty ones: they have been read, and
    /// whoever executes need not free them. Those of later epochs are whole: their leader is checked when it is known.
    pub batch: Result<Batch, BatchError>,
    /// SHA-256 of the entry, as a seal names it.
    pub hash: Hash,
    /// What is wrong with its chain, leader or signature; execution goes on, to name the item.
    pub suspicion: Option<Fault>,
    /// Its items.
    pub items: Vec<CheckedItem>,
    /// Signatures that were verified.
    pub signatures: u64,
}

impl Checker {
    /// For the chain that `genesis` opens.
    #[must_use]
    pub fn new(genesis: &Genesis) -> Self {
        Self {
            chain: genesis.chain(),
            rules_version: genesis.rules_version,
            leaders: genesis.nodes.iter().map(|n| (n.id.0, n.node)).collect(),
        }
    }

    /// Checks entries, all items' signatures together: a batch of signatures does not end where a block
    /// does, and the more there are, the less each costs.
    #[must_use]
    pub fn check<E: AsRef<[u8]>>(&self, entries: &[E]) -> Vec<CheckedEntry> {
        let mut checked: Vec<CheckedEntry> =
            entries.iter().map(|entry| self.open(entry.as_ref())).collect();
        let mut items: Vec<Vec<u8>> = Vec::new();
        let mut counts = Vec::with_capacity(checked.len());
        for entry in &mut checked {
            let own = entry.batch.as_mut().map(|batch| std::mem::take(&mut batch.items));
            let own = own.unwrap_or_default();
            counts.push(own.len());
            items.extend(own);
        }
        let verdicts = check_items(&self.chain, self.rules_version, &items, &|_| false);
        let (mut verdicts, mut items) = (verdicts.into_iter(), items.into_iter());
        for (entry, count) in checked.iter_mut().zip(counts) {
            let Ok(batch) = &mut entry.batch else {
                continue;
            };
            let own: Vec<Vec<u8>> = items.by_ref().take(count).collect();
            let signed = epoch_of(batch.term) == FIRST_EPOCH;
            batch.items = if signed { vec![Vec::new(); count] } else { own };
            entry.items = verdicts.by_ref().take(count).collect();
            let signatures = |item: &CheckedItem| {
                let transaction = item.transaction.as_ref();
                transaction.map_or(0, |t| t.signatures.len() as u64)
            };
            entry.signatures = entry.items.iter().map(signatures).sum();
        }
        checked
    }

    fn open(&self, bytes: &[u8]) -> CheckedEntry {
        let batch = Batch::decode(bytes);
        let suspicion = batch.as_ref().ok().and_then(|batch| self.suspect(batch));
        CheckedEntry {
            batch,
            hash: Batch::entry_hash(bytes),
            suspicion,
            items: Vec::new(),
            signatures: 0,
        }
    }

    fn suspect(&self, batch: &Batch) -> Option<Fault> {
        // Who leads in a later epoch is known when the recovery that began it is executed: the auditor looks.
        if epoch_of(batch.term) > FIRST_EPOCH {
            return None;
        }
        let leader = batch.leader.0;
        let Some((_, key)) = self.leaders.iter().find(|(id, _)| *id == leader) else {
            return Some(Fault::UnknownLeader(leader));
        };
        let envelope = (batch.term, batch.index);
        batch.check(&self.chain, envelope, key).err().map(Fault::Entry)
    }
}
