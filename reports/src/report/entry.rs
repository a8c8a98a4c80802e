//! One wallet's events as lines: what came in, what went out, for what, with whom.

use std::collections::BTreeMap;

use musubi_ledger::{
    operation::RedemptionAnswer, outcome::Account, state::DueKind, transaction::Purpose,
    wallet::Holding,
};
use musubi_sdk::{InstrumentId, PartyId, Time, TxId};
use serde::Serialize;

use super::{Materials, due};
use crate::{
    names::Named,
    source::{Event, Redeemed, What},
    sum::Sum,
    words,
};

/// What kind of line it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Value was issued into the wallet (チャージ).
    TopUp,
    /// A run granted it (給付).
    Grant,
    /// A balance of another system was taken over (残高引継).
    Import,
    /// Somebody paid, or was paid.
    Payment,
    /// What rules gave, took or passed on beside it.
    Derived,
    /// The payee gave back.
    Refund,
    /// The issuer undid.
    Correction,
    /// It expired.
    Expiry,
    /// A claim waits for being paid out.
    RedemptionAsked,
    /// A claim was paid out.
    RedemptionPaid,
    /// A claim came back.
    RedemptionReturned,
    /// What an offer gives, and its price (引換・購入).
    Offer,
    /// Value that waits for an exchange, was exchanged, or came back.
    Exchange,
    /// A debt to an issuer was repaid out of the wallet.
    Repayment,
    /// A claim was not redeemed in time.
    ClaimLapsed,
    /// Anything else; the line's `what` names it.
    Other,
}

impl Category {
    /// In Japanese.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::TopUp => "チャージ",
            Self::Grant => "給付",
            Self::Import => "残高引継",
            Self::Payment => "支払・受取",
            Self::Derived => "特典・還元・配分",
            Self::Refund => "返金",
            Self::Correction => "訂正",
            Self::Expiry => "失効",
            Self::RedemptionAsked => "換金申請",
            Self::RedemptionPaid => "換金済",
            Self::RedemptionReturned => "換金戻り",
            Self::Offer => "引換・購入",
            Self::Exchange => "交換",
            Self::Repayment => "返済",
            Self::ClaimLapsed => "換金期限切れ（失効）",
            Self::Other => "その他",
        }
    }
}

/// A line of a wallet: one instrument of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When.
    pub time: Time,
    /// The leaf in the log.
    pub leaf: u64,
    /// Its id: the transaction's.
    pub id: TxId,
    /// What kind of line.
    pub category: Category,
    /// The operation, or what became due.
    pub what: String,
    /// What it was for.
    pub purpose: Purpose,
    /// On whose behalf it was paid, by the roster.
    pub on_behalf_of: Option<String>,
    /// With whom; more than the party's own other side is never named.
    pub with: Vec<Named>,
    /// Who drafted a payout.
    pub drafter: Option<Named>,
    /// Who approved it.
    pub approvers: Vec<Named>,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// What came in.
    pub income: Sum,
    /// What went out.
    pub spending: Sum,
    /// What turned from one state into another, neither coming nor going.
    pub turned: Sum,
    /// Of a claim that waits for being paid out, or is paid out: what becomes of it.
    pub payout: Option<Payout>,
    /// What the wallet holds of the instrument afterwards, in all states.
    pub balance: Sum,
}

/// What becomes of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Payout {
    /// Fees take this much.
    pub fees: Sum,
    /// This much pays what the party owed the issuer.
    pub netted: Sum,
    /// The bank pays the rest.
    pub net: Sum,
}

/// All lines of a party's events, with running balances from `opening` on.
#[must_use]
pub fn lines(
    materials: Materials<'_>,
    party: PartyId,
    events: &[&Event],
    opening: &BTreeMap<InstrumentId, i128>,
) -> Vec<Line> {
    let mut balances = opening.clone();
    let mut all = Vec::new();
    for event in events {
        for mut line in of_event(materials, party, event) {
            let balance = balances.entry(line.instrument).or_default();
            *balance += line.income.0 - line.spending.0;
            line.balance = Sum(*balance);
            all.push(line);
        }
    }
    all
}

