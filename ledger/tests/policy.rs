//! Witness policies: which notes are final, how one policy follows on another, and the bundle that proves it.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use musubi_ledger::{
    batch::{Batch, NodeId},
    execute::{Chain, MemoryState, check_items},
    genesis::RULES_VERSION,
    keys::SecretKey,
    policy::{
        BundleError, Member, PolicyBundle, PolicyChain, PolicyError, PolicyStep, Trusted, Witness,
        WitnessPolicy, cosigner_name,
    },
    tlog::{
        checkpoint::Checkpoint,
        merkle::{Node, NodeReader, leaf_hash, subtree_root},
        note::SignedNote,
        proof::prove_inclusion,
        signature::NoteSignature,
        vkey::{Algorithm, VerifierKey},
    },
};

const SECONDS: u64 = 1_775_001_700;

/// A key that signs checkpoints, as the log or as a cosigner.
fn signer(name: &str, part: &str) -> (VerifierKey, SecretKey) {
    let secret = key(&format!("{name}/{part}"));
    let origin = genesis().origin();
    let (key_name, algorithm) = match part {
        "node" => (origin, Algorithm::Ed25519),
        "cosigner" => {
            let node = 1 + ["city", "operator", "partner"].iter().position(|n| n == &name).unwrap();
            (cosigner_name(&genesis(), NodeId(node as u64)), Algorithm::CosignatureV1)
        }
        _ => (format!("witness.example/{name}"), Algorithm::CosignatureV1),
    };
    (VerifierKey::new(&key_name, algorithm, &secret.public().0).unwrap(), secret)
}

fn signed(checkpoint: &Checkpoint, signers: &[(&str, &str)]) -> String {
    let mut note = SignedNote::new(checkpoint.to_string()).unwrap();
    for (name, part) in signers {
        let (key, secret) = signer(name, part);
        let sign = |message: &[u8]| secret.sign(message).0;
        let text = note.text().to_owned();
        let line = match key.algorithm() {
            Algorithm::Ed25519 => NoteSignature::sign(&text, &key, sign),
            Algorithm::CosignatureV1 => NoteSignature::cosign(&text, &key, SECONDS, sign),
        };
        note.add(line).unwrap();
    }
    note.to_string()
}

fn checkpoint(size: u64, root: [u8; 32]) -> Checkpoint {
    Checkpoint::new(&genesis().origin(), size, root).unwrap()
}

fn first() -> Trusted {
    Trusted::new(&genesis().origin(), &WitnessPolicy::of_genesis(&genesis())).unwrap()
}

/// Three of four: the organisations and an independent witness.
fn second() -> WitnessPolicy {
    let mut policy =
        WitnessPolicy { number: 2, quorum: 3, ..WitnessPolicy::of_genesis(&genesis()) };
    policy.witnesses.push(Witness {
        name: "witness.example/w1".into(),
        key: key("w1/witness").public(),
        member: Member::Independent,
    });
    assert!(policy.well_formed());
    policy
}

#[test]
fn a_majority_of_organisations_and_a_log_key_make_a_checkpoint_final() {
    let policy = first();
    assert!(policy.policy().well_formed());
    assert_eq!(policy.policy().quorum, 2);
    let at = checkpoint(5, [7; 32]);
    let note = signed(&at, &[("operator", "node"), ("city", "cosigner"), ("partner", "cosigner")]);
    let found = policy.check(note.as_bytes()).unwrap();
    assert_eq!((found.checkpoint, found.policy, found.logs), (at.clone(), 1, vec![NodeId(2)]));
    let members: Vec<_> = found.cosigned.iter().map(|c| (c.member, c.unix_seconds)).collect();
    let member = |name| (Member::Organisation(id(name)), SECONDS);
    assert_eq!(members, [member("city"), member("partner")]);

    let alone = signed(&at, &[("operator", "node"), ("operator", "cosigner")]);
    let one = PolicyError::Quorum { policy: 1, have: 1, need: 2 };
    assert_eq!(policy.check(alone.as_bytes()).unwrap_err(), one);
    let unsigned = signed(&at, &[("city", "cosigner"), ("partner", "cosigner")]);
    assert_eq!(policy.check(unsigned.as_bytes()).unwrap_err().code(), "not_signed_by_log");
    // An independent witness is nobody to this policy.
    let strange = signed(&at, &[("operator", "node"), ("city", "cosigner"), ("w1", "witness")]);
    assert_eq!(policy.check(strange.as_bytes()).unwrap_err(), one);
}

