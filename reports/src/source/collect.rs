//! Looking on while a record is executed: keeps what a report's scope asks for, and checks sums at each of its dates.

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{execute::Head, genesis::Genesis, hash::Hash, id::MerkleHash, state::RowKey};
use musubi_sdk::{
    Code, PartyId, Time,
    audit::{Executed, Observer},
};

use super::{Basis, Source, check::Sums, event::Event, rows::Rows};
use crate::error::Mismatch;

/// What of a record a report needs.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Events of these parties alone; of all if there is none.
    pub parties: Option<BTreeSet<PartyId>>,
    /// Events from this time on.
    pub from: Time,
    /// Events before this time.
    pub until: Time,
    /// The state just before these instants.
    pub instants: BTreeSet<Time>,
    /// Nothing that came behind this block, as if the log ended with it; all of the log if there is none.
    pub height: Option<u64>,
}

impl Scope {
    /// Everything that happens in a span of time, with the states at both of its ends.
    #[must_use]
    pub fn span(from: Time, until: Time) -> Self {
        Self { parties: None, from, until, instants: BTreeSet::from([from, until]), height: None }
    }

    /// One party alone.
    #[must_use]
    pub fn of(self, party: PartyId) -> Self {
        Self { parties: Some(BTreeSet::from([party])), ..self }
    }

    /// Up to and with a block alone.
    #[must_use]
    pub fn up_to(self, height: Option<u64>) -> Self {
        Self { height, ..self }
    }

    fn takes(&self, event: &Event) -> bool {
        (self.from..self.until).contains(&event.time)
            && self.parties.as_ref().is_none_or(|these| these.iter().any(|p| event.touches(*p)))
    }
}

/// The observer that an audit shows its blocks to.
#[derive(Debug)]
pub struct Collector {
    scope: Scope,
    genesis: Option<Genesis>,
    rows: Rows,
    at: BTreeMap<Time, Rows>,
    events: Vec<Event>,
    sums: Sums,
    mismatch: Option<Mismatch>,
    /// Where the log stood after the last block that was taken: its head, root and epoch.
    last: (Head, Hash, u32),
}

impl Observer for Collector {
    fn executed(&mut self, executed: Executed<'_>) {
        let Executed { genesis, block, items } = executed;
        if self.scope.height.is_some_and(|last| block.head.height > last) {
            return;
        }
        if self.genesis.is_none() {
            self.genesis = Some(genesis.clone());
        }
        self.reach(block.head.time);
        for entry in block.entries.iter().filter(|entry| entry.leaf.code == Code::Applied) {
            self.sums.add(&entry.outcome.postings);
            let item = entry.item.and_then(|at| items.get(at as usize));
            let body = item.and_then(|item| item.transaction.as_ref()).map(|tx| &tx.body);
            let event = Event::new(entry, body, &block.changes);
            self.events.extend(event.filter(|event| self.scope.takes(event)));
        }
        self.rows.apply(&block.changes);
        let begun = block.changes.keys().filter_map(|key| match key {
            RowKey::Epoch(epoch) => Some(*epoch),
            _ => None,
        });
        let epoch = begun.max().unwrap_or(self.last.2);
        self.last = (block.head, block.root, epoch);
    }
}

impl Collector {
    /// For a scope.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            genesis: None,
            rows: Rows::default(),
            at: BTreeMap::new(),
            events: Vec::new(),
            sums: Sums::default(),
            mismatch: None,
            last: (Head { height: 0, time: Time::ZERO, size: 0 }, [0; 32], 1),
        }
    }

    /// Time has come to `now`: the state before it is the one at every instant up to it.
    fn reach(&mut self, now: Time) {
        while let Some(instant) = self.scope.instants.first().copied().filter(|at| *at <= now) {
            self.scope.instants.remove(&instant);
            self.check();
            self.at.insert(instant, self.rows.clone());
        }
    }

    fn check(&mut self) {
        if self.mismatch.is_none() {
            self.mismatch = self.sums.check(&self.rows).err();
        }
    }

    /// All that was kept. Where the scope ends at a block, so does what it rests on: what is known of later blocks says nothing
    /// about it, or the same report could not be made again.
    ///
    /// # Errors
    /// [`Mismatch`] if at one of the scope's instants or at the end the postings were not what the state held.
    ///
    /// # Panics
    /// If no block was shown: every chain has block 0.
    pub fn finish(mut self, basis: Basis) -> Result<Source, Mismatch> {
        self.check();
        let genesis = self.genesis.expect("block 0 was shown");
        let (head, root, epoch) = self.last;
        let Head { height, time, size } = head;
        let signed = basis.signed_height >= height;
        let basis = Basis {
            origin: genesis.origin_of(epoch),
            height,
            time,
            size,
            root: MerkleHash(root).to_string(),
            signed_height: basis.signed_height.min(height),
            signed_time: if signed { time } else { basis.signed_time },
            ..basis
        };
        match self.mismatch {
            Some(mismatch) => Err(mismatch),
            None => Ok(Source { genesis, basis, events: self.events, at: self.at, end: self.rows }),
        }
    }
}
