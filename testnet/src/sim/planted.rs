//! Bugs planted on purpose, to show that the simulator catches them: in consensus, and at the seams
//! around execution and storage. Only a build with the feature `planted-bugs` can run them.

use musubi_consensus::cosigner::{Cosigner, Event};
use musubi_ledger::{
    batch::Batch,
    code::Code,
    execute::{Block, CheckedItem},
    state::RowKey,
    time::Time,
};
use musubi_storage::{Opened, Store};

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Messages leave before the state they rest on is persisted (etcd 14370, tikv 994).
    AckBeforePersist,
    /// The vote is left out of what is persisted.
    VoteNotPersisted,
    /// After a restart the last executed entry is executed again.
    ExecuteTwice,
    /// After a restart one entry is never executed.
    SkipAfterRestart,
    /// A conflicting tail is not truncated on disk.
    KeepConflictingTail,
    /// A leader executes before its own write is durable.
    CommitBeforePersist,
    /// A leader whose disk hangs goes on with its heartbeats.
    LeadWithHungDisk,
    /// Whoever has forgotten is believed, and goes on (TigerBeetle 2767).
    BelieveTheForgetful,
    /// The disk thread reports what it has written, but not synced.
    ReportBeforeSync,
    /// The applied index is recorded, its block is not (etcd 13766).
    AppliedWithoutBlock,
    /// The applied index found at a start lags behind the blocks.
    AppliedIndexLags,
    /// Execution reads the node's clock instead of the batch's stamp.
    ClockInExecution,
    /// Items are executed in an order that depends on the process, as of a hash map's.
    HashMapOrder,
    /// One node's opinion of a signature decides a verdict.
    VerdictByNode,
    /// What was issued and burnt is not written down.
    SupplyNotUpdated,
    /// The verdict on an id is forgotten, so that it can be judged again.
    VerdictForgotten,
    /// The door says applied when the item is only in the pool.
    AckBeforeCommit,
    /// The cosigner signs whatever another named, executed here or not.
    CosignUnexecuted,
    /// Two validators of one organisation are counted as two voices.
    OrganisationTwice,
    /// A checkpoint is sent when the disk has only been asked to keep it.
    CosignBeforePersist,
    /// After a restart the cosigner does not know what it has signed.
    CosignForgotten,
    /// The cosigner is told of a size at which there is no seal.
    CosignBetweenSeals,
    /// The cosigner is not told of a change of the witness policy.
    PolicyUntold,
}

