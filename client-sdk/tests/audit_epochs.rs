//! The audit follows a ledger through a recovery: other validators, another origin, the same log.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::town::{CITY, OPERATOR, PARTNER, Town, a_day, key, node_key};
use musubi_sdk::{
    audit::{Auditor, Closing, Demands, Findings, Kept, Report},
    ledger::{
        batch::NodeId,
        epoch::first_term,
        genesis::{Node, RULES_VERSION},
        id::{PartyId, Salt},
        keys::SecretKey,
        operation::{BeginEpoch, Operation},
        policy::WitnessPolicy,
        transaction::{Body, Purpose, Role, Side, Transaction},
    },
};

/// A validator with new keys.
fn new(node: u8, organisation: PartyId) -> Node {
    let seed = |from: u8| SecretKey::from_seed(&[from + node; 32]).public();
    Node {
        id: NodeId(node.into()),
        organisation,
        transport: seed(150),
        node: node_key(node).public(),
        cosigner: seed(200),
    }
}

fn recovery(town: &Town) -> Transaction {
    let validators = vec![town.genesis.nodes[0].clone(), new(4, OPERATOR), new(5, PARTNER)];
    let begins = BeginEpoch {
        epoch: 2,
        last_index: 2 * (town.blocks.len() as u64 - 1),
        last_term: 1,
        size: town.chain.head().size,
        root: town.chain.root(),
        checkpoint: None,
        policy: WitnessPolicy::of_nodes(&town.genesis, 2, &validators, &[]),
        validators,
        opener: NodeId(1),
        reason: "two data centres burnt".into(),
    };
    let body = Body {
        chain: town.chain.id(),
        rules_version: RULES_VERSION,
        sender: CITY,
        reference: "epoch-2".parse().unwrap(),
        salt: Salt([2; 16]),
        expires: town.time.plus(3_600_000),
        purpose: Purpose::NONE,
        memo: None,
        answers: None,
        on_behalf_of: None,
        operation: Operation::BeginEpoch(begins),
    };
    let sign = |party| body.sign(Side::Authority, Role::Governance, party, &key(party));
    let signatures = vec![sign(CITY), sign(OPERATOR)];
    Transaction::new(body, signatures)
}

/// A day, and a second epoch behind it, in which `leader` cuts a batch.
fn recovered(leader: u8) -> Town {
    let mut town = a_day();
    let recovery = recovery(&town);
    let index = 2 * (town.blocks.len() as u64 - 1) + 1;
    let block = town.block_at((first_term(2), index), 1, 1_000, vec![recovery.encode()]);
    assert_eq!(block.items[0].code.name(), "applied");
    town.block_at((first_term(2) + 1, index + 2), leader, 1_000, vec![]);
    town
}

/// What the second epoch's validators sign at the end.
fn notes(town: &Town) -> Vec<(u64, String)> {
    let at = (town.chain.head().size, town.chain.root());
    [1, 4, 5].map(|node| town.note_of("musubi.example/town/2", node, at)).to_vec()
}

fn audit(town: &Town, kept: &[(u64, String)]) -> Result<Report, Findings> {
    let mut auditor = Auditor::new(&town.genesis.encode(), Some(town.chain.id())).unwrap();
    let mut leaves = town.leaves.iter();
    let mut seals = town.seals.iter();
    auditor.open(&mut leaves, seals.next().map(Vec::as_slice));
    for entry in &town.entries {
        auditor.feed(entry, &mut leaves, seals.next().map(Vec::as_slice));
    }
    let kept = kept.iter().map(|(_, note)| Kept { name: "before.note".into(), note: note.clone() });
    let demands = Demands { all_validators: true, ..Demands::default() };
    auditor.finish(&Closing {
        notes: notes(town),
        demands,
        kept: kept.collect(),
        ..Closing::default()
    })
}

#[test]
fn the_report_names_the_recovery_and_who_signed_it() {
    let town = recovered(4);
    let before = town.blocks[town.blocks.len() - 3].head.size;
    // What the auditor kept from the epoch before goes on, too.
    let kept = town.note(2, town.blocks.len() - 3);
    let report = audit(&town, &[kept]).unwrap();
    let [recovered] = &report.recoveries[..] else { panic!("one recovery") };
    assert_eq!((recovered.epoch, recovered.size), (2, before));
    assert_eq!(recovered.signed_by, ["City", "Operator"]);
    assert_eq!((report.origin.as_str(), report.kinds["begin_epoch"]), ("musubi.example/town/2", 1));
    let nodes: Vec<u64> = report.validators.iter().map(|agreement| agreement.node).collect();
    assert_eq!((nodes, report.kept.len()), (vec![1, 4, 5], 1));
}

#[test]
fn who_was_lost_cuts_no_batch_any_more() {
    let findings = audit(&recovered(2), &[]).unwrap_err();
    assert_eq!(findings.first.fault.code(), "unknown_leader");
}

#[test]
fn an_epoch_begins_with_nothing_but_a_recovery() {
    let mut town = a_day();
    let index = 2 * town.blocks.len() as u64;
    town.block_at((first_term(2), index), 1, 1_000, vec![]);
    let findings = audit(&town, &[]).unwrap_err();
    assert_eq!(findings.first.fault.code(), "wrong_epoch");
}

#[test]
fn what_an_auditor_kept_and_the_recovery_dropped_is_laid_to_those_who_signed_it() {
    let town = recovered(4);
    let origin = town.genesis.origin();
    let dropped = town.note_of(&origin, 2, (town.chain.head().size + 7, [9; 32]));
    let findings = audit(&town, &[dropped]).unwrap_err();
    assert_eq!(findings.first.fault.code(), "kept_dropped");
    let by: Vec<&str> =
        findings.first.signed_by.iter().map(|by| by.organisation.as_str()).collect();
    assert_eq!(by, ["City", "Operator"]);
}
