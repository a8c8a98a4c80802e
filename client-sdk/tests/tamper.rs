//! Everything that can be done to a record, one line each, and what the audit must say of it: which entry or
//! leaf, why, and who signed it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{fs, num::NonZero, path::Path};

use common::town::{BEGIN, CITY, PARTNER, Town, a_day, key, node_key};
use musubi_sdk::{
    audit::{
        AuditError, FILES, FINALS, Finding, Findings, Kept, Options, Part, Report, Resume, Source,
        TILES, Tiling, run,
    },
    ledger::{
        api::Checkpoints,
        batch::{Batch, NodeId},
        genesis::RULES_VERSION,
        hash::Hash,
        id::Salt,
        keys::SecretKey,
        leaf::{Leaf, SealBody},
        operation::Operation,
        policy::{Member, PolicyBundle, PolicyStep, Witness, WitnessPolicy, cosigner_name},
        time::Time,
        tlog::{
            Algorithm, Checkpoint, NoteSignature, SignedNote, VerifierKey,
            merkle::{NodeReader, root},
            proof::prove_inclusion,
        },
        transaction::{Body, Purpose, Role, Side, Transaction},
    },
};

/// A record as it lies in a directory, with what the auditor has.
struct Record {
    town: Town,
    genesis: Vec<u8>,
    entries: Vec<Vec<u8>>,
    seals: Vec<Vec<u8>>,
    leaves: Vec<Vec<u8>>,
    tiles: Vec<Vec<u8>>,
    notes: Vec<(u64, String)>,
    final_note: String,
    bundle: PolicyBundle,
    kept: Vec<Kept>,
    pinned: bool,
}

