//! What merchants are to be paid: redemptions that wait for the issuer at a cut-off, those of one settlement that wait, or
//! those that it has confirmed in a period; one line per merchant, in yen. It becomes a bank's file with account details from
//! a file beside the ledger.

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{
    operation::RedemptionAnswer,
    state::{Redemption, RedemptionStatus},
    wallet::Holding,
};
use musubi_sdk::{Day, InstrumentId, PartyId, Time, TxId};
use serde::Serialize;

use super::{Document, Materials, Rest, Unit, framed, unused::as_text};
use crate::{
    error::{Mismatch, ReportError, Whose},
    names::Named,
    period::Period,
    sheet::{Cell, Column, Sheet, Table},
    source::{Redeemed, Rows, Scope, Source, check::check_sum},
    sum::Sum,
};

/// Which redemptions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Asked for and not answered at the end of the day.
    Waiting {
        /// The cut-off: 24:00 of this day.
        #[serde(serialize_with = "as_text")]
        cut_off: Day,
    },
    /// Confirmed as paid out in a period.
    Paid(Period),
    /// Lines of one settlement that wait at the log's end.
    Settlement {
        /// Which.
        id: TxId,
    },
}

/// What merchants are to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settlement {
    /// Which redemptions.
    pub which: Which,
    /// What it rests on.
    pub rest: Rest,
    /// One line per merchant.
    pub lines: Vec<Payout>,
    /// All lines, in yen.
    pub total_yen: Sum,
}

/// A merchant's line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payout {
    /// Who is paid.
    pub merchant: Named,
    /// How much, in yen.
    pub amount_yen: Sum,
    /// Its parts.
    pub parts: Vec<Part>,
}

/// One redemption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The redemption.
    pub redemption: TxId,
    /// The settlement that it is a line of.
    pub of: Option<LineOf>,
    /// Of which instrument.
    pub unit: Unit,
    /// The claim, in its unit.
    pub amount: Sum,
    /// What of it fees take, by rules of the moment in which it was asked for.
    pub fees: Sum,
    /// What of it pays what the merchant owed.
    pub netted: Sum,
    /// What is paid out: the rest, in yen.
    pub amount_yen: Sum,
}

/// A line of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LineOf {
    /// The settlement.
    pub settlement: TxId,
    /// The line's place: what an answer names.
    pub line: u32,
}

impl Which {
    /// Its end; none where it is the log's.
    #[must_use]
    pub fn until(self) -> Option<Time> {
        match self {
            Self::Waiting { cut_off } => Some(cut_off.next().begin()),
            Self::Paid(period) => Some(period.until()),
            Self::Settlement { .. } => None,
        }
    }

    /// What of a record it needs.
    #[must_use]
    pub fn scope(self) -> Scope {
        match (self, self.until()) {
            (Self::Paid(period), _) => Scope::span(period.from(), period.until()),
            (_, Some(until)) => Scope::span(until, until),
            (_, None) => Scope { instants: BTreeSet::new(), ..Scope::span(Time::ZERO, Time::ZERO) },
        }
    }
}

