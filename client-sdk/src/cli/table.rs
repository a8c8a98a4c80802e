//! What people see: tables, amounts with their places, times in Japan, short codes.

use std::collections::BTreeMap;

use comfy_table::{Cell, CellAlignment, Table, presets};
use musubi_sdk::{Amount, InstrumentId, Time, TxId, describe, ledger::operation::Leg, short_code};
use serde::Serialize;
use serde_json::{Value, json};

use super::error::CliError;

/// What a command found or did, for people and for programs. `--json` prints `json`, otherwise `text`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl Report {
    /// Both faces of a result.
    pub(crate) fn new(json: &impl Serialize, text: impl Into<String>) -> Result<Self, CliError> {
        let json = serde_json::to_value(json)
            .map_err(|cause| CliError::new("unprintable", cause.to_string()))?;
        let text = text.into();
        Ok(Self { json, text })
    }

    /// Something was done that leaves nothing to show but a sentence.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { json: json!({ "done": text }), text }
    }
}

/// A column: its title, and whether it holds figures.
pub(crate) type Column = (&'static str, Align);

/// How a column is aligned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Figures, so that their places stand under each other.
    Right,
}

/// A table without trailing spaces; `empty` is said in its place if there is no row.
pub(crate) fn table(columns: &[Column], rows: Vec<Vec<String>>, empty: &str) -> String {
    if rows.is_empty() {
        return empty.into();
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.style_mut().row_separator = comfy_table::LineStyle::none();
    let aligned = |(text, (_, align)): (String, &Column)| {
        let cell = Cell::new(text);
        match align {
            Align::Left => cell,
            Align::Right => cell.set_alignment(CellAlignment::Right),
        }
    };
    let titles = columns.iter().map(|column| (column.0.to_owned(), column));
    table.set_header(titles.map(aligned).collect::<Vec<_>>());
    for row in rows {
        assert_eq!(row.len(), columns.len(), "a row has a cell for each column");
        table.add_row(row.into_iter().zip(columns).map(aligned).collect::<Vec<_>>());
    }
    table.trim_fmt()
}

/// Names and values under each other; a field without value is left out.
pub(crate) fn fields(pairs: &[(&str, String)]) -> String {
    let shown = || pairs.iter().filter(|pair| !pair.1.is_empty());
    let width = shown().map(|pair| pair.0.len()).max().unwrap_or(0);
    let line = |pair: &(&str, String)| {
        let value = pair.1.replace('\n', &format!("\n{:width$}  ", ""));
        format!("{:width$}  {value}", pair.0)
    };
    shown().map(line).collect::<Vec<_>>().join("\n")
}

/// An amount with its places, thousands separated.
pub(crate) fn amount(amount: Amount, decimals: u8) -> String {
    describe::grouped(amount, decimals)
}

/// What a movement moves, leg by leg. An instrument whose decimals are unknown is shown in its smallest unit.
pub(crate) fn legs(legs: &[Leg], decimals: &BTreeMap<InstrumentId, u8>) -> Vec<String> {
    let shown = |leg: &Leg| {
        let places = decimals.get(&leg.instrument).copied().unwrap_or(0);
        format!("{} {}", amount(leg.amount, places), leg.instrument)
    };
    legs.iter().map(shown).collect()
}

/// A signed sum with its places: `+1,280`, `−500`.
pub(crate) fn signed(sum: i128, decimals: u8) -> String {
    let size = u64::try_from(sum.unsigned_abs()).unwrap_or(u64::MAX);
    let sign = match sum {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", amount(Amount(size), decimals))
}

/// Date and time in Japan, to the second.
pub(crate) fn time(time: Time) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{} JST", seconds.replace('T', " ")),
        None => text,
    }
}

/// The last day on which something that ends at `end` (exclusive) still holds.
pub(crate) fn last_day(end: Option<Time>) -> String {
    match end {
        None => "no expiry".into(),
        Some(end) => {
            let (year, month, day) = Time(end.0.saturating_sub(1)).day().civil();
            format!("{year:04}-{month:02}-{day:02}")
        }
    }
}

