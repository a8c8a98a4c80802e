//! The unused balance of a base date (基準日未使用残高), per instrument and origin, and what must be secured of it
//! (Payment Services Act, art. 14): if the paid lots of an issuer's prepaid instruments are above ten million yen
//! together, at least half.
//!
//! Unused is what a holder can still spend, and what waits in the wallet of anyone but a merchant. What a merchant has
//! accepted as a claim is used; what has expired is not there any more, also where no leaf has burnt it yet.

use std::collections::BTreeMap;

use musubi_ledger::{
    lot::OriginKind,
    party::PartyKind,
    wallet::{Holding, LotBalance},
};
use musubi_sdk::{Day, PartyId, Time};
use serde::Serialize;

use super::{Document, Materials, Rest, Unit, framed};
use crate::{
    error::ReportError,
    names::Named,
    sheet::{Cell, Column, Sheet, Table},
    source::check::check_sum,
    sum::Sum,
    words,
};

/// Above this much, in yen, half must be secured.
pub const DEPOSIT_THRESHOLD_YEN: i128 = 10_000_000;

/// The unused balance of a base date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unused {
    /// The day at whose end, 24:00 Japanese time, it is measured.
    #[serde(serialize_with = "as_text")]
    pub base_date: Day,
    /// Whether the law names this day: 31 March or 30 September.
    pub statutory: bool,
    /// What it rests on.
    pub rest: Rest,
    /// Per instrument and origin.
    pub balances: Vec<Balance>,
    /// Per issuer of prepaid instruments.
    pub deposits: Vec<Deposit>,
}

pub(crate) fn as_text<S: serde::Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

/// What there is of one origin of an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The instrument.
    pub unit: Unit,
    /// Its issuer.
    pub issuer: PartyId,
    /// Paid, free or grant.
    pub origin: OriginKind,
    /// Wallets that hold some of it unused.
    pub holders: u64,
    /// Unused.
    pub unused: Sum,
    /// Unused, in yen.
    pub unused_yen: Sum,
    /// Of it, held until a release.
    pub held: Sum,
    /// Accepted by merchants and not paid out yet: used.
    pub claims: Sum,
    /// Expired or lapsed and not burnt by a leaf yet: not unused.
    pub expired: Sum,
    /// All of it, as the ledger's totals count it.
    pub outstanding: Sum,
}

/// What an issuer must secure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deposit {
    /// The issuer.
    pub issuer: Named,
    /// Unused paid lots of its prepaid instruments, in yen.
    pub balance_yen: Sum,
    /// Above which it must secure some.
    pub threshold_yen: Sum,
    /// Whether it must.
    pub required: bool,
    /// At least so much: half, rounded up.
    pub deposit_yen: Sum,
}

/// What is to be secured of a balance: nothing up to the threshold, half of all of it above, rounded up to a yen.
#[must_use]
pub fn deposit(balance: i128) -> i128 {
    if balance > DEPOSIT_THRESHOLD_YEN { (balance + 1) / 2 } else { 0 }
}

/// Makes it. The source's scope must name the end of the day.
///
/// # Errors
/// If the log has not reached the end of the day; [`ReportError::Totals`] if parts and totals differ.
pub fn make(materials: Materials<'_>, base_date: Day) -> Result<Unused, ReportError> {
    let source = materials.source;
    let instant = base_date.next().begin();
    if !source.reaches(instant) {
        let what = format!("the log ends at {}, before 24:00 of {base_date}", source.basis.time);
        return Err(ReportError::asked("too_early", what, "ask again when that day is over"));
    }
    let rows = source.at(instant);
    let mut balances = BTreeMap::new();
    for (instrument, row) in rows.instruments() {
        for origin in [OriginKind::Free, OriginKind::Grant, OriginKind::Paid] {
            let empty = Balance {
                unit: Unit::of(source, instrument),
                issuer: row.terms.issuer,
                origin,
                holders: 0,
                unused: Sum::ZERO,
                unused_yen: Sum::ZERO,
                held: Sum::ZERO,
                claims: Sum::ZERO,
                expired: Sum::ZERO,
                outstanding: Sum::ZERO,
            };
            balances.insert((instrument, origin), empty);
        }
    }
    for (party, wallet) in rows.wallets() {
        let merchant = rows.party(party).is_some_and(|p| p.kind == PartyKind::Merchant);
        let mut holds = std::collections::BTreeSet::new();
        for lot in &wallet.lots {
            let key = (lot.lot.instrument, lot.lot.origin);
            let balance = balances.get_mut(&key).expect("lots are of instruments that exist");
            let terms = source.terms(lot.lot.instrument);
            let lapsed = !terms.redeemable(lot.lot.use_expiry, instant);
            if balance.add(lot, (merchant, lapsed), instant) && holds.insert(key) {
                balance.holders += 1;
            }
        }
    }
    let mut balances: Vec<Balance> = balances.into_values().collect();
    for balance in &mut balances {
        balance.unused_yen = Sum(balance.unit.yen(balance.unused.0));
        check_outstanding(balance, rows)?;
    }
    balances.retain(|balance| !balance.outstanding.is_zero());
    let (_, month, day) = base_date.civil();
    Ok(Unused {
        base_date,
        statutory: matches!((month, day), (3, 31) | (9, 30)),
        rest: Rest::new(source, instant),
        deposits: deposits(materials, &balances),
        balances,
    })
}

