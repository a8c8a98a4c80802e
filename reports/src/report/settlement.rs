//! What merchants are to be paid: redemptions that wait for the issuer at a cut-off, or those that it has confirmed in a
//! period; one line per merchant, in yen. It becomes a bank's file with account details from a file beside the ledger.

use std::collections::BTreeMap;

use musubi_ledger::{operation::RedemptionAnswer, state::RedemptionStatus, wallet::Holding};
use musubi_sdk::{Day, InstrumentId, PartyId, TxId};
use serde::{Deserialize, Serialize};

use super::{Document, Materials, Rest, Unit, framed, unused::as_text};
use crate::{
    error::{Mismatch, ReportError, Whose},
    format::zengin::{BankAccount, Item, Sender},
    names::{Named, Names},
    period::Period,
    sheet::{Cell, Column, Sheet, Table},
    source::check::check_sum,
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
    /// Of which instrument.
    pub unit: Unit,
    /// The claim, in its unit.
    pub amount: Sum,
    /// What of it fees take, by rules of the moment in which it was asked for.
    pub fees: Sum,
    /// What is paid out: the rest, in yen.
    pub amount_yen: Sum,
}

impl Which {
    /// Its end.
    #[must_use]
    pub fn until(self) -> musubi_sdk::Time {
        match self {
            Self::Waiting { cut_off } => cut_off.next().begin(),
            Self::Paid(period) => period.until(),
        }
    }
}

/// Makes it. The source's scope must name the ends and, for those that were paid, hold the period's events.
///
/// # Errors
/// If the log has not reached the end; if a claim is no whole number of yen; [`ReportError::Totals`] if merchants do not hold
/// what waits.
pub fn make(materials: Materials<'_>, which: Which) -> Result<Settlement, ReportError> {
    let source = materials.source;
    if !source.reaches(which.until()) {
        let what = format!("the log ends at {}, before the cut-off", source.basis.time);
        return Err(ReportError::asked("too_early", what, "ask again when that day is over"));
    }
    let found = match which {
        Which::Waiting { .. } => waiting(materials, which)?,
        Which::Paid(period) => paid(materials, period)?,
    };
    let mut lines: BTreeMap<PartyId, Payout> = BTreeMap::new();
    for Found { merchant, redemption, instrument, amount, fees } in found {
        let unit = Unit::of(source, instrument);
        let yen = whole_yen(&unit, amount - fees)?;
        let empty = || {
            let merchant = materials.names.of(merchant);
            Payout { merchant, amount_yen: Sum::ZERO, parts: Vec::new() }
        };
        let line = lines.entry(merchant).or_insert_with(empty);
        line.amount_yen += Sum(yen);
        let (amount, fees, amount_yen) = (Sum(amount), Sum(fees), Sum(yen));
        line.parts.push(Part { redemption, unit, amount, fees, amount_yen });
    }
    let lines: Vec<Payout> = lines.into_values().collect();
    let total_yen = lines.iter().map(|line| line.amount_yen).sum();
    Ok(Settlement { which, rest: Rest::new(source, which.until()), lines, total_yen })
}

/// A redemption that counts.
struct Found {
    merchant: PartyId,
    redemption: TxId,
    instrument: InstrumentId,
    amount: i128,
    fees: i128,
}

