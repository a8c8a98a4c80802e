//! Taking a snapshot: what it says is checked, and what it holds is written, answer after answer. No sockets, no clock.
//!
//! The order of questions is the type: a [`Taking`] exists only once a final checkpoint vouches for its seal.

use std::sync::Arc;

use musubi_consensus::LogEntry;
use musubi_ledger::{
    genesis::Genesis,
    leaf::LEAF_BYTES,
    policy::{BundleError, PolicyBundle, PolicyStep},
    snapshot::{Anchor, Gathered, Manifest, RowPage, SnapshotError},
    tlog::{Bundle, bundle},
};
use musubi_storage::{Incoming, OpenError, OpenSettings, Opened, StoreError, Taken};
use thiserror::Error;

/// Why a snapshot is not taken.
#[derive(Debug, Error)]
pub enum NotTaken {
    /// The policies that should prove it.
    #[error(transparent)]
    Policies(#[from] BundleError),
    /// What came.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// More than this node has room for.
    #[error(
        "the snapshot does not fit: {free} bytes are free on the data directory's disk, and `tuning.disk_free_bytes` \
         must stay; make room, or follow another upstream"
    )]
    NoRoom {
        /// Bytes that are free.
        free: u64,
    },
    /// This node's disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This node's directory.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl NotTaken {
    /// The stable code, if it is about what the upstream served.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Policies(error) => Some(error.code()),
            Self::Snapshot(error) => Some(error.code()),
            Self::NoRoom { .. } => Some("snapshot_no_room"),
            Self::Store(_) | Self::Open(_) => None,
        }
    }
}

/// A snapshot of which a final checkpoint is known.
pub struct Taking {
    genesis: Arc<Genesis>,
    manifest: Manifest,
    anchor: Anchor,
    /// Changes of policy before the seal.
    steps: Vec<PolicyStep>,
    bundle: PolicyBundle,
    gathered: Gathered,
    incoming: Incoming,
}

impl Taking {
    /// Begins with the bytes of a manifest and of a policy bundle: whose chain is `genesis`' decides which.
    ///
    /// # Errors
    /// [`NotTaken`], and `incoming` back for another attempt, if what came is no snapshot of this ledger under a
    /// final checkpoint.
    pub fn begin(
        genesis: &Arc<Genesis>,
        (manifest, bundle): (&[u8], &[u8]),
        incoming: Incoming,
    ) -> Result<Self, (NotTaken, Incoming)> {
        let check = || -> Result<_, NotTaken> {
            let bundle = PolicyBundle::decode(bundle)?;
            let policies = bundle.verify(&genesis.chain())?;
            let manifest = Manifest::decode(manifest)?;
            let anchor = manifest.verify(&policies)?;
            Ok((manifest, bundle, anchor))
        };
        let (manifest, bundle, anchor) = match check() {
            Ok(checked) => checked,
            Err(why) => return Err((why, incoming)),
        };
        let before = bundle.steps.iter().take_while(|step| step.index < anchor.head.size);
        let steps = before.cloned().collect();
        let (genesis, gathered) = (Arc::clone(genesis), Gathered::new());
        Ok(Self { genesis, manifest, anchor, steps, bundle, gathered, incoming })
    }

    /// Where the chain stands at the snapshot's seal.
    #[must_use]
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Key of the last row taken.
    #[must_use]
    pub fn last(&self) -> Option<&[u8]> {
        self.gathered.last()
    }

    /// Rows taken.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.gathered.rows()
    }

    /// Takes a page of rows; gives whether it was the last.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn page(&mut self, bytes: &[u8]) -> Result<bool, NotTaken> {
        let page = RowPage::decode(bytes)?;
        for (key, row) in &page.rows {
            self.gathered.take(key, row)?;
        }
        self.incoming.rows(page.rows)?;
        Ok(page.last)
    }

    /// The next bundle of leaves to be asked for; none when all are there.
    #[must_use]
    pub fn wanted(&self) -> Option<Bundle> {
        let index = self.incoming.log().size() / u64::from(musubi_ledger::tlog::tile::FULL_WIDTH);
        let all = self.incoming.log().size() == self.anchor.head.size;
        if all { None } else { Bundle::in_log(index, self.anchor.head.size) }
    }

    /// Takes the content of a bundle that was wanted.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn bundle(&mut self, wanted: &Bundle, content: &[u8]) -> Result<(), NotTaken> {
        let wrong = || SnapshotError::Leaves;
        let leaves = bundle::decode(wanted, content).map_err(|_| wrong())?;
        if leaves.iter().any(|leaf| leaf.len() != LEAF_BYTES) {
            return Err(wrong().into());
        }
        Ok(self.incoming.leaves(&leaves.concat())?)
    }

    /// Compares rows and leaves with what the final checkpoint vouches for, and makes a directory of them.
    ///
    /// A crash before the end leaves no ledger; behind it, a replica's that begins at the snapshot's seal.
    ///
    /// # Errors
    /// [`NotTaken`]; with what came, `incoming` goes back for another attempt.
    pub fn finish(
        self,
        id: [u8; 16],
        settings: &OpenSettings,
    ) -> Result<Opened, (NotTaken, Option<Incoming>)> {
        let Self { genesis, manifest, anchor, steps, bundle, gathered, incoming } = self;
        if *incoming.log() != anchor.log {
            return Err((SnapshotError::Leaves.into(), Some(incoming)));
        }
        let policies = match bundle.verify(&genesis.chain()) {
            Ok(policies) => policies,
            Err(error) => return Err((error.into(), Some(incoming))),
        };
        let expected: Vec<_> = policies.all().take(1 + steps.len()).collect();
        let founded = policies.recoveries().iter().map(|recovery| recovery.begins.policy.number);
        let rows = match gathered.finish(&anchor.state, &expected, founded.max().unwrap_or(0)) {
            Ok(rows) => rows,
            Err(error) => return Err((error.into(), Some(incoming))),
        };
        let numbers = expected.iter().skip(1).map(|policy| policy.number);
        let steps: Vec<(u32, PolicyStep)> = numbers.zip(steps).collect();
        let (term, index) = (anchor.term, anchor.index);
        let whole = anchor.final_size == anchor.head.size;
        let taken = Taken {
            genesis: &genesis,
            id,
            seal: &manifest.seal,
            entry: &LogEntry { index, term, data: manifest.entry },
            rows: &rows,
            checkpoint: whole.then_some(&manifest.checkpoint),
            steps: &steps,
        };
        incoming.finish(taken, settings).map_err(|error| (error.into(), None))
    }

    /// Gives the directory back for another attempt.
    #[must_use]
    pub fn give_up(self) -> Incoming {
        self.incoming
    }
}
