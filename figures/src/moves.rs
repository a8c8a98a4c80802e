//! What a transaction moved, apart from what rules posted beside it, and what it undid.

use musubi_ledger::{
    amount::Amount,
    execute::Entry,
    id::{PartyId, TxId},
    lot::Lot,
    operation::{Leg, Operation},
    state::{Changes, Proposal, ProposalStatus, Row, RowKey, Settled},
    transaction::{Body, Purpose},
};

/// A move of value between two wallets, or an issue into one.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Under which id it can be undone: a payout's is its proposal's.
    pub id: TxId,
    /// Who gave; the issuer of an issue.
    pub from: PartyId,
    /// Who received.
    pub to: PartyId,
    /// Whether it was issued: a top-up.
    pub issued: bool,
    /// What, by the lot that was given.
    pub lots: Vec<(Lot, Amount)>,
}

/// The undoing of (a part of) an earlier move.
#[derive(Clone, Debug)]
pub struct Undone {
    /// The move.
    pub original: TxId,
    /// Who had given.
    pub from: PartyId,
    /// Who had received.
    pub to: PartyId,
    /// Whether it had been issued.
    pub issued: bool,
    /// How much of it was undone.
    pub legs: Vec<Leg>,
}

/// What an applied transaction moved and undid.
#[derive(Clone, Debug)]
pub struct Moves {
    /// What it is for; a payout's is its proposal's.
    pub purpose: Purpose,
    /// The payment request that it answers; a payout's is its proposal's.
    pub answers: Option<TxId>,
    /// What went from one side to the other.
    pub moved: Option<Moved>,
    /// What earlier move it undid.
    pub undone: Option<Undone>,
}

impl Moves {
    /// Of an applied entry, the body of its transaction, and the rows that its block left behind.
    #[must_use]
    pub fn of(entry: &Entry, body: &Body, changes: &Changes) -> Self {
        let id = entry.leaf.id;
        let own = Self { purpose: body.purpose, answers: body.answers, moved: None, undone: None };
        match &body.operation {
            Operation::Propose(_) => own.payout((id, id), changes),
            Operation::Decide(op) => own.payout((op.proposal, id), changes),
            Operation::Refund(op) => Self { undone: undone(op.original, &op.legs, changes), ..own },
            Operation::Correct(op) => {
                Self { undone: undone(op.original, &op.legs, changes), ..own }
            }
            _ => Self { moved: moved(id, changes), ..own },
        }
    }

    /// Of a proposal that this transaction has made complete, if it has.
    fn payout(self, (proposal, by): (TxId, TxId), changes: &Changes) -> Self {
        match completed(proposal, by, changes) {
            Some(complete) => Self {
                purpose: complete.purpose,
                answers: complete.answers,
                moved: moved(proposal, changes),
                undone: None,
            },
            None => self,
        }
    }
}

/// A proposal that a transaction has made complete.
#[must_use]
pub fn completed(proposal: TxId, by: TxId, changes: &Changes) -> Option<&Proposal> {
    match changes.get(&RowKey::Proposal(proposal)) {
        Some(Some(Row::Proposal(row))) if row.status == ProposalStatus::Completed(by) => Some(row),
        _ => None,
    }
}

fn settled(id: TxId, changes: &Changes) -> Option<&Settled> {
    match changes.get(&RowKey::Judged(id)) {
        Some(Some(Row::Judged(judged))) => judged.settled.as_ref(),
        _ => None,
    }
}

fn moved(id: TxId, changes: &Changes) -> Option<Moved> {
    let Settled { from, to, issued, lots, .. } = settled(id, changes)?;
    let lots = lots.iter().map(|part| (part.lot, part.amount)).collect();
    Some(Moved { id, from: *from, to: *to, issued: *issued, lots })
}

fn undone(original: TxId, legs: &[Leg], changes: &Changes) -> Option<Undone> {
    let Settled { from, to, issued, .. } = settled(original, changes)?;
    Some(Undone { original, from: *from, to: *to, issued: *issued, legs: legs.to_vec() })
}
