//! All policies of a ledger, and which of them a checkpoint needs.

use super::{FinalCheckpoint, PolicyError, Trusted, WitnessPolicy};
use crate::{
    genesis::Genesis,
    id::ChainId,
    tlog::{checkpoint::Checkpoint, note::SignedNote, vkey::KeyError},
};

/// The policies of one ledger from genesis on.
#[derive(Debug, Clone)]
pub struct PolicyChain {
    genesis: Genesis,
    chain: ChainId,
    steps: Vec<Step>,
}

/// One policy and since when it holds.
#[derive(Debug, Clone)]
struct Step {
    /// The smallest checkpoint for which it holds: the first that covers its change.
    from: u64,
    trusted: Trusted,
    /// Whether a checkpoint that covers its change is known to be final by the policy before it too. Until
    /// then every checkpoint that covers it must be.
    settled: bool,
}

impl PolicyChain {
    /// The policy of a checked genesis document alone.
    ///
    /// # Panics
    /// If the document was not checked.
    #[must_use]
    pub fn of_genesis(genesis: &Genesis) -> Self {
        let policy = WitnessPolicy::of_genesis(genesis);
        let trusted = Trusted::new(&genesis.origin(), &policy).expect("a checked document");
        let first = Step { from: 0, trusted, settled: true };
        Self { genesis: genesis.clone(), chain: genesis.chain(), steps: vec![first] }
    }

    /// Takes the next policy, which holds for every checkpoint of at least `from` leaves. It stays
    /// unsettled until [`PolicyChain::settle`].
    ///
    /// # Errors
    /// [`KeyError`] if the policy was not checked.
    ///
    /// # Panics
    /// If it is not the next one: changes are applied in order.
    pub fn push(&mut self, policy: &WitnessPolicy, from: u64) -> Result<(), KeyError> {
        let last = self.newest();
        assert_eq!(policy.number, last.policy().number + 1, "policies are numbered in order");
        assert!(self.steps.iter().all(|step| step.from < from), "policies begin one after another");
        let trusted = Trusted::new(last.origin(), policy)?;
        self.steps.push(Step { from, trusted, settled: false });
        Ok(())
    }

    /// Notes that a checkpoint of `size` leaves is final: the changes that it covers have been confirmed
    /// by the policies before and after them.
    pub fn settle(&mut self, size: u64) {
        for step in self.steps.iter_mut().filter(|step| step.from <= size) {
            step.settled = true;
        }
    }

    /// Whether a checkpoint of that size would be the first to confirm a change.
    #[must_use]
    pub fn settles(&self, size: u64) -> bool {
        self.steps.iter().any(|step| !step.settled && step.from <= size)
    }

    /// The numbers of the policies that a final checkpoint of that size would confirm.
    #[must_use]
    pub fn unsettled(&self, size: u64) -> Vec<u32> {
        let waiting = self.steps.iter().filter(|step| !step.settled && step.from <= size);
        waiting.map(|step| step.trusted.policy().number).collect()
    }

    /// The ledger's genesis document.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The ledger's chain id.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// Every policy there has been, the genesis document's first.
    pub fn all(&self) -> impl Iterator<Item = &WitnessPolicy> {
        self.steps.iter().map(|step| step.trusted.policy())
    }

    /// The policy for checkpoints of that size.
    ///
    /// # Panics
    /// Never: the first policy holds from size 0.
    #[must_use]
    pub fn at(&self, size: u64) -> &Trusted {
        let covering = self.steps.iter().rev().find(|step| step.from <= size);
        &covering.expect("the first policy holds from size 0").trusted
    }

    /// The newest policy.
    ///
    /// # Panics
    /// Never: there is the genesis document's.
    #[must_use]
    pub fn newest(&self) -> &Trusted {
        &self.steps.last().expect("there is the first policy").trusted
    }

    /// Every policy that a checkpoint of that size must satisfy: the one that holds for it, and the ones
    /// before it across changes that no final checkpoint has confirmed yet. Newest first.
    pub fn needed(&self, size: u64) -> impl Iterator<Item = &Trusted> {
        let covering = self.steps.iter().rev().skip_while(move |step| step.from > size);
        let mut go_on = true;
        let needed = covering.take_while(move |step| {
            let take = go_on;
            go_on = !step.settled;
            take
        });
        needed.map(|step| &step.trusted)
    }

    /// Whether a checkpoint is final: by the policy for its size, and by the one before across a change
    /// that is not yet confirmed.
    ///
    /// # Errors
    /// [`PolicyError`] if it is not.
    pub fn check(&self, note: &[u8]) -> Result<FinalCheckpoint, PolicyError> {
        let text = SignedNote::parse(note).map_err(crate::tlog::CheckpointError::from)?;
        // Only to know which policy to ask: believed once that has checked it.
        let size = text.text().parse::<Checkpoint>()?.size();
        let mut needed = self.needed(size);
        let newest = needed.next().expect("the first policy holds from size 0").check(note)?;
        needed.try_for_each(|older| older.check(note).map(drop))?;
        Ok(newest)
    }
}
