//! CSV of one table, as spreadsheet programs in Japan open it by a double click: UTF-8 with its mark, CR LF.
//!
//! Words that such a program would take for a formula get an apostrophe in front (OWASP, "CSV injection"): names and
//! the like come from people. Figures are written by us alone and stay figures.

use crate::sheet::{Cell, Table};

/// The mark by which programs know UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The table's bytes.
///
/// # Panics
/// Never: writing to memory does not fail, and all rows are as long as the titles.
#[must_use]
pub fn write(table: &Table) -> Vec<u8> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(MARK.to_vec());
    let titles = table.columns.iter().map(|column| column.title);
    writer.write_record(titles).expect("memory takes it");
    for row in &table.rows {
        writer.write_record(row.iter().map(cell)).expect("memory takes it");
    }
    writer.into_inner().expect("memory takes it")
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => harmless(text),
        Cell::Sum(sum, decimals) => sum.plain(*decimals),
        Cell::Count(count) => count.to_string(),
        Cell::Empty | Cell::Time(_) | Cell::Day(_) => cell.shown(),
    }
}

/// The text, with an apostrophe in front if a program would take it for a formula. The wide forms count: programs in
/// Japanese take them for the narrow ones.
#[must_use]
pub fn harmless(text: &str) -> String {
    const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if text.trim_start_matches(' ').starts_with(STARTS) { format!("'{text}") } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sheet::Column, sum::Sum};

    #[test]
    fn words_are_no_formulas_and_figures_stay_figures() {
        let columns = vec![Column::words("名前", 1), Column::figures("金額", 1)];
        let mut table = Table::new("t", "", columns);
        for name in ["=1+1", "+81", "-2", "@x", "＝A1", "  =x", "\t=x", "祭り, \"花火\"", "a-b"]
        {
            table.push(vec![Cell::text(name), Cell::Sum(Sum(-500), 0)]);
        }
        let text = String::from_utf8(write(&table)).unwrap_or_default();
        assert_eq!(
            text,
            "\u{feff}名前,金額\r\n'=1+1,-500\r\n'+81,-500\r\n'-2,-500\r\n'@x,-500\r\n'＝A1,-500\r\n\
             '  =x,-500\r\n'\t=x,-500\r\n\"祭り, \"\"花火\"\"\",-500\r\na-b,-500\r\n"
        );
    }
}