/// Makes it. The source's scope must be [`Which::scope`], or more.
///
/// # Errors
/// If the log has not reached the end; if there is no such settlement; if a claim is no whole number of yen;
/// [`ReportError::Totals`] if merchants do not hold what waits.
pub fn make(materials: Materials<'_>, which: Which) -> Result<Settlement, ReportError> {
    let source = materials.source;
    let until = which.until().unwrap_or(source.basis.time);
    if !source.reaches(until) {
        let what = format!("the log ends at {}, before the cut-off", source.basis.time);
        return Err(ReportError::asked("too_early", what, "ask again when that day is over"));
    }
    let found = match which {
        Which::Waiting { .. } => waiting(source.at(until), |_| true)?,
        Which::Paid(period) => paid(source, period)?,
        Which::Settlement { id } => of_settlement(source, id)?,
    };
    let places = places(source.end());
    let mut lines: BTreeMap<PartyId, Payout> = BTreeMap::new();
    for Found { merchant, redemption, instrument, amount, fees, netted } in found {
        let unit = Unit::of(source, instrument);
        let yen = whole_yen(&unit, amount - fees - netted)?;
        let empty = || {
            let merchant = materials.names.of(merchant);
            Payout { merchant, amount_yen: Sum::ZERO, parts: Vec::new() }
        };
        let line = lines.entry(merchant).or_insert_with(empty);
        line.amount_yen += Sum(yen);
        let (amount, fees, netted) = (Sum(amount), Sum(fees), Sum(netted));
        let (of, amount_yen) = (places.get(&redemption).copied(), Sum(yen));
        line.parts.push(Part { redemption, of, unit, amount, fees, netted, amount_yen });
    }
    let lines: Vec<Payout> = lines.into_values().collect();
    let total_yen = lines.iter().map(|line| line.amount_yen).sum();
    Ok(Settlement { which, rest: Rest::new(source, until), lines, total_yen })
}

/// A redemption that counts.
struct Found {
    merchant: PartyId,
    redemption: TxId,
    instrument: InstrumentId,
    amount: i128,
    fees: i128,
    netted: i128,
}

impl From<&Redeemed> for Found {
    fn from(redeemed: &Redeemed) -> Self {
        let Redeemed { id: redemption, merchant, instrument, .. } = *redeemed;
        let [amount, fees, netted] =
            [redeemed.amount, redeemed.fees, redeemed.netted].map(|part| i128::from(part.0));
        Self { merchant, redemption, instrument, amount, fees, netted }
    }
}

/// Which redemption is which line of which settlement.
fn places(rows: &Rows) -> BTreeMap<TxId, LineOf> {
    let of = |(settlement, row): (TxId, &musubi_ledger::settlement::Settlement)| {
        let frozen = row.frozen(settlement);
        frozen.map(|(line, id, _)| (id, LineOf { settlement, line })).collect::<Vec<_>>()
    };
    rows.settlements().flat_map(of).collect()
}

/// What waits of a settlement's lines.
fn of_settlement(source: &Source, settlement: TxId) -> Result<Vec<Found>, ReportError> {
    let rows = source.end();
    let Some(row) = rows.settlement(settlement) else {
        let what = format!("no settlement {settlement} is on this ledger");
        let next = "name the id under which `musubi settle open` was committed";
        return Err(ReportError::asked("unknown_settlement", what, next));
    };
    let lines: BTreeSet<TxId> = row.frozen(settlement).map(|(_, id, _)| id).collect();
    waiting(rows, |id| lines.contains(&id))
}

/// What waits of those that are wanted; each merchant's wallet holds all that waits, lot by lot.
fn waiting(rows: &Rows, wanted: impl Fn(TxId) -> bool) -> Result<Vec<Found>, ReportError> {
    let mut found = Vec::new();
    let mut held = BTreeMap::new();
    let open = |(_, redemption): &(TxId, &Redemption)| redemption.status == RedemptionStatus::Open;
    for (id, redemption) in rows.redemptions().filter(open) {
        for (lot, amount) in &redemption.lots {
            *held.entry((redemption.merchant, *lot)).or_insert(0) += i128::from(amount.0);
        }
        if wanted(id) {
            found.push(Found::from(&Redeemed::new(id, redemption, None)));
        }
    }
    for ((merchant, lot), postings) in held {
        let of_lot = rows.wallet(merchant).and_then(|w| w.lots.iter().find(|b| b.lot == lot));
        let state = of_lot.map_or(0, |balance| i128::from(balance.amount(Holding::Held).0));
        // Other things may be on hold beside it; never less.
        if state < postings {
            let (whose, instrument) = (Whose::Wallet(merchant), lot.instrument);
            return Err(Mismatch { whose, instrument, postings, state }.into());
        }
    }
    Ok(found)
}

