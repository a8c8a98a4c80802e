//! The town that every simulation begins with: its genesis document, and the directories of its
//! validators after the first blocks, which open groups, mandates and allowance and fund the wallets.
//!
//! Made once per process and copied for each seed, with all the transactions that its clients will
//! ever send ([`super::script`]) signed and verified beforehand: a simulation spends its time on faults.

use std::collections::BTreeSet;

use musubi_consensus::{HardState, LogEntry, MemberKey, Persist};
use musubi_ledger::{
    batch::{Batch, NodeId},
    code::Code,
    execute::{Block, Chain, MemoryState, check_items},
    genesis::{Genesis, Node, RULES_VERSION},
    hash::{Hash, sha256},
    id::{ChainId, DocumentHash, InstrumentId, PartyId},
    keys::SecretKey,
    time::Time,
};
use musubi_storage::{OpenSettings, Store, memory::MemoryDisk};

use super::{
    genesis::genesis,
    governance::governance,
    opening::opening,
    script::{Script, scripts},
};

/// True time when a simulation begins; the first blocks are older.
pub(crate) const BEGIN: u64 = 1_800_000_000_000;
pub(crate) const PERSONS: usize = 20;
pub(crate) const SHOPS: usize = 6;
pub(crate) const GROUPS: usize = 3;

/// A town with a number of validators.
pub(crate) struct Town {
    pub(crate) genesis: Genesis,
    pub(crate) chain: ChainId,
    pub(crate) members: Vec<MemberKey>,
    /// Each validator's directory after the first blocks.
    pub(crate) disks: Vec<MemoryDisk>,
    /// Block 0 and the first blocks.
    pub(crate) blocks: Vec<Block>,
    /// Their Raft entries; block 0 has none.
    pub(crate) entries: Vec<LogEntry>,
    /// What clients do.
    pub(crate) scripts: Vec<Script>,
    /// Which of them, the last, changes the witness policy.
    pub(crate) governance: usize,
    /// Hashes of signed bytes whose signatures hold.
    pub(crate) verified: BTreeSet<Hash>,
}

/// The key called `name`.
pub(crate) fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(&sha256(format!("simulator key {name}").as_bytes()))
}

/// The party called `name`.
pub(crate) fn party(name: &str) -> PartyId {
    let mut id = [0; 16];
    id.copy_from_slice(&sha256(format!("simulator party {name}").as_bytes())[..16]);
    PartyId(id)
}

/// The document called `name`.
pub(crate) fn document(name: &str) -> DocumentHash {
    DocumentHash(sha256(format!("simulator document {name}").as_bytes()))
}

/// The instrument called `name`.
pub(crate) fn instrument(name: &str) -> InstrumentId {
    name.parse().expect("a valid code")
}

/// A validator's node key.
pub(crate) fn node_key(node: usize) -> SecretKey {
    key(&format!("node {node}"))
}

/// Witness policies that the organisations have in all: each gives every validator another key.
pub(crate) const POLICIES: u32 = 3;

/// A validator's key for cosignatures under the policy of that number.
pub(crate) fn cosigner_key(node: usize, policy: u32) -> SecretKey {
    key(&format!("cosigner {node} of policy {policy}"))
}

impl Town {
    /// Builds a town with `validators` validators.
    pub(crate) fn new(validators: usize) -> Self {
        let genesis = genesis(validators);
        genesis.check().expect("the town's genesis document holds together");
        let chain = genesis.chain();
        let member = |n: &Node| MemberKey { node: n.id, batch_key: n.node };
        let mut town = Self {
            chain,
            members: genesis.nodes.iter().map(member).collect(),
            disks: Vec::new(),
            blocks: Vec::new(),
            entries: Vec::new(),
            scripts: Vec::new(),
            governance: 0,
            verified: BTreeSet::new(),
            genesis,
        };
        let opening = opening(chain);
        town.open(&opening.blocks);
        town.disks = (0..validators).map(|node| town.directory(node)).collect();
        town.scripts = scripts(chain, &opening);
        town.governance = town.scripts.len();
        town.scripts.push(governance(&town.genesis));
        town.verify_scripts();
        town
    }

    /// Executes the first blocks.
    fn open(&mut self, items: &[Vec<Vec<u8>>]) {
        let (mut chain, block) = Chain::open(&self.genesis);
        let mut state = MemoryState::default();
        state.apply(&block.changes);
        self.blocks.push(block);
        for (index, items) in (1..).zip(items) {
            let time = Time(self.genesis.time.0 + index);
            let leader = (NodeId(1), &node_key(1));
            let batch = Batch::sign(self.chain, (1, index), time, items.clone(), leader);
            let data = batch.encode();
            let checked = check_items(&self.chain, RULES_VERSION, &batch.items, &|_| false);
            let block = chain.execute(&state, &batch, Batch::entry_hash(&data), &checked);
            let all_applied = block.items.iter().all(|item| item.code == Code::Applied);
            assert!(all_applied, "the first blocks hold good transactions: {:?}", block.items);
            state.apply(&block.changes);
            self.blocks.push(block);
            self.entries.push(LogEntry { index, term: 1, data });
        }
    }

    /// A validator's directory after the first blocks, all of it synced.
    fn directory(&self, node: usize) -> MemoryDisk {
        let disk = MemoryDisk::new(node as u64);
        let fill = || -> Result<(), Box<dyn std::error::Error>> {
            let settings = OpenSettings::default();
            let opened =
                Store::create(disk.open()?, &self.genesis, [node as u8 + 1; 16], &settings)?;
            let commit = self.entries.len() as u64;
            opened.store.stage(&Persist {
                number: 1,
                truncate_from: None,
                entries: self.entries.clone(),
                hard_state: Some(HardState { term: 1, vote: Some(NodeId(1)), commit }),
                must_sync: true,
            })?;
            for (block, entry) in self.blocks[1..].iter().zip(&self.entries) {
                opened.store.record(block, entry.position())?;
            }
            Ok(opened.store.sync()?)
        };
        fill().expect("a good disk takes the first blocks");
        disk
    }

    fn verify_scripts(&mut self) {
        let steps = self.scripts.iter().flat_map(|script| &script.steps);
        let items: Vec<Vec<u8>> = steps.map(|step| step.bytes.clone()).collect();
        let checked = check_items(&self.chain, RULES_VERSION, &items, &|_| false);
        for (item, bytes) in checked.iter().zip(&items) {
            assert_eq!(item.fault, None, "clients send what passes the door");
            self.verified.insert(sha256(bytes));
        }
    }
}
