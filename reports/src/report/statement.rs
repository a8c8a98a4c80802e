//! The statement of one wallet: a member's, a group's or a merchant's. Opening and closing are the ledger's own
//! wallets at the period's two ends; the lines between them add up to the difference, lot by lot.

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{
    lot::{Lot, OriginKind},
    party::PartyKind,
    wallet::{Holding, Wallet},
};
use musubi_sdk::{Amount, InstrumentId, PartyId, Time};
use serde::Serialize;

use super::{Category, Document, Line, Materials, Rest, Unit, framed, lines, units};
use crate::{
    error::ReportError,
    names::Named,
    period::Period,
    sheet::{Cell, Column, Sheet, Table, minute},
    source::{
        Event,
        check::{balances, check_sum, check_wallet},
    },
    sum::Sum,
    words,
};

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Whose.
    pub party: Named,
    /// What it is.
    pub kind: PartyKind,
    /// Which days.
    pub period: Period,
    /// What it rests on.
    pub rest: Rest,
    /// The instruments that occur.
    pub units: Vec<Unit>,
    /// What the wallet held before.
    pub opening: Vec<Held>,
    /// What happened.
    pub lines: Vec<Line>,
    /// Sums of the lines by kind.
    pub totals: Vec<Total>,
    /// What the wallet holds afterwards.
    pub closing: Vec<Held>,
    /// What the party owes issuers afterwards.
    pub owes: Vec<Owes>,
}

/// What a wallet holds of one lot in one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Paid, free or grant.
    pub origin: OriginKind,
    /// Until when it can be spent; exclusive.
    pub use_expiry: Option<Time>,
    /// In which state.
    pub holding: Holding,
    /// How much.
    pub amount: Sum,
}

/// The lines of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Which kind.
    pub category: Category,
    /// How many lines.
    pub count: u64,
    /// What came in.
    pub income: Sum,
    /// What went out.
    pub spending: Sum,
}

/// What a party owes an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owes {
    /// Value of which instrument.
    pub instrument: InstrumentId,
    /// How much.
    pub amount: Amount,
}

/// Makes the statement of a party. The source's scope must hold the period's ends and the party's events.
///
/// # Errors
/// If there is no such party; [`ReportError::Totals`] if the lines do not add up.
pub fn make(
    materials: Materials<'_>,
    party: PartyId,
    period: Period,
) -> Result<Statement, ReportError> {
    let source = materials.source;
    let kind = source.party(party)?.kind;
    let (before, after) = (source.at(period.from()), source.at(period.until()));
    let (opening, closing) = (before.wallet(party), after.wallet(party));
    let own = |event: &&Event| period.holds(event.time) && event.touches(party);
    let events: Vec<&Event> = source.events.iter().filter(own).collect();
    check_wallet(party, opening, events.iter().flat_map(|e| &e.postings), closing)?;
    let lines = lines(materials, party, &events, &by_instrument(opening));
    check_lines(&lines, &by_instrument(opening), &by_instrument(closing))?;
    let occurring: BTreeSet<InstrumentId> = lines
        .iter()
        .map(|line| line.instrument)
        .chain(by_instrument(opening).into_keys())
        .chain(by_instrument(closing).into_keys())
        .collect();
    Ok(Statement {
        party: materials.names.of(party),
        kind,
        period,
        rest: Rest::new(source, period.until()),
        units: units(source, occurring).into_values().collect(),
        opening: held(opening),
        totals: totals(&lines),
        lines,
        closing: held(closing),
        owes: after
            .receivables(party)
            .map(|(instrument, amount)| Owes { instrument, amount })
            .collect(),
    })
}

/// What a wallet holds of each instrument, in all states.
pub(crate) fn by_instrument(wallet: Option<&Wallet>) -> BTreeMap<InstrumentId, i128> {
    let mut sums = BTreeMap::new();
    for ((lot, _), sum) in balances(wallet) {
        *sums.entry(lot.instrument).or_default() += sum;
    }
    sums
}

/// The lines, as they are printed, lead from opening to closing.
pub(crate) fn check_lines(
    lines: &[Line],
    opening: &BTreeMap<InstrumentId, i128>,
    closing: &BTreeMap<InstrumentId, i128>,
) -> Result<(), ReportError> {
    let mut sums = opening.clone();
    for line in lines {
        *sums.entry(line.instrument).or_default() += line.income.0 - line.spending.0;
    }
    for instrument in sums.keys().chain(closing.keys()) {
        let of = |sums: &BTreeMap<_, i128>| sums.get(instrument).copied().unwrap_or_default();
        check_sum("lines", *instrument, of(&sums), of(closing))?;
    }
    Ok(())
}

