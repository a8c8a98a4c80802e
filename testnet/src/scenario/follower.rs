//! Downloads a chain entry by entry and executes it again.
//!
//! Per block: the leader's signature and the signatures of all items; the seal that execution comes to must be the one
//! that nodes serve, which covers the state. Over all: the root that execution comes to must be that of a checkpoint
//! which is final by the witness policy, which covers every leaf.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use musubi_ledger::{
    batch::{Batch, NodeId},
    code::Code,
    execute::{Chain, Head, MemoryState, check_items},
    genesis::{Genesis, RULES_VERSION},
    hash::Hash,
    keys::SecretKey,
    policy::PolicyChain,
};
pub use musubi_schemes::stage::Seen;
use musubi_sdk::{
    Client,
    audit::check::{CheckedEntry, Checker},
};

/// Entries asked for at a time.
const PAGE: u64 = 64;

/// Where the chain stands by what was executed here.
#[derive(Debug)]
pub struct Follower {
    checker: Checker,
    policies: PolicyChain,
    chain: Chain,
    state: MemoryState,
    /// Term and index of the last entry.
    place: (u64, u64),
    /// Roots of the log by its size at the end of each block.
    roots: BTreeMap<u64, Hash>,
    overdue: bool,
    /// Leaves that a final checkpoint with our root covers.
    confirmed: u64,
}

impl Follower {
    /// Begins with the genesis document.
    #[must_use]
    pub fn new(genesis: &Genesis) -> Self {
        let (chain, block) = Chain::open(genesis);
        let mut state = MemoryState::default();
        state.apply(&block.changes);
        Self {
            checker: Checker::new(genesis),
            policies: PolicyChain::of_genesis(genesis),
            chain,
            state,
            place: (0, 0),
            roots: BTreeMap::from([(block.head.size, block.root)]),
            overdue: false,
            confirmed: 0,
        }
    }

    /// Where the chain stands.
    #[must_use]
    pub fn head(&self) -> Head {
        self.chain.head()
    }

    /// The state after the last block.
    #[must_use]
    pub fn state(&self) -> &MemoryState {
        &self.state
    }

    /// Whether something is due already for which the last block had no room.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        self.overdue
    }

    /// Leaves that a final checkpoint covers whose root is ours.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// Executes what nodes have and this has not.
    ///
    /// # Errors
    /// If they cannot be read, or a block is not what its entry comes to.
    pub async fn pull(&mut self, client: &Client) -> anyhow::Result<Vec<Seen>> {
        let mut seen = Vec::new();
        loop {
            let from = self.head().height + 1;
            let known = client.info().await?.height;
            let entries = match (known + 1).saturating_sub(from).min(PAGE) {
                0 => Vec::new(),
                count => client.entries(from, count).await?,
            };
            if entries.is_empty() {
                return Ok(seen);
            }
            let seals = client.seals(from, entries.len() as u64).await?;
            for (entry, seal) in self.checker.check(&entries).into_iter().zip(seals) {
                seen.push(self.take(entry, &seal)?);
            }
        }
    }

    /// What an item would come to in a block right behind the last one; none if it is no item of a batch at all. Nothing
    /// is changed by that.
    #[must_use]
    pub fn judge(&self, item: &[u8]) -> Option<Code> {
        let id = self.chain.id();
        // Nobody checks who signs a batch that no one else sees.
        let nobody = SecretKey::from_seed(&[0; 32]);
        let place = (self.place.0, self.place.1 + 1);
        let time = self.head().time.plus(1);
        let batch = Batch::sign(id, place, time, vec![item.to_vec()], (NodeId(0), &nobody));
        let checked = check_items(&id, RULES_VERSION, &batch.items, &|_| false);
        let entry = Batch::entry_hash(&batch.encode());
        let block = self.chain.clone().execute(&self.state, &batch, entry, &checked);
        block.items.first().map(|item| item.code)
    }

    fn take(&mut self, entry: CheckedEntry, seal: &[u8]) -> anyhow::Result<Seen> {
        let height = self.head().height + 1;
        if let Some(fault) = &entry.suspicion {
            bail!("the entry of block {height} is not its leader's: {fault}");
        }
        let batch = entry.batch.with_context(|| format!("the entry of block {height}"))?;
        let (before, place) = (self.place, (batch.term, batch.index));
        ensure!(
            place.0 >= before.0 && place.1 > before.1,
            "the entry of block {height} is of place {place:?}, behind {before:?}"
        );
        let time = self.head().time;
        let block = self.chain.execute(&self.state, &batch, entry.hash, &entry.items);
        ensure!(block.head.time > time, "block {height} is no later than the one before it");
        ensure!(
            block.seal.encode() == seal,
            "nodes have another block {height} than what its entry comes to"
        );
        self.state.apply(&block.changes);
        self.roots.insert(block.head.size, block.root);
        (self.place, self.overdue) = (place, block.overdue);
        Ok(Seen { block, items: entry.items })
    }

    /// Takes what a node serves as final; whether it covers everything that was executed here.
    ///
    /// # Errors
    /// If it is not final by the witness policy, or its root is another one than ours.
    pub fn confirm(&mut self, note: &str) -> anyhow::Result<bool> {
        let found =
            self.policies.check(note.as_bytes()).context("what is served as final is not")?;
        let (size, root) = (found.checkpoint.size(), found.checkpoint.root());
        if size <= self.head().size {
            let own = self.roots.get(&size).context("a final checkpoint is of no block's end")?;
            ensure!(
                own == root,
                "the final checkpoint of {size} leaves has another root than ours"
            );
            self.confirmed = self.confirmed.max(size);
        }
        Ok(self.confirmed == self.head().size)
    }
}
