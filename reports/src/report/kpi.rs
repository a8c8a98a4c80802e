//! Key figures that a ledger can count: ① group accounts, ⑤ registrants, ⑥ merchants, ⑦ settlement, ❶ what groups moved.
//! ②, ③, ④ and ❷ are about posts, threads, members without a wallet and a survey: no ledger knows them.
//!
//! ⑦ is Σ of payments to merchants less what of them was undone. ❶ is Σ over moves m of
//! amount(m) × ([payer is a group] + [payee is a group]), less what was undone: 500 of dues in and 500 of costs out are
//! 1,000. Where the definition leaves a choice, the choice is printed as a flag with the figures.

use std::collections::BTreeMap;

use musubi_ledger::{
    group::GroupLife,
    party::{PartyKind, PartyStatus},
    transaction::Purpose,
};
use musubi_sdk::{InstrumentId, PartyId, TxId};
use serde::Serialize;

use super::{Document, Materials, Rest, Unit, framed};
use crate::{
    error::ReportError,
    period::Period,
    sheet::{Cell, Column, Sheet, Table},
    source::{Event, Rows},
    sum::Sum,
};

/// What the definitions leave open, as it is chosen here.
pub const FLAGS: [(&str, &str); 9] = [
    ("group_to_group", "counts on both sides: twice the amount"),
    ("top_ups", "not counted"),
    ("points", "counted at the face of their instrument; counters are not"),
    (
        "grants",
        "not counted: moves for purpose grant, and moves of issuers, registrars, operators and external systems",
    ),
    ("rewards_shares_fees", "not counted: what rules post beside a move"),
    ("expiry", "not counted"),
    ("redemption", "not counted"),
    ("reversals", "taken off in the period of the reversal, so that published figures stay"),
    ("between_merchants", "counted in the settlement figure"),
];

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
    for event in source.events.iter().filter(|event| event.time < period.until()) {
        let inside = period.holds(event.time);
        settlement.take(event, inside, |from, to, _| settles(end, from, to));
        group_moves.take(event, inside, |from, to, purpose| sides(end, from, to, purpose));
    }
    Ok(Kpi {
        period,
        rest: Rest::new(source, period.until()),
        groups: count(groups),
        registrants: count(|rows| active(rows, PartyKind::Person)),
        merchants: count(|rows| active(rows, PartyKind::Merchant)),
        settlement: settlement.flow(materials),
        group_moves: group_moves.flow(materials),
        flags: BTreeMap::from(FLAGS),
    })
}

fn active(rows: &Rows, kind: PartyKind) -> u64 {
    let counts = |party: &musubi_ledger::party::Party| {
        party.kind == kind && party.status != PartyStatus::Closed
    };
    rows.parties().filter(|(_, party)| counts(party)).count() as u64
}

/// Groups that have not begun to close.
fn groups(rows: &Rows) -> u64 {
    let lives = |id: PartyId| rows.group(id).is_none_or(|group| group.life != GroupLife::Closing);
    let counts = |(id, party): &(PartyId, &musubi_ledger::party::Party)| {
        party.kind == PartyKind::Group && party.status != PartyStatus::Closed && lives(*id)
    };
    rows.parties().filter(counts).count() as u64
}

fn kind(rows: &Rows, party: PartyId) -> Option<PartyKind> {
    rows.party(party).map(|party| party.kind)
}

/// Whether a party takes part as one of the people: not as an office.
fn is_public(kind: Option<PartyKind>) -> bool {
    matches!(kind, Some(PartyKind::Person | PartyKind::Group | PartyKind::Merchant))
}

/// How often a move counts as settlement.
fn settles(rows: &Rows, from: PartyId, to: PartyId) -> i128 {
    let paid = kind(rows, to) == Some(PartyKind::Merchant) && is_public(kind(rows, from));
    i128::from(paid)
}

/// How often a move counts as one of groups: once for each side that is a group.
fn sides(rows: &Rows, from: PartyId, to: PartyId, purpose: Purpose) -> i128 {
    let kinds = [kind(rows, from), kind(rows, to)];
    if purpose == Purpose::GRANT || !kinds.into_iter().all(is_public) {
        return 0;
    }
    kinds.into_iter().map(|kind| i128::from(kind == Some(PartyKind::Group))).sum()
}

/// Adds moves up, and takes off what is undone of those that it has added.
#[derive(Default)]
struct Counter {
    times: BTreeMap<TxId, i128>,
    sums: BTreeMap<InstrumentId, (i128, i128)>,
    moves: u64,
}

impl Counter {
    fn take(
        &mut self,
        event: &Event,
        inside: bool,
        times: impl Fn(PartyId, PartyId, Purpose) -> i128,
    ) {
        if let Some(moved) = event.moved.as_ref().filter(|moved| !moved.issued) {
            let times = times(moved.from, moved.to, event.purpose);
            if times != 0 {
                self.times.insert(moved.id, times);
                self.moves += u64::from(inside);
                for (lot, amount) in &moved.lots {
                    self.add(lot.instrument, times * i128::from(amount.0), inside);
                }
            }
        }
        if let Some(undone) = &event.undone {
            let times = self.times.get(&undone.original).copied().unwrap_or_default();
            for leg in &undone.legs {
                self.add(leg.instrument, -times * i128::from(leg.amount.0), inside);
            }
        }
    }

    fn add(&mut self, instrument: InstrumentId, sum: i128, inside: bool) {
        if sum != 0 {
            let (period, cumulative) = self.sums.entry(instrument).or_default();
            *period += if inside { sum } else { 0 };
            *cumulative += sum;
        }
    }

    fn flow(self, materials: Materials<'_>) -> Flow {
        let mut flow = Flow { moves: self.moves, ..Flow::default() };
        for (instrument, (period, cumulative)) in self.sums {
            let unit = Unit::of(materials.source, instrument);
            flow.period_yen += Sum(unit.yen(period));
            flow.cumulative_yen += Sum(unit.yen(cumulative));
            let (period, cumulative) = (Sum(period), Sum(cumulative));
            flow.instruments.push(OfInstrument { unit, period, cumulative });
        }
        flow
    }
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
