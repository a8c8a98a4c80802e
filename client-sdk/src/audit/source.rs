//! Where a record comes from: a node, up to where it stands when the audit begins, or a directory.

use std::path::Path;

use tokio::task::spawn_blocking;

use super::{
    directory::Directory,
    finals::Finals,
    node::{Kind, Node},
    run::AuditError,
    streams::{Stream, Streams},
};
use crate::client::Client;

/// Where a record comes from.
#[derive(Debug)]
pub enum Source {
    /// A node.
    Node(Node),
    /// A downloaded record.
    Directory(Box<Directory>),
}

/// Checkpoints, or why they cannot be read.
pub(super) type Notes = Result<Vec<(u64, String)>, String>;

impl Source {
    /// A node that is asked with `client`, whose token must allow reading entries.
    #[must_use]
    pub fn node(client: Client) -> Self {
        Self::Node(Node::new(client))
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
                Ok((node.genesis().await?, node.height()))
            }
            Self::Directory(directory) => Ok((directory.genesis()?, directory.count()?)),
        }
    }

    /// The validators' signed notes.
    pub(super) fn notes(&self) -> Result<Notes, AuditError> {
        match self {
            Self::Node(node) => Ok(Ok(node.notes().to_vec())),
            Self::Directory(directory) => Ok(directory.notes()?),
        }
    }

    /// The newest final checkpoint and the witness policies, as far as they are there.
    pub(super) fn finals(&self) -> Result<Finals, AuditError> {
        match self {
            Self::Node(node) => Ok(node.finals().clone()),
            Self::Directory(directory) => Ok(directory.finals()?),
        }
    }

    /// Reads everything from the beginning on, ahead of who takes it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(super) fn streams(self) -> Streams {
        let (to_entries, entries) = Stream::new();
        let (to_seals, seals) = Stream::new();
        let (to_leaves, leaves) = Stream::new();
        let (to_tiles, tiles) = Stream::new();
        let mut tiles = Some(tiles);
        match self {
            Self::Node(node) => {
                tokio::spawn(Node::clone(&node).pages(Kind::Entries, to_entries));
                tokio::spawn(Node::clone(&node).pages(Kind::Seals, to_seals));
                tokio::spawn(Node::clone(&node).pages(Kind::Leaves, to_leaves));
                tokio::spawn(node.pages(Kind::Tiles, to_tiles));
            }
            Self::Directory(directory) => {
                let Directory { entries, seals, leaves, tiles: hashes, .. } = *directory;
                match hashes {
                    Some(hashes) => drop(spawn_blocking(move || hashes.pages(&to_tiles))),
                    None => tiles = None,
                }
                spawn_blocking(move || entries.pages(&to_entries));
                spawn_blocking(move || seals.pages(&to_seals));
                spawn_blocking(move || leaves.pages(&to_leaves));
            }
        }
        Streams { entries, seals, leaves, tiles }
    }
}
