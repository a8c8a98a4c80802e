//! Leaves by party, for statements and feeds, page by page.

use std::ops::ControlFlow;

use musubi_ledger::id::PartyId;

use crate::{
    Store,
    backend::{Family, Scan, after_prefix},
    error::StoreError,
    layout::{party_run, trailing},
};

/// Which way a statement runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// A page of a party's leaves.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LeafPage {
    /// Their indexes, in the direction asked for.
    pub leaves: Vec<u64>,
    /// Whether more follow; the last leaf is then the next page's cursor.
    pub more: bool,
}

impl Store {
    /// Leaves that belong to `party`, strictly behind `cursor` in that direction, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn party_leaves(
        &self,
        party: &PartyId,
        cursor: Option<u64>,
        direction: Direction,
        limit: usize,
    ) -> Result<LeafPage, StoreError> {
        let reverse = direction == Direction::Descending;
        let start = self.party_start(party, cursor, direction)?;
        let from = party_run(party, if reverse { 0 } else { start });
        let until = if reverse && start != u64::MAX {
            Some(party_run(party, start))
        } else {
            after_prefix(&party.0)
        };
        let scan = Scan { family: Family::Parties, from: &from, until: until.as_deref(), reverse };
        let mut page = LeafPage::default();
        let mut fault = None;
        self.backend().scan(scan, &mut |_, value| {
            let Some(mut leaves) = leaves_of(value) else {
                fault = Some(StoreError::damaged("a party's leaves"));
                return ControlFlow::Break(());
            };
            if reverse {
                leaves.reverse();
            }
            let behind = |leaf: &u64| match (cursor, direction) {
                (None, _) => true,
                (Some(cursor), Direction::Ascending) => *leaf > cursor,
                (Some(cursor), Direction::Descending) => *leaf < cursor,
            };
            let room = (limit + 1).saturating_sub(page.leaves.len());
            page.leaves.extend(leaves.into_iter().filter(behind).take(room));
            if page.leaves.len() > limit {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        page.more = page.leaves.len() > limit;
        page.leaves.truncate(limit);
        Ok(page)
    }

    /// The bound of the runs that may hold leaves behind the cursor. Ascending, that is the run the
    /// cursor is in, which begins at or before it.
    fn party_start(
        &self,
        party: &PartyId,
        cursor: Option<u64>,
        direction: Direction,
    ) -> Result<u64, StoreError> {
        let cursor = match (cursor, direction) {
            (None, Direction::Ascending) => return Ok(0),
            (None, Direction::Descending) => return Ok(u64::MAX),
            (Some(cursor), Direction::Descending) => return Ok(cursor),
            (Some(cursor), Direction::Ascending) => cursor,
        };
        let (from, until) = (party_run(party, 0), party_run(party, cursor.saturating_add(1)));
        let scan =
            Scan { family: Family::Parties, from: &from, until: Some(&until), reverse: true };
        let mut start = None;
        self.backend().scan(scan, &mut |key, _| {
            start = trailing(key);
            ControlFlow::Break(())
        })?;
        Ok(start.unwrap_or(0))
    }
}

/// The leaves in one run.
fn leaves_of(value: &[u8]) -> Option<Vec<u64>> {
    let (leaves, rest) = value.as_chunks::<8>();
    rest.is_empty().then(|| leaves.iter().map(|leaf| u64::from_le_bytes(*leaf)).collect())
}
