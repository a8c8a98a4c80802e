//! The oracle: sees every effect of every node, every block and every answer, and knows what is durable
//! where. It holds the invariants of `docs/TESTING.md` after each step, incrementally.
//!
//! It keeps its own books (who voted, which entry is committed, who owns what) from what it sees pass
//! by; the code under test is asked only for what is compared with them.

mod chain;
mod durable;
mod finality;
mod money;
mod order;
mod rounds;
mod told;

use std::collections::BTreeSet;

use musubi_consensus::{Effect, LogEntry, Persist, Position};
use musubi_ledger::{batch::Batch, code::Code, execute::Block, id::TxId};
use musubi_storage::{Opened, Store};

use self::{
    chain::ChainBook, durable::DurableLog, finality::FinalityBook, money::MoneyBook,
    order::OrderBook,
};
use super::town::Town;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its name.
    pub invariant: &'static str,
    /// What was seen.
    pub seen: String,
}

/// Whether all holds.
pub(crate) type Holds = Result<(), Violation>;

/// A verdict as a client gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) code: Code,
    pub(crate) height: u64,
    pub(crate) leaf: u64,
}

/// Blocks between two full recomputations of money.
const AUDIT_EVERY: u64 = 25;

/// The oracle's books.
pub(crate) struct Checker {
    order: OrderBook,
    durable: Vec<DurableLog>,
    chain: ChainBook,
    money: MoneyBook,
    finality: FinalityBook,
    /// Transactions of which a client was told that they expired unapplied.
    expired: BTreeSet<TxId>,
    /// Transactions whose verdict a client was told.
    acknowledged: BTreeSet<TxId>,
    /// A node lies in this run: nothing of this need hold.
    blind: bool,
}

pub(crate) fn broken(invariant: &'static str, seen: impl Into<String>) -> Holds {
    Err(Violation { invariant, seen: seen.into() })
}

impl Checker {
    pub(crate) fn new(town: &Town, blind: bool) -> Result<Self, Violation> {
        let nodes = town.members.len();
        let mut checker = Self {
            order: OrderBook::new(nodes, &town.entries),
            durable: (0..nodes).map(|_| DurableLog::new(&town.entries)).collect(),
            chain: ChainBook::new(nodes),
            money: MoneyBook::default(),
            finality: FinalityBook::new(&town.genesis),
            expired: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
            blind,
        };
        for (index, block) in (0..).zip(&town.blocks) {
            checker.chain.take(index, block)?;
            checker.money.take(block)?;
        }
        Ok(checker)
    }

    /// A node's replica asks for something.
    pub(crate) fn effect(
        &mut self,
        node: usize,
        effect: &Effect,
        store: &Store,
        term: u64,
    ) -> Holds {
        if self.blind {
            return Ok(());
        }
        match effect {
            Effect::Send { bytes, .. } => self.order.message(node, bytes, store),
            Effect::Standing(standing) => self.order.standing(node, *standing, store),
            Effect::Execute(execute) => {
                self.order.executes(node, &execute.entry, term, &self.durable)
            }
            _ => Ok(()),
        }
    }

    /// A node has executed an entry, and has not recorded it yet.
    pub(crate) fn executed(
        &mut self,
        node: usize,
        entry: Position,
        batch: &Batch,
        block: &Block,
    ) -> Holds {
        if self.blind {
            return Ok(());
        }
        self.chain.check(node, entry, batch, block)?;
        if !self.chain.is_new(block.head.height) {
            return self.chain.compare(node, block);
        }
        self.chain.take(entry.index, block)?;
        self.money.take(block)?;
        self.finality.take(block);
        let applied = |item: &&musubi_ledger::execute::ItemResult| item.code == Code::Applied;
        match block.items.iter().filter(applied).find(|item| self.expired.contains(&item.id)) {
            Some(item) => broken(
                "I23 absence after expiry is final",
                format!("{} is applied at height {}", item.id, block.head.height),
            ),
            None => Ok(()),
        }
    }

    /// A node has recorded an entry, not yet durably.
    pub(crate) fn recorded(&mut self, node: usize, entry: Position, store: &Store) -> Holds {
        if self.blind {
            return Ok(());
        }
        self.chain.recorded(node, entry, store)
    }

    /// A node has written persists, not yet durably.
    pub(crate) fn staged(&mut self, node: usize, persist: &Persist) {
        self.durable[node].stage(std::slice::from_ref(persist));
    }

    /// All that a node has written is durable.
    pub(crate) fn synced(&mut self, node: usize) {
        self.durable[node].sync();
        self.chain.synced(node);
        self.finality.synced(node);
    }

    /// A node's disk was replaced by one that knows less. What it had acknowledged before counts as held: the
    /// network rests on nobody taking that back.
    pub(crate) fn forgot(&mut self, node: usize) {
        self.chain.forgot(node);
    }

    /// A node has opened its directory; one that is not of its past needs to agree with the one history only.
    pub(crate) fn started(&mut self, node: usize, opened: &Opened, lost: bool) -> Holds {
        if self.blind {
            return Ok(());
        }
        self.finality.started(node, &opened.store, lost)?;
        if lost {
            self.order.started(node, opened.store.applied());
            return self.chain.started(node, &opened.store);
        }
        let last = opened.recovered.last.index;
        let entries: Vec<LogEntry> = opened
            .store
            .log_entries(1, last + 1, u64::MAX)
            .map_err(|error| Violation { invariant: "I15 recovery", seen: error.to_string() })?;
        self.durable[node].recovered(node, &entries)?;
        self.order.started(node, opened.store.applied());
        self.chain.started(node, &opened.store)
    }

    /// Entries known to be committed.
    pub(crate) fn committed(&self) -> u64 {
        self.order.committed()
    }

    /// Terms that had a leader.
    pub(crate) fn leaders(&self) -> usize {
        self.order.leaders()
    }

    /// Blocks, and items by what became of them: applied, rejected, void.
    pub(crate) fn counts(&self) -> (u64, [u64; 3]) {
        self.chain.counts()
    }

    /// Every so many blocks, recomputes a node's money from its rows, if it stands at the newest block.
    pub(crate) fn audit_newest(&self, height: u64, store: &Store) -> Holds {
        if !self.blind && height.is_multiple_of(AUDIT_EVERY) && self.chain.is_new(height + 1) {
            return self.money.audit(store);
        }
        Ok(())
    }

    /// At the end: every node's store holds the one history, every verdict a client was told, and money
    /// that adds up.
    pub(crate) fn finally(&self, node: usize, store: &Store) -> Holds {
        self.order.survived(node, store)?;
        self.money.audit(store)?;
        self.finality.finally(node, store)?;
        for id in &self.acknowledged {
            let found = store.judged(*id).map_err(|error| Violation {
                invariant: "I8 an acknowledged verdict stands",
                seen: error.to_string(),
            })?;
            let found = found.map(|j| Verdict { code: j.code, height: j.height, leaf: j.leaf });
            if found != self.chain.verdict(id) {
                let seen = format!("node {} holds {found:?} about {id}", node + 1);
                return broken("I8 an acknowledged verdict stands", seen);
            }
        }
        let verified = store.verify(&mut |_, _| ());
        let wrong = |error: musubi_storage::OpenError| Violation {
            invariant: "I15 deep check of the directory",
            seen: format!("node {}: {error}", node + 1),
        };
        verified.map(|_| ()).map_err(wrong)
    }
}
