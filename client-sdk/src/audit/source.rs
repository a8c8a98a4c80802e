//! Where a record comes from: a node, up to where it stands when the audit begins, or a directory.

use std::{path::Path, time::Duration};

use futures::future::try_join_all;
use musubi_ledger::tlog::{Bundle, Checkpoint, SignedNote, tile::FULL_WIDTH};

use super::{
    directory::{Directory, FileError},
    run::AuditError,
};
use crate::{client::Client, error::ClientError};

/// Entries asked for at a time.
const PAGE: u64 = 64;
/// Bundles fetched side by side.
const BUNDLES: usize = 8;
/// How long a node may take to catch up with a checkpoint that its peer signed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a record comes from.
#[derive(Debug)]
pub enum Source {
    /// A node.
    Node(Node),
    /// A downloaded record.
    Directory(Box<Directory>),
}

/// A node, read up to a height that is fixed when reading begins.
#[derive(Debug)]
pub struct Node {
    client: Client,
    notes: Vec<(u64, String)>,
    height: u64,
    size: u64,
    /// The next entry's height, the next seal's, the next leaf's index.
    next: (u64, u64, u64),
}

/// Checkpoints, or why they cannot be read.
pub(super) type Notes = Result<Vec<(u64, String)>, String>;

impl Source {
    /// A node that is asked with `client`, whose token must allow reading entries.
    #[must_use]
    pub fn node(client: Client) -> Self {
        Self::Node(Node { client, notes: Vec::new(), height: 0, size: 0, next: (1, 0, 0) })
    }

    /// A directory that [`super::download`] wrote.
    ///
    /// # Errors
    /// [`AuditError::File`].
    pub fn directory(path: &Path) -> Result<Self, AuditError> {
        Ok(Self::Directory(Box::new(Directory::open(path)?)))
    }

    /// Fixes how far to read; returns the genesis document and the height of the last entry.
    pub(super) async fn begin(&mut self) -> Result<(Vec<u8>, u64), AuditError> {
        match self {
            Self::Node(node) => {
                node.begin().await?;
                Ok((node.client.genesis_bytes().await?, node.height))
            }
            Self::Directory(directory) => Ok((directory.genesis()?, directory.count()?)),
        }
    }

    /// The validators' signed notes.
    pub(super) fn notes(&self) -> Result<Notes, AuditError> {
        match self {
            Self::Node(node) => Ok(Ok(node.notes.clone())),
            Self::Directory(directory) => Ok(directory.notes()?),
        }
    }

    /// The next entries; none at the end.
    pub(super) async fn entries(&mut self) -> Result<Vec<Vec<u8>>, AuditError> {
        match self {
            Self::Node(node) => Ok(node.entries().await?),
            Self::Directory(directory) => Ok(page(|| directory.entry())?),
        }
    }

    /// The next seals' bodies; none at the end.
    pub(super) async fn seals(&mut self) -> Result<Vec<Vec<u8>>, AuditError> {
        match self {
            Self::Node(node) => Ok(node.seals().await?),
            Self::Directory(directory) => Ok(page(|| directory.seal())?),
        }
    }

    /// The next leaves; none at the end.
    pub(super) async fn leaves(&mut self) -> Result<Vec<Vec<u8>>, AuditError> {
        match self {
            Self::Node(node) => Ok(node.leaves().await?),
            Self::Directory(directory) => Ok(page(|| directory.leaf())?),
        }
    }
}

fn page(
    mut next: impl FnMut() -> Result<Option<Vec<u8>>, FileError>,
) -> Result<Vec<Vec<u8>>, FileError> {
    let mut records = Vec::new();
    while records.len() < PAGE as usize {
        match next()? {
            Some(record) => records.push(record),
            None => break,
        }
    }
    Ok(records)
}

impl Node {
    /// Checkpoints first, then how far the node is: it must be as far as any of them.
    async fn begin(&mut self) -> Result<(), ClientError> {
        self.notes = self.client.checkpoints().await?.notes;
        let sizes = self.notes.iter().filter_map(|(_, note)| size_of(note));
        let wanted = sizes.max().unwrap_or(0);
        let begun = std::time::Instant::now();
        loop {
            let info = self.client.info().await?;
            (self.height, self.size) = (info.height, info.size);
            // A size beyond what the log ever reaches is not waited for: the comparison names it.
            if info.size >= wanted || begun.elapsed() > PATIENCE {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn entries(&mut self) -> Result<Vec<Vec<u8>>, ClientError> {
        let from = self.next.0;
        let count = (self.height + 1).saturating_sub(from).min(PAGE);
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut entries = self.client.entries(from, count).await?;
        entries.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        self.next.0 += entries.len() as u64;
        Ok(entries)
    }

    async fn seals(&mut self) -> Result<Vec<Vec<u8>>, ClientError> {
        let from = self.next.1;
        let count = (self.height + 1).saturating_sub(from).min(PAGE);
        if count == 0 {
            return Ok(Vec::new());
        }
        let mut seals = self.client.seals(from, count).await?;
        seals.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        self.next.1 += seals.len() as u64;
        Ok(seals)
    }

    async fn leaves(&mut self) -> Result<Vec<Vec<u8>>, ClientError> {
        let first = self.next.2 / u64::from(FULL_WIDTH);
        let bundles = (first..).map_while(|index| Bundle::in_log(index, self.size));
        let fetched = bundles.take(BUNDLES).map(|bundle| self.bundle(bundle));
        let leaves: Vec<Vec<u8>> = try_join_all(fetched).await?.concat();
        // The last bundle may be partial: nothing is left to ask for behind it.
        self.next.2 = (first + BUNDLES as u64) * u64::from(FULL_WIDTH);
        Ok(leaves)
    }

    /// A bundle; where the node has only the full one by now, as much of it as belongs to our size.
    async fn bundle(&self, bundle: Bundle) -> Result<Vec<Vec<u8>>, ClientError> {
        match self.client.leaves(bundle).await {
            Err(ClientError::Problem(problem)) if problem.status == 404 => {
                let width = FULL_WIDTH;
                let mut leaves = self.client.leaves(Bundle { width, ..bundle }).await?;
                leaves.truncate(usize::from(bundle.width));
                Ok(leaves)
            }
            answer => answer,
        }
    }
}

/// The size that a note claims; its signature is checked at the end.
fn size_of(note: &str) -> Option<u64> {
    let note: SignedNote = note.parse().ok()?;
    let checkpoint: Checkpoint = note.text().parse().ok()?;
    Some(checkpoint.size())
}
