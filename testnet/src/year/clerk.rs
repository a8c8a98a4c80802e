//! The validators' part of a generated year: they cut and sign batches, execute them, keep the record, and
//! sign its end.

use std::path::Path;

use musubi_ledger::{
    api::Checkpoints,
    batch::{Batch, NodeId},
    code::Code,
    execute::{Block, Chain, MemoryState, check_items},
    genesis::{Genesis, RULES_VERSION},
    id::ChainId,
    keys::SecretKey,
    limits,
    policy::{PolicyBundle, cosigner_name},
    time::Time,
    tlog::{Algorithm, Checkpoint, NoteSignature, SignedNote, VerifierKey},
};
use musubi_node::init::NodeKeys;
use musubi_sdk::audit::{Finals, Recorder, Tiling};

use crate::{city::institutions::Institutions, network::PARAMETERS, random::Dice};

/// Validators.
const NODES: u64 = 3;
/// Most items of a batch: an entry of such items stays below its limit.
const ITEMS: usize = 400;
/// Somebody else leads after so many blocks.
const REIGN: u64 = 100_000;

/// A node's keys for batches and checkpoints.
struct Node {
    node: SecretKey,
    cosigner: SecretKey,
}

/// Cuts, executes and records.
pub struct Clerk {
    genesis: Genesis,
    chain: Chain,
    state: MemoryState,
    record: Recorder,
    nodes: Vec<Node>,
    gather_ms: u64,
    now: Time,
    items: u64,
    tiling: Tiling,
    last: Block,
}

impl Clerk {
    /// Opens a chain and its record, from a seed, at a time, with so many milliseconds between batches.
    ///
    /// # Errors
    /// If the record cannot be begun.
    ///
    /// # Panics
    /// Never: a generated genesis document holds together.
    pub fn open(
        institutions: &Institutions,
        folder: &Path,
        (seed, begin, gather_ms): (u64, Time, u64),
    ) -> anyhow::Result<Self> {
        let mut dice = Dice::new(seed ^ 0x6e6f_6465);
        let mut nodes = Vec::new();
        let mut keys = Vec::new();
        for _ in 0..NODES {
            let [transport, node, cosigner] =
                std::array::from_fn(|_| SecretKey::from_seed(&dice.bytes()));
            keys.push(NodeKeys {
                transport: transport.public(),
                node: node.public(),
                cosigner: cosigner.public(),
            });
            nodes.push(Node { node, cosigner });
        }
        let genesis = institutions.genesis(&keys, begin, PARAMETERS);
        genesis.check().expect("a generated document holds together");
        let (chain, block) = Chain::open(&genesis);
        let mut record = Recorder::create(folder, &genesis.encode())?;
        let mut state = MemoryState::default();
        state.apply(&block.changes);
        let mut tiling = Tiling::default();
        keep(&mut record, &mut tiling, &block)?;
        let (now, items, last) = (begin, 0, block);
        Ok(Self { genesis, chain, state, record, nodes, gather_ms, now, items, tiling, last })
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain.id()
    }

