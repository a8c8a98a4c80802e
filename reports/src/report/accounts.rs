//! A group's accounts (収支報告): carried forward, income and spending by purpose, carried over; dues by member; every
//! payout with who drafted and who approved it. What an assembly of members is shown at the end of the year.

use std::collections::BTreeMap;

use musubi_ledger::{group::GroupLife, party::PartyKind, transaction::Purpose};
use musubi_sdk::{InstrumentId, PartyId};
use serde::Serialize;

use super::{
    Category, Document, Line, Materials, Rest, Unit,
    dues::{self, Asked, Dues, InCash},
    framed,
    statement::{self, Statement, by_instrument},
};
use crate::{
    error::ReportError,
    names::Named,
    period::Period,
    sheet::{Cell, Column, Sheet, Table},
    source::check::check_sum,
    sum::Sum,
    words,
};

/// A group's accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accounts {
    /// The group.
    pub group: Named,
    /// Who answers for it, at the end of the period.
    pub representative: Named,
    /// Where it is in its life then.
    pub life: GroupLife,
    /// Which days.
    pub period: Period,
    /// What it rests on.
    pub rest: Rest,
    /// Instruments that occur.
    pub units: Vec<Unit>,
    /// One account per instrument.
    pub accounts: Vec<Account>,
    /// Dues by member: paid out of wallets, in cash, not yet.
    pub dues: Vec<Dues>,
    /// Lines of lists of dues: settled in the period, or unpaid at its end.
    pub asked: Vec<Asked>,
    /// What came in cash: no part of the accounts above.
    pub cash: Vec<InCash>,
    /// All lines.
    pub lines: Vec<Line>,
}

/// One instrument's account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The instrument.
    pub unit: Unit,
    /// Carried forward from before.
    pub opening: Sum,
    /// Income by kind and purpose.
    pub income: Vec<Heading>,
    /// All income.
    pub income_total: Sum,
    /// Spending by kind and purpose.
    pub spending: Vec<Heading>,
    /// All spending.
    pub spending_total: Sum,
    /// Carried over.
    pub closing: Sum,
}

/// One heading of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heading {
    /// What kind of line.
    pub category: Category,
    /// For what.
    pub purpose: Purpose,
    /// How many.
    pub count: u64,
    /// How much.
    pub amount: Sum,
}

/// Makes the accounts of a group. The source's scope must hold the period's ends and the group's events.
///
/// # Errors
/// If it is no group; [`ReportError::Totals`] if it does not add up.
pub fn make(
    materials: Materials<'_>,
    group: PartyId,
    period: Period,
) -> Result<Accounts, ReportError> {
    let source = materials.source;
    if source.party(group)?.kind != PartyKind::Group {
        let what = format!("{} is no group", materials.names.of(group).name);
        let next = "its statement shows what a person or a merchant received and spent";
        return Err(ReportError::asked("no_group", what, next));
    }
    let Statement { lines, units, rest, .. } = statement::make(materials, group, period)?;
    let ends =
        [period.from(), period.until()].map(|end| by_instrument(source.at(end).wallet(group)));
    let of = |sums: &BTreeMap<_, i128>, id| sums.get(&id).copied().unwrap_or_default();
    let account = |unit: &Unit| {
        let instrument = unit.instrument;
        account(*unit, &lines, of(&ends[0], instrument), of(&ends[1], instrument))
    };
    let accounts = units.iter().map(account).collect::<Result<Vec<Account>, _>>()?;
    let end = source.at(period.until());
    let (representative, life) = match end.group(group).or(source.end().group(group)) {
        Some(row) => (row.representative, row.life),
        None => (group, GroupLife::Forming),
    };
    // Of what was asked for and never paid, no wallet knows.
    let asked = dues::asked(materials, group, period);
    let cash = dues::in_cash(materials, group, period);
    let of_dues = asked.iter().map(|line| line.instrument);
    let of_cash = cash.iter().map(|record| record.instrument);
    let instruments: Vec<InstrumentId> =
        accounts.iter().map(|a| a.unit.instrument).chain(of_dues).chain(of_cash).collect();
    Ok(Accounts {
        group: materials.names.of(group),
        representative: materials.names.of(representative),
        life,
        period,
        rest,
        units: super::units(source, instruments).into_values().collect(),
        accounts,
        dues: dues::by_member(materials, &lines, &asked, &cash),
        asked,
        cash,
        lines,
    })
}

