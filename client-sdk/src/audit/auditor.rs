//! The audit's core: blocks in, findings or a report out. No I/O, no clock, no threads.

use std::collections::BTreeSet;

use musubi_ledger::{
    epoch::epoch_of,
    execute::{Block, Chain, Head},
    genesis::Genesis,
    id::ChainId,
    state::RowKey,
    tlog::merkle::Node,
    transaction::Transaction,
};

use super::{
    check::{CheckedEntry, Checker},
    compare,
    ends::Ends,
    epochs,
    fault::Fault,
    finals::{self, Change},
    finding::{Finding, Findings, Part, Signer},
    observer::{Executed, Watch},
    order::Order,
    resume::Point,
    state::State,
    tally::Tally,
    validators::signer,
};

/// Re-executes a chain from its genesis document on.
///
/// A fault does not end the audit: what does not follow from it is looked for too. Where the published
/// leaves leave ours for good, execution stops, and only entries are still checked.
#[derive(Debug)]
pub struct Auditor {
    pub(super) genesis: Genesis,
    checker: Checker,
    pub(super) chain: Chain,
    pub(super) state: State,
    /// Block 0, until its leaves and seal were compared.
    pub(super) first: Option<Block>,
    pub(super) order: Order,
    pub(super) ends: Ends,
    /// Whether the caller knew the chain.
    pub(super) pinned: bool,
    pub(super) tally: Tally,
    /// Changes of the witness policy so far.
    pub(super) changes: Vec<Change>,
    /// Recoveries so far.
    pub(super) recoveries: Vec<Transaction>,
    /// Height of the last entry that was fed.
    fed: u64,
    /// From some height on, nothing can be compared any more.
    pub(super) diverged: bool,
    pub(super) findings: Vec<Finding>,
    /// Subtrees that the leaves of the last block completed.
    nodes: Vec<Node>,
    /// Who looks on.
    watch: Option<Watch>,
}

