//! A record as it lies in a directory, and every way to change it.

use std::{fs, path::Path};

use musubi_sdk::{
    audit::{FILES, FINALS, Kept, Options, TILES, Tiling},
    ledger::{
        api::Checkpoints,
        batch::{Batch, NodeId},
        hash::Hash,
        keys::SecretKey,
        leaf::{Leaf, SealBody},
        policy::{PolicyBundle, cosigner_name},
        tlog::{Algorithm, Checkpoint, NoteSignature, SignedNote, VerifierKey, merkle::NodeReader},
    },
};

use crate::common::town::{Town, node_key};

/// A record as it lies in a directory, with what the auditor has.
pub(crate) struct Record {
    pub(crate) town: Town,
    pub(crate) genesis: Vec<u8>,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) seals: Vec<Vec<u8>>,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) tiles: Vec<Vec<u8>>,
    pub(crate) notes: Vec<(u64, String)>,
    pub(crate) final_note: String,
    pub(crate) bundle: PolicyBundle,
    pub(crate) kept: Vec<Kept>,
    pub(crate) pinned: bool,
}

impl Record {
    pub(crate) fn of(town: Town) -> Self {
        Self {
            genesis: town.genesis.encode(),
            entries: town.entries.clone(),
            seals: town.seals.clone(),
            leaves: town.leaves.clone(),
            tiles: tiles(&town),
            notes: town.notes(),
            final_note: final_note(&town, town.blocks.len() - 2, &[1, 2], &[1, 3]),
            bundle: PolicyBundle { genesis: town.genesis.encode(), steps: Vec::new() },
            kept: Vec::new(),
            pinned: false,
            town,
        }
    }

    pub(crate) fn write(&self, folder: &Path) {
        let prefixed = |records: &[Vec<u8>], bytes: usize| -> Vec<u8> {
            let framed = |record: &Vec<u8>| {
                [&(record.len() as u64).to_be_bytes()[8 - bytes..], record].concat()
            };
            records.iter().flat_map(framed).collect()
        };
        let notes = serde_json::to_vec(&Checkpoints { notes: self.notes.clone() }).unwrap();
        let contents = [
            self.genesis.clone(),
            prefixed(&self.entries, 4),
            prefixed(&self.seals, 2),
            prefixed(&self.leaves, 2),
            notes,
        ];
        for (name, content) in FILES.iter().zip(contents) {
            fs::write(folder.join(name), content).unwrap();
        }
        fs::write(folder.join(TILES), prefixed(&self.tiles, 2)).unwrap();
        fs::write(folder.join(FINALS[0]), &self.final_note).unwrap();
        fs::write(folder.join(FINALS[1]), self.bundle.encode()).unwrap();
    }

    pub(crate) fn options(&self) -> Options {
        let expected = self.pinned.then(|| self.town.chain.id());
        Options { expected, kept: self.kept.clone(), ..Options::default() }
    }

    /// The batch of a height.
    pub(crate) fn batch(&self, height: usize) -> Batch {
        Batch::decode(&self.entries[height - 1]).unwrap()
    }

    /// Puts a changed batch in its place, signed anew by `key` as its leader.
    pub(crate) fn put(&mut self, height: usize, batch: Batch, key: &SecretKey) {
        let place = (batch.term, batch.index);
        let leader = (batch.leader, key);
        let signed = Batch::sign(batch.chain, place, batch.time, batch.items, leader);
        self.entries[height - 1] = signed.encode();
    }

    /// Changes a batch as its own leader would.
    pub(crate) fn resigned(&mut self, height: usize, change: impl FnOnce(&mut Batch)) {
        let mut batch = self.batch(height);
        change(&mut batch);
        self.put(height, batch, &node_key(1));
    }

    /// Changes a batch, and nobody signs it again.
    pub(crate) fn unsigned(&mut self, height: usize, change: impl FnOnce(&mut Batch)) {
        let mut batch = self.batch(height);
        change(&mut batch);
        self.entries[height - 1] = batch.encode();
    }

    pub(crate) fn seal(&mut self, height: usize, change: impl FnOnce(&mut SealBody)) {
        let mut body = SealBody::decode(&self.seals[height]).unwrap();
        change(&mut body);
        self.seals[height] = body.encode();
    }

