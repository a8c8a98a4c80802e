//! Fuzz bodies: whatever the bytes are, nothing panics, and what decodes is the only spelling of it.
//!
//! Each `body_*` takes any bytes and may be driven by any fuzzer. Here they run as plain property
//! tests, over random bytes and over mutated good ones.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::LazyLock;

use common::*;
use musubi_ledger::{
    address::SchemePrefix,
    batch::{Batch, NodeId},
    evidence::{Evidence, Suspects},
    execute::{Chain, check_items},
    genesis::{Genesis, RULES_VERSION},
    hash::sha256,
    id::{MediumId, Reference},
    leaf::{Leaf, SealBody},
    memo::{self, MemoBlob, Reveal, Wrap},
    policy::{PolicyBundle, PolicyChain},
    proof::{Opening, TransactionProof, statement::Statement, wallet::WalletProof},
    tlog::{
        ProofFile, base64, bundle,
        checkpoint::Checkpoint,
        note::SignedNote,
        signature::NoteSignature,
        tile::{Bundle, Tile, TilePath},
        vkey::{Algorithm, VerifierKey},
        witness::{AddCheckpoint, KnownLog, Record, Submission, Witness},
    },
};
use proptest::prelude::*;

/// Transactions, binary and JSON.
fn body_transaction(bytes: &[u8]) {
    if let Ok(tx) = Transaction::decode(bytes) {
        assert_eq!(tx.encode(), bytes, "one spelling");
        let json = serde_json::to_vec(&tx).unwrap();
        assert_eq!(serde_json::from_slice::<Transaction>(&json).unwrap(), tx);
        let _ = check_items(&tx.body.chain, RULES_VERSION, &[bytes.to_vec()], &|_| false);
    }
    if let Ok(tx) = serde_json::from_slice::<Transaction>(bytes) {
        let again = serde_json::to_vec(&tx).unwrap();
        assert_eq!(serde_json::from_slice::<Transaction>(&again).unwrap(), tx);
    }
}

/// Batches, as they come from a leader.
fn body_batch(bytes: &[u8]) {
    if let Ok(batch) = Batch::decode(bytes) {
        assert_eq!(batch.encode(), bytes, "one spelling");
        let _ = batch.check(&batch.chain, (batch.term, batch.index), &key("city/node").public());
    }
}

/// Genesis documents: what is accepted opens a chain.
fn body_genesis(bytes: &[u8]) {
    if let Ok(genesis) = Genesis::decode(bytes) {
        assert_eq!(genesis.encode(), bytes, "one spelling");
        let (chain, block) = Chain::open(&genesis);
        assert_eq!(chain.head().size, 2);
        assert_eq!(block.seal.entry, sha256(bytes));
    }
}

/// Evidence files: what decodes has one spelling; that it shows anything takes a node's key.
fn body_evidence(bytes: &[u8]) {
    if let Ok(evidence) = Evidence::decode(bytes) {
        assert_eq!(evidence.encode(), bytes, "one spelling");
        if let Ok(finding) = evidence.verify(&SUSPECTS) {
            assert_eq!(finding.who.key, key("city/node").public(), "the one who signed");
        }
    }
}

static SUSPECTS: LazyLock<Suspects> = LazyLock::new(|| Suspects::of_genesis(&genesis()));

/// Leaves, seals, rows and keys of rows.
fn body_records(bytes: &[u8]) {
    if let Ok(leaf) = Leaf::decode(bytes) {
        assert_eq!(leaf.encode(), bytes);
    }
    if let Ok(seal) = SealBody::decode(bytes) {
        assert_eq!(seal.encode(), bytes);
    }
    if let Ok(row) = Row::decode(bytes) {
        assert_eq!(row.encode(), bytes);
    }
    if let Some(key) = RowKey::due_from_bytes(bytes) {
        assert_eq!(key.to_bytes(), bytes);
    }
}