/// What waits; each merchant's wallet holds it, lot by lot.
fn waiting(materials: Materials<'_>, which: Which) -> Result<Vec<Found>, ReportError> {
    let rows = materials.source.at(which.until());
    let mut found = Vec::new();
    let mut held = BTreeMap::new();
    for (id, redemption) in rows.redemptions() {
        if redemption.status != RedemptionStatus::Open {
            continue;
        }
        for (lot, amount) in &redemption.lots {
            *held.entry((redemption.merchant, *lot)).or_insert(0) += i128::from(amount.0);
        }
        let amount = redemption.lots.iter().map(|(_, amount)| i128::from(amount.0)).sum();
        found.push(Found {
            merchant: redemption.merchant,
            redemption: id,
            instrument: redemption.instrument,
            amount,
            fees: redemption.fees.iter().map(|(_, fee)| i128::from(fee.0)).sum(),
        });
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
fn paid(materials: Materials<'_>, period: Period) -> Result<Vec<Found>, ReportError> {
    let mut found = Vec::new();
    for event in materials.source.events.iter().filter(|event| period.holds(event.time)) {
        let Some(redeemed) = &event.redeemed else { continue };
        if !matches!(redeemed.answer, Some(RedemptionAnswer::Paid { .. })) {
            continue;
        }
        let (merchant, instrument) = (redeemed.merchant, redeemed.instrument);
        let held = event.of(merchant).filter(|posting| posting.holding == Holding::Held);
        let left: i128 = held.map(|posting| -posting.signed()).sum();
        let amount = i128::from(redeemed.amount.0);
        check_sum("parts", instrument, amount, left)?;
        let (redemption, fees) = (redeemed.id, redeemed.fees.0.into());
        found.push(Found { merchant, redemption, instrument, amount, fees });
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

/// Bank accounts, from a file of the operator's: they are no part of the ledger.
///
/// ```toml
/// [sender]                      # who orders the payments, and from which account
/// code = "0123456789"
/// bank = "0128"
/// bank_name = "グンマ"
/// branch = "101"
/// branch_name = "マエバシ"
/// kind = "ordinary"             # current, savings, other
/// account = "7654321"
/// name = "ムスビ ジムキヨク"
///
/// [payee."party1…"]             # or a name of the --names file
/// bank = "0128"
/// # … as above
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    sender: Sender,
    #[serde(default)]
    payee: BTreeMap<String, BankAccount>,
}

impl Accounts {
    /// Reads the file.
    ///
    /// # Errors
    /// If it is not of the form above.
    pub fn read(file: &std::path::Path) -> Result<Self, ReportError> {
        let text = std::fs::read_to_string(file).map_err(|e| ReportError::file(file, e))?;
        toml::from_str(&text).map_err(|error| ReportError::file(file, error))
    }

    /// Who orders, and the payments of a settlement.
    ///
    /// # Errors
    /// If a merchant has no account here: all of them are named.
    pub fn orders<'a>(
        &'a self,
        settlement: &Settlement,
        names: &Names,
    ) -> Result<(&'a Sender, Vec<Item<'a>>), ReportError> {
        let mut accounts: BTreeMap<PartyId, &BankAccount> = BTreeMap::new();
        for (who, account) in &self.payee {
            if accounts.insert(names.find(who)?, account).is_some() {
                let what = format!("`{who}` stands twice among the payees");
                return Err(ReportError::asked("bank_details", what, "leave one of them"));
            }
        }
        let mut missing = Vec::new();
        let mut items = Vec::new();
        for line in &settlement.lines {
            match accounts.get(&line.merchant.party) {
                Some(to) => {
                    let amount = u64::try_from(line.amount_yen.0).unwrap_or(u64::MAX);
                    items.push(Item { to, amount });
                }
                None => missing.push(line.merchant.name.as_str()),
            }
        }
        if missing.is_empty() {
            return Ok((&self.sender, items));
        }
        let what = format!("no bank account is known of {}", missing.join(", "));
        Err(ReportError::asked("bank_details", what, "add a [payee.\"…\"] table for each"))
    }
}

impl Document for Settlement {
    fn sheet(&self) -> Sheet {
        let columns = vec![
            Column::words("加盟店", 26),
            Column::words("種類", 10),
            Column::figures("請求額", 14),
            Column::figures("手数料", 12),
            Column::figures("振込額（円）", 14),
            Column::words("換金番号", 18),
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
                    Cell::Sum(part.amount_yen, 0),
                    Cell::text(part.redemption.to_string()[..16].to_owned()),
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
