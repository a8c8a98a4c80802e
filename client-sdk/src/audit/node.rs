//! A node as the source of a record, read up to a height that is fixed when reading begins. A replica serves
//! the same routes.

use std::time::Duration;

use futures::future::try_join_all;
use musubi_ledger::tlog::{Bundle, Tile, tile::FULL_WIDTH};

use super::{finals::Finals, kept, run::AuditError, streams::Pages};
use crate::{client::Client, error::ClientError};

/// Entries asked for at a time.
const PAGE: u64 = 64;
/// Seals asked for at a time.
const SEALS: u64 = 1_024;
/// Bundles fetched side by side.
const BUNDLES: usize = 8;
/// How long a node may take to catch up with a checkpoint that its peer signed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node, read up to a height that is fixed when reading begins.
#[derive(Clone, Debug)]
pub struct Node {
    client: Client,
    notes: Vec<(u64, String)>,
    finals: Finals,
    height: u64,
    size: u64,
    /// The next entry's height, the next seal's, the next leaf's index.
    next: (u64, u64, u64),
    /// Level and index of the next tile.
    tile: (u8, u64),
}

/// What a stream carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Entries,
    Seals,
    Leaves,
    Tiles,
}

impl Node {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            notes: Vec::new(),
            finals: Finals::default(),
            height: 0,
            size: 0,
            next: (1, 0, 0),
            tile: (0, 0),
        }
    }

    pub(super) async fn genesis(&self) -> Result<Vec<u8>, ClientError> {
        self.client.genesis_bytes().await
    }

    /// Height of the last entry to be read.
    pub(super) fn height(&self) -> u64 {
        self.height
    }

    pub(super) fn notes(&self) -> &[(u64, String)] {
        &self.notes
    }

    pub(super) fn finals(&self) -> &Finals {
        &self.finals
    }

    /// Reads one kind of records from the beginning on.
    pub(super) async fn pages(mut self, kind: Kind, to: Pages) {
        loop {
            let page = self.page(kind).await.map_err(AuditError::Client);
            let last = page.as_ref().map_or(true, Vec::is_empty);
            // Nobody takes it: the audit has ended.
            if to.send(page).await.is_err() || last {
                return;
            }
        }
    }

    /// The next page of a kind; empty at the end.
    pub(super) async fn page(&mut self, kind: Kind) -> Result<Vec<Vec<u8>>, ClientError> {
        match kind {
            Kind::Entries => self.entries().await,
            Kind::Seals => self.seals().await,
            Kind::Leaves => self.leaves().await,
            Kind::Tiles => self.tiles().await,
        }
    }

    /// Checkpoints first, then how far the node is: it must be as far as any of them.
    pub(super) async fn begin(&mut self) -> Result<(), ClientError> {
        self.notes = self.client.checkpoints().await?.notes;
        self.finals = Finals {
            bundle: absent(self.client.policies().await)?,
            note: absent(self.client.log_checkpoint().await)?,
        };
        // A node that serves no policies has nothing final: what it serves there is its own checkpoint.
        if self.finals.bundle.is_none() {
            self.finals.note = None;
        }
        let finals = self.finals.notes();
        let notes = self.notes.iter().map(|(_, note)| note).chain(&finals);
        let sizes = notes.filter_map(|note| kept::size(note));
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
        let count = (self.height + 1).saturating_sub(from).min(SEALS);
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

    async fn tiles(&mut self) -> Result<Vec<Vec<u8>>, ClientError> {
        let (level, first) = self.tile;
        let tiles = (first..).map_while(|index| Tile::in_tree(level, index, self.size));
        let tiles: Vec<Tile> = tiles.take(BUNDLES).collect();
        self.tile = match tiles.len() {
            BUNDLES => (level, first + BUNDLES as u64),
            _ => (level + 1, 0),
        };
        if tiles.is_empty() && first > 0 {
            // The level ended with the last page.
            return Box::pin(self.tiles()).await;
        }
        try_join_all(tiles.into_iter().map(|tile| self.tile_content(tile))).await
    }

    /// A tile; where the node has only the full one by now, as much of it as belongs to our size.
    async fn tile_content(&self, tile: Tile) -> Result<Vec<u8>, ClientError> {
        match self.client.tile(tile).await {
            Err(ClientError::Problem(problem)) if problem.status == 404 => {
                let mut content = self.client.tile(Tile { width: FULL_WIDTH, ..tile }).await?;
                content.truncate(usize::from(tile.width) * 32);
                Ok(content)
            }
            answer => answer,
        }
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

/// What a node does not have is no error.
fn absent<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(ClientError::Problem(problem)) if problem.status == 404 => Ok(None),
        Err(error) => Err(error),
    }
}