/// Notes, checkpoints, verifier keys, tiles and their paths.
fn body_log(bytes: &[u8]) {
    let log_key =
        VerifierKey::new("log", Algorithm::Ed25519, &key("city/node").public().0).unwrap();
    let trusted = [log_key];
    if let Ok(note) = SignedNote::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes, "one spelling");
        let _ = note.verify(&trusted);
    }
    let _ = Checkpoint::open(bytes, "log", &trusted);
    for width in [1, 3, 256] {
        let _ = Tile { level: 0, index: 0, width }.decode(bytes);
        let _ = bundle::decode(&Bundle { index: 0, width }, bytes);
    }
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(checkpoint) = text.parse::<Checkpoint>() {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(path) = text.parse::<TilePath>() {
        assert_eq!(path.to_string(), text);
    }
    if let Ok(line) = text.parse::<VerifierKey>() {
        assert_eq!(line.to_string(), text);
    }
    if let Ok(line) = text.parse::<NoteSignature>() {
        assert_eq!(line.to_string(), text);
    }
    if let Ok(decoded) = base64::decode(text) {
        assert_eq!(base64::encode(&decoded), text);
    }
}

/// Proofs and what they are checked against. An altered proof is refused, or shows the very same: a line of a cosigner
/// beyond the quorum may become unreadable.
fn body_proofs(bytes: &[u8]) {
    if let Ok(file) = ProofFile::parse(bytes) {
        assert_eq!(file.to_string().as_bytes(), bytes, "one spelling");
        let _ = file.unchecked_checkpoint();
    }
    if let Ok(opening) = Opening::decode(bytes) {
        assert_eq!(opening.encode(), bytes, "one spelling");
        let _ = opening.check();
    }
    if let Ok(proof) = TransactionProof::parse(bytes)
        && let Ok(proven) = proof.verify(&policies())
    {
        let good = TransactionProof::parse(PROOF).unwrap().verify(&policies()).unwrap();
        assert_eq!((proven.index, proven.leaf), (good.index, good.leaf));
        assert_eq!((proven.subject, proven.outcome), (good.subject, good.outcome));
    }
    if let Ok(bundle) = PolicyBundle::decode(bytes) {
        assert_eq!(bundle.encode(), bytes, "one spelling");
        let _ = bundle.verify(&genesis().chain());
    }
}

const PROOF: &[u8] = include_bytes!("../vectors/purchase.tlog-proof");
const BUNDLE: &[u8] = include_bytes!("../vectors/policies.musubi");

/// What reaches a witness, and what a submitter gets back.
fn body_witness(bytes: &[u8]) {
    let (log, own) = (key("city/node"), key("witness"));
    let log_key = VerifierKey::new("log", Algorithm::Ed25519, &log.public().0).unwrap();
    let own_key = VerifierKey::new("w", Algorithm::CosignatureV1, &own.public().0).unwrap();
    let known = KnownLog::new("log", vec![log_key]).unwrap();
    let mut witness = Witness::new(own_key.clone(), vec![known]).unwrap();
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes, "one spelling");
        let sign = |message: &[u8]| own.sign(message).0;
        if let Ok(pending) = witness.add_checkpoint(&request, 1, sign) {
            let stored = pending.record().note().to_string();
            let answer = pending.persisted();
            let again = Record::parse(stored.as_bytes(), &own_key).unwrap();
            assert_eq!(again.note().to_string(), stored, "what is stored is read again");
            let mut submission = Submission::new(own_key.clone(), request.old());
            let body = answer.body.as_bytes();
            assert!(submission.answered(request.note(), 200, None, body).is_ok());
        }
        for status in [200, 409, 422] {
            let mut submission = Submission::new(own_key.clone(), 0);
            let _ = submission.answered(request.note(), status, Some("text/x.tlog.size"), bytes);
        }
    }
    let _ = witness.restore(bytes);
}

/// Everything that people type or scan.
fn body_texts(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    let scheme = SchemePrefix::new("mebuku").unwrap();
    if let Ok(party) = scheme.party(text) {
        let lower = text.to_lowercase();
        assert!([scheme.address(party), party.to_string()].contains(&lower));
    }
    if let Ok(amount) = text.parse::<Amount>() {
        assert_eq!(amount.to_string(), text);
    }
    if let Ok(code) = text.parse::<InstrumentId>() {
        assert_eq!(code.to_string(), text);
    }
    if let Ok(id) = text.parse::<TxId>() {
        assert_eq!(id.to_string(), text);
    }
    let _ = text.parse::<PartyId>();
    let _ = text.parse::<MediumId>();
    let _ = text.parse::<Reference>();
    let _ = text.parse::<PublicKey>();
}

