//! The tables of an export, column by column. docs/REPORTS.md documents them.

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{
    lot::OriginKind,
    outcome::{Account, Posting},
    wallet::Holding,
};
use musubi_sdk::{InstrumentId, PartyId};

use super::{Wanted, cells::Cells, pseudonym};
use crate::{
    error::ReportError,
    format::parquet::{Column, Values},
    report::{Materials, Unit, due},
    source::{Event, What},
};

const HOUR_MS: u64 = 3_600_000;

/// Whose wallet a posting is of.
pub(super) fn holder(posting: &Posting) -> Option<PartyId> {
    match posting.account {
        Account::Wallet(party) => Some(party),
        Account::Issuance(_) => None,
    }
}

fn whole(sum: i128) -> Result<i64, ReportError> {
    i64::try_from(sum).map_err(|_| {
        let what = format!("{sum} is beyond the 63 bits of a column");
        ReportError::asked("too_large", what, "export a shorter period")
    })
}

fn origin(origin: OriginKind) -> &'static str {
    match origin {
        OriginKind::Free => "free",
        OriginKind::Grant => "grant",
        OriginKind::Paid => "paid",
    }
}

fn holding(holding: Holding) -> &'static str {
    match holding {
        Holding::Spendable => "spendable",
        Holding::Held => "held",
        Holding::Claim => "claim",
    }
}

fn what(event: &Event) -> String {
    match event.what {
        What::Operation(name) => name.into(),
        What::Due(kind) => format!("due: {}", due(kind)),
    }
}

fn events<'m>(materials: Materials<'m>, wanted: &'m Wanted) -> impl Iterator<Item = &'m Event> {
    materials.source.events.iter().filter(|event| wanted.period.holds(event.time))
}

/// Every instrument: what its amounts mean.
pub(super) fn instruments(materials: Materials<'_>, wanted: &Wanted) -> Vec<Column> {
    let rows = materials.source.at(wanted.period.until());
    let units: Vec<Unit> =
        rows.instruments().map(|(id, _)| Unit::of(materials.source, id)).collect();
    let regime = |unit: &Unit| match serde_json::to_value(unit.regime) {
        Ok(serde_json::Value::String(name)) => name,
        other => unreachable!("a regime is written as its name, not {other:?}"),
    };
    vec![
        ("instrument", Values::Text(units.iter().map(|u| u.instrument.to_string()).collect())),
        ("decimals", Values::Whole(units.iter().map(|u| u.decimals.into()).collect())),
        ("face_yen", Values::Whole(units.iter().map(|u| u.face.into()).collect())),
        ("regime", Values::Text(units.iter().map(regime).collect())),
    ]
}

/// Every posting to a wallet.
pub(super) fn postings(
    materials: Materials<'_>,
    wanted: &Wanted,
) -> Result<Vec<Column>, ReportError> {
    let cells = cells(materials, wanted);
    let (mut numbers, mut hours, mut parties, mut kinds) = (vec![], vec![], vec![], vec![]);
    let (mut whats, mut purposes, mut instruments) = (vec![], vec![], vec![]);
    let (mut origins, mut campaigns, mut holdings, mut amounts) = (vec![], vec![], vec![], vec![]);
    for (number, event) in (0..).zip(events(materials, wanted)) {
        for posting in &event.postings {
            let Some(party) = holder(posting) else { continue };
            numbers.push(number);
            hours.push(whole((event.time.0 / HOUR_MS * HOUR_MS).into())?);
            parties.push(pseudonym(&wanted.key, party));
            kinds.push(cells.kind(party));
            whats.push(what(event));
            purposes.push(event.purpose.0.into());
            instruments.push(posting.lot.instrument.to_string());
            origins.push(origin(posting.lot.origin).to_owned());
            campaigns.push(posting.lot.campaign.into());
            holdings.push(holding(posting.holding).to_owned());
            amounts.push(whole(posting.signed())?);
        }
    }
    Ok(vec![
        ("event", Values::Whole(numbers)),
        ("hour", Values::Time(hours)),
        ("party", Values::Text(parties)),
        ("kind", Values::MaybeText(kinds)),
        ("what", Values::Text(whats)),
        ("purpose", Values::Whole(purposes)),
        ("instrument", Values::Text(instruments)),
        ("origin", Values::Text(origins)),
        ("campaign", Values::Whole(campaigns)),
        ("holding", Values::Text(holdings)),
        ("amount", Values::Whole(amounts)),
    ])
}

fn cells(materials: Materials<'_>, wanted: &Wanted) -> Cells {
    let end = wanted.period.until();
    Cells::new(materials.source.at(end), wanted, end)
}

