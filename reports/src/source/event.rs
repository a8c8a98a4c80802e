//! Events: what a leaf did, with what rows of its block say about it.

pub use musubi_figures::{Moved, Undone};
use musubi_figures::{Moves, moves::completed};
use musubi_ledger::{
    execute::Entry,
    fact::Fact,
    id::RosterLine,
    operation::{Operation, RecordCash, RedemptionAnswer, settlement_line},
    outcome::{Account, Owed, Posting},
    state::{Changes, DueKind, Redemption, Row, RowKey},
    transaction::{Body, Role, Side},
};
use musubi_sdk::{Amount, DocumentHash, InstrumentId, PartyId, Purpose, Time, TxId, describe};

/// What caused an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// An operation, by its name in the API's JSON.
    Operation(&'static str),
    /// Something that became due.
    Due(DueKind),
}

/// One applied leaf.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its place in the log.
    pub index: u64,
    /// Its block.
    pub height: u64,
    /// The block's time.
    pub time: Time,
    /// The leaf's id: the transaction's.
    pub id: TxId,
    /// What caused it.
    pub what: What,
    /// What it is for; a payout's is its proposal's.
    pub purpose: Purpose,
    /// The roster line for whom somebody else paid.
    pub on_behalf_of: Option<RosterLine>,
    /// The payment request that it answers.
    pub answers: Option<TxId>,
    /// Hash of a memo beside the log.
    pub memo: Option<DocumentHash>,
    /// What went from one side to the other, apart from what rules posted for it.
    pub moved: Option<Moved>,
    /// What earlier move it undid.
    pub undone: Option<Undone>,
    /// Redemptions that were asked for, answered, or timed out: several where it settles.
    pub redeemed: Vec<Redeemed>,
    /// Whether it took over balances of another system.
    pub imports: bool,
    /// Who drafted and approved a group's payout.
    pub approval: Option<Approval>,
    /// What was said to have come in cash.
    pub cash: Option<Cash>,
    /// All postings.
    pub postings: Vec<Posting>,
    /// Changes of what parties owe.
    pub owed: Vec<Owed>,
    /// What explains the postings.
    pub facts: Vec<Fact>,
}

/// A step of a redemption.
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// The redemption.
    pub id: TxId,
    /// Whose claim.
    pub merchant: PartyId,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// How much.
    pub amount: Amount,
    /// What of it fees take: not paid out.
    pub fees: Amount,
    /// What of it pays what the merchant owed: not paid out either.
    pub netted: Amount,
    /// The issuer's answer, if that is what this event is.
    pub answer: Option<RedemptionAnswer>,
}

impl Redeemed {
    /// From what the state keeps of it.
    pub(crate) fn new(id: TxId, row: &Redemption, answer: Option<RedemptionAnswer>) -> Self {
        let sum = |amounts: &mut dyn Iterator<Item = Amount>| Amount(amounts.map(|a| a.0).sum());
        Self {
            id,
            merchant: row.merchant,
            instrument: row.instrument,
            amount: sum(&mut row.lots.iter().map(|(_, amount)| *amount)),
            fees: sum(&mut row.fees.iter().map(|(_, fee)| *fee)),
            netted: row.netted,
            answer,
        }
    }
}

/// A record of cash, which moves nothing.
#[derive(Clone, Copy, Debug)]
pub struct Cash {
    /// The payment request that it settles, or opens again.
    pub request: TxId,
    /// Who was paid.
    pub payee: PartyId,
    /// Whether it came in; otherwise an earlier record was a mistake.
    pub received: bool,
    /// Who recorded it.
    pub by: PartyId,
    /// Hash of what shows it.
    pub evidence: DocumentHash,
}

/// Who let a group's payout go.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The person who drafted it.
    pub drafter: Option<PartyId>,
    /// The persons who approved it, in their order.
    pub approvers: Vec<PartyId>,
}