/// An event's lines: what the two sides moved, and apart from it what rules made of that.
fn of_event(materials: Materials<'_>, party: PartyId, event: &Event) -> Vec<Line> {
    let mut nets: BTreeMap<InstrumentId, (i128, i128)> = BTreeMap::new();
    for posting in event.of(party) {
        let (net, turned) = nets.entry(posting.lot.instrument).or_default();
        *net += posting.signed();
        if posting.holding == Holding::Spendable || posting.signed() < 0 {
            continue;
        }
        *turned += posting.signed();
    }
    let principal = principal(party, event);
    let mut lines = Vec::new();
    for (instrument, (net, turned)) in nets {
        let own = principal.as_ref().map(|sums| sums.get(&instrument).copied().unwrap_or(0));
        let (category, first) = (category(party, event, net), own.unwrap_or(net));
        let line = |category, sum: i128| Line {
            time: event.time,
            leaf: event.index,
            id: event.id,
            category,
            what: what(event),
            purpose: event.purpose,
            on_behalf_of: event.on_behalf_of.map(|line| materials.names.line(line)),
            with: with(materials, party, event, instrument),
            drafter: approval(materials, event).0,
            approvers: approval(materials, event).1,
            instrument,
            income: Sum(sum).above_zero(),
            spending: Sum(sum).below_zero(),
            turned: if net == 0 { Sum(turned) } else { Sum::ZERO },
            payout: payout(party, event, (category, instrument)),
            balance: Sum::ZERO,
        };
        if first != 0 || net == 0 {
            lines.push(line(category, first));
        }
        if net != first {
            lines.push(Line { payout: None, ..line(Category::Derived, net - first) });
        }
    }
    lines
}

/// What the sides of the event themselves moved into and out of the party's wallet; nothing where it is not one of them.
/// None where an event has no sides, or where its postings alone say what went: a correction may find less than it must
/// take.
fn principal(party: PartyId, event: &Event) -> Option<BTreeMap<InstrumentId, i128>> {
    let mut sums: BTreeMap<InstrumentId, i128> = BTreeMap::new();
    let mut add = |from: PartyId, to: PartyId, instrument, amount: u64| {
        let sign = i128::from(to == party) - i128::from(from == party);
        *sums.entry(instrument).or_default() += i128::from(amount) * sign;
    };
    match (&event.moved, &event.undone) {
        (Some(moved), _) => {
            for (lot, amount) in &moved.lots {
                add(moved.from, moved.to, lot.instrument, amount.0);
            }
        }
        (None, Some(undone)) if event.what != What::Operation("correct") => {
            for leg in &undone.legs {
                add(undone.to, undone.from, leg.instrument, leg.amount.0);
            }
        }
        // What fees give a leg comes beside what is paid out.
        (None, None) if event.redeemed.iter().any(is_paid) => {
            for redeemed in &event.redeemed {
                let (merchant, amount) = (redeemed.merchant, i128::from(redeemed.amount.0));
                let sign = -i128::from(merchant == party);
                *sums.entry(redeemed.instrument).or_default() += amount * sign;
            }
        }
        _ => return None,
    }
    Some(sums)
}

fn is_paid(redeemed: &Redeemed) -> bool {
    matches!(redeemed.answer, Some(RedemptionAnswer::Paid { .. }))
}

/// What becomes of a claim of the party's, as its line tells.
fn payout(
    party: PartyId,
    event: &Event,
    (category, instrument): (Category, InstrumentId),
) -> Option<Payout> {
    if !matches!(category, Category::RedemptionAsked | Category::RedemptionPaid) {
        return None;
    }
    let mut own = event.redeems(party).filter(|r| r.instrument == instrument).peekable();
    own.peek()?;
    let zero = Payout { fees: Sum::ZERO, netted: Sum::ZERO, net: Sum::ZERO };
    Some(own.fold(zero, |sums, redeemed| {
        let [gross, fees, netted] =
            [redeemed.amount, redeemed.fees, redeemed.netted].map(|part| i128::from(part.0));
        Payout {
            fees: Sum(sums.fees.0 + fees),
            netted: Sum(sums.netted.0 + netted),
            net: Sum(sums.net.0 + gross - fees - netted),
        }
    }))
}

fn category(party: PartyId, event: &Event, net: i128) -> Category {
    if let Some(redeemed) = event.redeems(party).next() {
        return match (redeemed.answer, event.what) {
            (Some(RedemptionAnswer::Paid { .. }), _) => Category::RedemptionPaid,
            (None, What::Operation(_)) => Category::RedemptionAsked,
            // What comes back when its redemption has ended is gone at once.
            _ if net < 0 => Category::ClaimLapsed,
            _ => Category::RedemptionReturned,
        };
    }
    match (event.what, event.redeemed.is_empty()) {
        (_, false) => Category::Derived,
        (What::Due(DueKind::Lots), _) => Category::Expiry,
        (What::Due(DueKind::Claims), _) => Category::ClaimLapsed,
        (What::Operation("top_up"), _) => Category::TopUp,
        (What::Operation("run_chunk"), _) if event.imports => Category::Import,
        (What::Operation("run_chunk"), _) => Category::Grant,
        (What::Operation("refund"), _) => Category::Refund,
        (What::Operation("correct"), _) => Category::Correction,
        (What::Operation("transfer" | "pay" | "pay_with_coupons" | "propose" | "decide"), _) => {
            Category::Payment
        }
        (What::Operation("take"), _) => Category::Offer,
        (What::Operation("hold" | "answer_hold"), _) | (What::Due(DueKind::Hold), _) => {
            Category::Exchange
        }
        (What::Operation("repay"), _) => Category::Repayment,
        // What was given lapses with the group.
        (What::Operation("close_group"), _) => Category::Expiry,
        _ => Category::Other,
    }
}

