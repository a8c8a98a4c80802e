//! What was seen so far: who paid whom, what each transaction came to, what rules did.

use std::collections::BTreeMap;

use musubi_figures::{
    Moves,
    kpi::{self, Counter},
};
use musubi_ledger::{
    code::Code,
    execute::Entry,
    fact::Fact,
    id::{InstrumentId, PartyId, RuleId, TxId},
    leaf::LeafKind,
    outcome::Account,
    party::PartyKind,
    state::{ReadState, Request, Row, RowKey},
};

use crate::{report::StepLine, stage::Seen};

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Between whom how much went, gross.
    pub(super) moved: BTreeMap<(PartyId, PartyId, InstrumentId), i128>,
    pub(super) codes: BTreeMap<Code, i128>,
    pub(super) applied: BTreeMap<String, i128>,
    pub(super) rules: BTreeMap<RuleId, Done>,
    /// Units taken of offers.
    pub(super) taken: BTreeMap<TxId, i128>,
    /// Lines of lists of dues, as they stand.
    pub(super) dues: BTreeMap<TxId, Request>,
    /// ⑦ and ❶ of the key figures.
    pub(super) settlement: Counter,
    pub(super) group_moves: Counter,
}

/// What a rule did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) given: i128,
    pub(super) fired: i128,
    pub(super) capped: i128,
    pub(super) taken_back: i128,
}

impl Observed {
    /// Takes what was executed for a step, the state after it, and what the step's transactions came to.
    pub(crate) fn watch(&mut self, seen: &[Seen], state: &dyn ReadState, line: &StepLine) {
        for seen in seen {
            for (key, row) in &seen.block.changes {
                if let (RowKey::Request(id), Some(Row::Request(request))) = (key, row)
                    && request.list.is_some()
                {
                    self.dues.insert(*id, (**request).clone());
                }
            }
            let entries = seen.block.entries.iter();
            for entry in entries.filter(|entry| entry.leaf.kind == LeafKind::Transaction) {
                self.watch_entry(entry);
                entry.outcome.facts.iter().for_each(|fact| self.watch_fact(fact));
                if entry.leaf.code == Code::Applied {
                    self.count_moves(seen, entry, state);
                }
            }
        }
        for (code, count) in &line.codes {
            *self.codes.entry(*code).or_default() += i128::from(*count);
        }
    }

    pub(crate) fn applied(&mut self, step: &str, count: u64) {
        self.applied.insert(step.to_owned(), i128::from(count));
    }

    /// As reports count them: from the first leaf on, all of it inside the period.
    fn count_moves(&mut self, seen: &Seen, entry: &Entry, state: &dyn ReadState) {
        let item = entry.item.and_then(|at| seen.items.get(at as usize));
        let Some(transaction) = item.and_then(|item| item.transaction.as_ref()) else { return };
        let moves = Moves::of(entry, &transaction.body, &seen.block.changes);
        let kind = |party: PartyId| -> Option<PartyKind> {
            match state.row(&RowKey::Party(party)) {
                Some(Row::Party(party)) => Some(party.kind),
                _ => None,
            }
        };
        if let Some(moved) = &moves.moved {
            let (from, to) = (kind(moved.from), kind(moved.to));
            self.settlement.add(moved, true, kpi::settles(from, to));
            self.group_moves.add(moved, true, kpi::sides(from, to, moves.purpose));
        }
        if let Some(undone) = &moves.undone {
            self.settlement.undo(undone, true);
            self.group_moves.undo(undone, true);
        }
    }

    fn watch_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Rule { id, given, capped, .. } => {
                let done = self.rules.entry(*id).or_default();
                done.given += i128::from(given.0);
                done.fired += i128::from(given.0 > 0);
                done.capped += i128::from(*capped);
            }
            Fact::Unwound { id, taken, short } => {
                let done = self.rules.entry(*id).or_default();
                done.taken_back += i128::from(taken.0) + i128::from(short.0);
            }
            Fact::Taken { offer, units, .. } => {
                *self.taken.entry(*offer).or_default() += i128::from(*units);
            }
            Fact::Coupon { offer, .. } => *self.taken.entry(*offer).or_default() += 1,
            Fact::CouponBack { offer, returned: true, .. } => {
                *self.taken.entry(*offer).or_default() -= 1;
            }
            _ => {}
        }
    }

    /// A wallet that gave and one that got, of one instrument: what is issued, burnt, held or renewed goes between nobody.
    fn watch_entry(&mut self, entry: &Entry) {
        let mut nets: BTreeMap<InstrumentId, BTreeMap<PartyId, i128>> = BTreeMap::new();
        for posting in &entry.outcome.postings {
            if let Account::Wallet(party) = posting.account {
                let of = nets.entry(posting.lot.instrument).or_default();
                *of.entry(party).or_default() += posting.signed();
            }
        }
        for (instrument, nets) in nets {
            let gave: Vec<_> = nets.iter().filter(|(_, net)| **net < 0).collect();
            let got: Vec<_> = nets.iter().filter(|(_, net)| **net > 0).collect();
            // With several on both sides nobody could say who paid whom: rules' shares count for who gave alone.
            if let ([(from, _)], _) = (&gave[..], &got) {
                for (to, net) in got {
                    *self.moved.entry((**from, *to, instrument)).or_default() += net;
                }
            }
        }
    }
}
