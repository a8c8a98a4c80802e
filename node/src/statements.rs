//! Proofs of state, put together from the store: a wallet now, and periods of one wallet.
//!
//! Nothing is decided here: whoever gets the file verifies it. But what would not verify is not handed out:
//! a node that does not have a day's states (it began from a snapshot since) says so.

use musubi_ledger::{
    hash::Hash,
    id::PartyId,
    leaf::Leaf,
    limits,
    proof::{
        statement::{Cause, Line, Statement},
        wallet::{WalletAtSeal, WalletProof},
    },
    time::Time,
    tlog::{Checkpoint, SignedNote, proof::prove_inclusion},
    wallet::{WalletHeader, next_history},
};
use musubi_storage::{Direction, KeptWallet, Store};

use crate::http::{Read, ReadFault, Recorded, Unprovable};

/// Indexes of the lines, and the bare leaves behind the closing state.
type Leaves = (Vec<u64>, Vec<Leaf>);

/// Leaves of a party read at once.
const LEAVES_AT_ONCE: usize = 512;

fn fault(error: impl core::fmt::Display) -> ReadFault {
    ReadFault(error.to_string())
}

/// Reads what leaves did, each with its transaction, in their order.
pub type Entries<'n> = &'n dyn Fn(&[u64]) -> Read<Vec<Recorded>>;

/// The final checkpoint under which one file is made.
pub struct Prover<'n> {
    entries: Entries<'n>,
    store: &'n Store,
    note: String,
    size: u64,
}