fn held(wallet: Option<&Wallet>) -> Vec<Held> {
    let one = |((lot, holding), sum): ((Lot, Holding), i128)| Held {
        instrument: lot.instrument,
        origin: lot.origin,
        use_expiry: lot.use_expiry,
        holding,
        amount: Sum(sum),
    };
    balances(wallet).into_iter().map(one).collect()
}

fn totals(lines: &[Line]) -> Vec<Total> {
    let mut totals: BTreeMap<(InstrumentId, Category), Total> = BTreeMap::new();
    for line in lines {
        let (instrument, category) = (line.instrument, line.category);
        let empty =
            Total { instrument, category, count: 0, income: Sum::ZERO, spending: Sum::ZERO };
        let total = totals.entry((instrument, category)).or_insert(empty);
        total.count += 1;
        total.income += line.income;
        total.spending += line.spending;
    }
    totals.into_values().collect()
}

impl Statement {
    fn decimals(&self, instrument: InstrumentId) -> u8 {
        self.units.iter().find(|unit| unit.instrument == instrument).map_or(0, |unit| unit.decimals)
    }

    fn lines_table(&self) -> Table {
        let places = |line: &Line| self.decimals(line.instrument);
        Table::of(
            "lines",
            "明細",
            &self.lines,
            vec![
                (Column::words("日時", 19), &|line| Cell::Time(line.time)),
                (Column::words("内容", 18), &|line| Cell::text(line.words())),
                (Column::words("相手", 20), &|line| Cell::text(line.with_words())),
                (Column::words("種類", 9), &|line| Cell::text(line.instrument.to_string())),
                (Column::figures("入", 11), &|line| Cell::unless_zero(line.income, places(line))),
                (Column::figures("出", 11), &|line| {
                    Cell::unless_zero(line.spending, places(line))
                }),
                (Column::figures("残高", 12), &|line| Cell::Sum(line.balance, places(line))),
                (Column::words("備考", 20), &|line| Cell::text(line.remark(places(line)))),
                (Column::words("取引番号", 12), &|line| {
                    Cell::text(line.id.to_string()[..12].to_owned())
                }),
            ],
        )
    }

    fn totals_table(&self) -> Table {
        let places = |total: &Total| self.decimals(total.instrument);
        Table::of(
            "totals",
            "区分別合計",
            &self.totals,
            vec![
                (Column::words("種類", 9), &|total| Cell::text(total.instrument.to_string())),
                (Column::words("区分", 20), &|total| Cell::text(total.category.word())),
                (Column::figures("件数", 8), &|total| Cell::Count(total.count)),
                (Column::figures("入", 12), &|total| Cell::Sum(total.income, places(total))),
                (Column::figures("出", 12), &|total| Cell::Sum(total.spending, places(total))),
            ],
        )
    }

    fn held_table(&self, key: &'static str, title: &str, held: &[Held]) -> Table {
        let until =
            |part: &Held| part.use_expiry.map(|end| format!("{} まで", minute(Time(end.0 - 1))));
        Table::of(
            key,
            title,
            held,
            vec![
                (Column::words("種類", 9), &|part| Cell::text(part.instrument.to_string())),
                (Column::words("由来", 8), &|part| Cell::text(words::origin(part.origin))),
                (Column::words("状態", 10), &|part| Cell::text(words::holding(part.holding))),
                (Column::words("利用期限", 20), &|part| {
                    Cell::text(until(part).unwrap_or_else(|| "期限なし".into()))
                }),
                (Column::figures("残高", 14), &|part| {
                    Cell::Sum(part.amount, self.decimals(part.instrument))
                }),
            ],
        )
    }
}

impl Document for Statement {
    fn sheet(&self) -> Sheet {
        let title = match self.kind {
            PartyKind::Merchant => "加盟店取引明細書",
            PartyKind::Group => "団体取引明細書",
            _ => "取引明細書",
        };
        let mut notes = Vec::new();
        for owes in &self.owes {
            let amount = Sum::from(owes.amount).grouped(self.decimals(owes.instrument));
            notes.push(format!("{} の未精算額（発行者への債務）: {amount}", owes.instrument));
        }
        let sheet = Sheet {
            title: title.into(),
            facts: vec![
                ("名義".into(), self.party.name.clone()),
                ("識別子".into(), self.party.party.to_string()),
                ("区分".into(), words::kind(self.kind).into()),
            ],
            tables: vec![
                self.lines_table(),
                self.held_table("opening", "期首残高", &self.opening),
                self.totals_table(),
                self.held_table("closing", "期末残高", &self.closing),
            ],
            notes,
        };
        framed(sheet, Some(self.period), &self.rest)
    }
}
