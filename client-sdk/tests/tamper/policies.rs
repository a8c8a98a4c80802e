//! A change of the witness policy: followed when it is confirmed, found when it is not.

use musubi_sdk::{
    audit::Part,
    ledger::{
        genesis::RULES_VERSION,
        id::Salt,
        operation::Operation,
        policy::{Member, PolicyStep, Witness, WitnessPolicy},
        tlog::{merkle::root, proof::prove_inclusion},
        transaction::{Body, Purpose, Role, Side, Transaction},
    },
};

use crate::{
    audit,
    common::town::{CITY, PARTNER, a_day, key},
    findings,
    record::{Nodes, Record, WITNESS, final_note, witness},
};

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