impl<'n> Prover<'n> {
    /// Proves under the newest final checkpoint; none if there is none.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub fn new(store: &'n Store, entries: Entries<'n>) -> Read<Option<Self>> {
        let Some(note) = store.final_checkpoint().map_err(fault)? else { return Ok(None) };
        let parsed = SignedNote::parse(note.as_bytes()).map_err(fault)?;
        let size = parsed.text().parse::<Checkpoint>().map_err(fault)?.size();
        Ok(Some(Self { entries, store, note, size }))
    }

    /// A wallet's present state; none while its seal is not final.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub fn wallet(self, party: &PartyId, kept: KeptWallet) -> Read<Option<WalletProof>> {
        let wallet = self.shown(party, kept)?;
        Ok(wallet.map(|wallet| WalletProof { checkpoint: self.note, wallet }))
    }

    /// The period from `from` to `to`, two midnights in Japan. `present` is the wallet's state now.
    ///
    /// # Errors
    /// [`ReadFault`].
    pub fn statement(
        self,
        party: &PartyId,
        (from, to): (Time, Time),
        present: KeptWallet,
    ) -> Read<Result<Statement, Unprovable>> {
        let before = |time: Time| self.store.kept_before(party, time.day()).map_err(fault);
        let opening = before(from)?;
        let seal_time = self.seal(present.height)?.0.time;
        if seal_time < from {
            return Ok(Err(Unprovable::NotYet));
        }
        let (closing, bound) = if seal_time < to {
            (present, None)
        } else {
            match before(to)? {
                Some(last) if last.wallet.leaves == present.wallet.leaves => (present, None),
                None if present.wallet.leaves == 0 => (present, None),
                None => return Ok(Err(Unprovable::NotYet)),
                Some(last) => {
                    let later = self.store.kept_since(party, to.day()).map_err(fault)?;
                    (last, Some(later.unwrap_or(present)))
                }
            }
        };
        let after = bound.as_ref().map(|bound| bound.height);
        let headers = Headers {
            opening: opening.as_ref().map(|kept| kept.wallet.header(party)),
            closing: closing.wallet.header(party),
            bound: bound.as_ref().map(|kept| kept.wallet.header(party)),
        };
        let start = opening.as_ref().map(|kept| self.seal(kept.height)).transpose()?;
        let leaves = match self.leaves(party, start.map(|(_, index)| index), &headers)? {
            Ok(leaves) => leaves,
            Err(why) => return Ok(Err(why)),
        };
        let (inside, behind) = leaves;
        let shown = |kept: Option<KeptWallet>| -> Read<Result<Option<WalletAtSeal>, Unprovable>> {
            let Some(kept) = kept else { return Ok(Ok(None)) };
            Ok(self.shown(party, kept)?.map(Some).ok_or(Unprovable::NotFinal))
        };
        let (opening, closing, bound) =
            match (shown(opening)?, shown(Some(closing))?, shown(bound)?) {
                (Ok(opening), Ok(Some(closing)), Ok(bound)) => (opening, closing, bound),
                _ => return Ok(Err(Unprovable::NotFinal)),
            };
        let lines = match self.lines(&inside)? {
            Ok(lines) => lines,
            Err(why) => return Ok(Err(why)),
        };
        let after = after.map_or_else(Vec::new, |_| behind);
        let statement = Statement {
            party: *party,
            from,
            to,
            checkpoint: self.note,
            opening,
            lines,
            closing,
            bound: bound.map(WalletAtSeal::without_lots),
            after,
        };
        Ok(if adds_up(&statement) { Ok(statement) } else { Err(Unprovable::NotKept) })
    }

    /// A seal and its leaf's index.
    fn seal(&self, height: u64) -> Read<(musubi_ledger::leaf::SealBody, u64)> {
        let block = self.store.block(height).map_err(fault)?;
        let block = block.ok_or_else(|| fault(format!("block {height} is missing")))?;
        Ok((block.seal, block.head.size - 1))
    }

    fn inclusion(&self, index: u64) -> Read<Vec<Hash>> {
        prove_inclusion(&self.store.nodes(), index, self.size).map_err(fault)
    }

    fn shown(&self, party: &PartyId, kept: KeptWallet) -> Read<Option<WalletAtSeal>> {
        let seal = self.seal(kept.height)?;
        if seal.1 >= self.size {
            return Ok(None);
        }
        let mut shown = WalletAtSeal::show(party, &kept.wallet, kept.state, seal);
        shown.inclusion = self.inclusion(seal.1)?;
        Ok(Some(shown))
    }

    /// The leaves that touched the wallet: between opening and closing with what they did, and behind the
    /// closing state up to the bound as they are.
    fn leaves(
        &self,
        party: &PartyId,
        start: Option<u64>,
        headers: &Headers,
    ) -> Read<Result<Leaves, Unprovable>> {
        let opened = headers.opening.map_or(0, |header| header.leaves);
        let inside = headers.closing.leaves.saturating_sub(opened);
        let until = headers.bound.map_or(headers.closing.leaves, |header| header.leaves);
        let behind = until.saturating_sub(headers.closing.leaves);
        if inside > limits::STATEMENT_LINES_MAX as u64
            || behind > limits::STATEMENT_LEAVES_AFTER_MAX as u64
        {
            return Ok(Err(Unprovable::TooLong));
        }
        let (mut lines, mut after, mut cursor) = (Vec::new(), Vec::new(), start);
        while ((lines.len() + after.len()) as u64) < inside + behind {
            let ascending = Direction::Ascending;
            let page = self.store.party_leaves(party, cursor, ascending, LEAVES_AT_ONCE);
            let page = page.map_err(fault)?;
            for index in &page.leaves {
                let entry = self.store.entry(*index).map_err(fault)?;
                let Some(entry) = entry.filter(|e| e.outcome.wallets().contains(party)) else {
                    continue;
                };
                if (lines.len() as u64) < inside {
                    lines.push(*index);
                } else if (after.len() as u64) < behind {
                    after.push(entry.leaf);
                }
            }
            cursor = page.leaves.last().copied();
            if !page.more {
                break;
            }
        }
        Ok(Ok((lines, after)))
    }

    fn lines(&self, leaves: &[u64]) -> Read<Result<Vec<Line>, Unprovable>> {
        let (mut lines, mut bytes) = (Vec::with_capacity(leaves.len()), 0);
        for part in leaves.chunks(LEAVES_AT_ONCE) {
            for Recorded { entry, transaction } in (self.entries)(part)? {
                let inclusion = self.inclusion(entry.index)?;
                let cause = match (transaction, entry.due) {
                    (Some(transaction), _) => Cause::Transaction(transaction),
                    (None, Some(due)) => Cause::System(due),
                    (None, None) => return Err(fault("a leaf has no cause")),
                };
                if let Cause::Transaction(transaction) = &cause {
                    bytes += transaction.len();
                }
                bytes += LINE_BYTES + POSTING_BYTES * entry.outcome.postings.len();
                if bytes > limits::STATEMENT_BYTES_MAX / 2 {
                    return Ok(Err(Unprovable::TooLong));
                }
                let (leaf, index) = (entry.leaf, entry.index);
                lines.push(Line { leaf, index, inclusion, outcome: entry.outcome, cause });
            }
        }
        Ok(Ok(lines))
    }
}

/// More than a line takes besides its transaction and postings, and than one posting.
const LINE_BYTES: usize = 3_072;
const POSTING_BYTES: usize = 160;

struct Headers {
    opening: Option<WalletHeader>,
    closing: WalletHeader,
    bound: Option<WalletHeader>,
}

/// Whether leaves and states fit each other: not so where a day's states were never kept here.
fn adds_up(statement: &Statement) -> bool {
    let opening = statement.opening.as_ref().map(|wallet| wallet.header);
    let mut at = opening.map_or((0, [0; 32]), |header| (header.leaves, header.history));
    let go = |at: &mut (u64, Hash), leaf: &Leaf| {
        *at = (at.0 + 1, next_history(&at.1, &leaf.encode()));
    };
    for line in &statement.lines {
        if line.leaf.time < statement.from || line.leaf.time >= statement.to {
            return false;
        }
        go(&mut at, &line.leaf);
    }
    let closing = statement.closing.header;
    if at != (closing.leaves, closing.history) {
        return false;
    }
    statement.after.iter().for_each(|leaf| go(&mut at, leaf));
    let in_time = statement.after.iter().all(|leaf| leaf.time >= statement.to);
    let bound = statement.bound.as_ref().map_or(closing, |wallet| wallet.header);
    in_time && at == (bound.leaves, bound.history)
}