/// Where a bug may strike: most do so now and then only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) node: usize,
    pub(crate) clock: Time,
    /// Drawn for this step.
    pub(crate) chance: u64,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::AckBeforePersist,
        Self::VoteNotPersisted,
        Self::ExecuteTwice,
        Self::SkipAfterRestart,
        Self::KeepConflictingTail,
        Self::CommitBeforePersist,
        Self::LeadWithHungDisk,
        Self::BelieveTheForgetful,
        Self::ReportBeforeSync,
        Self::AppliedWithoutBlock,
        Self::AppliedIndexLags,
        Self::ClockInExecution,
        Self::HashMapOrder,
        Self::VerdictByNode,
        Self::SupplyNotUpdated,
        Self::VerdictForgotten,
        Self::AckBeforeCommit,
        Self::CosignUnexecuted,
        Self::OrganisationTwice,
        Self::CosignBeforePersist,
        Self::CosignForgotten,
        Self::CosignBetweenSeals,
        Self::PolicyUntold,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AckBeforePersist => "ack-before-persist",
            Self::VoteNotPersisted => "vote-not-persisted",
            Self::ExecuteTwice => "execute-twice",
            Self::SkipAfterRestart => "skip-after-restart",
            Self::KeepConflictingTail => "keep-conflicting-tail",
            Self::CommitBeforePersist => "commit-before-persist",
            Self::LeadWithHungDisk => "lead-with-hung-disk",
            Self::BelieveTheForgetful => "believe-the-forgetful",
            Self::ReportBeforeSync => "report-before-sync",
            Self::AppliedWithoutBlock => "applied-without-block",
            Self::AppliedIndexLags => "applied-index-lags",
            Self::ClockInExecution => "clock-in-execution",
            Self::HashMapOrder => "hash-map-order",
            Self::VerdictByNode => "verdict-by-node",
            Self::SupplyNotUpdated => "supply-not-updated",
            Self::VerdictForgotten => "verdict-forgotten",
            Self::AckBeforeCommit => "ack-before-commit",
            Self::CosignUnexecuted => "cosign-unexecuted",
            Self::OrganisationTwice => "organisation-twice",
            Self::CosignBeforePersist => "cosign-before-persist",
            Self::CosignForgotten => "cosign-forgotten",
            Self::CosignBetweenSeals => "cosign-between-seals",
            Self::PolicyUntold => "policy-untold",
        }
    }

    /// The bug of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| bug.name() == name)
    }

    #[cfg(feature = "planted-bugs")]
    pub(crate) fn of_consensus(self) -> Option<musubi_consensus::Planted> {
        use musubi_consensus::Planted;
        match self {
            Self::AckBeforePersist => Some(Planted::AckBeforePersist),
            Self::VoteNotPersisted => Some(Planted::VoteNotPersisted),
            Self::ExecuteTwice => Some(Planted::ExecuteTwice),
            Self::SkipAfterRestart => Some(Planted::SkipAfterRestart),
            Self::KeepConflictingTail => Some(Planted::KeepConflictingTail),
            Self::CommitBeforePersist => Some(Planted::CommitBeforePersist),
            Self::LeadWithHungDisk => Some(Planted::LeadWithHungDisk),
            Self::BelieveTheForgetful => Some(Planted::BelieveTheForgetful),
            Self::CosignUnexecuted => Some(Planted::CosignUnexecuted),
            Self::OrganisationTwice => Some(Planted::OrganisationTwice),
            _ => None,
        }
    }

    /// What a start finds is passed on.
    pub(crate) fn at_start(bug: Option<Self>, opened: &mut Opened) {
        if bug == Some(Self::AppliedIndexLags) {
            opened.recovered.applied_index = opened.recovered.applied_index.saturating_sub(1);
        }
    }

    /// A committed batch is about to be executed.
    pub(crate) fn before_execution(bug: Option<Self>, spot: Spot, batch: &mut Batch) {
        match bug {
            Some(Self::ClockInExecution) => batch.time = spot.clock,
            Some(Self::HashMapOrder) => {
                let shift = spot.node % batch.items.len().max(1);
                batch.items.rotate_left(shift);
            }
            _ => {}
        }
    }

    /// Signatures were checked.
    pub(crate) fn after_checks(bug: Option<Self>, spot: Spot, checked: &mut [CheckedItem]) {
        if bug == Some(Self::VerdictByNode)
            && spot.node == 1
            && spot.chance.is_multiple_of(20)
            && let Some(item) = checked.first_mut()
        {
            item.fault = Some(Code::BadSignature);
        }
    }

    /// A block was executed.
    pub(crate) fn after_execution(bug: Option<Self>, block: &mut Block) {
        match bug {
            Some(Self::SupplyNotUpdated) => {
                block.changes.retain(|key, _| !matches!(key, RowKey::Supply(_)));
            }
            Some(Self::VerdictForgotten) => {
                let forgotten =
                    |key: &RowKey| matches!(key, RowKey::Judged(_) | RowKey::Reference(..));
                block.changes.retain(|key, _| !forgotten(key));
            }
            _ => {}
        }
    }

    /// A block is about to be recorded.
    pub(crate) fn skips_record(bug: Option<Self>, spot: Spot) -> bool {
        bug == Some(Self::AppliedWithoutBlock) && spot.chance.is_multiple_of(20)
    }

    /// A cosigner is taken up where the disk left it.
    pub(crate) fn in_cosigner(bug: Option<Self>, cosigner: &mut Cosigner) {
        #[cfg(feature = "planted-bugs")]
        cosigner.plant(bug.and_then(Self::of_consensus));
        #[cfg(not(feature = "planted-bugs"))]
        let _ = (bug, cosigner);
    }

    /// A recorded block is told to the cosigner.
    pub(crate) fn before_cosigning(bug: Option<Self>, store: &Store, told: &mut Event) {
        let Event::Executed { size, root, policies } = told else { return };
        match bug {
            Some(Self::CosignBetweenSeals) => {
                *size -= 1;
                *root = store.root_at(*size).unwrap_or(*root);
            }
            Some(Self::PolicyUntold) => policies.clear(),
            _ => {}
        }
    }
}
