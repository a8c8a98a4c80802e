//! Dues matched to members: paid out of wallets, in cash, not yet.

use std::collections::BTreeMap;

use musubi_ledger::transaction::Purpose;
use musubi_sdk::InstrumentId;
use serde::Serialize;

use super::{Asked, InCash, answers_dues, paid_for};
use crate::{
    report::{Category, Line, Materials},
    source::Event,
    sum::Sum,
};

/// Dues of one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dues {
    /// Whose dues they are: the member of the line that was paid, the roster line for whom it was paid, or else who paid.
    pub member: String,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// How many payments out of wallets.
    pub count: u64,
    /// How much they were, refunds taken off.
    pub amount: Sum,
    /// How much came in cash, mistaken records taken off: no part of any balance.
    pub cash: Sum,
    /// How much is unpaid at the end of the period.
    pub unpaid: Sum,
}

/// Dues by member, from a payee's lines, what it asked for, and what came in cash.
#[must_use]
pub fn by_member(
    materials: Materials<'_>,
    lines: &[Line],
    asked: &[Asked],
    cash: &[InCash],
) -> Vec<Dues> {
    let mut all = Members::default();
    let kinds = [Category::Payment, Category::Refund];
    for line in lines.iter().filter(|line| kinds.contains(&line.category)) {
        let Some((event, payment)) = behind(materials, line) else { continue };
        let dues = |event: &Event| event.purpose == Purpose::DUES || answers_dues(materials, event);
        if !dues(event) && !payment.is_some_and(dues) {
            continue;
        }
        // A refund goes to who paid, and is taken off the dues of whom it was for.
        let payer = || line.with.first().map(|named| named.name.clone());
        let member = payment.and_then(|payment| paid_for(materials, payment)).or_else(payer);
        let entry = all.of(member.unwrap_or_default(), line.instrument);
        entry.count += u64::from(line.category == Category::Payment);
        entry.amount += line.income - line.spending;
    }
    for record in cash {
        all.of(record.member.clone(), record.instrument).cash += record.amount;
    }
    for line in asked.iter().filter(|line| line.standing.open()) {
        all.of(line.member.clone(), line.instrument).unpaid += line.amount;
    }
    all.0.into_values().collect()
}

/// A line's event, and the payment that it is or undoes, if the source has it.
fn behind<'m>(materials: Materials<'m>, line: &Line) -> Option<(&'m Event, Option<&'m Event>)> {
    let events = &materials.source.events;
    let at = events.binary_search_by_key(&line.leaf, |event| event.index).ok()?;
    let event = &events[at];
    let Some(undone) = &event.undone else { return Some((event, Some(event))) };
    let is_it = |event: &&Event| event.moved.as_ref().is_some_and(|m| m.id == undone.original);
    Some((event, events[..at].iter().rev().find(is_it)))
}

#[derive(Default)]
struct Members(BTreeMap<(String, InstrumentId), Dues>);

impl Members {
    fn of(&mut self, member: String, instrument: InstrumentId) -> &mut Dues {
        self.0.entry((member.clone(), instrument)).or_insert_with(|| Dues {
            member,
            instrument,
            count: 0,
            amount: Sum::ZERO,
            cash: Sum::ZERO,
            unpaid: Sum::ZERO,
        })
    }
}
