//! All policies of a ledger, and which of them a checkpoint needs.

use super::{FinalCheckpoint, PolicyError, Recovery, Trusted, WitnessPolicy};
use crate::{
    genesis::{FIRST_EPOCH, Genesis},
    id::ChainId,
    tlog::{checkpoint::Checkpoint, note::SignedNote, vkey::KeyError},
};

/// The policies of one ledger from genesis on.
#[derive(Debug, Clone)]
pub struct PolicyChain {
    genesis: Genesis,
    chain: ChainId,
    steps: Vec<Step>,
    recoveries: Vec<Recovery>,
}

/// One policy and since when it holds.
#[derive(Debug, Clone)]
struct Step {
    /// The smallest checkpoint for which it holds: the first that covers its change.
    from: u64,
    /// Of which epoch it is.
    epoch: u32,
    /// A recovery set it: no policy of the epoch before is asked.
    founding: bool,
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
        let first = Step { from: 0, epoch: FIRST_EPOCH, founding: true, trusted, settled: true };
        let (genesis, chain) = (genesis.clone(), genesis.chain());
        Self { genesis, chain, steps: vec![first], recoveries: Vec::new() }
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
        let (epoch, founding) = (self.epoch(), false);
        self.steps.push(Step { from, epoch, founding, trusted, settled: false });
        Ok(())
    }

    /// Takes a recovery that counts: from behind its leaf on a new epoch's policy holds, which nobody before need
    /// confirm. What was unconfirmed before stays so for ever.
    ///
    /// # Errors
    /// [`KeyError`] if it was not checked.
    ///
    /// # Panics
    /// If its epoch is not the next.
    pub fn begin(&mut self, recovery: Recovery) -> Result<(), KeyError> {
        let begins = &recovery.begins;
        assert_eq!(begins.epoch, self.epoch() + 1, "epochs begin one after another");
        let trusted = Trusted::new(&self.genesis.origin_of(begins.epoch), &begins.policy)?;
        let (from, epoch) = (begins.size + 1, begins.epoch);
        self.steps.push(Step { from, epoch, founding: true, trusted, settled: false });
        self.recoveries.push(recovery);
        Ok(())
    }

    /// The epoch in force.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.recoveries.last().map_or(FIRST_EPOCH, |recovery| recovery.begins.epoch)
    }

    /// The smallest size of a checkpoint for which the newest policy holds.
    #[must_use]
    pub fn newest_from(&self) -> u64 {
        self.steps.last().map_or(0, |step| step.from)
    }

    /// All recoveries, in order.
    #[must_use]
    pub fn recoveries(&self) -> &[Recovery] {
        &self.recoveries
    }

    /// Notes that a checkpoint of `size` leaves is final: the changes that it covers have been confirmed
    /// by the policies before and after them.
    pub fn settle(&mut self, size: u64) {
        self.settle_in(self.epoch(), size);
    }

    /// As [`PolicyChain::settle`], of the epoch that a checkpoint's origin names.
    pub fn settle_by(&mut self, checkpoint: &Checkpoint) {
        let epoch = self.genesis.epoch_of_origin(checkpoint.origin());
        self.settle_in(epoch.unwrap_or(self.epoch()), checkpoint.size());
    }

    fn settle_in(&mut self, epoch: u32, size: u64) {
        let covered = self.steps.iter_mut().filter(|step| step.epoch == epoch && step.from <= size);
        covered.for_each(|step| step.settled = true);
    }

    /// Whether a checkpoint of that size would be the first to confirm a change.
    #[must_use]
    pub fn settles(&self, size: u64) -> bool {
        self.waiting(size).next().is_some()
    }

    /// The numbers of the policies that a final checkpoint of that size would confirm.
    #[must_use]
    pub fn unsettled(&self, size: u64) -> Vec<u32> {
        self.waiting(size).map(|step| step.trusted.policy().number).collect()
    }

    fn waiting(&self, size: u64) -> impl Iterator<Item = &Step> {
        let epoch = self.epoch();
        let covered =
            self.steps.iter().filter(move |step| step.epoch == epoch && step.from <= size);
        covered.filter(|step| !step.settled)
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

    /// Every policy that a checkpoint of that size in the epoch in force must satisfy: the one that holds for it, and the ones
    /// before it across changes that no final checkpoint has confirmed yet. Newest first.
    pub fn needed(&self, size: u64) -> impl Iterator<Item = &Trusted> {
        self.needed_in(self.epoch(), size)
    }

    fn needed_in(&self, epoch: u32, size: u64) -> impl Iterator<Item = &Trusted> {
        let of_epoch = self.steps.iter().rev().filter(move |step| step.epoch == epoch);
        let covering = of_epoch.skip_while(move |step| step.from > size);
        let mut go_on = true;
        let needed = covering.take_while(move |step| {
            let take = go_on;
            go_on = !step.settled && !step.founding;
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
        let claimed = text.text().parse::<Checkpoint>()?;
        let (size, named) = (claimed.size(), self.genesis.epoch_of_origin(claimed.origin()));
        let epoch = named.filter(|epoch| *epoch <= self.epoch()).unwrap_or(self.epoch());
        let mut needed = self.needed_in(epoch, size);
        let newest = needed.next().ok_or(PolicyError::BeforeEpoch { epoch, size })?.check(note)?;
        needed.try_for_each(|older| older.check(note).map(drop))?;
        Ok(newest)
    }
}