/// Memos: blobs, reveal files, and what travels with a transaction.
fn body_memos(bytes: &[u8]) {
    if let Ok(blob) = MemoBlob::decode(bytes) {
        assert_eq!(blob.encode(), bytes, "one spelling");
        assert!(blob.wraps.iter().all(|wrap| blob.wrap_for(&wrap.reader) == Some(wrap)));
    }
    if let Ok(reveal) = Reveal::parse(bytes) {
        assert_eq!(reveal.to_string().as_bytes(), bytes, "one spelling");
    }
    if let Ok((transaction, blob)) = memo::split(bytes) {
        assert_eq!(memo::join(transaction, blob), bytes, "one spelling");
    }
    if let Ok(text) = memo::unpad(bytes) {
        assert_eq!(memo::pad(&text).unwrap(), bytes, "one spelling");
    }
}

/// Proofs of state: whatever is read is the only spelling of it, and checking it ends.
fn body_state_proofs(bytes: &[u8]) {
    thread_local! {
        static POLICIES: PolicyChain = PolicyChain::of_genesis(&genesis());
    }
    if let Ok(proof) = WalletProof::decode(bytes) {
        assert_eq!(proof.encode(), bytes);
        let _ = POLICIES.with(|policies| proof.verify(policies));
    }
    if let Ok(statement) = Statement::decode(bytes) {
        assert_eq!(statement.encode(), bytes);
        let _ = POLICIES.with(|policies| statement.verify(policies));
    }
}

/// Whatever a leader puts into a batch, a block comes out, and the scan finds it sound.
fn body_block(items: Vec<Vec<u8>>) {
    let mut world = World::bare();
    let count = items.len();
    assert_eq!(world.block_of_items(items).len(), count);
}

/// Good examples of everything, to be mutated.
fn corpus() -> Vec<Vec<u8>> {
    let mut world = World::bare();
    let genesis = genesis().encode();
    let register = Operation::RegisterParty(register("alice", PartyKind::Person));
    let signers = [officer("registrar", "r1"), proves("alice", "alice")];
    let tx = world.transaction("r1", register, &signers);
    let payment = world.transaction("r1", pay("r1", "r2", 5), &[debit("r1"), credit("r2")]);
    let items = vec![tx.encode(), payment.encode()];
    let leader = (NodeId(1), &key("city/node"));
    let batch = Batch::sign(world.chain.id(), (1, 1), BEGIN, items, leader);
    world.block(&[tx.clone(), payment.clone()]);
    let log_key =
        VerifierKey::new("log", Algorithm::Ed25519, &key("city/node").public().0).unwrap();
    let checkpoint = Checkpoint::new("log", 5, world.chain.root()).unwrap();
    let mut note = SignedNote::new(checkpoint.to_string()).unwrap();
    let signature = NoteSignature::sign(note.text(), &log_key, |m| key("city/node").sign(m).0);
    note.add(signature).unwrap();
    let mut corpus = vec![
        genesis,
        tx.encode(),
        payment.encode(),
        serde_json::to_vec(&payment).unwrap(),
        batch.encode(),
        world.last.seal.encode(),
        world.last.seal.leaf().encode(),
        note.to_string().into_bytes(),
        AddCheckpoint::new(0, vec![], note.clone()).unwrap().to_string().into_bytes(),
        AddCheckpoint::new(3, vec![[7; 32]; 3], note).unwrap().to_string().into_bytes(),
        checkpoint.to_string().into_bytes(),
        log_key.to_string().into_bytes(),
        b"tile/3/x001/234.p/5".to_vec(),
        b"tile/entries/007".to_vec(),
        id("alice").to_string().into_bytes(),
        SchemePrefix::new("mebuku").unwrap().address(id("alice")).into_bytes(),
        b"18446744073709551615".to_vec(),
        bundle::encode(&[b"one", b"two"]).unwrap(),
    ];
    let wrap = Wrap { reader: PublicKey([1; 32]), encapsulated: [2; 32], sealed: [3; 48] };
    let blob = MemoBlob { commitment: [4; 32], wraps: vec![wrap], sealed: vec![5; 82] };
    corpus.push(blob.encode());
    corpus.push(memo::join(&payment.encode(), &blob.encode()));
    corpus.push(Reveal { key: [6; 32], blob }.to_string().into_bytes());
    corpus.push(memo::pad("memo").unwrap());
    corpus.extend(evidence());
    let proof = TransactionProof::parse(PROOF).unwrap();
    corpus.extend([PROOF.to_vec(), proof.file().extra().unwrap().to_vec(), BUNDLE.to_vec()]);
    let rows = world.state.rows().take(40);
    corpus.extend(rows.map(|(_, row)| row.encode()));
    corpus
}