impl Auditor {
    /// Opens the chain of a genesis document's bytes, which must be the one `expected`. Without an
    /// expectation the record says itself which chain it is of, and the report that nobody pinned it.
    ///
    /// # Errors
    /// A [`Finding`] if they are no document that holds together, or another chain's.
    pub fn new(genesis: &[u8], expected: Option<ChainId>) -> Result<Self, Finding> {
        let genesis =
            Genesis::decode(genesis).map_err(|error| Finding::new(Part::Genesis, error))?;
        let found = genesis.chain();
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            let (expected, found) = (expected.to_string(), found.to_string());
            return Err(Finding::new(Part::Genesis, Fault::WrongChain { expected, found }));
        }
        let (chain, block) = Chain::open(&genesis);
        let mut state = State::default();
        state.apply(block.changes.clone());
        Ok(Self {
            checker: Checker::new(&genesis),
            genesis,
            chain,
            state,
            ends: Ends::new(block.head, block.root),
            pinned: expected.is_some(),
            first: Some(block),
            order: Order::default(),
            tally: Tally::default(),
            changes: Vec::new(),
            recoveries: Vec::new(),
            fed: 0,
            diverged: false,
            findings: Vec::new(),
            nodes: Vec::new(),
            watch: None,
        })
    }

    /// Shows block 0 and every later one to somebody.
    pub(super) fn observe(&mut self, mut watch: Watch) {
        let first = self.first.as_ref().expect("nothing was fed yet");
        watch.show(Executed { genesis: &self.genesis, block: first, items: &[] });
        self.watch = Some(watch);
    }

    /// The document.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// What checks entries before they are fed, on whatever threads the caller has.
    #[must_use]
    pub fn checker(&self) -> Checker {
        self.checker.clone()
    }

    /// Where the audit stands.
    #[must_use]
    pub fn head(&self) -> Head {
        self.chain.head()
    }

    /// Entries fed, signatures verified and transactions judged so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64, u64) {
        (self.fed, self.tally.signatures, self.tally.transactions)
    }

    /// Keeps the ends of blocks at these sizes only, so that memory does not grow with the number of
    /// blocks: those that [`Closing`] will name.
    pub fn keep_only(&mut self, sizes: BTreeSet<u64>) {
        self.ends.keep_only(sizes);
    }

    /// Whether nothing more can come of it: as many findings as are kept, or nothing left to compare.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.findings.len() >= Findings::MAX
    }

    /// Whether published leaves and ours went apart.
    #[must_use]
    pub fn has_diverged(&self) -> bool {
        self.diverged
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Compares block 0: the genesis leaf and its seal. `leaves` yields the log's leaves from the first.
    ///
    /// # Panics
    /// If called twice.
    pub fn open<L: AsRef<[u8]>>(
        &mut self,
        leaves: &mut impl Iterator<Item = L>,
        seal: Option<&[u8]>,
    ) {
        let block = self.first.take().expect("block 0 is compared once");
        self.compare(&block, leaves, seal, None, None);
    }

    /// Goes on from where an earlier run stopped, in place of [`Auditor::open`].
    pub(super) fn resume(&mut self, point: Point) {
        let Point { chain, state, order, tally, changes, recoveries, .. } = point;
        self.recoveries = recoveries;
        self.first = None;
        self.fed = chain.head().height;
        self.ends.push(chain.head(), chain.root());
        (self.chain, self.state, self.order) = (chain, state, order);
        (self.tally, self.changes) = (tally, changes);
        self.tally.resumed = Some(self.fed);
    }

    /// Takes the next block: its entry's bytes, the log's leaves from its first on (as many as it has
    /// are taken from the iterator), its seal's body.
    ///
    /// # Panics
    /// As [`Auditor::feed_checked`].
    pub fn feed<L: AsRef<[u8]>>(
        &mut self,
        entry: &[u8],
        leaves: &mut impl Iterator<Item = L>,
        seal: Option<&[u8]>,
    ) {
        for checked in self.checker.check(&[entry]) {
            self.feed_checked(checked, leaves, seal);
        }
    }

    /// As [`Auditor::feed`], for an entry that [`Checker::check`] has seen.
    ///
    /// # Panics
    /// Before [`Auditor::open`].
    pub fn feed_checked<L: AsRef<[u8]>>(
        &mut self,
        entry: CheckedEntry,
        leaves: &mut impl Iterator<Item = L>,
        seal: Option<&[u8]>,
    ) {
        assert!(self.first.is_none(), "block 0 is compared before the others");
        self.fed += 1;
        let height = self.fed;
        let foreign = |batch: &musubi_ledger::batch::Batch| batch.chain != self.chain.id();
        let batch = match entry.batch {
            Ok(batch) if foreign(&batch) => Err(musubi_ledger::batch::BatchError::Chain),
            other => other,
        };
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) => {
                self.diverged = true;
                return self.found(Finding::new(Part::Entry, Fault::Entry(error)).at(height));
            }
        };
        let leader = batch.leader.0;
        let disorder = self.order.next(batch.term, batch.index, leader);
        // An entry that nobody signed is executed all the same: the leaves then tell which item it is.
        let later = epochs::check_leader(&batch, &entry.items, &self.recoveries);
        let suspicion = entry.suspicion.or(later).or(disorder);
        if self.diverged {
            return self.suspect(suspicion, height, leader);
        }
        if batch.time <= self.head().time {
            self.tally.late += 1;
            self.tally.first_late.get_or_insert((height, leader));
        }
        let mut block = self.chain.execute(&self.state, &batch, entry.hash, &entry.items);
        let changed = |first, last| block.changes.range(first..=last).next().is_some();
        if changed(RowKey::Policy(0), RowKey::Policy(u32::MAX)) {
            self.changes.extend(finals::changes(&block, &entry.items));
        }
        let begun = changed(RowKey::Epoch(0), RowKey::Epoch(u32::MAX));
        if begun {
            self.recoveries.extend(entry.items.iter().filter_map(|item| item.transaction.clone()));
        }
        let epoch = epoch_of(batch.term);
        let unbegun = epoch as usize > self.recoveries.len() + 1;
        let suspicion = suspicion.or(unbegun.then_some(Fault::NoRecovery(epoch)));
        if let Some(watch) = &mut self.watch {
            watch.show(Executed { genesis: &self.genesis, block: &block, items: &entry.items });
        }
        self.state.apply(std::mem::take(&mut block.changes));
        self.tally.block(&block, &entry.items, entry.signatures);
        self.ends.push(block.head, block.root);
        if !self.compare(&block, leaves, seal, suspicion.as_ref(), Some(leader)) {
            self.suspect(suspicion, height, leader);
        }
    }

    /// The subtrees that the last block's leaves completed, once: for comparing tiles.
    #[must_use]
    pub fn nodes(&mut self) -> Vec<Node> {
        std::mem::take(&mut self.nodes)
    }

    /// Compares a block; true if something was found.
    fn compare<L: AsRef<[u8]>>(
        &mut self,
        block: &Block,
        leaves: &mut impl Iterator<Item = L>,
        seal: Option<&[u8]>,
        suspicion: Option<&Fault>,
        leader: Option<u64>,
    ) -> bool {
        self.nodes.clone_from(&block.nodes);
        let compared = compare::block(block, leaves, seal, suspicion);
        self.diverged |= !compared.aligned;
        let Some(finding) = compared.finding else {
            return false;
        };
        let forged = matches!(suspicion, Some(Fault::Entry(_) | Fault::UnknownLeader(_)));
        let leader = leader.filter(|_| !forged);
        let by = leader.and_then(|id| self.signer(id, "cut and signed its batch"));
        self.found(finding.signed(by));
        true
    }

    fn suspect(&mut self, suspicion: Option<Fault>, height: u64, leader: u64) {
        let Some(fault) = suspicion else { return };
        let signed = matches!(fault, Fault::Order { .. } | Fault::SecondLeader { .. });
        let did = if signed { "cut and signed it" } else { "is named as its leader" };
        let by = self.signer(leader, did);
        self.found(Finding::new(Part::Entry, fault).at(height).signed(by));
    }

    fn signer(&self, node: u64, did: &str) -> Option<Signer> {
        let recoveries = epochs::recoveries(&self.genesis, &self.recoveries);
        signer(&epochs::everybody(&self.genesis, &recoveries), node, did)
    }

    /// Notes a finding, as long as there is room.
    pub(super) fn found(&mut self, finding: Finding) {
        if !self.is_full() {
            self.findings.push(finding);
        }
    }
}