    /// Its height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.chain.head().height
    }

    /// Orders items as fast as batches carry them; returns their codes.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn at_once(&mut self, items: Vec<Vec<u8>>) -> anyhow::Result<Vec<Code>> {
        let mut codes = Vec::with_capacity(items.len());
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            self.now = self.now.plus(1_000);
            codes.extend(self.block(items.by_ref().take(ITEMS).collect())?);
        }
        Ok(codes)
    }

    /// Orders items evenly over `span_ms` from `from` on, a batch at each tick; returns their codes.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn spread(
        &mut self,
        items: Vec<Vec<u8>>,
        from: Time,
        span_ms: u64,
    ) -> anyhow::Result<Vec<Code>> {
        let count = items.len() as u64;
        let mut codes = Vec::with_capacity(items.len());
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            self.now = self.now.plus(self.gather_ms);
            let passed = self.now.0.saturating_sub(from.0).min(span_ms);
            let due = (count * passed / span_ms).saturating_sub(codes.len() as u64);
            let due = usize::try_from(due).unwrap_or(ITEMS).min(ITEMS);
            codes.extend(self.block(items.by_ref().take(due).collect())?);
        }
        Ok(codes)
    }

    /// Empty batches up to a time.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn idle_until(&mut self, until: Time) -> anyhow::Result<()> {
        while self.now.plus(self.gather_ms) < until {
            self.now = self.now.plus(self.gather_ms);
            self.block(Vec::new())?;
        }
        Ok(())
    }

    fn block(&mut self, items: Vec<Vec<u8>>) -> anyhow::Result<Vec<Code>> {
        let height = self.height() + 1;
        let term = 1 + height / REIGN;
        let leader = term % NODES;
        let node = &self.nodes[usize::try_from(leader)?];
        self.items += items.len() as u64;
        // A new leader's first entry is empty and carries no batch: indexes run ahead of heights.
        let signer = (NodeId(leader + 1), &node.node);
        let batch = Batch::sign(self.chain(), (term, height + term), self.now, items, signer);
        let bytes = batch.encode();
        anyhow::ensure!(bytes.len() <= limits::BATCH_BYTES_MAX, "a batch is within its limit");
        // Signed a moment ago by the generator itself: the audit verifies them, not we.
        let checked = check_items(&self.chain(), RULES_VERSION, &batch.items, &|_| true);
        let entry = Batch::entry_hash(&bytes);
        let block = self.chain.execute(&self.state, &batch, entry, &checked);
        self.state.apply(&block.changes);
        self.record.entries(&[bytes])?;
        keep(&mut self.record, &mut self.tiling, &block)?;
        let codes = block.items.iter().map(|item| item.code).collect();
        self.last = block;
        Ok(codes)
    }

    /// Lets all validators sign the end, and closes the record. Returns what is in it, as JSON.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub fn finish(mut self) -> anyhow::Result<serde_json::Value> {
        let mut tiles = Vec::new();
        self.tiling.rest(|_, tile| tiles.push(tile.to_vec()));
        self.record.tiles(&tiles)?;
        let head = self.chain.head();
        let origin = self.genesis.origin();
        let checkpoint = Checkpoint::new(&origin, head.size, self.last.root)?.to_string();
        let mut notes = Vec::new();
        let mut all = SignedNote::new(checkpoint.clone())?;
        for (id, node) in (1..).zip(&self.nodes) {
            let key = VerifierKey::new(&origin, Algorithm::Ed25519, &node.node.public().0)?;
            let mut note = SignedNote::new(checkpoint.clone())?;
            let line = NoteSignature::sign(note.text(), &key, |text| node.node.sign(text).0);
            note.add(line.clone())?;
            all.add(line)?;
            notes.push((id, note.to_string()));
            let name = cosigner_name(&self.genesis, NodeId(id));
            let key = VerifierKey::new(&name, Algorithm::CosignatureV1, &node.cosigner.public().0)?;
            let seconds = head.time.0 / 1_000;
            let sign = |text: &[u8]| node.cosigner.sign(text).0;
            all.add(NoteSignature::cosign(all.text(), &key, seconds, sign))?;
        }
        let bundle = PolicyBundle { genesis: self.genesis.encode(), steps: Vec::new() };
        let finals = Finals { note: Some(all.to_string()), bundle: Some(bundle.encode()) };
        self.record.finish(&Checkpoints { notes }, &finals)?;
        Ok(serde_json::json!({
            "chain": self.chain.id(),
            "blocks": head.height,
            "leaves": head.size,
            "items": self.items,
        }))
    }
}

fn keep(record: &mut Recorder, tiling: &mut Tiling, block: &Block) -> anyhow::Result<()> {
    let mut tiles = Vec::new();
    tiling.take(&block.nodes, |tile| tiles.push(tile));
    record.tiles(&tiles)?;
    let leaves = block.entries.iter().map(|entry| entry.leaf).chain([block.seal.leaf()]);
    let leaves: Vec<Vec<u8>> = leaves.map(|leaf| leaf.encode()).collect();
    record.leaves(&leaves)?;
    record.seals(&[block.seal.encode()])?;
    Ok(())
}
