//! One block's sequential pass: what became due, then item after item.

use super::{CheckedItem, Entry, ItemResult};
use crate::{
    code::{Code, Standing},
    hash::Hash,
    id::TxId,
    judge::{self, Clock},
    leaf::{Leaf, LeafKind, SystemCause},
    limits,
    operation::Operation,
    state::{Judged, Overlay, Row, RowKey, Settled},
    transaction::Transaction,
};

/// What a block's pass has gathered so far.
pub(super) struct Pass {
    pub(super) entries: Vec<Entry>,
    pub(super) items: Vec<ItemResult>,
    pub(super) overdue: bool,
    /// The batch is a recovery in its place.
    pub(super) recovery: bool,
}

impl Pass {
    pub(super) fn system_leaves(&mut self, state: &mut Overlay<'_>, clock: Clock) {
        let due = state.base().due(clock.time, limits::SYSTEM_LEAVES_MAX + 1);
        self.overdue = due.len() > limits::SYSTEM_LEAVES_MAX;
        for key in due.into_iter().take(limits::SYSTEM_LEAVES_MAX) {
            let RowKey::Due(deadline, kind, cause) = key.clone() else {
                panic!("a due scan returns due keys, not {key:?}");
            };
            let (outcome, parties) = judge::act_on_due(state, kind, cause, clock.time);
            outcome.assert_balanced();
            state.remove(key);
            state.keep();
            let due = SystemCause { kind, cause, deadline };
            let (id, salt) = (due.id(), due.salt());
            let leaf =
                clock.leaf(LeafKind::System, id, Code::Applied, [0; 32], outcome.hash(&salt));
            let index = clock.first_leaf + self.entries.len() as u64;
            let due = Some(due);
            self.entries.push(Entry { index, leaf, outcome, salt, parties, item: None, due });
        }
    }

    /// Whether this is a recovery where none may stand, and nothing that comes before that is wrong with it. Void, so
    /// that nobody burns it by ordering it early.
    fn out_of_place(&self, transaction: &Transaction, code: Code) -> bool {
        let is_recovery = matches!(transaction.body.operation, Operation::BeginEpoch(_));
        let earlier = code != Code::Applied && code < Code::OutOfPlace;
        is_recovery && !self.recovery && !earlier
    }

    pub(super) fn item(
        &mut self,
        state: &mut Overlay<'_>,
        clock: Clock,
        position: usize,
        item: &CheckedItem,
    ) {
        let index = clock.first_leaf + self.entries.len() as u64;
        let judged = match (&item.transaction, item.fault) {
            (Some(transaction), None) => {
                judge::judge(state, transaction, (item.id, &item.fit), clock)
            }
            (_, fault) => judge::Judgement::void(fault.unwrap_or(Code::Malformed)),
        };
        let judged = match &item.transaction {
            Some(transaction) if self.out_of_place(transaction, judged.code) => {
                judge::Judgement::void(Code::OutOfPlace)
            }
            _ => judged,
        };
        let code = judged.code;
        let (Standing::Applied | Standing::Rejected, Some(transaction)) =
            (judged.standing, &item.transaction)
        else {
            state.drop_item();
            self.items.push(ItemResult { id: item.id, code, leaf: None });
            return;
        };
        if code == Code::Applied {
            judged.outcome.assert_balanced();
        } else {
            state.drop_item();
        }
        bind(state, transaction, item.id, clock, index, code, judged.settled);
        state.keep();
        let salt = transaction.body.salt;
        let hash = judged.outcome.hash(&salt);
        let signatures = item.signatures;
        let leaf = clock.leaf(LeafKind::Transaction, item.id, code, signatures, hash);
        let parties = judge::parties_of(transaction, &judged.outcome);
        self.items.push(ItemResult { id: item.id, code, leaf: Some(index) });
        let item = Some(u32::try_from(position).expect("batches are far smaller"));
        let outcome = judged.outcome;
        self.entries.push(Entry { index, leaf, outcome, salt, parties, item, due: None });
    }
}

impl Clock {
    fn leaf(self, kind: LeafKind, id: TxId, code: Code, signatures: Hash, outcome: Hash) -> Leaf {
        Leaf { kind, height: self.height, time: self.time, id, code, signatures, outcome }
    }
}

/// Binds id and reference to the verdict, for ever (INV-3): the reference's row stands for both, since no
/// other id has this sender and reference.
fn bind(
    state: &mut Overlay<'_>,
    transaction: &Transaction,
    id: TxId,
    clock: Clock,
    leaf: u64,
    code: Code,
    settled: Option<Settled>,
) {
    let body = &transaction.body;
    let reference = RowKey::Reference(body.sender, body.reference.clone());
    assert!(state.get(&reference).is_none(), "INV-3: {id} is judged once");
    let Clock { height, time, .. } = clock;
    state.put_judged(id, Judged { code, height, time, leaf, settled });
    state.put(reference, Row::Reference(id));
}

/// Extends the leaf count and running hash of every wallet that a leaf's postings touched.
pub(super) fn touch_wallets(state: &mut Overlay<'_>, entries: &[Entry]) {
    for entry in entries {
        let leaf = entry.leaf.bytes();
        for party in entry.outcome.wallets() {
            let Row::Wallet(wallet) = state.written(&RowKey::Wallet(party)) else {
                panic!("a posting's wallet is a wallet: {party}");
            };
            wallet.touch(&leaf, &entry.salt);
        }
    }
}