/// A file of each form, about node 1.
fn evidence() -> Vec<Vec<u8>> {
    let chain = genesis().chain();
    let leader = (NodeId(1), &key("city/node"));
    let batch = |time, items| Batch::sign(chain, (1, 1), Time(time), items, leader);
    let double = Evidence::double_batch(&batch(1, vec![]).encode(), &batch(2, vec![]).encode());
    let bad = Evidence::bad_item(&batch(1, vec![vec![1]]), 0);
    let who = SUSPECTS.list().iter().find(|s| s.key == leader.1.public()).unwrap();
    let origin = genesis().origin();
    let vkey = who.verifier_key(&origin).unwrap();
    let note = |root| {
        let text = Checkpoint::new(&origin, 2, [root; 32]).unwrap().to_string();
        let mut note = SignedNote::new(text).unwrap();
        let line = NoteSignature::sign(note.text(), &vkey, |m| leader.1.sign(m).0);
        note.add(line).unwrap();
        note.to_string()
    };
    let two = Evidence::two_roots(who, &note(1), &note(2));
    let rewritten = Evidence::rewritten(who, &note(1), &note(2), ([3; 32], vec![[4; 32]]));
    [double, bad, two, rewritten].map(|evidence| evidence.unwrap().encode()).to_vec()
}

/// One change: (kind, where, what).
fn mutate(bytes: &mut Vec<u8>, (kind, at, what): (u8, usize, u8)) {
    if bytes.is_empty() {
        bytes.push(what);
    }
    let at = at % bytes.len();
    match kind % 7 {
        0 => bytes[at] = what,
        1 => bytes[at] ^= 1 << (what % 8),
        2 => bytes.truncate(at),
        3 => bytes.insert(at, what),
        4 => drop(bytes.remove(at)),
        5 => {
            let part = bytes[at..].to_vec();
            bytes.extend(part);
        }
        _ => {
            let end = (at + 8).min(bytes.len());
            bytes[at..end].fill(what);
        }
    }
}

fn all_bodies(bytes: &[u8]) {
    body_transaction(bytes);
    body_batch(bytes);
    body_genesis(bytes);
    body_evidence(bytes);
    body_records(bytes);
    body_log(bytes);
    body_proofs(bytes);
    body_witness(bytes);
    body_texts(bytes);
    body_memos(bytes);
    body_state_proofs(bytes);
}

/// Good proofs of state.
fn state_proofs() -> [Vec<u8>; 2] {
    let mut world = World::with_past();
    world.fund("alice", "MEBUKU", 900);
    let end = world.now.plus(DAY);
    world.wait(2 * DAY);
    world.fund("alice", "MEBUKU", 5);
    let past = world.past();
    let statement = past.statement(&id("alice"), BEGIN, end, Closing::Before);
    [past.proof(&id("alice")).encode(), statement.encode()]
}

type Mutations = Vec<(u8, usize, u8)>;

fn mutations() -> impl Strategy<Value = Mutations> {
    proptest::collection::vec((any::<u8>(), any::<usize>(), any::<u8>()), 0..4)
}

#[test]
fn the_corpus_itself_passes() {
    for bytes in corpus() {
        all_bodies(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        all_bodies(&bytes);
        let versioned = [&[1], &bytes[..]].concat();
        all_bodies(&versioned);
    }

    #[test]
    fn random_text(text in "\\PC{0,80}") {
        all_bodies(text.as_bytes());
    }

    #[test]
    fn mutated_examples(changes in mutations()) {
        for mut bytes in corpus() {
            for change in &changes {
                mutate(&mut bytes, *change);
            }
            all_bodies(&bytes);
        }
    }

    #[test]
    fn mutated_state_proofs(changes in mutations()) {
        thread_local! {
            static GOOD: [Vec<u8>; 2] = state_proofs();
        }
        for mut bytes in GOOD.with(Clone::clone) {
            for change in &changes {
                mutate(&mut bytes, *change);
            }
            body_state_proofs(&bytes);
        }
    }

    #[test]
    fn blocks_of_mutated_items(changes in proptest::collection::vec(mutations(), 1..6)) {
        let good = &corpus()[1..3];
        let items = changes
            .iter()
            .enumerate()
            .map(|(at, changes)| {
                let mut bytes = good[at % 2].clone();
                changes.iter().for_each(|change| mutate(&mut bytes, *change));
                bytes
            })
            .collect();
        body_block(items);
    }
}