#[test]
fn two_cosigners_of_one_organisation_are_one_voice() {
    let mut policy = WitnessPolicy::of_genesis(&genesis());
    policy.witnesses.push(Witness {
        name: "witness.example/spare".into(),
        key: key("spare/witness").public(),
        member: Member::Organisation(id("city")),
    });
    assert!(policy.well_formed());
    assert_eq!(policy.members().len(), 3);
    let trusted = Trusted::new(&genesis().origin(), &policy).unwrap();
    let by = [("city", "node"), ("city", "cosigner"), ("spare", "witness")];
    let error = trusted.check(signed(&checkpoint(5, [7; 32]), &by).as_bytes()).unwrap_err();
    assert_eq!(error, PolicyError::Quorum { policy: 1, have: 1, need: 2 });
    // Either speaks for it.
    let by = [("city", "node"), ("partner", "cosigner"), ("spare", "witness")];
    trusted.check(signed(&checkpoint(5, [7; 32]), &by).as_bytes()).unwrap();
}

#[test]
fn the_text_is_a_tlog_policy() {
    let text = Trusted::new(&genesis().origin(), &second()).unwrap().to_text();
    let party = |name: &str| id(name).to_string();
    let mut groups: Vec<String> = [("city", 1), ("operator", 2), ("partner", 3)]
        .iter()
        .map(|(name, n)| format!("group {} any ledger.example/city/node/{n}", party(name)))
        .collect();
    for group in groups.drain(..) {
        assert!(text.lines().any(|line| line == group), "{text}");
    }
    let (log, _) = signer("city", "node");
    assert!(text.lines().any(|line| line == format!("log {log}")), "{text}");
    let (witness, _) = signer("w1", "witness");
    assert!(text.lines().any(|l| l == format!("witness witness.example/w1 {witness}")), "{text}");
    let quorum = text.lines().rev().nth(1).unwrap();
    assert!(quorum.starts_with("group final 3 party1"), "{quorum}");
    assert!(quorum.ends_with(" witness.example/w1"), "{quorum}");
    assert_eq!(text.lines().last(), Some("quorum final"));
}

#[test]
fn the_first_checkpoint_over_a_change_needs_both_quorums() {
    let mut chain = PolicyChain::of_genesis(&genesis());
    chain.push(&second(), 10).unwrap();
    let organisations = [("city", "node"), ("city", "cosigner"), ("partner", "cosigner")];
    let new_only =
        [("city", "node"), ("city", "cosigner"), ("partner", "cosigner"), ("w1", "witness")];
    let before = signed(&checkpoint(9, [7; 32]), &organisations);
    assert_eq!(chain.check(before.as_bytes()).unwrap().policy, 1);
    let error = chain.check(signed(&checkpoint(10, [7; 32]), &organisations).as_bytes());
    assert_eq!(error.unwrap_err(), PolicyError::Quorum { policy: 2, have: 2, need: 3 });
    assert!(chain.settles(10) && !chain.settles(9));
    let over = signed(&checkpoint(10, [7; 32]), &new_only);
    assert_eq!(chain.check(over.as_bytes()).unwrap().policy, 2);

    // A policy whose members are all new cannot confirm itself.
    let mut taken = second();
    (taken.number, taken.quorum) = (3, 1);
    taken.witnesses.retain(|w| w.member == Member::Independent);
    chain.push(&taken, 20).unwrap();
    chain.settle(10);
    let own = signed(&checkpoint(20, [7; 32]), &[("city", "node"), ("w1", "witness")]);
    let error = chain.check(own.as_bytes()).unwrap_err();
    assert_eq!(error, PolicyError::Quorum { policy: 2, have: 1, need: 3 });
    chain.check(signed(&checkpoint(20, [7; 32]), &new_only).as_bytes()).unwrap();
    chain.settle(20);
    assert_eq!(chain.check(own.as_bytes()).unwrap().policy, 3);
}

/// All hashes of a small log, for making proofs.
#[derive(Default)]
struct Nodes(Vec<Node>);

impl NodeReader for Nodes {
    fn node(&self, level: u8, index: u64) -> Option<[u8; 32]> {
        self.0.iter().find(|n| (n.level, n.index) == (level, index)).map(|n| n.hash)
    }
}