impl Event {
    /// From an entry, the body of its transaction (none for system leaves) and its block's changes.
    pub(super) fn new(entry: &Entry, body: Option<&Body>, changes: &Changes) -> Option<Self> {
        let what = match (body, entry.due) {
            (Some(body), _) => What::Operation(describe::operation_name(&body.operation)),
            (None, Some(due)) => What::Due(due.kind),
            (None, None) => return None,
        };
        let mut event = Self {
            index: entry.index,
            height: entry.leaf.height,
            time: entry.leaf.time,
            id: entry.leaf.id,
            what,
            purpose: body.map_or(Purpose::NONE, |body| body.purpose),
            on_behalf_of: body.and_then(|body| body.on_behalf_of),
            answers: body.and_then(|body| body.answers),
            memo: body.and_then(|body| body.memo),
            moved: None,
            undone: None,
            redeemed: Vec::new(),
            imports: false,
            approval: None,
            cash: None,
            postings: entry.outcome.postings.clone(),
            owed: entry.outcome.receivables.clone(),
            facts: entry.outcome.facts.clone(),
        };
        match body {
            Some(body) => {
                event.explain(body, changes);
                let Moves { purpose, answers, moved, undone } = Moves::of(entry, body, changes);
                (event.purpose, event.answers) = (purpose, answers);
                (event.moved, event.undone) = (moved, undone);
            }
            None => {
                let cause = entry.due.map(|due| TxId(due.cause));
                event.redeemed.extend(cause.and_then(|id| redeemed(id, changes, None)));
            }
        }
        Some(event)
    }

    fn explain(&mut self, body: &Body, changes: &Changes) {
        match &body.operation {
            Operation::Propose(_) => self.explain_payout(self.id, changes),
            Operation::Decide(op) => self.explain_payout(op.proposal, changes),
            Operation::RequestRedemption(_) => {
                self.redeemed.extend(redeemed(self.id, changes, None));
            }
            Operation::AnswerRedemption(op) => {
                self.redeemed.extend(redeemed(op.redemption, changes, Some(op.answer)));
            }
            Operation::Settle(_) => {
                if let Some(Some(Row::Settlement(row))) = changes.get(&RowKey::Settlement(self.id))
                {
                    let frozen = row.frozen(self.id);
                    self.redeemed
                        .extend(frozen.filter_map(|(_, id, _)| redeemed(id, changes, None)));
                }
            }
            Operation::AnswerSettlement(op) => {
                let lines = op.lines.iter().map(|index| settlement_line(&op.settlement, *index));
                self.redeemed.extend(lines.filter_map(|id| redeemed(id, changes, Some(op.answer))));
            }
            Operation::RecordCash(op) => self.cash = cash(op, body.sender, changes),
            Operation::RunChunk(op) => self.imports = imports(op.run, changes),
            _ => {}
        }
    }

    /// Who let the payout of a proposal go that is complete now.
    fn explain_payout(&mut self, id: TxId, changes: &Changes) {
        let Some(proposal) = completed(id, self.id, changes) else { return };
        let approves = |c: &&musubi_ledger::state::ProposalConsent| {
            c.side == Side::Debit && c.role == Role::Approver
        };
        self.approval = Some(Approval {
            drafter: proposal.drafter,
            approvers: proposal.consents.iter().filter(approves).map(|c| c.signer).collect(),
        });
    }

    /// Whether it touches a party's wallet, or what the party owes, or tells of cash that it got.
    #[must_use]
    pub fn touches(&self, party: PartyId) -> bool {
        self.cash.is_some_and(|cash| cash.payee == party)
            || self.postings.iter().any(|posting| posting.account == Account::Wallet(party))
            || self.owed.iter().any(|owed| owed.party == party)
    }

    /// What of it redeems one party's claims.
    pub fn redeems(&self, party: PartyId) -> impl Iterator<Item = &Redeemed> {
        self.redeemed.iter().filter(move |redeemed| redeemed.merchant == party)
    }

    /// What it changed of one wallet.
    pub fn of(&self, party: PartyId) -> impl Iterator<Item = &Posting> {
        self.postings.iter().filter(move |posting| posting.account == Account::Wallet(party))
    }
}

fn cash(op: &RecordCash, by: PartyId, changes: &Changes) -> Option<Cash> {
    let Some(Some(Row::Request(request))) = changes.get(&RowKey::Request(op.request)) else {
        return None;
    };
    let RecordCash { request: id, received, evidence } = *op;
    Some(Cash { request: id, payee: request.payee, received, by, evidence })
}

/// Whether a run takes over old balances; its row changes with every chunk.
fn imports(run: TxId, changes: &Changes) -> bool {
    match changes.get(&RowKey::Run(run)) {
        Some(Some(Row::Run(run))) => run.manifest.import.is_some(),
        _ => false,
    }
}

fn redeemed(id: TxId, changes: &Changes, answer: Option<RedemptionAnswer>) -> Option<Redeemed> {
    let Some(Some(Row::Redemption(redemption))) = changes.get(&RowKey::Redemption(id)) else {
        return None;
    };
    Some(Redeemed::new(id, redemption, answer))
}
