//! What the organisations decide while a simulation runs: every validator gets a new key for its cosignatures, and
//! later another one. So a checkpoint that is final by an old policy alone is final by nobody's.

use musubi_ledger::{
    genesis::Genesis,
    operation::Operation,
    policy::{WitnessPolicy, cosigner_name},
    transaction::{Role, Side},
};

use super::{
    script::{Pen, Script},
    town::{POLICIES, cosigner_key},
};

/// The changes, one after the other.
pub(crate) fn governance(genesis: &Genesis) -> Script {
    let mut pen = Pen { chain: genesis.chain(), count: 1 << 33 };
    let mut change = |number| {
        let operation = Operation::ChangeWitnessPolicy(policy(genesis, number));
        let governs = |name, key| (Side::Authority, Role::Governance, name, key);
        let by = [governs("city", "city governance"), governs("partner", "partner governance")];
        pen.step("city", operation, &by)
    };
    Script { steps: (2..=POLICIES).map(&mut change).collect() }
}

/// The genesis document's policy, with other keys.
fn policy(genesis: &Genesis, number: u32) -> WitnessPolicy {
    let mut policy = WitnessPolicy { number, ..WitnessPolicy::of_genesis(genesis) };
    for node in &genesis.nodes {
        let name = cosigner_name(genesis, node.id);
        let witness = policy.witnesses.iter_mut().find(|witness| witness.name == name);
        let witness = witness.expect("every node of the document cosigns");
        witness.key = cosigner_key(node.id.0 as usize, number).public();
    }
    policy
}
