//! Dues as people see them.

use std::collections::BTreeMap;

use musubi_sdk::InstrumentId;

use super::{Asked, Dues, InCash};
use crate::{
    sheet::{Cell, Column, Table},
    sum::Sum,
    words,
};

/// By member; `places` says an instrument's decimal places.
#[must_use]
pub fn dues_table(dues: &[Dues], places: impl Fn(InstrumentId) -> u8) -> Table {
    Table::of(
        "dues",
        "会費納入一覧",
        dues,
        vec![
            (Column::words("会員", 24), &|one| Cell::text(one.member.clone())),
            (Column::words("種類", 10), &|one| Cell::text(one.instrument.to_string())),
            (Column::figures("件数", 8), &|one| Cell::Count(one.count)),
            (Column::figures("納入", 12), &|one| Cell::Sum(one.amount, places(one.instrument))),
            (Column::figures("現金", 12), &|one| {
                Cell::unless_zero(one.cash, places(one.instrument))
            }),
            (Column::figures("未納", 12), &|one| {
                Cell::unless_zero(one.unpaid, places(one.instrument))
            }),
        ],
    )
}

/// What came in cash, record by record, with its sum.
#[must_use]
pub fn cash_table(cash: &[InCash], places: impl Fn(InstrumentId) -> u8) -> Table {
    let mut table = Table::of(
        "cash",
        "現金収納（残高に含まない）",
        cash,
        vec![
            (Column::words("日時", 19), &|record| Cell::Time(record.time)),
            (Column::words("会員", 22), &|record| {
                let taken_back =
                    if record.amount < Sum::ZERO { "（記録の取消）" } else { "" };
                Cell::text(format!("{}{taken_back}", record.member))
            }),
            (Column::words("用途", 12), &|record| Cell::text(words::purpose(record.purpose))),
            (Column::words("種類", 10), &|record| Cell::text(record.instrument.to_string())),
            (Column::figures("金額", 12), &|record| {
                Cell::Sum(record.amount, places(record.instrument))
            }),
            (Column::words("記録者", 18), &|record| Cell::text(record.by.name.clone())),
            (Column::words("証憑", 14), &|record| {
                Cell::text(record.evidence.to_string()[..12].to_owned())
            }),
        ],
    );
    let mut sums: BTreeMap<InstrumentId, Sum> = BTreeMap::new();
    for record in cash {
        *sums.entry(record.instrument).or_default() += record.amount;
    }
    for (instrument, sum) in sums {
        table.push(vec![
            Cell::Empty,
            Cell::text("現金収納合計"),
            Cell::Empty,
            Cell::text(instrument.to_string()),
            Cell::Sum(sum, places(instrument)),
            Cell::Empty,
            Cell::Empty,
        ]);
    }
    table
}

/// Lists of dues, line by line.
#[must_use]
pub fn asked_table(asked: &[Asked], places: impl Fn(InstrumentId) -> u8) -> Table {
    Table::of(
        "asked",
        "会費の請求と納入状況",
        asked,
        vec![
            (Column::words("期限", 19), &|line| Cell::Time(line.due)),
            (Column::words("会員", 22), &|line| Cell::text(line.member.clone())),
            (Column::words("用途", 12), &|line| Cell::text(words::purpose(line.purpose))),
            (Column::words("種類", 10), &|line| Cell::text(line.instrument.to_string())),
            (Column::figures("金額", 12), &|line| {
                Cell::Sum(line.amount, places(line.instrument))
            }),
            (Column::words("状況", 18), &|line| Cell::text(line.standing.word())),
            (Column::words("納入日時", 19), &|line| {
                line.settled.map_or(Cell::Empty, Cell::Time)
            }),
            (Column::words("支払人", 18), &|line| {
                line.payer.as_ref().map_or(Cell::Empty, |payer| Cell::text(payer.name.clone()))
            }),
        ],
    )
}
