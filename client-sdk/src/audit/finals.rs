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
        Cosigned, FinalCheckpoint, Member, PolicyBundle, PolicyChain, PolicyStep, Recovery,
        WitnessPolicy, cosigner_name,
    },
    time::Time,
    transaction::Transaction,
};
use serde::Serialize;

use super::{
    ends::Ends,
    epochs,
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
        let named = |step: &PolicyStep| {
            let transaction = Transaction::decode(&step.transaction).ok()?;
            epochs::begins(&transaction)?.checkpoint.clone()
        };
        let steps = steps.into_iter().flat_map(|step| [named(&step), Some(step.checkpoint)]);
        steps.flatten().chain(self.note.clone()).collect()
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

/// Every policy, epoch by epoch, in the order in which the log set them.
fn chain(genesis: &Genesis, changes: &[Change], recoveries: &[Recovery]) -> PolicyChain {
    let mut policies = PolicyChain::of_genesis(genesis);
    let mut changes = changes.iter().peekable();
    let ends = recoveries.iter().map(|recovery| (recovery.begins.size, Some(recovery)));
    for (end, recovery) in ends.chain([(u64::MAX, None)]) {
        while let Some((from, policy)) = changes.next_if(|(from, _)| *from <= end) {
            policies.push(policy, *from).expect("an applied policy was checked");
        }
        if let Some(recovery) = recovery {
            policies.begin(recovery.clone()).expect("an applied recovery was checked");
        }
    }
    policies
}

/// That the checkpoints which recoveries name are this log's.
fn named(genesis: &Genesis, ends: &Ends, recoveries: &[Recovery], found: &mut Finality) {
    for recovery in recoveries {
        let Some(last) = &recovery.last_final else { continue };
        // Kept are the ends of blocks that somebody names; without a bundle nobody does.
        let Some(end) = ends.at_size(last.size()) else { continue };
        if end.root != *last.root() {
            let (theirs, ours) = (hex::encode(last.root()), hex::encode(end.root));
            let (epoch, size) = (recovery.begins.epoch, last.size());
            let fault = Fault::RecoveryRoot { epoch, size, theirs, ours };
            let by = epochs::signers(genesis, recovery);
            found.findings.push(Finding::new(Part::Policy, fault).signed(by));
        }
    }
}

/// Checks bundle and checkpoint. Where execution stopped early (`cut`), nothing can be said of what lies
/// beyond.
pub(super) fn check(
    genesis: &Genesis,
    (changes, recoveries): (&[Change], &[Recovery]),
    ends: &Ends,
    cut: bool,
    finals: &Finals,
) -> Finality {
    let mut found = Finality::default();
    let mut policies = chain(genesis, changes, recoveries);
    let everybody = epochs::everybody(genesis, recoveries);
    named(genesis, ends, recoveries, &mut found);
    if let Some(bytes) = &finals.bundle {
        let verified = PolicyBundle::decode(bytes)
            .and_then(|bundle| bundle.verify(&genesis.chain()).map(|_| bundle));
        match verified {
            Ok(bundle) => steps(&everybody, changes, ends, cut, &bundle, &mut policies, &mut found),
            Err(error) => found.findings.push(Finding::new(Part::Policy, Fault::Bundle(error))),
        }
    }
    if let Some(note) = &finals.note {
        newest(&everybody, ends, cut, note, &mut policies, &mut found);
    }
    found.unsettled = policies.unsettled(u64::MAX);
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
    for step in &bundle.steps {
        let number = number_of(step);
        if cut && step.index >= ends.last().size {
            return;
        }
        let ours = changes.iter().find(|(_, policy)| policy.number == number);
        let recovery = policies.recoveries().iter().find(|r| r.begins.policy.number == number);
        let same = ours.is_some_and(|ours| same_change(ours, step))
            || recovery.is_some_and(|recovery| same_recovery(recovery, step));
        let checkpoint = policies.check(step.checkpoint.as_bytes());
        let finding = match checkpoint {
            _ if !same => {
                let finding = Finding::new(Part::Policy, Fault::OtherPolicy(number));
                Err(finding.leaf(step.index))
            }
            Err(error) => Err(Finding::new(Part::Policy, Fault::Final(error))),
            Ok(checkpoint) => compare(genesis, ends, cut, &checkpoint, Part::Policy)
                .map(|_| policies.settle_by(&checkpoint.checkpoint)),
        };
        if let Err(finding) = finding {
            return found.findings.push(finding);
        }
    }
}

/// The number of the policy that a step of a verified bundle sets.
fn number_of(step: &PolicyStep) -> u32 {
    match Transaction::decode(&step.transaction).map(|transaction| transaction.body.operation) {
        Ok(Operation::ChangeWitnessPolicy(policy)) => policy.number,
        Ok(Operation::BeginEpoch(begins)) => begins.policy.number,
        _ => 0,
    }
}

fn same_recovery(recovery: &Recovery, step: &PolicyStep) -> bool {
    step.leaf.id == recovery.id && step.index == recovery.begins.size
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
            policies.settle_by(&checkpoint.checkpoint);
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