/// The parts together are what the ledger counts as come and not gone.
fn check_outstanding(balance: &Balance, rows: &crate::source::Rows) -> Result<(), ReportError> {
    let totals = rows.totals(balance.unit.instrument);
    let flows = match balance.origin {
        OriginKind::Free => totals.free,
        OriginKind::Grant => totals.grant,
        OriginKind::Paid => totals.paid,
    };
    let state = flows.outstanding();
    let parts = balance.unused.0 + balance.claims.0 + balance.expired.0;
    check_sum("balances", balance.unit.instrument, parts, balance.outstanding.0)?;
    Ok(check_sum("balances", balance.unit.instrument, parts, state)?)
}

fn deposits(materials: Materials<'_>, balances: &[Balance]) -> Vec<Deposit> {
    let mut sums: BTreeMap<PartyId, i128> = BTreeMap::new();
    let prepaid = |b: &&Balance| b.unit.regime.prepaid() && b.origin == OriginKind::Paid;
    for balance in balances.iter().filter(prepaid) {
        *sums.entry(balance.issuer).or_default() += balance.unused_yen.0;
    }
    let one = |(issuer, balance): (PartyId, i128)| Deposit {
        issuer: materials.names.of(issuer),
        balance_yen: Sum(balance),
        threshold_yen: Sum(DEPOSIT_THRESHOLD_YEN),
        required: balance > DEPOSIT_THRESHOLD_YEN,
        deposit_yen: Sum(deposit(balance)),
    };
    sums.into_iter().map(one).collect()
}

impl Balance {
    /// Adds a lot of a wallet, whose claims have `lapsed` or not; true if some of it is unused.
    fn add(&mut self, lot: &LotBalance, (merchant, lapsed): (bool, bool), instant: Time) -> bool {
        let of = |holding| Sum::from(lot.amount(holding));
        let (spendable, held) = (of(Holding::Spendable), of(Holding::Held));
        match lapsed {
            true => self.expired += of(Holding::Claim),
            false => self.claims += of(Holding::Claim),
        }
        let mut unused = Sum::ZERO;
        match lot.lot.usable(instant) {
            true => unused += spendable,
            false => self.expired += spendable,
        }
        // A merchant's claim that waits for the bank is used; what anybody else has on hold is not.
        if merchant {
            self.claims += held;
        } else {
            unused += held;
            self.held += held;
        }
        self.unused += unused;
        self.outstanding += spendable + held + of(Holding::Claim);
        !unused.is_zero()
    }
}

impl Unused {
    fn balances_table(&self) -> Table {
        let places = |balance: &Balance| balance.unit.decimals;
        Table::of(
            "balances",
            "未使用残高",
            &self.balances,
            vec![
                (Column::words("種類", 10), &|balance| {
                    Cell::text(balance.unit.instrument.to_string())
                }),
                (Column::words("法的区分", 22), &|balance| {
                    Cell::text(words::regime(balance.unit.regime))
                }),
                (Column::words("由来", 7), &|balance| Cell::text(words::origin(balance.origin))),
                (Column::figures("保有者数", 9), &|balance| Cell::Count(balance.holders)),
                (Column::figures("未使用残高", 14), &|balance| {
                    Cell::Sum(balance.unused, places(balance))
                }),
                (Column::figures("円換算", 14), &|balance| Cell::Sum(balance.unused_yen, 0)),
                (Column::figures("うち保留", 11), &|balance| {
                    Cell::Sum(balance.held, places(balance))
                }),
                (Column::figures("換金待ち（使用済）", 14), &|balance| {
                    Cell::Sum(balance.claims, places(balance))
                }),
                (Column::figures("失効済未処理", 12), &|balance| {
                    Cell::Sum(balance.expired, places(balance))
                }),
                (Column::figures("台帳上の流通額", 14), &|balance| {
                    Cell::Sum(balance.outstanding, places(balance))
                }),
            ],
        )
    }

    fn deposits_table(&self) -> Table {
        Table::of(
            "deposits",
            "発行保証金の計算",
            &self.deposits,
            vec![
                (Column::words("発行者", 24), &|deposit| {
                    Cell::text(deposit.issuer.name.clone())
                }),
                (Column::figures("基準日未使用残高（円）", 18), &|deposit| {
                    Cell::Sum(deposit.balance_yen, 0)
                }),
                (Column::figures("基準額（円）", 14), &|deposit| {
                    Cell::Sum(deposit.threshold_yen, 0)
                }),
                (Column::words("供託等", 10), &|deposit| {
                    Cell::text(if deposit.required { "必要" } else { "不要" })
                }),
                (Column::figures("要供託額（円）", 16), &|deposit| {
                    Cell::Sum(deposit.deposit_yen, 0)
                }),
            ],
        )
    }
}

impl Document for Unused {
    fn sheet(&self) -> Sheet {
        let mut notes = vec![
            "要供託額は、前払式支払手段の有償分の合計が 1,000 万円を超えるとき、その 2 分の 1（1 円未満切上げ）です。".into(),
            "無償分が有償分と区別できない運用では、無償分も残高に含める必要があるとされます。別に確認してください。".into(),
        ];
        if !self.statutory {
            notes.push(
                "3 月 31 日・9 月 30 日以外の日です。届け出た追加の基準日か、参考値です。".into(),
            );
        }
        let sheet = Sheet {
            title: "基準日未使用残高報告".into(),
            facts: vec![("基準日".into(), format!("{} 24:00（日本時間）", self.base_date))],
            tables: vec![self.balances_table(), self.deposits_table()],
            notes,
        };
        framed(sheet, None, &self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_is_secured_above_the_threshold_alone_and_rounded_up() {
        for (balance, secured) in [
            (0, 0),
            (9_999_999, 0),
            (10_000_000, 0),
            (10_000_001, 5_000_001),
            (10_000_002, 5_000_001),
            (24_680_135, 12_340_068),
        ] {
            assert_eq!(deposit(balance), secured, "{balance}");
        }
    }
}