/// What the issuer confirmed; as much left the merchant's wallet.
fn paid(source: &Source, period: Period) -> Result<Vec<Found>, ReportError> {
    let mut found = Vec::new();
    let events = source.events.iter().filter(|event| period.holds(event.time));
    // An event redeems once for each merchant: a settlement's lines ascend by them.
    for (event, redeemed) in events.flat_map(|e| e.redeemed.iter().map(move |r| (e, r))) {
        if !matches!(redeemed.answer, Some(RedemptionAnswer::Paid { .. })) {
            continue;
        }
        let part = Found::from(redeemed);
        let held = event.of(part.merchant).filter(|posting| posting.holding == Holding::Held);
        let left: i128 = held.map(|posting| -posting.signed()).sum();
        check_sum("parts", part.instrument, part.amount, left)?;
        found.push(part);
    }
    Ok(found)
}

fn whole_yen(unit: &Unit, amount: i128) -> Result<i128, ReportError> {
    let scaled = amount * i128::from(unit.face);
    if scaled % 10_i128.pow(unit.decimals.into()) == 0 {
        return Ok(unit.yen(amount));
    }
    let what = format!(
        "a claim of {} {} is no whole number of yen",
        Sum(amount).plain(unit.decimals),
        unit.instrument
    );
    let next = "have claims of whole yen redeemed: banks move nothing smaller";
    Err(ReportError::asked("not_whole_yen", what, next))
}

impl Document for Settlement {
    fn sheet(&self) -> Sheet {
        let columns = vec![
            Column::words("加盟店", 26),
            Column::words("種類", 10),
            Column::figures("請求額", 14),
            Column::figures("手数料", 12),
            Column::figures("相殺", 12),
            Column::figures("振込額（円）", 14),
            Column::words("換金番号", 18),
            Column::words("精算番号", 18),
        ];
        let mut parts = Table::new("parts", "換金明細", columns);
        let columns = vec![
            Column::words("加盟店", 30),
            Column::figures("件数", 8),
            Column::figures("振込額（円）", 16),
        ];
        let mut lines = Table::new("lines", "加盟店別振込額", columns);
        for line in &self.lines {
            let name = &line.merchant.name;
            let count = Cell::Count(line.parts.len() as u64);
            lines.push(vec![Cell::text(name.clone()), count, Cell::Sum(line.amount_yen, 0)]);
            for part in &line.parts {
                parts.push(vec![
                    Cell::text(name.clone()),
                    Cell::text(part.unit.instrument.to_string()),
                    Cell::Sum(part.amount, part.unit.decimals),
                    Cell::unless_zero(part.fees, part.unit.decimals),
                    Cell::unless_zero(part.netted, part.unit.decimals),
                    Cell::Sum(part.amount_yen, 0),
                    Cell::text(part.redemption.to_string()[..16].to_owned()),
                    Cell::text(part.of.map_or_else(String::new, |of| {
                        format!("{}-{}", &of.settlement.to_string()[..12], of.line)
                    })),
                ]);
            }
        }
        let (title, which, period) = match self.which {
            Which::Waiting { cut_off } => {
                ("換金精算書（支払予定）", format!("{cut_off} 24:00 現在で未払の申請"), None)
            }
            Which::Paid(period) => {
                ("換金精算書（支払済）", "支払が確認された申請".into(), Some(period))
            }
            Which::Settlement { id } => {
                ("換金精算書（支払予定）", format!("精算 {id} の未払分"), None)
            }
        };
        let total = format!("{} 円（{} 件）", self.total_yen.grouped(0), self.lines.len());
        let sheet = Sheet {
            title: title.into(),
            facts: vec![("対象".into(), which), ("振込合計".into(), total)],
            tables: vec![lines, parts],
            notes: Vec::new(),
        };
        framed(sheet, period, &self.rest)
    }
}
