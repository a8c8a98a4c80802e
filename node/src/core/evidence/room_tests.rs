//! The room: keeps what verifies, once, durably and within bounds, and tells the others what they need.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, sync::Arc};

use musubi_consensus::{HardState, LogEntry, Persist, Position, Told};
use musubi_ledger::{
    batch::{Batch, NodeId},
    evidence::{Evidence, Kind, SignedBatch, Suspects, verify},
    keys::SecretKey,
    operation::Operation,
    policy::{Member, Witness, WitnessPolicy},
    time::Time,
    tlog::{
        Algorithm, VerifierKey, checkpoint::Checkpoint, note::SignedNote, signature::NoteSignature,
    },
};
use musubi_storage::{OpenSettings, Store, memory::MemoryDisk};
use tokio::sync::mpsc::Receiver;

use super::{Room, Talk, Tell, Work, city};
use crate::metrics::Metrics;

fn key(node: u64) -> SecretKey {
    city::key(&format!("{}/node", ["city", "operator", "partner"][node as usize - 1]))
}

fn batch(leader: u64, (term, index): (u64, u64), time: u64) -> Batch {
    let by = (NodeId(leader), &key(leader));
    Batch::sign(city::genesis().chain(), (term, index), Time(time), vec![], by)
}

fn double(leader: u64, place: (u64, u64)) -> Evidence {
    let cut = |time| SignedBatch::of(&batch(leader, place, time));
    Evidence::double_signed(cut(1), cut(2)).unwrap()
}

fn store() -> Arc<Store> {
    let directory = MemoryDisk::new(1).open().unwrap();
    let settings = OpenSettings::default();
    Arc::new(Store::create(directory, &city::genesis(), [9; 16], &settings).unwrap().store)
}

struct Scene {
    room: Room,
    work: Receiver<Work>,
    store: Arc<Store>,
    metrics: Arc<Metrics>,
}

fn scene(data: &Path) -> Scene {
    scene_on(data, store())
}

fn scene_on(data: &Path, store: Arc<Store>) -> Scene {
    let metrics = Arc::new(Metrics::new());
    let opened = Room::open(data, Arc::clone(&store), Arc::clone(&metrics));
    let (room, work) = opened.unwrap();
    Scene { room, work, store, metrics }
}

impl Scene {
    /// What the others are told of all that waits.
    fn look(&mut self) -> Vec<Tell> {
        let mut tells = Vec::new();
        while let Ok(work) = self.work.try_recv() {
            tells.extend(self.room.look(work));
        }
        tells
    }

    /// Puts an entry into the log, as executed.
    fn execute(&self, entry: LogEntry) {
        let (position, hash) = (entry.position(), Batch::entry_hash(&entry.data));
        let persist = Persist {
            number: entry.index,
            truncate_from: None,
            hard_state: Some(HardState { term: entry.term, vote: None, commit: 0 }),
            entries: vec![entry],
            must_sync: false,
        };
        self.store.stage(&persist).unwrap();
        self.room.executed(position, hash, None);
    }

    fn counted(&self, kind: &str) -> bool {
        let line = format!("musubi_evidence_total{{kind=\"{kind}\"}} 1");
        self.metrics.render().lines().any(|found| found == line)
    }
}

#[test]
fn what_verifies_is_written_once_told_to_all_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut here = scene(folder.path());
    assert!(!folder.path().join("evidence").exists(), "no folder without evidence");
    let evidence = double(3, (4, 7));
    here.room.found(evidence.clone());
    assert_eq!(here.look(), [Tell::All(Talk::File(evidence.encode()))]);
    assert!(here.counted("double_batch"));
    // Again, by whatever way and in whatever words: nothing new.
    here.room.found(evidence.clone());
    here.room.heard(2, Talk::File(evidence.encode()).encode());
    assert_eq!(here.look(), []);

    let [(name, kept)] = &here.room.files()[..] else { panic!("one file") };
    assert_eq!((kept.finding.kind, kept.finding.who.node), (Kind::DoubleBatch, Some(NodeId(3))));
    let path = folder.path().join("evidence").join(name);
    let bytes = fs::read(&path).unwrap();
    assert_eq!(here.room.file(name).unwrap().unwrap(), bytes);
    assert_eq!(verify(&bytes, &Suspects::of_genesis(&city::genesis())).unwrap(), kept.finding);
    assert_eq!(here.room.file("../../node.key").unwrap(), None);

    // A restart finds it, leaves alone what shows nothing, and removes what a crash left half written.
    let folder_of = folder.path().join("evidence");
    fs::write(folder_of.join("double_batch-00.evidence"), b"nothing").unwrap();
    fs::write(folder_of.join("half.evidence.part"), b"half").unwrap();
    let again = scene(folder.path());
    assert_eq!(again.room.files().len(), 1);
    assert!(folder_of.join("double_batch-00.evidence").exists());
    assert!(!folder_of.join("half.evidence.part").exists());
}

