//! Final checkpoints and the chain of witness policies, against what was recomputed.
//!
//! The policies are known from execution; the record's bundle must say the same, and prove of each change
//! that it was final by the policies before and after it. Then the newest final checkpoint must satisfy the
//! policies that its size needs, and have our root.

use musubi_ledger::{
    batch::NodeId,
    code::Code,
    execute::{Block, CheckedItem},
    genesis::Genesis,
    operation::Operation,
    policy::{
        Cosigned, FinalCheckpoint, Member, PolicyBundle, PolicyChain, PolicyStep, WitnessPolicy,
        cosigner_name,
    },
    time::Time,
    transaction::Transaction,
};
use serde::Serialize;

use super::{
    ends::Ends,
    fault::Fault,
    finding::{Finding, Part, Signer},
    kept,
    report::Agreement,
    validators::{agreement_of, signer},
};

/// What a record holds of finality.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finals {
    /// The newest final checkpoint, as a signed note.
    pub note: Option<String>,
    /// The witness policies since genesis, encoded.
    pub bundle: Option<Vec<u8>>,
}

impl Finals {
    /// The notes in it, whatever they are worth.
    pub(super) fn notes(&self) -> Vec<String> {
        let bundle = self.bundle.as_ref().and_then(|bytes| PolicyBundle::decode(bytes).ok());
        let steps = bundle.map(|bundle| bundle.steps).unwrap_or_default();
        let steps = steps.into_iter().map(|step| step.checkpoint);
        steps.chain(self.note.clone()).collect()
    }
}

/// The newest final checkpoint that agrees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalCovered {
    /// Leaves in the log there.
    pub size: u64,
    /// The block that ends there.
    pub height: u64,
    /// That block's time.
    pub time: Time,
    /// Number of the policy by which it is final.
    pub policy: u32,
    /// Who cosigned, by name.
    pub cosigned: Vec<String>,
    /// Blocks of the record behind it.
    pub blocks_beyond: u64,
}

/// A change of policy that was executed: the first size for which it holds, and the policy.
pub(super) type Change = (u64, WitnessPolicy);

/// The changes of policy in a block.
pub(super) fn changes(block: &Block, items: &[CheckedItem]) -> Vec<Change> {
    let applied = block.entries.iter().filter(|entry| entry.leaf.code == Code::Applied);
    let change = |entry: &musubi_ledger::execute::Entry| {
        let transaction = items.get(entry.item? as usize)?.transaction.as_ref()?;
        match &transaction.body.operation {
            Operation::ChangeWitnessPolicy(policy) => Some((entry.index + 1, policy.clone())),
            _ => None,
        }
    };
    applied.filter_map(change).collect()
}

/// What is known of a ledger's finality.
#[derive(Debug, Default)]
pub(super) struct Finality {
    pub(super) covered: Option<FinalCovered>,
    /// The note itself.
    pub(super) note: Option<String>,
    /// Validators that signed it as the log.
    pub(super) agreements: Vec<Agreement>,
    /// Numbers of policies that no final checkpoint covers yet.
    pub(super) unsettled: Vec<u32>,
    pub(super) findings: Vec<Finding>,
}

/// Checks bundle and checkpoint. Where execution stopped early (`cut`), nothing can be said of what lies
/// beyond.
pub(super) fn check(
    genesis: &Genesis,
    changes: &[Change],
    ends: &Ends,
    cut: bool,
    finals: &Finals,
) -> Finality {
    let mut found = Finality::default();
    let mut policies = PolicyChain::of_genesis(genesis);
    for (from, policy) in changes {
        policies.push(policy, *from).expect("an applied policy was checked");
    }
    if let Some(bytes) = &finals.bundle {
        let verified = PolicyBundle::decode(bytes)
            .and_then(|bundle| bundle.verify(&genesis.chain()).map(|_| bundle));
        match verified {
            Ok(bundle) => steps(genesis, changes, ends, cut, &bundle, &mut policies, &mut found),
            Err(error) => found.findings.push(Finding::new(Part::Policy, Fault::Bundle(error))),
        }
    }
    if let Some(note) = &finals.note {
        newest(genesis, ends, cut, note, &mut policies, &mut found);
    }
    let unsettled = changes.iter().filter(|(from, _)| policies.settles(*from));
    found.unsettled = unsettled.map(|(_, policy)| policy.number).collect();
    found
}

