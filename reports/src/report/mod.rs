//! The reports, one file each. Each is made by a pure function of a [`Source`], serialises as JSON, and says what it
//! looks like as a [`Sheet`].

pub mod accounts;
pub mod bank;
pub mod dues;
mod entry;
pub mod export;
pub mod kpi;
pub mod receipt;
pub mod settlement;
pub mod statement;
pub mod unused;

use std::collections::BTreeMap;

use musubi_ledger::{instrument::Regime, state::DueKind};
use musubi_sdk::{InstrumentId, Time};
use serde::Serialize;

use crate::{
    names::Names,
    period::Period,
    sheet::{Sheet, minute},
    source::{Basis, Source},
};

pub use entry::{Category, Line, lines};

/// What every report has: JSON and sheet.
pub trait Document: Serialize {
    /// What it looks like.
    fn sheet(&self) -> Sheet;
}

/// An instrument, as a report's figures need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Its code.
    pub instrument: InstrumentId,
    /// Decimal places of its amounts.
    pub decimals: u8,
    /// Yen that one whole unit stands for.
    pub face: u32,
    /// Its legal regime.
    pub regime: Regime,
}

impl Unit {
    /// Of an instrument.
    #[must_use]
    pub fn of(source: &Source, instrument: InstrumentId) -> Self {
        let terms = source.terms(instrument);
        Self { instrument, decimals: terms.decimals, face: terms.face, regime: terms.regime }
    }

    /// What a sum of it is in yen, fractions of a yen cut off towards zero.
    ///
    /// # Panics
    /// Never: amounts are of 64 bits, faces of 32.
    #[must_use]
    pub fn yen(&self, sum: i128) -> i128 {
        musubi_figures::kpi::yen(sum, self.face, self.decimals)
    }
}

/// The rest on which a report stands, and how far into its period the log reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rest {
    /// The record.
    pub basis: Basis,
    /// Whether the log has reached the end of the period: nothing can be added to it any more.
    pub complete: bool,
    /// Whether a majority of the validators has signed up to there, or up to the last block.
    pub signed: bool,
}

impl Rest {
    /// Of a report about what happened before `until`.
    #[must_use]
    pub fn new(source: &Source, until: Time) -> Self {
        let basis = source.basis.clone();
        let signed = basis.signed_time >= until || basis.signed_height == basis.height;
        Self { complete: source.reaches(until), signed, basis }
    }

    fn facts(&self) -> Vec<(String, String)> {
        let basis = &self.basis;
        let record = format!(
            "{} ブロック {}（{} JST）まで再実行・照合済み",
            basis.origin,
            basis.height,
            minute(basis.time)
        );
        vec![
            ("台帳".into(), basis.chain.to_string()),
            ("根拠".into(), record),
            ("ログのルート".into(), format!("{}（{} 葉）", basis.root, basis.size)),
        ]
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.complete {
            notes.push("台帳はまだ期間の末日に達していません。この後の取引は含まれません。".into());
        }
        if !self.signed {
            let signed = minute(self.basis.signed_time);
            notes.push(format!("検証者の過半数が署名しているのは {signed} JST までです。"));
        }
        if !self.basis.pinned {
            notes.push(
                "チェーンを指定せずに作成しました。台帳の識別子を別の経路で確認してください。"
                    .into(),
            );
        }
        notes
    }
}

/// Facts of a period and notes, in front of and behind a report's own.
pub(crate) fn framed(sheet: Sheet, period: Option<Period>, rest: &Rest) -> Sheet {
    let Sheet { title, mut facts, tables, mut notes } = sheet;
    facts.extend(period.map(|p| ("期間".into(), format!("{} から {} まで", p.first, p.last))));
    facts.extend(rest.facts());
    notes.extend(rest.notes());
    Sheet { title, facts, tables, notes }
}

/// Units by instrument, for those that occur.
pub(crate) fn units(
    source: &Source,
    instruments: impl IntoIterator<Item = InstrumentId>,
) -> BTreeMap<InstrumentId, Unit> {
    instruments.into_iter().map(|id| (id, Unit::of(source, id))).collect()
}

/// What every report is made of.
#[derive(Clone, Copy, Debug)]
pub struct Materials<'m> {
    /// The record.
    pub source: &'m Source,
    /// What parties are called.
    pub names: &'m Names,
}

/// What became due, in words.
pub(crate) fn due(kind: DueKind) -> &'static str {
    match kind {
        DueKind::Lots => "失効",
        DueKind::Redemption => "換金の回答期限切れ",
        DueKind::Claims => "換金期限切れ",
        DueKind::Hold => "交換期限切れ",
        _ => "期限到来",
    }
}
