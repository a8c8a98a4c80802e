//! Downloading a record, to be audited later, elsewhere, by somebody else. Nothing is judged here.

use std::path::Path;

use musubi_ledger::api::Checkpoints;

use super::{
    node::{Kind, Node},
    recorder::Recorder,
    run::{AuditError, Progress},
};
use crate::client::Client;

/// Downloads everything up to where the node stands now into `directory`, which may not hold a record
/// yet. Returns where it ended.
///
/// A crash right here leaves a record that ends too early; the audit says so.
///
/// # Errors
/// [`AuditError::Client`] or [`AuditError::File`].
pub async fn download(
    client: &Client,
    directory: &Path,
    mut progress: impl FnMut(&Progress),
) -> Result<Progress, AuditError> {
    let mut node = Node::new(client.clone());
    node.begin().await?;
    let (document, target) = (node.genesis().await?, node.height());
    let mut state = Progress { target, ..Progress::default() };
    let mut record = Recorder::create(directory, &document)?;
    loop {
        let page = node.page(Kind::Entries).await?;
        if page.is_empty() {
            break;
        }
        record.entries(&page)?;
        state.height += page.len() as u64;
        progress(&state);
    }
    loop {
        let page = node.page(Kind::Seals).await?;
        if page.is_empty() {
            break;
        }
        record.seals(&page)?;
    }
    loop {
        let page = node.page(Kind::Leaves).await?;
        if page.is_empty() {
            break;
        }
        record.leaves(&page)?;
        state.leaves += page.len() as u64;
        progress(&state);
    }
    loop {
        let page = node.page(Kind::Tiles).await?;
        if page.is_empty() {
            break;
        }
        record.tiles(&page)?;
    }
    let notes = node.notes().to_vec();
    record.finish(&Checkpoints { notes }, node.finals())?;
    Ok(state)
}
