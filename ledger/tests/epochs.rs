//! What verifiers see of a recovery, with the chain's id alone: the bundle that leads into the new epoch, and what became
//! of proofs of the epoch before.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use musubi_ledger::{
    operation::BeginEpoch,
    policy::{PolicyBundle, PolicyChain, PolicyError, PolicyStep},
    proof::{TransactionProof, TransactionProofError},
    tlog::proof::prove_inclusion,
    transaction::Transaction,
};

/// A log whose newest leaves only lost disks had, and where it went on without them.
struct Scene {
    /// As it went on.
    world: World,
    bundle: PolicyBundle,
    /// Proofs in epoch 1: of a leaf under the checkpoint that the recovery names, of one that survived by chance
    /// under a later one, and of one that was dropped.
    kept: String,
    chance: String,
    dropped: String,
}

fn proof(world: &World, transaction: &Transaction, note: String) -> String {
    let past = world.past();
    let entry = past.leaves(&id("alice"), BEGIN, world.now.plus(1)).into_iter();
    let entry = entry.rev().find(|entry| entry.leaf.id == transaction.body.id()).unwrap();
    let path = prove_inclusion(past, entry.index, world.chain.head().size).unwrap();
    TransactionProof::make(entry, Some(transaction.clone()), path, note).unwrap().to_string()
}

fn fund(world: &mut World, amount: u64) -> Transaction {
    let op = top_up(world.allowance("MEBUKU"), "alice", amount, &format!("bank of {amount}"));
    let transaction =
        world.transaction("issuer", Operation::TopUp(op), &[issues(), credit("alice")]);
    world.applies(&transaction);
    transaction
}

fn final_here(world: &World, epoch: u32) -> String {
    let at = (world.chain.head().size, world.chain.root());
    note_of(epoch, at, "city/node", if epoch == 1 { &OLD_VOICES } else { &NEW_VOICES })
}

fn scene() -> Scene {
    scene_with(|_| (), &[governs("city"), governs("operator")], &NEW_VOICES)
}

fn scene_with(
    change: impl FnOnce(&mut BeginEpoch),
    signers: &[By],
    cosigners: &[(u64, &str)],
) -> Scene {
    let mut lost = World::with_past();
    let mut world = World::with_past();
    let both = |amount, lost: &mut World, world: &mut World| {
        fund(world, amount);
        fund(lost, amount)
    };
    let first = both(100, &mut lost, &mut world);
    let known = |w: &World| final_here(w, 1);
    let (kept, named) = (proof(&lost, &first, known(&lost)), known(&lost));
    let second = both(200, &mut lost, &mut world);
    // From here on only the lost disks have it.
    let third = fund(&mut lost, 300);
    let (chance, dropped) =
        (proof(&lost, &second, known(&lost)), proof(&lost, &third, known(&lost)));
    let mut op = begin_epoch(&world, Some(named));
    change(&mut op);
    let index = op.size;
    let transaction = world.transaction("city", Operation::BeginEpoch(op), signers);
    recover(&mut world, &transaction);
    let leaf = world.last.entries.first().map(|entry| entry.leaf);
    fund(&mut world, 400);
    let at = (world.chain.head().size, world.chain.root());
    let step = PolicyStep {
        transaction: transaction.encode(),
        leaf: leaf.unwrap_or(world.last.entries[0].leaf),
        index,
        path: prove_inclusion(world.past(), index, at.0).unwrap(),
        checkpoint: note_of(2, at, "city/node", cosigners),
    };
    let bundle = PolicyBundle { genesis: genesis().encode(), steps: vec![step] };
    Scene { world, bundle, kept, chance, dropped }
}

fn verify(proof: &str, policies: &PolicyChain) -> Result<u64, TransactionProofError> {
    let proven = TransactionProof::parse(proof.as_bytes()).unwrap().verify(policies)?;
    Ok(proven.index)
}

