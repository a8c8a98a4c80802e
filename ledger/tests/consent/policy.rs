//! Changing the witness policy: the organisations together, one number after the other.

use crate::common::*;
use musubi_ledger::policy::{Member, Witness, WitnessPolicy};

/// The genesis document's policy with a new quorum of three of four: an independent witness comes in.
fn with_witness(number: u32) -> WitnessPolicy {
    let mut policy = WitnessPolicy { number, quorum: 3, ..WitnessPolicy::of_genesis(&genesis()) };
    policy.witnesses.push(Witness {
        name: "witness.example/w1".into(),
        key: key("witness").public(),
        member: Member::Independent,
    });
    policy.witnesses.sort_by(|a, b| a.name.cmp(&b.name));
    policy
}

fn change(policy: WitnessPolicy) -> Operation {
    Operation::ChangeWitnessPolicy(policy)
}

#[test]
fn a_majority_of_the_organisations_sets_the_next_policy() {
    let mut w = World::bare();
    let two = [governs("city"), governs("partner")];
    w.void(Code::OrganisationsMissing, "city", change(with_witness(2)), &two[..1]);
    w.void(Code::MissingConsent, "r1", change(with_witness(2)), &[own("r1")]);
    w.reject(Code::WrongPolicyNumber, "city", change(with_witness(1)), &two);
    w.reject(Code::WrongPolicyNumber, "city", change(with_witness(3)), &two);
    w.apply("city", change(with_witness(2)), &two);
    w.reject(Code::WrongPolicyNumber, "city", change(with_witness(2)), &two);
    w.apply("city", change(with_witness(3)), &two);
}

#[test]
fn a_policy_that_no_quorum_could_be_trusted_under_is_not_well_formed() {
    let mut w = World::bare();
    let two = [governs("city"), governs("partner")];
    let good = with_witness(2);
    let mut twice = good.clone();
    twice.witnesses[0].key = twice.witnesses[1].key;
    let mut as_log = good.clone();
    as_log.witnesses[0].key = as_log.logs[0].key;
    let mut weak = good.clone();
    weak.witnesses[0].key = musubi_ledger::keys::PublicKey([0; 32]);
    let mut unsorted = good.clone();
    unsorted.witnesses.swap(0, 1);
    let mut renamed = good.clone();
    renamed.witnesses[0].name = "a name".into();
    for policy in [
        // Two quorums of two among four members need not share one.
        WitnessPolicy { quorum: 2, ..good.clone() },
        WitnessPolicy { quorum: 5, ..good.clone() },
        WitnessPolicy { quorum: 0, witnesses: vec![], ..good.clone() },
        WitnessPolicy { logs: vec![], ..good.clone() },
        twice,
        as_log,
        weak,
        unsorted,
        renamed,
    ] {
        w.reject(Code::NotWellFormed, "city", change(policy), &two);
    }
    let mut stranger = good;
    stranger.witnesses[0].member = Member::Organisation(id("registrar"));
    w.reject(Code::UnknownParty, "city", change(stranger), &two);
}