fn what(event: &Event) -> String {
    match event.what {
        What::Operation(name) => name.into(),
        What::Due(kind) => due(kind).into(),
    }
}

/// The other side. Who is no side of the event sees the issuer alone: how a payment was shared is its sides' affair.
fn with(
    materials: Materials<'_>,
    party: PartyId,
    event: &Event,
    instrument: InstrumentId,
) -> Vec<Named> {
    let moved = event.moved.as_ref().map(|m| (m.from, m.to));
    let sides = moved.or(event.undone.as_ref().map(|u| (u.from, u.to)));
    let others = match sides {
        Some((from, to)) if from == party => vec![to],
        Some((from, to)) if to == party => vec![from],
        _ => {
            let of = event.postings.iter().filter(|p| p.lot.instrument == instrument);
            let issuers = of.filter_map(|posting| match posting.account {
                Account::Issuance(issuer) => Some(issuer),
                Account::Wallet(_) => None,
            });
            let mut issuers: Vec<PartyId> = issuers.collect();
            issuers.sort_unstable();
            issuers.dedup();
            issuers
        }
    };
    others.into_iter().map(|other| materials.names.of(other)).collect()
}

fn approval(materials: Materials<'_>, event: &Event) -> (Option<Named>, Vec<Named>) {
    let named = |party: &PartyId| materials.names.of(*party);
    match &event.approval {
        Some(approval) => {
            (approval.drafter.as_ref().map(named), approval.approvers.iter().map(named).collect())
        }
        None => (None, Vec::new()),
    }
}

impl Line {
    /// What it was, in Japanese: kind and purpose.
    #[must_use]
    pub fn words(&self) -> String {
        let kind = match (self.category, self.income.is_zero(), self.spending.is_zero()) {
            (Category::Payment, false, _) => "受取",
            (Category::Payment, _, false) => "支払",
            (Category::Exchange, ..) if self.what == "answer_hold" => match self.spending.is_zero()
            {
                true => "交換戻り",
                false => "交換済",
            },
            (Category::Exchange, ..) if self.what == "hold" => "交換申込",
            (Category::Exchange, ..) => "交換期限切れ",
            (Category::Other, ..) => match words::operation(&self.what) {
                Some(name) => name,
                None => return format!("その他（{}）", self.what),
            },
            (category, ..) => category.word(),
        };
        match words::purpose(self.purpose) {
            none if none.is_empty() => kind.into(),
            purpose => format!("{kind}（{purpose}）"),
        }
    }

    /// Names of the other side and on whose behalf, in one cell.
    #[must_use]
    pub fn with_words(&self) -> String {
        let names: Vec<&str> = self.with.iter().map(|named| named.name.as_str()).collect();
        let names = names.join("、");
        match &self.on_behalf_of {
            Some(line) => format!("{names}（{line} 分）"),
            None => names,
        }
    }

    /// Who drafted and approved a payout, and what turned from one state into another.
    #[must_use]
    pub fn remark(&self, decimals: u8) -> String {
        let mut parts = Vec::new();
        if let Some(drafter) = &self.drafter {
            parts.push(format!("起案 {}", drafter.name));
        }
        if !self.approvers.is_empty() {
            let names: Vec<&str> = self.approvers.iter().map(|n| n.name.as_str()).collect();
            parts.push(format!("承認 {}", names.join("・")));
        }
        if let Some(Payout { fees, netted, net }) = self.payout {
            let taken = [("手数料", fees), ("相殺", netted)];
            let taken = taken.into_iter().filter(|(_, sum)| !sum.is_zero());
            parts.extend(taken.map(|(word, sum)| format!("{word} {}", sum.grouped(decimals))));
            let word =
                if self.category == Category::RedemptionPaid { "振込" } else { "振込予定" };
            parts.push(format!("{word} {}", net.grouped(decimals)));
        }
        if !self.turned.is_zero() {
            parts.push(format!("{} を振替", self.turned.grouped(decimals)));
        }
        parts.join(" ")
    }
}