#[test]
fn the_bundle_leads_into_the_new_epoch_by_the_governance_keys_of_the_genesis_document() {
    let scene = scene();
    let bundle = PolicyBundle::decode(&scene.bundle.encode()).unwrap();
    let policies = bundle.verify(&genesis().chain()).unwrap();
    assert_eq!((policies.epoch(), policies.newest().origin()), (2, "ledger.example/city/2"));
    let [recovery] = policies.recoveries() else { panic!("one recovery") };
    let mut names = recovery.names(&genesis());
    names.sort();
    assert_eq!(names, ["city", "operator"]);
    // New checkpoints are the new validators', and old ones still the old ones'.
    let here = (scene.world.chain.head().size, scene.world.chain.root());
    let check = |note: String| policies.check(note.as_bytes());
    assert_eq!(check(note_of(2, here, "city/node", &NEW_VOICES)).unwrap().policy, 2);
    assert_eq!(check(note_of(1, (4, [1; 32]), "city/node", &OLD_VOICES)).unwrap().policy, 1);
    let lacks = |note: String| check(note).unwrap_err().code();
    assert_eq!(lacks(note_of(2, here, "city/node", &OLD_VOICES)), "no_quorum");
    assert_eq!(lacks(note_of(1, here, "city/node", &NEW_VOICES)), "no_quorum");
    assert_eq!(lacks(note_of(3, here, "city/node", &NEW_VOICES)), "other_log");
    let begins = recovery.begins.size;
    assert_eq!(lacks(note_of(2, (begins, [1; 32]), "city/node", &NEW_VOICES)), "before_epoch");
    // Policies go on from there.
    let mut policies = policies;
    let next =
        musubi_ledger::policy::WitnessPolicy { number: 3, ..policies.newest().policy().clone() };
    policies.push(&next, here.0 + 1).unwrap();
    assert_eq!(policies.unsettled(u64::MAX), [3]);
}

#[test]
fn a_proof_tells_whether_its_leaf_survived_and_who_dropped_it() {
    let Scene { bundle, kept, chance, dropped, .. } = scene();
    let before = PolicyChain::of_genesis(&genesis());
    for proof in [&kept, &chance, &dropped] {
        verify(proof, &before).unwrap();
    }
    let policies = bundle.verify(&genesis().chain()).unwrap();
    verify(&kept, &policies).unwrap();
    let error = verify(&dropped, &policies).unwrap_err();
    assert_eq!(error.code(), "dropped_by_recovery");
    let sentence = error.to_string();
    assert!(sentence.contains("city") && sentence.contains("operator"), "{sentence}");
    assert!(!sentence.contains("partner"), "{sentence}");
    // The best log may have ended otherwise than the lost ones: only a new proof tells.
    assert_eq!(verify(&chance, &policies).unwrap_err().code(), "undecided_by_recovery");
}

#[test]
fn a_checkpoint_of_just_what_survives_survives() {
    let policies = scene().bundle.verify(&genesis().chain()).unwrap();
    let end = &policies.recoveries()[0].begins;
    let note = note_of(1, (end.size, end.root), "city/node", &OLD_VOICES);
    policies.check_whole(note.as_bytes()).unwrap();
    let other = note_of(1, (end.size, [9; 32]), "city/node", &OLD_VOICES);
    let error = policies.check_whole(other.as_bytes()).unwrap_err();
    assert!(matches!(error, PolicyError::Undecided(_)), "{error}");
}

#[test]
fn a_recovery_that_does_not_count_leads_nowhere() {
    let signed = [governs("city"), governs("operator")];
    let code = |scene: Scene| scene.bundle.verify(&genesis().chain()).unwrap_err().code();
    let refused = |change: fn(&mut BeginEpoch)| code(scene_with(change, &signed, &NEW_VOICES));
    // Rejected on the ledger: its leaf says so.
    assert_eq!(refused(|op| op.policy.number = 3), "bad_policy_step");
    assert_eq!(code(scene_with(|_| (), &signed, &NEW_VOICES[..1])), "no_quorum");
    let mut scene = scene();
    let mut transaction = Transaction::decode(&scene.bundle.steps[0].transaction).unwrap();
    transaction.signatures.pop();
    // Fewer organisations than were judged, in a leaf made to fit: the quorum counts, whatever the leaf says.
    scene.bundle.steps[0].transaction = transaction.encode();
    scene.bundle.steps[0].leaf.signatures = transaction.signatures_hash();
    assert_eq!(
        scene.bundle.verify(&genesis().chain()).unwrap_err().code(),
        "organisations_missing"
    );
    let mut twice = self::scene().bundle;
    twice.steps.push(twice.steps[0].clone());
    assert_eq!(twice.verify(&genesis().chain()).unwrap_err().code(), "epoch_not_next");
}
