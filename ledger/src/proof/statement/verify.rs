//! The rules by which a statement is believed.

use std::collections::BTreeMap;

use super::{
    Statement,
    error::{LineError, StatementError, Which},
    line::{Line, ProvenLine},
};
use crate::{
    hash::Hash,
    id::{ChainId, PartyId},
    leaf::SealBody,
    lot::Lot,
    policy::{FinalCheckpoint, PolicyChain},
    proof::wallet::WalletAtSeal,
    time::Time,
    tlog::Checkpoint,
    wallet::{Holding, LotBalance, next_history},
};

/// What a verified statement says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProvenStatement {
    /// Whose.
    pub party: PartyId,
    /// The period's beginning.
    pub from: Time,
    /// The period's end, exclusive, as it was asked for.
    pub to: Time,
    /// Up to which instant, exclusive, it is proved that nothing is left out: `to`, or, if the log was not yet
    /// there, right behind the closing seal.
    pub proven_until: Time,
    /// What the wallet held before the first line.
    pub opening: Vec<LotBalance>,
    /// At which seal; none if no leaf had touched the wallet before.
    pub opening_seal: Option<SealBody>,
    /// All leaves of the period that touched it.
    pub lines: Vec<ProvenLine>,
    /// What it held behind the last line.
    pub closing: Vec<LotBalance>,
    /// At which seal.
    pub closing_seal: SealBody,
    /// By which checkpoint, and who cosigned it.
    pub checkpoint: FinalCheckpoint,
}

/// The wallet while its lines are read.
struct Walk {
    leaves: u64,
    history: Hash,
    held: BTreeMap<(Lot, Holding), i128>,
}

impl Statement {
    /// Verifies the statement under the ledger's policies.
    ///
    /// # Errors
    /// [`StatementError`]: the first thing that does not hold, and which line.
    pub fn verify(&self, policies: &PolicyChain) -> Result<ProvenStatement, StatementError> {
        if self.from >= self.to {
            return Err(StatementError::Period);
        }
        let checkpoint = policies.check_whole(self.checkpoint.as_bytes())?;
        let (opening, closing) = self.check_states(&checkpoint.checkpoint)?;
        let mut walk = Walk::begin(self.opening.as_ref(), &opening);
        let lines = self.check_lines(&mut walk, &policies.chain(), &checkpoint.checkpoint)?;
        self.check_closing(&walk, &closing)?;
        let proven_until = self.check_end()?;
        Ok(ProvenStatement {
            party: self.party,
            from: self.from,
            to: self.to,
            proven_until,
            opening,
            opening_seal: self.opening.as_ref().map(|wallet| wallet.seal),
            lines,
            closing,
            closing_seal: self.closing.seal,
            checkpoint,
        })
    }

    /// That all states are proved, of this one wallet, and the opening from before the period. Gives the lots of
    /// opening and closing.
    fn check_states(
        &self,
        checkpoint: &Checkpoint,
    ) -> Result<(Vec<LotBalance>, Vec<LotBalance>), StatementError> {
        let serial = self.closing.header.serial;
        let check = |which, wallet: &WalletAtSeal| {
            wallet.check(checkpoint).map_err(|error| StatementError::State(which, error))?;
            let header = &wallet.header;
            if header.party == self.party && header.serial == serial {
                Ok(())
            } else {
                Err(StatementError::OtherWallet(which))
            }
        };
        let lots = |which, wallet: &WalletAtSeal| {
            wallet.lots.shown().map(<[_]>::to_vec).ok_or(StatementError::LotsHidden(which))
        };
        let mut before = Vec::new();
        if let Some(opening) = &self.opening {
            check(Which::Opening, opening)?;
            before = lots(Which::Opening, opening)?;
            if opening.seal.time >= self.from {
                return Err(StatementError::OpeningLate);
            }
        }
        check(Which::Closing, &self.closing)?;
        let after = lots(Which::Closing, &self.closing)?;
        if let Some(bound) = &self.bound {
            check(Which::Bound, bound)?;
        }
        Ok((before, after))
    }

