//! Key figures of a period: ① group accounts, ⑤ registrants, ⑥ merchants, ⑦ settlement, ❶ what groups moved. How each is
//! counted is in [`musubi_figures::kpi`]; where the definition leaves a choice, it is printed as a flag with the figures.

use std::collections::BTreeMap;

use musubi_figures::kpi::{self, Counter, FLAGS};
use musubi_ledger::party::{Party, PartyKind};
use musubi_sdk::PartyId;
use serde::Serialize;

use super::{Document, Materials, Rest, Unit, framed};
use crate::{
    error::ReportError,
    period::Period,
    sheet::{Cell, Column, Sheet, Table},
    source::Rows,
    sum::Sum,
};

/// The figures of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kpi {
    /// Which days.
    pub period: Period,
    /// What it rests on.
    pub rest: Rest,
    /// ①: group accounts that are active at the end of the period.
    pub groups: Counted,
    /// ⑤: persons registered and active.
    pub registrants: Counted,
    /// ⑥: merchants registered and active.
    pub merchants: Counted,
    /// ⑦: settlement in yen.
    pub settlement: Flow,
    /// ❶: what groups moved, in yen.
    pub group_moves: Flow,
    /// What was chosen where the definitions leave it open.
    pub flags: BTreeMap<&'static str, &'static str>,
}

/// A number of parties at both ends of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Before its first day.
    pub before: u64,
    /// After its last.
    pub after: u64,
}

/// Sums of a period and of all time up to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flow {
    /// In the period, in yen.
    pub period_yen: Sum,
    /// From the first leaf to the end of the period, in yen.
    pub cumulative_yen: Sum,
    /// Moves in the period.
    pub moves: u64,
    /// By instrument.
    pub instruments: Vec<OfInstrument>,
}

/// One instrument's part, in its own unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfInstrument {
    /// The instrument.
    pub unit: Unit,
    /// In the period.
    pub period: Sum,
    /// From the first leaf to the end of the period.
    pub cumulative: Sum,
}

/// Makes the figures. The source's scope must hold all events from the first on, and the period's ends.
///
/// # Errors
/// None yet: the signature is that of every report.
pub fn make(materials: Materials<'_>, period: Period) -> Result<Kpi, ReportError> {
    let source = materials.source;
    let ends = [period.from(), period.until()].map(|end| source.at(end));
    let count =
        |counts: fn(&Rows) -> u64| Counted { before: counts(ends[0]), after: counts(ends[1]) };
    let (mut settlement, mut group_moves) = (Counter::default(), Counter::default());
    let end = source.end();
    let kind = |party: PartyId| end.party(party).map(|party| party.kind);
    for event in source.events.iter().filter(|event| event.time < period.until()) {
        let inside = period.holds(event.time);
        if let Some(moved) = &event.moved {
            let (from, to) = (kind(moved.from), kind(moved.to));
            settlement.add(moved, inside, kpi::settles(from, to));
            group_moves.add(moved, inside, kpi::sides(from, to, event.purpose));
        }
        if let Some(undone) = &event.undone {
            settlement.undo(undone, inside);
            group_moves.undo(undone, inside);
        }
    }
    Ok(Kpi {
        period,
        rest: Rest::new(source, period.until()),
        groups: count(groups),
        registrants: count(|rows| active(rows, PartyKind::Person)),
        merchants: count(|rows| active(rows, PartyKind::Merchant)),
        settlement: flow(&settlement, materials),
        group_moves: flow(&group_moves, materials),
        flags: BTreeMap::from(FLAGS),
    })
}

fn active(rows: &Rows, kind: PartyKind) -> u64 {
    kpi::active(rows.parties().map(|(_, party): (_, &Party)| party), kind)
}

fn groups(rows: &Rows) -> u64 {
    kpi::groups(rows.parties(), |id| rows.group(id).map(|group| group.life))
}

fn flow(counter: &Counter, materials: Materials<'_>) -> Flow {
    let mut flow = Flow { moves: counter.moves(), ..Flow::default() };
    for (instrument, counted) in counter.sums() {
        let unit = Unit::of(materials.source, instrument);
        flow.period_yen += Sum(unit.yen(counted.period));
        flow.cumulative_yen += Sum(unit.yen(counted.cumulative));
        let (period, cumulative) = (Sum(counted.period), Sum(counted.cumulative));
        flow.instruments.push(OfInstrument { unit, period, cumulative });
    }
    flow
}

impl Kpi {
    fn figures_table(&self) -> Table {
        let columns = vec![
            Column::words("番号", 6),
            Column::words("指標", 34),
            Column::figures("期首", 14),
            Column::figures("期末・累計", 16),
            Column::figures("期間中", 16),
        ];
        let mut table = Table::new("figures", "指標", columns);
        let difference = |c: Counted| Sum(i128::from(c.after) - i128::from(c.before));
        for (number, what, counted) in [
            ("①", "団体用アカウント数（解散手続中を除く）", self.groups),
            ("⑤", "登録者数（個人）", self.registrants),
            ("⑥", "加盟店数", self.merchants),
        ] {
            table.push(vec![
                Cell::text(number),
                Cell::text(what),
                Cell::Count(counted.before),
                Cell::Count(counted.after),
                Cell::Sum(difference(counted), 0),
            ]);
        }
        for (number, what, flow) in [
            ("⑦", "決済額（円）", &self.settlement),
            ("❶", "団体の資金移動額（円）", &self.group_moves),
        ] {
            table.push(vec![
                Cell::text(number),
                Cell::text(what),
                Cell::Sum(flow.cumulative_yen - flow.period_yen, 0),
                Cell::Sum(flow.cumulative_yen, 0),
                Cell::Sum(flow.period_yen, 0),
            ]);
        }
        table
    }

    fn instruments_table(&self) -> Table {
        let columns = vec![
            Column::words("番号", 6),
            Column::words("種類", 12),
            Column::figures("期間中", 16),
            Column::figures("累計", 16),
        ];
        let mut table = Table::new("instruments", "種類別内訳", columns);
        for (number, flow) in [("⑦", &self.settlement), ("❶", &self.group_moves)] {
            for part in &flow.instruments {
                table.push(vec![
                    Cell::text(number),
                    Cell::text(part.unit.instrument.to_string()),
                    Cell::Sum(part.period, part.unit.decimals),
                    Cell::Sum(part.cumulative, part.unit.decimals),
                ]);
            }
        }
        table
    }

    fn flags_table(&self) -> Table {
        let columns = vec![Column::words("フラグ", 20), Column::words("扱い", 60)];
        let mut table = Table::new("flags", "定義の選択", columns);
        for (flag, choice) in &self.flags {
            table.push(vec![Cell::text(*flag), Cell::text(*choice)]);
        }
        table
    }
}

impl Document for Kpi {
    fn sheet(&self) -> Sheet {
        let sheet = Sheet {
            title: "指標（KPI）報告".into(),
            facts: Vec::new(),
            tables: vec![self.figures_table(), self.instruments_table(), self.flags_table()],
            notes: vec![
                "⑦ = Σ 加盟店への支払 − 取消。❶ = Σ 金額 ×（[支払側が団体] + [受取側が団体]） − 取消。".into(),
                "②・③・④・❷ は台帳の外の数値です。".into(),
            ],
        };
        framed(sheet, Some(self.period), &self.rest)
    }
}