/// What everybody holds at the end.
pub(super) fn balances(
    materials: Materials<'_>,
    wanted: &Wanted,
) -> Result<Vec<Column>, ReportError> {
    let rows = materials.source.at(wanted.period.until());
    let mut sums: BTreeMap<(String, InstrumentId, OriginKind, Holding), i128> = BTreeMap::new();
    for (party, wallet) in rows.wallets() {
        let party = pseudonym(&wanted.key, party);
        for ((lot, holding), sum) in crate::source::check::balances(Some(wallet)) {
            let key = (party.clone(), lot.instrument, lot.origin, holding);
            *sums.entry(key).or_default() += sum;
        }
    }
    let keys = || sums.keys();
    Ok(vec![
        ("party", Values::Text(keys().map(|key| key.0.clone()).collect())),
        ("instrument", Values::Text(keys().map(|key| key.1.to_string()).collect())),
        ("origin", Values::Text(keys().map(|key| origin(key.2).into()).collect())),
        ("holding", Values::Text(keys().map(|key| holding(key.3).into()).collect())),
        ("amount", Values::Whole(sums.values().map(|s| whole(*s)).collect::<Result<_, _>>()?)),
    ])
}

/// Every party, by pseudonym.
pub(super) fn parties(materials: Materials<'_>, wanted: &Wanted) -> Vec<Column> {
    let cells = cells(materials, wanted);
    let rows = materials.source.at(wanted.period.until());
    let mut all: Vec<(String, PartyId, String)> = rows
        .parties()
        .map(|(id, party)| {
            let (year, month, _) = party.opened.day().civil();
            (pseudonym(&wanted.key, id), id, format!("{year:04}-{month:02}"))
        })
        .collect();
    // By pseudonym: their order tells nothing about ids.
    all.sort_unstable();
    vec![
        ("party", Values::Text(all.iter().map(|(name, ..)| name.clone()).collect())),
        ("kind", Values::MaybeText(all.iter().map(|(_, id, _)| cells.kind(*id)).collect())),
        ("opened", Values::Text(all.iter().map(|(.., month)| month.clone()).collect())),
        (
            "attributes",
            Values::MaybeText(all.iter().map(|(_, id, _)| cells.attributes(*id)).collect()),
        ),
    ]
}

/// One day's sums of what has everything in common.
#[derive(Default)]
struct Daily {
    parties: BTreeSet<PartyId>,
    postings: i64,
    plus: i128,
    minus: i128,
}

/// Daily sums; what fewer than enough parties take part in has none.
pub(super) fn daily(materials: Materials<'_>, wanted: &Wanted) -> Result<Vec<Column>, ReportError> {
    type Key = (u32, String, u16, InstrumentId, OriginKind);
    let mut days: BTreeMap<Key, Daily> = BTreeMap::new();
    for event in events(materials, wanted) {
        for posting in &event.postings {
            let Some(party) = holder(posting) else { continue };
            let (lot, day) = (posting.lot, event.time.day().0);
            let key = (day, what(event), event.purpose.0, lot.instrument, lot.origin);
            let daily = days.entry(key).or_default();
            daily.parties.insert(party);
            daily.postings += 1;
            match posting.signed() {
                plus if plus > 0 => daily.plus += plus,
                minus => daily.minus -= minus,
            }
        }
    }
    let large = |daily: &Daily| daily.parties.len() as u64 >= wanted.small;
    let shown = |of: &dyn Fn(&Daily) -> Result<i64, ReportError>| {
        let one = |daily: &Daily| large(daily).then(|| of(daily)).transpose();
        days.values().map(one).collect::<Result<Vec<Option<i64>>, ReportError>>()
    };
    let date = |key: &Key| i32::try_from(key.0).unwrap_or(i32::MAX);
    let count = |daily: &Daily| i64::try_from(daily.parties.len()).unwrap_or(i64::MAX);
    Ok(vec![
        ("day", Values::Day(days.keys().map(date).collect())),
        ("what", Values::Text(days.keys().map(|key| key.1.clone()).collect())),
        ("purpose", Values::Whole(days.keys().map(|key| key.2.into()).collect())),
        ("instrument", Values::Text(days.keys().map(|key| key.3.to_string()).collect())),
        ("origin", Values::Text(days.keys().map(|key| origin(key.4).into()).collect())),
        ("parties", Values::MaybeWhole(shown(&|daily| Ok(count(daily)))?)),
        ("postings", Values::MaybeWhole(shown(&|daily| Ok(daily.postings))?)),
        ("plus", Values::MaybeWhole(shown(&|daily| whole(daily.plus))?)),
        ("minus", Values::MaybeWhole(shown(&|daily| whole(daily.minus))?)),
    ])
}