fn steps(
    genesis: &Genesis,
    changes: &[Change],
    ends: &Ends,
    cut: bool,
    bundle: &PolicyBundle,
    policies: &mut PolicyChain,
    found: &mut Finality,
) {
    for (number, step) in (2u32..).zip(&bundle.steps) {
        if cut && step.index >= ends.last().size {
            return;
        }
        let ours = changes.iter().find(|(_, policy)| policy.number == number);
        let same = ours.is_some_and(|ours| same_change(ours, step));
        let checkpoint = policies.check(step.checkpoint.as_bytes());
        let finding = match checkpoint {
            _ if !same => {
                let finding = Finding::new(Part::Policy, Fault::OtherPolicy(number));
                Err(finding.leaf(step.index))
            }
            Err(error) => Err(Finding::new(Part::Policy, Fault::Final(error))),
            Ok(checkpoint) => compare(genesis, ends, cut, &checkpoint, Part::Policy)
                .map(|_| policies.settle(checkpoint.checkpoint.size())),
        };
        if let Err(finding) = finding {
            return found.findings.push(finding);
        }
    }
}

fn same_change((from, policy): &Change, step: &PolicyStep) -> bool {
    let transaction = Transaction::decode(&step.transaction);
    let operation = transaction.map(|transaction| transaction.body.operation);
    let same = matches!(operation, Ok(Operation::ChangeWitnessPolicy(theirs)) if theirs == *policy);
    same && step.index.checked_add(1) == Some(*from)
}

fn newest(
    genesis: &Genesis,
    ends: &Ends,
    cut: bool,
    note: &str,
    policies: &mut PolicyChain,
    found: &mut Finality,
) {
    let checkpoint = match policies.check(note.as_bytes()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            let ours = ends.last().size;
            // Beyond what was executed a policy may hold that is not known here.
            let fault = match kept::size(note).filter(|size| *size > ours) {
                Some(_) if cut => return,
                Some(size) => Fault::FinalSize { size, ours },
                None => Fault::Final(error),
            };
            return found.findings.push(Finding::new(Part::Checkpoint, fault));
        }
    };
    match compare(genesis, ends, cut, &checkpoint, Part::Checkpoint) {
        Ok(None) => {}
        Ok(Some(covered)) => {
            policies.settle(covered.size);
            let agreement =
                |node: &NodeId| agreement_of(genesis, node.0, covered.size, covered.height);
            found.agreements = checkpoint.logs.iter().filter_map(agreement).collect();
            found.covered = Some(covered);
            found.note = Some(note.to_owned());
        }
        Err(finding) => found.findings.push(finding),
    }
}

/// Compares a checkpoint that is final with our root at its size; none where we have not come so far.
fn compare(
    genesis: &Genesis,
    ends: &Ends,
    cut: bool,
    found: &FinalCheckpoint,
    part: Part,
) -> Result<Option<FinalCovered>, Finding> {
    let (size, root) = (found.checkpoint.size(), found.checkpoint.root());
    let by = || signers(genesis, found);
    let Some(end) = ends.at_size(size) else {
        if cut && size > ends.last().size {
            return Ok(None);
        }
        let fault = Fault::FinalSize { size, ours: ends.last().size };
        return Err(Finding::new(part, fault).signed(by()));
    };
    if end.root != *root {
        let (theirs, ours) = (hex::encode(root), hex::encode(end.root));
        let fault = Fault::FinalRoot { size, theirs, ours };
        return Err(Finding::new(part, fault).signed(by()));
    }
    Ok(Some(FinalCovered {
        size,
        height: end.height,
        time: end.time,
        policy: found.policy,
        cosigned: found.cosigned.iter().map(|by| by.name.clone()).collect(),
        blocks_beyond: ends.last().height - end.height,
    }))
}

/// Who stands behind a final checkpoint: its cosigners.
fn signers(genesis: &Genesis, found: &FinalCheckpoint) -> Vec<Signer> {
    let one = |by: &Cosigned| {
        let node = genesis.nodes.iter().find(|node| cosigner_name(genesis, node.id) == by.name);
        let of_node = node.and_then(|node| signer(genesis, node.id.0, "cosigned it"));
        of_node.unwrap_or_else(|| {
            let organisation = match by.member {
                Member::Organisation(party) => genesis.organisation(&party).map(|o| o.name.clone()),
                Member::Independent => None,
            };
            let organisation = organisation.unwrap_or_else(|| by.name.clone());
            Signer { node: None, organisation, did: "cosigned it".into() }
        })
    };
    found.cosigned.iter().map(one).collect()
}