/// A ledger on which the organisations changed the policy, and the bundle's step about it.
fn changed(sign_final: &[(&str, &str)]) -> PolicyBundle {
    let (mut chain, block) = Chain::open(&genesis());
    let mut state = MemoryState::default();
    state.apply(&block.changes);
    let mut nodes = Nodes(block.nodes);
    let body = Body {
        chain: chain.id(),
        rules_version: RULES_VERSION,
        sender: id("city"),
        reference: "policy-2".parse().unwrap(),
        salt: musubi_ledger::id::Salt([3; 16]),
        expires: BEGIN.plus(SECOND * 60),
        purpose: Purpose::NONE,
        memo: None,
        answers: None,
        on_behalf_of: None,
        operation: Operation::ChangeWitnessPolicy(second()),
    };
    let transaction = sign(body, &[governs("city"), governs("operator")]).encode();
    let items = vec![transaction.clone()];
    let leader = (NodeId(1), &key("city/node"));
    let batch = Batch::sign(chain.id(), (1, 1), BEGIN.plus(SECOND), items, leader);
    let checked = check_items(&chain.id(), RULES_VERSION, &batch.items, &|_| false);
    let block = chain.execute(&state, &batch, [0; 32], &checked);
    nodes.0.extend(block.nodes.clone());
    let entry = &block.entries[0];
    assert_eq!(entry.leaf.code, Code::Applied);
    let size = block.head.size;
    assert_eq!(subtree_root(&nodes, 0, size).unwrap(), block.root);
    let step = PolicyStep {
        transaction,
        leaf: entry.leaf,
        index: entry.index,
        path: prove_inclusion(&nodes, entry.index, size).unwrap(),
        checkpoint: signed(&checkpoint(size, block.root), sign_final),
    };
    assert_eq!(leaf_hash(&step.leaf.encode()), leaf_hash(&entry.leaf.encode()));
    PolicyBundle { genesis: genesis().encode(), steps: vec![step] }
}

const BOTH: [(&str, &str); 4] =
    [("city", "node"), ("city", "cosigner"), ("operator", "cosigner"), ("w1", "witness")];

#[test]
fn a_bundle_is_followed_from_the_chain_id() {
    let bundle = changed(&BOTH);
    let again = PolicyBundle::decode(&bundle.encode()).unwrap();
    assert_eq!(again, bundle);
    let policies = again.verify(&genesis().chain()).unwrap();
    assert_eq!(policies.newest().policy(), &second());
    assert_eq!(policies.at(2).policy().number, 1);
    assert_eq!(policies.at(bundle.steps[0].index + 1).policy().number, 2);
    let other = musubi_ledger::id::ChainId([1; 32]);
    assert_eq!(bundle.verify(&other).unwrap_err().code(), "other_chain");
}

#[test]
fn a_bundle_that_was_tampered_with_is_refused() {
    let chain = genesis().chain();
    let refused = |change: &dyn Fn(&mut PolicyBundle)| {
        let mut bundle = changed(&BOTH);
        change(&mut bundle);
        bundle.verify(&chain).unwrap_err()
    };
    let step = |change: fn(&mut PolicyStep)| refused(&|b| change(&mut b.steps[0])).code();
    assert_eq!(step(|s| s.index += 1), "root_mismatch");
    assert_eq!(step(|s| s.path[0][0] ^= 1), "root_mismatch");
    assert_eq!(step(|s| s.path.truncate(1)), "wrong_proof_length");
    assert_eq!(step(|s| s.leaf.time = Time(5)), "root_mismatch");
    assert_eq!(step(|s| s.leaf.code = Code::Expired), "bad_policy_step");
    assert_eq!(step(|s| s.transaction[40] ^= 1), "bad_policy_step");
    assert_eq!(step(|s| s.transaction.truncate(99)), "bad_policy_step");
    assert_eq!(
        step(|s| s.checkpoint = s.checkpoint.replace("\n4\n", "\n5\n")),
        "bad_note_signature"
    );
    assert_eq!(refused(&|b| b.genesis[9] ^= 1).code(), "other_chain");
    assert_eq!(refused(&|b| b.steps.push(b.steps[0].clone())).code(), "bad_policy_step");

    let old_alone = changed(&BOTH[..3]).verify(&chain).unwrap_err();
    assert!(matches!(old_alone, BundleError::Checkpoint(2, PolicyError::Quorum { policy: 2, .. })));
}