impl Record {
    fn of(town: Town) -> Self {
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

    fn write(&self, folder: &Path) {
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

    fn options(&self) -> Options {
        let expected = self.pinned.then(|| self.town.chain.id());
        Options { expected, kept: self.kept.clone(), ..Options::default() }
    }

    /// The batch of a height.
    fn batch(&self, height: usize) -> Batch {
        Batch::decode(&self.entries[height - 1]).unwrap()
    }

    /// Puts a changed batch in its place, signed anew by `key` as its leader.
    fn put(&mut self, height: usize, batch: Batch, key: &SecretKey) {
        let place = (batch.term, batch.index);
        let leader = (batch.leader, key);
        let signed = Batch::sign(batch.chain, place, batch.time, batch.items, leader);
        self.entries[height - 1] = signed.encode();
    }

    /// Changes a batch as its own leader would.
    fn resigned(&mut self, height: usize, change: impl FnOnce(&mut Batch)) {
        let mut batch = self.batch(height);
        change(&mut batch);
        self.put(height, batch, &node_key(1));
    }

    /// Changes a batch, and nobody signs it again.
    fn unsigned(&mut self, height: usize, change: impl FnOnce(&mut Batch)) {
        let mut batch = self.batch(height);
        change(&mut batch);
        self.entries[height - 1] = batch.encode();
    }

    fn seal(&mut self, height: usize, change: impl FnOnce(&mut SealBody)) {
        let mut body = SealBody::decode(&self.seals[height]).unwrap();
        change(&mut body);
        self.seals[height] = body.encode();
    }

    fn leaf(&mut self, index: usize, change: impl FnOnce(&mut Leaf)) {
        let mut leaf = Leaf::decode(&self.leaves[index]).unwrap();
        change(&mut leaf);
        self.leaves[index] = leaf.encode();
    }

    fn first_leaf(&self, height: usize) -> usize {
        usize::try_from(self.town.blocks[height].first_leaf).unwrap()
    }

    fn last(&self) -> usize {
        self.town.blocks.len() - 1
    }

    fn cut(&mut self, height: usize) {
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
    fn forged(&self, node: u8, size: u64, root: [u8; 32], key: &SecretKey) -> (u64, String) {
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

fn witness() -> SecretKey {
    SecretKey::from_seed(&[90; 32])
}

/// The independent witness's number among cosigners.
const WITNESS: u8 = 9;

/// A checkpoint at a block's end, signed by these nodes as the log and by those as cosigners.
fn final_note(town: &Town, height: usize, logs: &[u8], cosigners: &[u8]) -> String {
    let block = &town.blocks[height];
    note_of(town, block.head.size, block.root, logs, cosigners)
}

fn note_of(town: &Town, size: u64, root: Hash, logs: &[u8], cosigners: &[u8]) -> String {
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
struct Nodes<'t>(&'t Town);

impl NodeReader for Nodes<'_> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let mut nodes = self.0.blocks.iter().flat_map(|block| &block.nodes);
        nodes.find(|node| (node.level, node.index) == (level, index)).map(|node| node.hash)
    }
}

/// A day at whose end an independent witness joins the policy: three of four, confirmed by these cosigners.
fn with_policy(cosigners: &[u8]) -> Record {
    let mut town = a_day();
    let mut policy =
        WitnessPolicy { number: 2, quorum: 3, ..WitnessPolicy::of_genesis(&town.genesis) };
    policy.witnesses.push(Witness {
        name: "witness.example/w1".into(),
        key: witness().public(),
        member: Member::Independent,
    });
    let body = Body {
        chain: town.chain.id(),
        rules_version: RULES_VERSION,
        sender: CITY,
        reference: "policy-2".parse().unwrap(),
        salt: Salt([3; 16]),
        expires: town.time.plus(3_600_000),
        purpose: Purpose::NONE,
        memo: None,
        answers: None,
        on_behalf_of: None,
        operation: Operation::ChangeWitnessPolicy(policy),
    };
    let by = [CITY, PARTNER].map(|o| body.sign(Side::Authority, Role::Governance, o, &key(o)));
    let change = Transaction::new(body, by.into());
    town.judge(&[&change], &["applied"]);
    let at = town.blocks.len() - 1;
    let entry = town.blocks[at].entries[0].clone();
    town.block(Vec::new());
    let size = town.blocks[at].head.size;
    let path = prove_inclusion(&Nodes(&town), entry.index, size).unwrap();
    assert_eq!(root(&Nodes(&town), size).unwrap(), town.blocks[at].root);
    let step = PolicyStep {
        transaction: change.encode(),
        leaf: entry.leaf,
        index: entry.index,
        path,
        checkpoint: final_note(&town, at, &[1], cosigners),
    };
    let mut record = Record::of(town);
    record.bundle.steps.push(step);
    record.final_note = final_note(&record.town, at + 1, &[1, 2], &[1, 2, WITNESS]);
    record
}

#[tokio::test]
async fn policies_are_followed_and_what_does_not_follow_is_found() {
    let good = with_policy(&[1, 2, 3]);
    let report = audit(&good, good.options()).await.unwrap();
    let found = report.final_checkpoint.unwrap();
    assert_eq!((found.policy, found.size, found.blocks_beyond), (2, report.size, 0));
    assert_eq!(found.cosigned.len(), 3);
    let code = async |record: &Record| {
        let found = findings(audit(record, record.options()).await).first;
        (found.part, found.fault.code())
    };
    // The new policy's quorum did not confirm the change.
    assert_eq!(code(&with_policy(&[1, 3])).await, (Part::Policy, "no_quorum"));
    // Nor did the old one's: the witness is nobody to it.
    assert_eq!(code(&with_policy(&[1, WITNESS])).await, (Part::Policy, "no_quorum"));
    // The newest checkpoint has the old policy's quorum alone.
    let mut old = with_policy(&[1, 2, 3]);
    old.final_note = final_note(&old.town, old.last(), &[1], &[1, 3]);
    assert_eq!(code(&old).await, (Part::Checkpoint, "no_quorum"));
    // A change that was never executed.
    let mut invented = with_policy(&[1, 2, 3]);
    let step = invented.bundle.steps[0].clone();
    invented = Record::of(a_day());
    invented.bundle.steps.push(step);
    let found = code(&invented).await;
    assert_eq!(found.0, Part::Policy, "{found:?}");
    // Nobody shows that the change is final: to be heeded.
    let mut silent = with_policy(&[1, 2, 3]);
    silent.bundle.steps.clear();
    silent.final_note = final_note(&silent.town, silent.last() - 2, &[1], &[1, 3]);
    let report = audit(&silent, silent.options()).await.unwrap();
    let codes: Vec<_> = report.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["policy_not_final", "chain_not_pinned"]);
}

/// One way to tamper.
struct Tampering {
    name: &'static str,
    change: fn(&mut Record),
    /// What must be found: which part, its code, the block.
    found: (Part, &'static str, Option<u64>),
    /// The first wrong leaf, counted from the block's first.
    leaf: Option<u64>,
    /// Words of the sentence.
    says: &'static str,
    /// Who is said to have signed it: node ids.
    by: &'static [u64],
}

/// Block 3 of the town has six items, of which the first three get leaves.
const B: usize = 3;

macro_rules! tampering {
    ($name:literal, $change:expr => $part:ident $code:literal, block $height:expr, leaf $leaf:expr, $says:literal, by $by:expr) => {
        Tampering {
            name: $name,
            change: $change,
            found: (Part::$part, $code, $height),
            leaf: $leaf,
            says: $says,
            by: &$by,
        }
    };
}

const TABLE: &[Tampering] = &[
    tampering!("a byte of an item", |r| r.unsigned(B, |b| b.items[1][40] ^= 1)
        => Leaf "differs", block Some(3), leaf Some(1), "the entry itself: not signed by the leader", by []),
    tampering!("two items swapped", |r| r.unsigned(B, |b| b.items.swap(0, 1))
        => Leaf "differs", block Some(3), leaf Some(0), "id is published as", by []),
    tampering!("two items swapped by the leader", |r| r.resigned(B, |b| b.items.swap(0, 1))
        => Leaf "differs", block Some(3), leaf Some(0), "id is published as", by [1]),
    tampering!("an item dropped by the leader", |r| r.resigned(B, |b| drop(b.items.remove(1)))
        => Leaf "differs", block Some(3), leaf Some(1), "id is published as", by [1]),
    tampering!("an item added by the leader", |r| {
        let item = r.town.pay(common::town::BOB, common::town::ALICE, 1).encode();
        r.resigned(B, |b| b.items.push(item));
    } => Leaf "differs", block Some(3), leaf Some(3), "kind is published as Seal", by [1]),
    tampering!("a void item added by the leader", |r| r.resigned(B, |b| b.items.push(vec![1]))
        => Seal "differs", block Some(3), leaf Some(3), "void items is published as 3, re-execution gives 4", by [1]),
    tampering!("a batch replayed", |r| { let again = r.entries[1].clone(); r.entries.insert(2, again); }
        => Seal "differs", block Some(3), leaf Some(0), "do not follow those of the entry before", by [1]),
    tampering!("a batch dropped", |r| drop(r.entries.remove(1))
        => Leaf "differs", block Some(2), leaf Some(0), "id is published as", by [1]),
    tampering!("a batch signed by another key", |r| { let b = r.batch(B); r.put(B, b, &SecretKey::from_seed(&[77; 32])); }
        => Seal "differs", block Some(3), leaf Some(3), "not signed by the leader it names", by []),
    tampering!("a batch by nobody's node", |r| { let mut b = r.batch(B); b.leader = NodeId(9); r.put(B, b, &SecretKey::from_seed(&[77; 32])); }
        => Seal "differs", block Some(3), leaf Some(3), "cut by node 9, which the genesis document does not name", by []),
    tampering!("a batch by another node in the leader's term", |r| { let mut b = r.batch(B); b.leader = NodeId(2); r.put(B, b, &node_key(2)); }
        => Seal "differs", block Some(3), leaf Some(3), "cut by node 2 in term 1, in which node 1 led", by [2]),
    tampering!("a lower term", |r| r.resigned(B, |b| b.term = 0)
        => Seal "differs", block Some(3), leaf Some(3), "term 0 and index 6 do not follow", by [1]),
    tampering!("a repeated index", |r| r.resigned(B, |b| b.index = 4)
        => Seal "differs", block Some(3), leaf Some(3), "term 1 and index 4 do not follow", by [1]),
    tampering!("a changed stamp", |r| r.unsigned(B, |b| b.time = b.time.plus(1))
        => Leaf "differs", block Some(3), leaf Some(0), "time is published as", by []),
    tampering!("a stamp back-dated by the leader", |r| r.resigned(B, |b| b.time = BEGIN)
        => Leaf "differs", block Some(3), leaf Some(0), "time is published as", by [1]),
    tampering!("another chain's batch", |r| r.resigned(B, |b| b.chain.0[0] ^= 1)
        => Entry "other_chain", block Some(3), leaf None, "for another chain", by []),
    tampering!("an entry that is no batch", |r| r.entries[B - 1].truncate(9)
        => Entry "bad_entry", block Some(3), leaf None, "not a batch", by []),
    tampering!("a changed leaf", |r| { let at = r.first_leaf(B); r.leaf(at + 1, |l| l.outcome[5] ^= 1); }
        => Leaf "differs", block Some(3), leaf Some(1), "hash of the outcome is published as", by [1]),
    tampering!("a changed verdict", |r| { let at = r.first_leaf(B); r.leaf(at + 2, |l| l.code = musubi_sdk::ledger::code::Code::Applied); }
        => Leaf "differs", block Some(3), leaf Some(2), "verdict is published as applied, re-execution gives insufficient_funds", by [1]),
    tampering!("a leaf left out", |r| { let at = r.first_leaf(B); r.leaves.remove(at); }
        => Leaf "differs", block Some(3), leaf Some(0), "id is published as", by [1]),
    tampering!("a leaf put in", |r| { let at = r.first_leaf(B); let leaf = r.leaves[at].clone(); r.leaves.insert(at, leaf); }
        => Leaf "differs", block Some(3), leaf Some(1), "id is published as", by [1]),
    tampering!("a seal's time", |r| r.seal(B, |s| s.time = s.time.plus(1))
        => Seal "differs", block Some(3), leaf Some(3), "time is published as", by [1]),
    tampering!("a seal's count", |r| r.seal(B, |s| s.items += 1)
        => Seal "differs", block Some(3), leaf Some(3), "items is published as 7, re-execution gives 6", by [1]),
    tampering!("a seal's state digest", |r| r.seal(B, |s| s.state[0] ^= 1)
        => Seal "differs", block Some(3), leaf Some(3), "state digest is published as", by [1]),
    tampering!("a seal left out", |r| drop(r.seals.remove(B))
        => Seal "differs", block Some(3), leaf Some(3), "height is published as 4", by [1]),
    tampering!("the last blocks cut off", |r| { let end = r.last() - 3; r.cut(end); }
        => Checkpoint "other_size", block None, leaf None, "where no block of this log of", by [1]),
    tampering!("an entry too many", |r| { let last = r.batch(r.last()); let more = Batch { index: last.index + 9, ..last }; r.entries.push(vec![]); let at = r.entries.len(); r.put(at, more, &node_key(1)); }
        => Seal "missing", block Some(10), leaf None, "it is missing", by [1]),
    tampering!("a leaf too many", |r| { let leaf = r.leaves[1].clone(); r.leaves.push(leaf); }
        => Leaf "surplus", block Some(10), leaf Some(0), "it follows from no entry", by []),
    tampering!("a forged root", |r| { let size = r.town.chain.head().size; r.notes[1] = r.forged(2, size, [7; 32], &node_key(2)); }
        => Checkpoint "other_root", block None, leaf None, "node 2 signed root 0707", by [2]),
    tampering!("a checkpoint by an unknown key", |r| { let head = r.town.chain.head(); let root = r.town.chain.root(); r.notes[1] = r.forged(2, head.size, root, &SecretKey::from_seed(&[78; 32])); }
        => Checkpoint "no_trusted_signature", block None, leaf None, "node 2's checkpoint", by []),
    tampering!("a checkpoint of an unknown node", |r| { let note = r.notes[0].1.clone(); r.notes[1] = (8, note); }
        => Checkpoint "unknown_validator", block None, leaf None, "node 8", by []),
    tampering!("checkpoints of too few", |r| { r.notes.truncate(1); r.final_note = final_note(&r.town, r.last(), &[1], &[1, 3]); }
        => Checkpoint "not_covered", block None, leaf None, "1 of 3 validators", by []),
    tampering!("history rewritten since a checkpoint was kept", |r| { let size = r.town.blocks[4].head.size; let note = r.forged(1, size, [9; 32], &node_key(1)).1; r.kept.push(Kept { name: "kept.note".into(), note }); }
        => Kept "kept_root", block None, leaf None, "history was rewritten since", by [1]),
    tampering!("cut off since a checkpoint was kept", |r| { let note = r.town.note(2, r.last()).1; r.kept.push(Kept { name: "kept.note".into(), note }); let end = r.last() - 2; r.cut(end); r.notes = vec![r.town.note(1, end), r.town.note(2, end)]; }
        => Kept "kept_size", block None, leaf None, "this record was cut off or rewritten since", by [2]),
    tampering!("a kept checkpoint by nobody", |r| { let note = r.forged(1, 5, [9; 32], &SecretKey::from_seed(&[79; 32])).1; r.kept.push(Kept { name: "kept.note".into(), note }); }
        => Kept "bad_kept_checkpoint", block None, leaf None, "kept.note", by []),
    tampering!("a changed tile hash", |r| r.tiles[0][7 * 32] ^= 1
        => Tile "other_tile", block None, leaf Some(7), "hash 7 of level 0 is published as", by []),
    tampering!("a tile left out", |r| r.tiles.clear()
        => Tile "missing", block None, leaf None, "it is missing", by []),
    tampering!("a final root that is another", |r| { let size = r.town.chain.head().size; r.final_note = note_of(&r.town, size, [7; 32], &[1, 2], &[2, 3]); }
        => Checkpoint "final_root", block None, leaf None, "the final root at size", by [2, 3]),
    tampering!("a final checkpoint below quorum", |r| r.final_note = final_note(&r.town, r.last(), &[1, 2, 3], &[2])
        => Checkpoint "no_quorum", block None, leaf None, "1 of the 2 members that policy 1 asks for", by []),
    tampering!("cosigned by an unknown key", |r| r.final_note = final_note(&r.town, r.last(), &[1], &[2, WITNESS])
        => Checkpoint "no_quorum", block None, leaf None, "1 of the 2 members", by []),
    tampering!("final beyond what is here", |r| r.final_note = note_of(&r.town, 99, [7; 32], &[1, 2], &[2, 3])
        => Checkpoint "final_size", block None, leaf None, "is of size 99", by [2, 3]),
    tampering!("a damaged policy bundle", |r| r.bundle.genesis[40] ^= 1
        => Policy "bad_genesis", block None, leaf None, "genesis document", by []),
    tampering!("the genesis document", |r| { let at = r.genesis.len() - 1; r.genesis[at] ^= 1; r.pinned = true; }
        => Genesis "wrong_chain", block None, leaf None, "was to be audited", by []),
    tampering!("another genesis document", |r| { let mut g = r.town.genesis.clone(); g.salt.0[0] ^= 1; r.genesis = g.encode(); }
        => Leaf "differs", block Some(0), leaf Some(0), "id is published as", by []),
];

async fn audit(record: &Record, options: Options) -> Result<Report, AuditError> {
    let folder = tempfile::tempdir().unwrap();
    record.write(folder.path());
    run(Source::directory(folder.path()).unwrap(), options, |_| {}).await
}

fn findings(result: Result<Report, AuditError>) -> Findings {
    match result {
        Err(AuditError::Finding(findings)) => *findings,
        other => panic!("nothing was found: {other:?}"),
    }
}

#[tokio::test]
async fn each_way_to_tamper_is_found_at_its_place_with_its_reason() {
    assert!(TABLE.len() >= 20);
    let clean = Record::of(a_day());
    audit(&clean, clean.options()).await.unwrap();
    for way in TABLE {
        let mut record = Record::of(a_day());
        (way.change)(&mut record);
        let found = findings(audit(&record, record.options()).await);
        let Finding { part, height, leaf, fault, signed_by, .. } = &found.first;
        let name = way.name;
        assert_eq!((*part, fault.code(), *height), way.found, "{name}: {found}");
        let first = |block: u64| match usize::try_from(block).unwrap() {
            block if block <= record.last() => record.first_leaf(block) as u64,
            _ => record.town.chain.head().size,
        };
        let wanted = way.leaf.map(|leaf| first(height.unwrap_or(0)) + leaf);
        assert_eq!(*leaf, wanted, "{name}: {found}");
        assert!(found.first.to_string().contains(way.says), "{name}: {found}");
        let by: Vec<u64> = signed_by.iter().filter_map(|by| by.node).collect();
        assert_eq!(by, way.by, "{name}: {found}");
        for signer in signed_by {
            assert!(found.first.to_string().contains(&signer.organisation), "{name}: {found}");
        }
    }
}

#[tokio::test]
async fn what_does_not_follow_from_the_first_fault_is_told_too() {
    let mut record = Record::of(a_day());
    let at = record.first_leaf(2);
    record.leaf(at, |leaf| leaf.outcome[0] ^= 1);
    record.seal(4, |seal| seal.state[0] ^= 1);
    let size = record.town.chain.head().size;
    record.notes[2] = record.forged(3, size, [7; 32], &node_key(3));
    let found = findings(audit(&record, record.options()).await);
    let all: Vec<_> = found.iter().map(|f| (f.part, f.height)).collect();
    assert_eq!(
        all,
        [(Part::Leaf, Some(2)), (Part::Seal, Some(4)), (Part::Checkpoint, None)],
        "{found}"
    );
    // There is an end to it.
    let mut record = Record::of(a_day());
    for _ in 0..40 {
        record.town.block(Vec::new());
    }
    let mut record = Record::of(record.town);
    for height in 1..40 {
        record.seal(height, |seal| seal.items += 1);
    }
    let found = findings(audit(&record, record.options()).await);
    assert_eq!(found.iter().count(), Findings::MAX);
}

#[tokio::test]
async fn behind_a_forged_batch_the_others_signatures_are_still_checked() {
    let mut record = Record::of(a_day());
    record.unsigned(2, |batch| drop(batch.items.pop()));
    record.unsigned(5, |batch| batch.time = batch.time.plus(1));
    let found = findings(audit(&record, record.options()).await);
    let all: Vec<_> = found.iter().map(|f| (f.height, f.fault.code())).collect();
    assert_eq!(all, [(Some(2), "differs"), (Some(5), "bad_leader_signature")], "{found}");
}

#[tokio::test]
async fn times_are_told_that_nobody_can_prove_wrong() {
    let mut town = a_day();
    town.time = Time(town.time.0 - 5_000);
    town.block(Vec::new());
    let record = Record::of(town);
    let now = Some(Time(BEGIN.0));
    let report = audit(&record, Options { now, ..record.options() }).await.unwrap();
    let codes: Vec<_> = report.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["stamped_late", "time_ahead", "chain_not_pinned"]);
    assert!(report.warnings[0].detail.contains("height 10 by node 1"), "{:?}", report.warnings);
}

fn resuming(record: &Record, file: &Path) -> Options {
    let every = NonZero::new(4).unwrap();
    Options { resume: Some(Resume { file: file.into(), every }), ..record.options() }
}

#[tokio::test]
async fn an_audit_goes_on_where_it_stood() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit/resume");
    let mut record = Record::of(a_day());
    let first = audit(&record, resuming(&record, &file)).await.unwrap();
    assert_eq!(first.resumed, None);
    // The log grows; what was executed is not executed again, and the report is that of all of it.
    let pay = record.town.pay(common::town::BOB, common::town::ALICE, 7).encode();
    record.town.block(vec![pay]);
    record.town.block(Vec::new());
    let record = Record::of(record.town);
    let whole = audit(&record, record.options()).await.unwrap();
    let second = audit(&record, resuming(&record, &file)).await.unwrap();
    assert_eq!(second.resumed, Some(first.height));
    assert_eq!(Report { resumed: None, ..second }, whole);
    // And once more with nothing new.
    let third = audit(&record, resuming(&record, &file)).await.unwrap();
    assert_eq!(third.resumed, Some(whole.height));
}

#[tokio::test]
async fn neither_a_changed_resume_point_nor_a_changed_past_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("resume");
    let record = Record::of(a_day());
    audit(&record, resuming(&record, &file)).await.unwrap();
    let good = fs::read(&file).unwrap();
    let step = (good.len() / 200).max(1);
    for at in (0..good.len()).step_by(step) {
        let mut changed = good.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&file, changed).unwrap();
        let found = findings(audit(&record, resuming(&record, &file)).await);
        let what = (found.first.part, found.first.fault.code());
        assert_eq!(what, (Part::Resume, "bad_resume_point"), "byte {at}: {found}");
    }
    fs::write(&file, &good).unwrap();
    let past: [fn(&mut Record); 5] = [
        |r| r.unsigned(2, |b| drop(b.items.pop())),
        |r| r.seal(2, |s| s.items += 1),
        |r| r.leaf(4, |l| l.outcome[0] ^= 1),
        |r| {
            r.leaves.remove(4);
        },
        |r| r.cut(3),
    ];
    for change in past {
        let mut record = Record::of(a_day());
        // One day is as another but for its salts: the point is of this very one.
        audit(&record, resuming(&record, &folder.path().join("own"))).await.unwrap();
        change(&mut record);
        let found = findings(audit(&record, resuming(&record, &folder.path().join("own"))).await);
        assert_eq!(found.first.part, Part::Resume, "{found}");
        fs::remove_file(folder.path().join("own")).unwrap();
    }
}
