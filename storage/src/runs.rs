//! Append-only runs of fixed-size items: what one block adds to a section goes under one key, so that
//! two thousand leaves cost a dozen inserts instead of two thousand.

use std::{collections::BTreeMap, ops::ControlFlow, ops::Range};

use crate::{
    backend::{Backend, Family, Scan},
    error::StoreError,
    layout::trailing,
};

/// Gathers items by section; items of one section arrive in order without gaps.
pub(crate) struct Runs<K> {
    runs: BTreeMap<K, (u64, Vec<u8>)>,
}

impl<K: Ord> Runs<K> {
    pub(crate) fn new() -> Self {
        Self { runs: BTreeMap::new() }
    }

    /// Adds item `index` to the run of `section`.
    pub(crate) fn push(&mut self, section: K, index: u64, item: &[u8]) {
        let (first, bytes) = self.runs.entry(section).or_insert_with(|| (index, Vec::new()));
        let next = *first + (bytes.len() / item.len()) as u64;
        assert_eq!(index, next, "a run has no gaps");
        bytes.extend_from_slice(item);
    }

    /// Section, index of the first item, and items of each run, by section.
    pub(crate) fn into_runs(self) -> impl Iterator<Item = (K, u64, Vec<u8>)> {
        self.runs.into_iter().map(|(section, (first, bytes))| (section, first, bytes))
    }
}

/// Where a family's runs lie: what stands before the index in the key, and an item's length.
#[derive(Clone, Copy)]
pub(crate) struct RunsOf<'a> {
    pub(crate) family: Family,
    pub(crate) prefix: &'a [u8],
    pub(crate) item: usize,
}

impl RunsOf<'_> {
    /// The bytes of items `range`, or of as many from its start as are there.
    pub(crate) fn read(
        &self,
        backend: &dyn Backend,
        range: Range<u64>,
    ) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        if range.is_empty() {
            return Ok(bytes);
        }
        let Some(start) = self.run_of(backend, range.start)? else {
            return Ok(bytes);
        };
        let mut next = range.start;
        let mut fault = None;
        let (from, until) = (self.key(start), self.key(range.end));
        let scan = Scan { family: self.family, from: &from, until: Some(&until), reverse: false };
        backend.scan(scan, &mut |key, value| {
            match self.part(key, value, next, range.end) {
                Ok([]) => return ControlFlow::Break(()),
                Ok(part) => {
                    bytes.extend_from_slice(part);
                    next += (part.len() / self.item) as u64;
                }
                Err(error) => fault = Some(error),
            }
            if fault.is_none() && next < range.end {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        fault.map_or(Ok(bytes), Err)
    }

    /// Where the run begins that `index` would be in.
    fn run_of(&self, backend: &dyn Backend, index: u64) -> Result<Option<u64>, StoreError> {
        let mut first = None;
        let (from, until) = (self.key(0), self.key(index.saturating_add(1)));
        let scan = Scan { family: self.family, from: &from, until: Some(&until), reverse: true };
        backend.scan(scan, &mut |key, _| {
            first = trailing(key);
            ControlFlow::Break(())
        })?;
        Ok(first)
    }

    /// The items of one run from `next` on, below `end`; none if the run does not reach `next`.
    fn part<'v>(
        &self,
        key: &[u8],
        value: &'v [u8],
        next: u64,
        end: u64,
    ) -> Result<&'v [u8], StoreError> {
        let damaged = || StoreError::damaged(format!("a run of {}", self.family.name()));
        let first = trailing(key).ok_or_else(damaged)?;
        if value.is_empty() || !value.len().is_multiple_of(self.item) || first > next {
            return Err(damaged());
        }
        let count = value.len() / self.item;
        let skip = usize::try_from(next - first).map_or(count, |skip| skip.min(count));
        let left = usize::try_from(end - next).unwrap_or(count);
        let take = (count - skip).min(left);
        Ok(&value[skip * self.item..(skip + take) * self.item])
    }

    fn key(&self, index: u64) -> Vec<u8> {
        let mut key = self.prefix.to_vec();
        key.extend_from_slice(&index.to_be_bytes());
        key
    }
}