    pub(crate) fn leaf(&mut self, index: usize, change: impl FnOnce(&mut Leaf)) {
        let mut leaf = Leaf::decode(&self.leaves[index]).unwrap();
        change(&mut leaf);
        self.leaves[index] = leaf.encode();
    }

    pub(crate) fn first_leaf(&self, height: usize) -> usize {
        usize::try_from(self.town.blocks[height].first_leaf).unwrap()
    }

    pub(crate) fn last(&self) -> usize {
        self.town.blocks.len() - 1
    }

    pub(crate) fn cut(&mut self, height: usize) {
        self.entries.truncate(height);
        self.seals.truncate(height + 1);
        self.leaves.truncate(usize::try_from(self.town.blocks[height].head.size).unwrap());
        let mut short = Tiling::default();
        self.town.blocks[..=height].iter().for_each(|b| short.take(&b.nodes, |_| {}));
        self.tiles.clear();
        short.rest(|_, tile| self.tiles.push(tile.to_vec()));
        self.final_note = final_note(&self.town, height, &[1, 2], &[1, 3]);
    }

    /// A note of any size and root, by the node's key or another one.
    pub(crate) fn forged(
        &self,
        node: u8,
        size: u64,
        root: [u8; 32],
        key: &SecretKey,
    ) -> (u64, String) {
        let origin = self.town.genesis.origin();
        let checkpoint = Checkpoint::new(&origin, size, root).unwrap();
        let verifier = VerifierKey::new(&origin, Algorithm::Ed25519, &key.public().0).unwrap();
        let mut note = SignedNote::new(checkpoint.to_string()).unwrap();
        note.add(NoteSignature::sign(note.text(), &verifier, |text| key.sign(text).0)).unwrap();
        (u64::from(node), note.to_string())
    }
}

/// A short log's tiles: none is full.
fn tiles(town: &Town) -> Vec<Vec<u8>> {
    let mut tiling = Tiling::default();
    town.blocks.iter().for_each(|block| tiling.take(&block.nodes, |_| panic!("a short log")));
    let mut tiles = Vec::new();
    tiling.rest(|_, tile| tiles.push(tile.to_vec()));
    tiles
}

fn cosigner(node: u8) -> SecretKey {
    SecretKey::from_seed(&[200 + node; 32])
}

pub(crate) fn witness() -> SecretKey {
    SecretKey::from_seed(&[90; 32])
}

/// The independent witness's number among cosigners.
pub(crate) const WITNESS: u8 = 9;

/// A checkpoint at a block's end, signed by these nodes as the log and by those as cosigners.
pub(crate) fn final_note(town: &Town, height: usize, logs: &[u8], cosigners: &[u8]) -> String {
    let block = &town.blocks[height];
    note_of(town, block.head.size, block.root, logs, cosigners)
}

pub(crate) fn note_of(town: &Town, size: u64, root: Hash, logs: &[u8], cosigners: &[u8]) -> String {
    let origin = town.genesis.origin();
    let mut note =
        SignedNote::new(Checkpoint::new(&origin, size, root).unwrap().to_string()).unwrap();
    for node in logs {
        let secret = node_key(*node);
        let key = VerifierKey::new(&origin, Algorithm::Ed25519, &secret.public().0).unwrap();
        note.add(NoteSignature::sign(note.text(), &key, |text| secret.sign(text).0)).unwrap();
    }
    for node in cosigners {
        let (name, secret) = match *node {
            WITNESS => ("witness.example/w1".to_owned(), witness()),
            node => (cosigner_name(&town.genesis, NodeId(node.into())), cosigner(node)),
        };
        let key = VerifierKey::new(&name, Algorithm::CosignatureV1, &secret.public().0).unwrap();
        let sign = |text: &[u8]| secret.sign(text).0;
        note.add(NoteSignature::cosign(note.text(), &key, 1_795_300_000, sign)).unwrap();
    }
    note.to_string()
}

/// All hashes of a town's log.
pub(crate) struct Nodes<'t>(pub(crate) &'t Town);

impl NodeReader for Nodes<'_> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let mut nodes = self.0.blocks.iter().flat_map(|block| &block.nodes);
        nodes.find(|node| (node.level, node.index) == (level, index)).map(|node| node.hash)
    }
}
