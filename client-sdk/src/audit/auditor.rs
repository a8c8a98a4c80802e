//! The audit's core: blocks in, the first fault or a report out. No I/O, no clock, no threads.

use musubi_ledger::{
    execute::{Block, Chain, Head, MemoryState},
    genesis::Genesis,
    id::ChainId,
};

use super::{
    check::{CheckedEntry, Checker},
    compare,
    coverage::{Demands, coverage},
    finding::{Fault, Finding, Part},
    report::{self, Report, Tally, Trust},
    validators::{self, End},
};

/// Re-executes a chain from its genesis document on.
#[derive(Debug)]
pub struct Auditor {
    genesis: Genesis,
    checker: Checker,
    chain: Chain,
    state: MemoryState,
    /// Block 0, until its leaves and seal were compared.
    first: Option<Block>,
    /// Term and index of the last entry.
    last: (u64, u64),
    /// Where each block ends, ascending.
    ends: Vec<End>,
    /// Whether the caller knew the chain.
    pinned: bool,
    tally: Tally,
    found: bool,
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
        let mut state = MemoryState::default();
        state.apply(&block.changes);
        Ok(Self {
            checker: Checker::new(&genesis),
            genesis,
            chain,
            state,
            ends: vec![end(&block)],
            pinned: expected.is_some(),
            first: Some(block),
            last: (0, 0),
            tally: Tally::default(),
            found: false,
        })
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

    /// Signatures verified and transactions judged so far.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.tally.signatures, self.tally.transactions)
    }

    /// Compares block 0: the genesis leaf and its seal. `leaves` yields the log's leaves from the first.
    ///
    /// # Errors
    /// The first difference.
    ///
    /// # Panics
    /// If called twice, or after a finding.
    pub fn open<L: AsRef<[u8]>>(
        &mut self,
        leaves: &mut impl Iterator<Item = L>,
        seal: Option<&[u8]>,
    ) -> Result<(), Finding> {
        let block = self.first.take().expect("block 0 is compared once");
        self.compare(&block, leaves, seal, None)
    }

    /// Takes the next block: its entry's bytes, the log's leaves from its first on (as many as it has
    /// are taken from the iterator), its seal's body.
    ///
    /// # Errors
    /// The first fault. An audit ends with it.
    ///
    /// # Panics
    /// As [`Auditor::feed_checked`].
    pub fn feed<L: AsRef<[u8]>>(
        &mut self,
        entry: &[u8],
        leaves: &mut impl Iterator<Item = L>,
        seal: Option<&[u8]>,
    ) -> Result<(), Finding> {
        let one = std::num::NonZero::<usize>::MIN;
        let checked = self.checker.check(&[entry.to_vec()], one);
        let mut checked = checked.into_iter();
        let checked = checked.next().expect("one entry in, one out");
        self.feed_checked(checked, leaves, seal)
    }

    /// As [`Auditor::feed`], for an entry that [`Checker::check`] has seen.
    ///
    /// # Errors
    /// The first fault.
    ///
    /// # Panics
    /// Before [`Auditor::open`], or after a finding.
    pub fn feed_checked<L: AsRef<[u8]>>(
        &mut self,
        entry: CheckedEntry,
        leaves: &mut impl Iterator<Item = L>,
        seal: Option<&[u8]>,
    ) -> Result<(), Finding> {
        assert!(self.first.is_none(), "block 0 is compared before the others");
        assert!(!self.found, "an audit ends with its first finding");
        let height = self.head().height + 1;
        let find = |fault: Fault| Finding::new(Part::Entry, fault).at(height);
        let batch = entry.batch.map_err(|error| find(error.into()));
        let batch = self.note(batch)?;
        if batch.chain != self.chain.id() {
            self.found = true;
            return Err(find(musubi_ledger::batch::BatchError::Chain.into()));
        }
        let (term, index) = (batch.term, batch.index);
        let follows = term >= self.last.0 && index > self.last.1;
        let order = (!follows).then_some(Fault::Order { term, index });
        self.last = (term, index);
        // An entry that nobody signed is executed all the same: the leaves then tell which item it is.
        let suspicion = entry.suspicion.or(order);
        let block = self.chain.execute(&self.state, &batch, entry.hash, &entry.items);
        self.state.apply(&block.changes);
        self.tally.block(&block, &entry.items, entry.signatures);
        self.ends.push(end(&block));
        self.compare(&block, leaves, seal, suspicion.as_ref())?;
        let verdict = suspicion.map_or(Ok(()), |fault| Err(find(fault)));
        self.note(verdict)
    }

    /// Recounts the supply and compares with what the validators signed: notes by node id, which must
    /// reach as far as is demanded.
    ///
    /// # Errors
    /// The first fault.
    ///
    /// # Panics
    /// Before [`Auditor::open`], or after a finding.
    pub fn finish(mut self, notes: &[(u64, String)], demands: &Demands) -> Result<Report, Finding> {
        assert!(self.first.is_none(), "block 0 is compared before the end");
        assert!(!self.found, "an audit ends with its first finding");
        let supply = report::supply(&self.state)?;
        let validators = validators::agreed(&self.genesis, &self.ends, notes)?;
        let coverage = coverage(&self.genesis, &self.ends, &validators, demands)?;
        let root = hex::encode(self.chain.root());
        let state = hex::encode(self.chain.state_digest());
        let which = (self.chain.id(), self.genesis.origin());
        let head = self.chain.head();
        let trust = Trust { pinned: self.pinned, validators, coverage };
        Ok(self.tally.report(which, head, (root, state), supply, trust))
    }

    fn compare<L: AsRef<[u8]>>(
        &mut self,
        block: &Block,
        leaves: &mut impl Iterator<Item = L>,
        seal: Option<&[u8]>,
        suspicion: Option<&Fault>,
    ) -> Result<(), Finding> {
        let compared = compare::leaves(block, leaves, suspicion).and_then(|()| match seal {
            Some(seal) => compare::seal(block, seal, suspicion),
            None => Err(Finding::new(Part::Seal, Fault::Missing).at(block.head.height)),
        });
        self.note(compared)
    }

    fn note<T>(&mut self, result: Result<T, Finding>) -> Result<T, Finding> {
        self.found |= result.is_err();
        result
    }
}

fn end(block: &Block) -> End {
    let Head { size, height, time, .. } = block.head;
    End { size, height, time, root: block.root }
}
