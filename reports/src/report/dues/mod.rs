//! Lists of dues as the payee's books show them: who was asked for how much, how each line was settled, and what came in
//! cash, which is no part of any balance.

mod member;
mod tables;

use std::collections::BTreeMap;

use musubi_ledger::{
    operation::Member,
    state::{Request, RequestStatus},
    transaction::Purpose,
};
use musubi_sdk::{DocumentHash, InstrumentId, PartyId, Time, TxId};
use serde::Serialize;

pub use self::{
    member::{Dues, by_member},
    tables::{asked_table, cash_table, dues_table},
};
use super::Materials;
use crate::{
    names::{Named, Names},
    period::Period,
    source::Event,
    sum::Sum,
};

/// A line of a list: settled in the period, or unpaid at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The line's payment request.
    pub request: TxId,
    /// Whose dues they are.
    pub member: String,
    /// What for.
    pub purpose: Purpose,
    /// Until when it was to be paid.
    pub due: Time,
    /// In which instrument.
    pub instrument: InstrumentId,
    /// How much.
    pub amount: Sum,
    /// How it stands at the end of the period.
    pub standing: Standing,
    /// When it was settled.
    pub settled: Option<Time>,
    /// Who paid it out of a wallet.
    pub payer: Option<Named>,
}

/// How a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Unpaid, past its time.
    Overdue,
    /// Unpaid, its time has not come.
    Unpaid,
    /// Paid out of a wallet.
    Paid,
    /// Paid in cash.
    Cash,
}

impl Standing {
    /// In Japanese.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Overdue => "未納（期限超過）",
            Self::Unpaid => "未納",
            Self::Paid => "納入済",
            Self::Cash => "現金で納入済",
        }
    }

    /// Whether it is still to be paid.
    #[must_use]
    pub fn open(self) -> bool {
        matches!(self, Self::Overdue | Self::Unpaid)
    }
}

/// A record of cash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InCash {
    /// When it was recorded.
    pub time: Time,
    /// The transaction that records it.
    pub id: TxId,
    /// The payment request that it settles.
    pub request: TxId,
    /// Whose dues they are.
    pub member: String,
    /// What for.
    pub purpose: Purpose,
    /// In which instrument it was asked for.
    pub instrument: InstrumentId,
    /// How much; below zero where an earlier record was a mistake.
    pub amount: Sum,
    /// Who recorded it.
    pub by: Named,
    /// Hash of what shows it.
    pub evidence: DocumentHash,
}

/// What a line is called by: its member's name.
fn member(names: &Names, request: &Request) -> String {
    match request.member {
        Some(Member::Party(party)) => names.of(party).name,
        Some(Member::Roster(line)) => names.line(line),
        None => request.payer.map(|party| names.of(party).name).unwrap_or_default(),
    }
}

/// The member for whom a payment was: whose line it answers, else the roster line that it names, else who paid.
fn paid_for(materials: Materials<'_>, event: &Event) -> Option<String> {
    let asked = event.answers.and_then(|id| materials.source.end().due(id));
    let named = event.on_behalf_of.map(|line| materials.names.line(line));
    let payer = || event.moved.as_ref().map(|moved| materials.names.of(moved.from).name);
    asked.map(|request| member(materials.names, request)).or(named).or_else(payer)
}

/// Whether a payment answers a line of a list.
fn answers_dues(materials: Materials<'_>, event: &Event) -> bool {
    event.answers.is_some_and(|id| materials.source.end().due(id).is_some())
}

fn within(period: Period, event: &Event) -> bool {
    (period.from()..period.until()).contains(&event.time)
}

/// The lines of a payee's lists that were settled in the period or are unpaid at its end, by due time and member.
#[must_use]
pub fn asked(materials: Materials<'_>, payee: PartyId, period: Period) -> Vec<Asked> {
    let Materials { source, names } = materials;
    let mut settled: BTreeMap<TxId, &Event> = BTreeMap::new();
    for event in source.events.iter().filter(|event| within(period, event)) {
        let cash = event.cash.filter(|cash| cash.received).map(|cash| cash.request);
        let paid = event.answers.filter(|_| event.moved.is_some());
        if let Some(request) = cash.or(paid) {
            settled.insert(request, event);
        }
    }
    // Where the log ends before the period does, nothing is overdue that is not so now.
    let now = period.until().min(source.basis.time);
    let lines = source.at(period.until()).dues().filter(|(_, request)| request.payee == payee);
    let mut all = Vec::new();
    for (id, request) in lines {
        let event = settled.get(&id).copied();
        let standing = match request.status {
            RequestStatus::Open | RequestStatus::Expired if request.due <= now => Standing::Overdue,
            RequestStatus::Open | RequestStatus::Expired => Standing::Unpaid,
            RequestStatus::Answered(_) if event.is_some() => Standing::Paid,
            RequestStatus::Cash(_) if event.is_some() => Standing::Cash,
            RequestStatus::Answered(_) | RequestStatus::Cash(_) | RequestStatus::Withdrawn => {
                continue;
            }
        };
        let event = event.filter(|_| !standing.open());
        let payer = event.and_then(|event| event.moved.as_ref()).map(|moved| names.of(moved.from));
        all.extend(request.legs.iter().map(|leg| Asked {
            request: id,
            member: member(names, request),
            purpose: request.purpose,
            due: request.due,
            instrument: leg.instrument,
            amount: Sum(leg.amount.0.into()),
            standing,
            settled: event.map(|event| event.time),
            payer: payer.clone(),
        }));
    }
    all.sort_by(|a, b| (a.due, &a.member, a.request).cmp(&(b.due, &b.member, b.request)));
    all
}

/// What came to a payee in cash in the period, as it was recorded.
#[must_use]
pub fn in_cash(materials: Materials<'_>, payee: PartyId, period: Period) -> Vec<InCash> {
    let Materials { source, names } = materials;
    let mut all = Vec::new();
    for event in source.events.iter().filter(|event| within(period, event)) {
        let Some(cash) = event.cash.filter(|cash| cash.payee == payee) else { continue };
        let Some(request) = source.end().due(cash.request) else { continue };
        let sign = if cash.received { 1 } else { -1 };
        all.extend(request.legs.iter().map(|leg| InCash {
            time: event.time,
            id: event.id,
            request: cash.request,
            member: member(names, request),
            purpose: request.purpose,
            instrument: leg.instrument,
            amount: Sum(sign * i128::from(leg.amount.0)),
            by: names.of(cash.by),
            evidence: cash.evidence,
        }));
    }
    all
}