    fn check_lines(
        &self,
        walk: &mut Walk,
        chain: &ChainId,
        checkpoint: &Checkpoint,
    ) -> Result<Vec<ProvenLine>, StatementError> {
        let mut proven = Vec::with_capacity(self.lines.len());
        let mut next = 0;
        for (number, line) in (1..).zip(&self.lines) {
            let wrong = |error| StatementError::Line(number, error);
            let transaction = line.check(&self.party, chain, checkpoint).map_err(wrong)?;
            if line.index < next {
                return Err(wrong(LineError::Order));
            }
            next = line.index + 1;
            if line.leaf.time < self.from || line.leaf.time >= self.to {
                return Err(wrong(LineError::OutsidePeriod));
            }
            walk.line(&self.party, line).map_err(wrong)?;
            let Line { leaf, index, ref outcome, .. } = *line;
            proven.push(ProvenLine { leaf, index, outcome: outcome.clone(), transaction });
        }
        Ok(proven)
    }

    fn check_closing(&self, walk: &Walk, lots: &[LotBalance]) -> Result<(), StatementError> {
        let closing = &self.closing.header;
        if walk.leaves != closing.leaves {
            let listed = self.lines.len() as u64;
            let counted = closing.leaves.saturating_sub(walk.leaves - listed);
            return Err(StatementError::Count { counted, listed });
        }
        if walk.history != closing.history {
            return Err(StatementError::History);
        }
        if walk.held == held(lots) { Ok(()) } else { Err(StatementError::Balance) }
    }

    /// That no leaf between the closing state and the period's end is left out; says up to which instant that
    /// is proved.
    fn check_end(&self) -> Result<Time, StatementError> {
        let closing = &self.closing;
        let Some(bound) = &self.bound else {
            if !self.after.is_empty() {
                return Err(StatementError::BoundHistory);
            }
            if closing.seal.time < self.from {
                return Err(StatementError::ClosingEarly);
            }
            return Ok(self.to.min(closing.seal.time.plus(1)));
        };
        if closing.seal.time >= self.to {
            return Err(StatementError::BoundNotNeeded);
        }
        if bound.seal.time < self.to {
            return Err(StatementError::BoundEarly);
        }
        let (mut leaves, mut history) = (closing.header.leaves, closing.header.history);
        for (number, leaf) in (1..).zip(&self.after) {
            if leaf.time < self.to {
                return Err(StatementError::LeftOut(number));
            }
            leaves = leaves.saturating_add(1);
            history = next_history(&history, &leaf.encode());
        }
        if (leaves, history) != (bound.header.leaves, bound.header.history) {
            return Err(StatementError::BoundHistory);
        }
        Ok(self.to)
    }
}

impl Walk {
    fn begin(opening: Option<&WalletAtSeal>, lots: &[LotBalance]) -> Self {
        let (leaves, history) =
            opening.map_or((0, [0; 32]), |wallet| (wallet.header.leaves, wallet.header.history));
        Self { leaves, history, held: held(lots) }
    }

    fn line(&mut self, party: &PartyId, line: &Line) -> Result<(), LineError> {
        self.leaves = self.leaves.saturating_add(1);
        self.history = next_history(&self.history, &line.leaf.encode());
        for posting in line.postings(party) {
            *self.held.entry((posting.lot, posting.holding)).or_default() += posting.signed();
        }
        self.held.retain(|_, amount| *amount != 0);
        if self.held.values().any(|amount| *amount < 0) {
            return Err(LineError::Overdrawn);
        }
        Ok(())
    }
}

/// What is held of each lot in each state, nothing left out but nothings.
fn held(lots: &[LotBalance]) -> BTreeMap<(Lot, Holding), i128> {
    let mut held = BTreeMap::new();
    for balance in lots {
        for holding in [Holding::Spendable, Holding::Held, Holding::Claim] {
            let amount = i128::from(balance.amount(holding).0);
            if amount != 0 {
                *held.entry((balance.lot, holding)).or_default() += amount;
            }
        }
    }
    held
}