fn account(
    unit: Unit,
    lines: &[Line],
    opening: i128,
    closing: i128,
) -> Result<Account, ReportError> {
    let own: Vec<&Line> = lines.iter().filter(|l| l.instrument == unit.instrument).collect();
    let income = headings(&own, |line| line.income);
    let spending = headings(&own, |line| line.spending);
    let total = |headings: &[Heading]| headings.iter().map(|heading| heading.amount).sum::<Sum>();
    let (income_total, spending_total) = (total(&income), total(&spending));
    let sum = opening + income_total.0 - spending_total.0;
    check_sum("accounts", unit.instrument, sum, closing)?;
    let (opening, closing) = (Sum(opening), Sum(closing));
    Ok(Account { unit, opening, income, income_total, spending, spending_total, closing })
}

fn headings(lines: &[&Line], side: impl Fn(&Line) -> Sum) -> Vec<Heading> {
    let mut headings: BTreeMap<(Category, Purpose), Heading> = BTreeMap::new();
    for line in lines.iter().filter(|line| !side(line).is_zero()) {
        let (category, purpose) = (line.category, line.purpose);
        let empty = Heading { category, purpose, count: 0, amount: Sum::ZERO };
        let heading = headings.entry((category, purpose)).or_insert(empty);
        heading.count += 1;
        heading.amount += side(line);
    }
    headings.into_values().collect()
}

impl Heading {
    fn words(&self) -> String {
        match (words::purpose(self.purpose), self.category) {
            (none, category) if none.is_empty() => match category {
                Category::Payment => "その他（用途なし）".into(),
                category => category.word().into(),
            },
            (purpose, Category::Payment) => purpose,
            (purpose, category) => format!("{}（{purpose}）", category.word()),
        }
    }
}

impl Accounts {
    fn table(&self) -> Table {
        let columns = vec![
            Column::words("種類", 10),
            Column::words("部", 8),
            Column::words("科目", 26),
            Column::figures("件数", 8),
            Column::figures("金額", 14),
        ];
        let mut table = Table::new("accounts", "収支計算書", columns);
        for account in &self.accounts {
            let Unit { instrument, decimals, .. } = account.unit;
            let mut row = |part: &str, what: String, count: Option<u64>, sum: Sum| {
                table.push(vec![
                    Cell::text(instrument.to_string()),
                    Cell::text(part),
                    Cell::text(what),
                    count.map_or(Cell::Empty, Cell::Count),
                    Cell::Sum(sum, decimals),
                ]);
            };
            row("繰越", "前期繰越".into(), None, account.opening);
            for heading in &account.income {
                row("収入", heading.words(), Some(heading.count), heading.amount);
            }
            row("収入", "収入合計".into(), None, account.income_total);
            for heading in &account.spending {
                row("支出", heading.words(), Some(heading.count), heading.amount);
            }
            row("支出", "支出合計".into(), None, account.spending_total);
            row("繰越", "次期繰越".into(), None, account.closing);
        }
        table
    }

    fn decimals(&self, instrument: InstrumentId) -> u8 {
        self.units.iter().find(|u| u.instrument == instrument).map_or(0, |unit| unit.decimals)
    }

    fn lines_table(&self) -> Table {
        let places = |line: &Line| self.decimals(line.instrument);
        Table::of(
            "lines",
            "出納明細",
            &self.lines,
            vec![
                (Column::words("日時", 19), &|line| Cell::Time(line.time)),
                (Column::words("内容", 16), &|line| Cell::text(line.words())),
                (Column::words("相手", 20), &|line| Cell::text(line.with_words())),
                (Column::figures("収入", 11), &|line| {
                    Cell::unless_zero(line.income, places(line))
                }),
                (Column::figures("支出", 11), &|line| {
                    Cell::unless_zero(line.spending, places(line))
                }),
                (Column::figures("残高", 12), &|line| Cell::Sum(line.balance, places(line))),
                (Column::words("備考", 26), &|line| Cell::text(line.remark(places(line)))),
            ],
        )
    }
}

impl Document for Accounts {
    fn sheet(&self) -> Sheet {
        let life = match self.life {
            GroupLife::Forming => "準備中",
            GroupLife::Active => "活動中",
            GroupLife::Closing => "解散手続中",
        };
        let mut notes =
            vec!["支出はすべて、起案者と別の承認者の電子署名により実行されています。".into()];
        if !self.cash.is_empty() {
            notes.push(
                "現金収納は団体が記録したもので、収支計算書と台帳の残高には含まれません。".into(),
            );
        }
        let places = |instrument| self.decimals(instrument);
        let sheet = Sheet {
            title: "収支報告書".into(),
            facts: vec![
                ("団体".into(), self.group.name.clone()),
                ("代表者".into(), self.representative.name.clone()),
                ("状態".into(), life.into()),
            ],
            tables: vec![
                self.table(),
                dues::dues_table(&self.dues, places),
                dues::cash_table(&self.cash, places),
                dues::asked_table(&self.asked, places),
                self.lines_table(),
            ],
            notes,
        };
        framed(sheet, Some(self.period), &self.rest)
    }
}