/// A length of time in milliseconds, in its largest whole unit.
pub(crate) fn span(ms: u64) -> String {
    let units = [(86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let fitting = units.iter().find(|(unit, _)| ms >= 2 * unit);
    fitting.map_or_else(|| "1 s".into(), |(unit, name)| format!("{} {name}", ms / unit))
}

/// An id as people compare it.
pub(crate) fn short(id: &TxId) -> String {
    short_code(id)
}

/// A name of ours in the spelling that JSON has for it, in words: `prepaid_third` is `prepaid third`. Of what was answered, how:
/// `answered: paid`.
pub(crate) fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).map_or_else(|_| String::new(), |value| word_of(&value))
}

fn word_of(value: &Value) -> String {
    let (name, inner) = match value {
        Value::String(text) => (text, None),
        Value::Object(map) => match map.iter().next() {
            Some((name, inner)) => (name, Some(inner)),
            None => return String::new(),
        },
        _ => return String::new(),
    };
    let name = name.replace('_', " ");
    // One variant in another; fields of a variant are no names of this kind.
    match inner {
        Some(Value::Object(map)) if map.len() == 1 && map.values().all(Value::is_object) => {
            format!("{name}: {}", word_of(&Value::Object(map.clone())))
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use musubi_sdk::{
        DocumentHash, PartyKind,
        ledger::{operation::RedemptionAnswer, state::RedemptionStatus},
    };

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        let told = [0, 2_500, 119_000, 120_000, 7_200_000, 172_799_000, 172_800_000].map(span);
        assert_eq!(told, ["1 s", "2 s", "119 s", "2 min", "2 h", "47 h", "2 days"]);
    }

    #[test]
    fn an_answer_is_told_with_its_kind() {
        let told = [
            word(&RedemptionStatus::Open),
            word(&RedemptionStatus::TimedOut),
            word(&RedemptionStatus::Answered(RedemptionAnswer::Paid {
                payout: DocumentHash([0; 32]),
            })),
        ];
        assert_eq!(told, ["open", "timed out", "answered: paid"]);
    }

    #[test]
    fn figures_stand_under_each_other() {
        let columns = [("Instrument", Align::Left), ("Spendable", Align::Right)];
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let rows = vec![row("MEBUKU", "12,345"), row("POINT", "7")];
        let expected = "\
────────────────────────
 Instrument   Spendable
════════════════════════
 MEBUKU          12,345
 POINT                7
────────────────────────";
        assert_eq!(table(&columns, rows, "nothing"), expected);
        assert_eq!(table(&columns, Vec::new(), "nothing"), "nothing");
    }

    #[test]
    fn japanese_text_keeps_the_columns_straight() {
        let columns = [("Who", Align::Left), ("Amount", Align::Right)];
        let rows = vec![vec!["自治会".to_owned(), "500".to_owned()]];
        let expected = "\
─────────────────
 Who      Amount
═════════════════
 自治会      500
─────────────────";
        assert_eq!(table(&columns, rows, ""), expected);
    }

    #[test]
    fn fields_line_up_and_empty_ones_disappear() {
        let pairs = [("Party", "x".into()), ("Keys", "a\nb".into()), ("Memo", String::new())];
        assert_eq!(fields(&pairs), "Party  x\nKeys   a\n       b");
    }

    #[test]
    fn amounts_and_times_read_like_a_statement() {
        assert_eq!(amount(Amount(1_234_567), 2), "12,345.67");
        assert_eq!(signed(-500, 0), "-500");
        assert_eq!(signed(1_280, 0), "+1,280");
        assert_eq!(signed(0, 0), "0");
        let midnight = Time(1_795_359_600_000);
        assert_eq!(time(midnight), "2026-11-23 00:00:00 JST");
        assert_eq!(last_day(Some(midnight)), "2026-11-22");
        assert_eq!(last_day(None), "no expiry");
        assert_eq!(word(&PartyKind::Merchant), "merchant");
    }
}