#[test]
fn what_does_not_verify_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let mut here = scene(folder.path());
    let Evidence::DoubleBatch(mut forged) = double(3, (4, 7)) else { panic!("another kind") };
    forged.second.signature.0[0] ^= 1;
    here.room.found(Evidence::DoubleBatch(forged.clone()));
    here.room.heard(2, Talk::File(Evidence::DoubleBatch(forged).encode()).encode());
    here.room.heard(2, Talk::File(vec![9; 40]).encode());
    here.room.heard(2, vec![7; 40]);
    here.room.heard(2, Talk::Note("no note".into()).encode());
    assert_eq!(here.look(), []);
    assert!(here.room.files().is_empty() && here.counted("bad_frame"));
}

#[test]
fn one_liar_does_not_fill_the_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut here = scene(folder.path());
    for index in 1..40 {
        here.room.found(double(3, (4, index)));
        here.look();
    }
    assert_eq!(here.room.files().len(), 4);
    here.room.found(double(2, (5, 1)));
    assert_eq!(here.look().len(), 1, "another one's is still kept");
}

#[test]
fn two_nodes_that_were_told_different_things_find_out() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [mut one, mut two] = [0, 1].map(|at| scene(folders[at].path()));
    for (scene, time) in [(&one, 1), (&two, 2)] {
        scene.execute(LogEntry { index: 1, term: 4, data: vec![] });
        let data = batch(3, (4, 2), time).encode();
        scene.execute(LogEntry { index: 2, term: 4, data });
    }
    let told = one.room.due();
    let [Tell::All(entries @ Talk::Entries(list))] = &told[..] else { panic!("{told:?}") };
    assert_eq!(list.len(), 2);
    // Node 2 hears it and hands node 1 what it was given; node 1 has both halves.
    two.room.heard(1, entries.encode());
    let answer = two.look();
    let [Tell::One(1, half @ Talk::Batch(_))] = &answer[..] else { panic!("{answer:?}") };
    one.room.heard(2, half.encode());
    let file = one.look();
    let [Tell::All(file @ Talk::File(_))] = &file[..] else { panic!("{file:?}") };
    two.room.heard(1, file.encode());
    two.look();
    for scene in [&one, &two] {
        let found: Vec<_> = scene.room.files().into_iter().map(|(_, kept)| kept.finding).collect();
        assert_eq!(found[0].who.node, Some(NodeId(3)), "the leader, and neither of the two");
        assert_eq!(found.len(), 1);
    }
    assert_eq!(one.room.due(), [], "nothing new was executed");
    // A peer that claims another hash without the leader's signature achieves nothing.
    let claim = Told { entry: Position { index: 2, term: 4 }, hash: [9; 32] };
    one.room.heard(2, Talk::Entries(vec![claim]).encode());
    let Evidence::DoubleBatch(pair) = double(3, (4, 2)) else { panic!("another kind") };
    let mut unsigned = pair.first;
    unsigned.items.push([5; 32]);
    one.room.heard(2, Talk::Batch(unsigned).encode());
    assert!(matches!(&one.look()[..], [Tell::One(2, Talk::Batch(_))]));
    assert_eq!(one.room.files().len(), 1);
}

#[test]
fn a_flood_is_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut here = scene(folder.path());
    for _ in 0..65 {
        here.room.heard(2, vec![7; 40]);
    }
    assert!(here.counted("queue_full"));
    assert_eq!(here.look(), []);
}

/// Two checkpoints of one size by a witness that no validator runs.
fn two_notes(secret: &SecretKey) -> [String; 2] {
    let key = VerifierKey::new(WITNESS, Algorithm::CosignatureV1, &secret.public().0).unwrap();
    [1, 2].map(|root| {
        let checkpoint = Checkpoint::new(&city::genesis().origin(), 700, [root; 32]).unwrap();
        let mut note = SignedNote::new(checkpoint.to_string()).unwrap();
        let sign = |message: &[u8]| secret.sign(message).0;
        note.add(NoteSignature::cosign(note.text(), &key, 1_800_000_000, sign)).unwrap();
        note.to_string()
    })
}

const WITNESS: &str = "witness.example/w1";

#[test]
fn whom_a_later_policy_names_can_be_accused_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut here = scene(folder.path());
    let secret = city::key("w1/witness");
    let lies = two_notes(&secret);
    lies.iter().for_each(|note| here.room.note(note));
    assert_eq!(here.look(), [], "it is nobody's key yet");

    let mut world = city::World::bare();
    let first = WitnessPolicy::of_genesis(&city::genesis());
    let mut policy = WitnessPolicy { number: 2, quorum: 3, ..first };
    let (name, member) = (WITNESS.to_owned(), Member::Independent);
    policy.witnesses.push(Witness { name, key: secret.public(), member });
    let change = Operation::ChangeWitnessPolicy(policy);
    world.apply("city", change, &[city::governs("city"), city::governs("partner")]);
    here.store.record(&world.last, Position { index: 1, term: 1 }).unwrap();

    lies.iter().for_each(|note| here.room.note(note));
    let [Tell::All(Talk::File(bytes))] = &here.look()[..] else { panic!("one file") };
    let policies = here.store.policies().unwrap();
    let finding = verify(bytes, &Suspects::of_policies(&policies)).unwrap();
    assert_eq!((finding.kind, finding.who.name.as_str()), (Kind::TwoRoots, WITNESS));
    // A restart still knows whom the file is about.
    let again = scene_on(folder.path(), Arc::clone(&here.store));
    assert_eq!(again.room.files().len(), 1);
}
