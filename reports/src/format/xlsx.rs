//! XLSX: a sheet of facts and notes, then one sheet per table. Words are stored as strings, which no program evaluates;
//! figures as numbers with their places, or as words where a spreadsheet's 15 digits would not hold them.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use crate::{
    error::ReportError,
    sheet::{Cell, Sheet, Table},
    sum::Sum,
};

/// The most that a spreadsheet holds exactly: fifteen digits.
const EXACT_MAX: u128 = 999_999_999_999_999;
/// A font that every system for Japanese users has, or replaces.
const FONT: &str = "BIZ UDGothic";

/// The workbook's bytes: the same for the same sheet.
///
/// # Errors
/// Never for sheets of this crate, unless a table has more rows than a worksheet.
pub fn write(sheet: &Sheet) -> Result<Vec<u8>, ReportError> {
    workbook(sheet).map_err(|error| {
        ReportError::asked("xlsx", error.to_string(), "ask for a shorter period, or for CSV")
    })
}

fn workbook(sheet: &Sheet) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // A fixed instant: the file says what the record says, not when it was written.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    let properties = DocProperties::new().set_title(&sheet.title).set_creation_datetime(&created);
    workbook.set_properties(&properties);
    cover(workbook.add_worksheet(), sheet)?;
    for table in &sheet.tables {
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(&table.title)?;
        fill(worksheet, table)?;
    }
    workbook.save_to_buffer()
}

fn plain() -> Format {
    Format::new().set_font_name(FONT)
}

fn cover(worksheet: &mut Worksheet, sheet: &Sheet) -> Result<(), XlsxError> {
    worksheet.set_name("概要")?.set_column_width(0, 22)?.set_column_width(1, 80)?;
    let title = plain().set_bold().set_font_size(16);
    worksheet.write_string_with_format(0, 0, &sheet.title, &title)?;
    let facts = sheet.facts.iter().map(|(label, value)| (label.as_str(), value.as_str()));
    let notes = sheet.notes.iter().map(|note| ("注", note.as_str()));
    let wrapped = plain().set_text_wrap().set_align(FormatAlign::Top);
    for (row, (label, value)) in (2..).zip(facts.chain(notes)) {
        worksheet.write_string_with_format(row, 0, label, &wrapped)?;
        worksheet.write_string_with_format(row, 1, value, &wrapped)?;
    }
    Ok(())
}

fn fill(worksheet: &mut Worksheet, table: &Table) -> Result<(), XlsxError> {
    let head = plain().set_bold().set_border_bottom(FormatBorder::Thin);
    for (at, column) in (0..).zip(&table.columns) {
        worksheet.set_column_width(at, column.width.max(8))?;
        worksheet.write_string_with_format(0, at, column.title, &head)?;
    }
    worksheet.set_freeze_panes(1, 0)?.set_landscape().set_print_fit_to_pages(1, 0);
    worksheet.set_repeat_rows(0, 0)?;
    for (row, cells) in (1..).zip(&table.rows) {
        for (column, cell) in (0..).zip(cells) {
            put(worksheet, (row, column), cell)?;
        }
    }
    Ok(())
}

fn put(worksheet: &mut Worksheet, (row, column): (u32, u16), cell: &Cell) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => return Ok(()),
        Cell::Text(text) => worksheet.write_string_with_format(row, column, text, &plain())?,
        Cell::Sum(sum, decimals) => return figure(worksheet, (row, column), *sum, *decimals),
        Cell::Count(count) => {
            return figure(worksheet, (row, column), Sum((*count).into()), 0);
        }
        Cell::Time(time) => {
            let text = crate::sheet::minute(*time);
            let instant = ExcelDateTime::parse_from_str(&text)?;
            let format = plain().set_num_format("yyyy-mm-dd hh:mm:ss");
            worksheet.write_datetime_with_format(row, column, &instant, &format)?
        }
        Cell::Day(day) => {
            let instant = ExcelDateTime::parse_from_str(&day.to_string())?;
            let format = plain().set_num_format("yyyy-mm-dd");
            worksheet.write_datetime_with_format(row, column, &instant, &format)?
        }
    };
    Ok(())
}

fn figure(
    worksheet: &mut Worksheet,
    (row, column): (u32, u16),
    sum: Sum,
    decimals: u8,
) -> Result<(), XlsxError> {
    let places = "0".repeat(decimals.into());
    let format = if decimals == 0 { "#,##0".into() } else { format!("#,##0.{places}") };
    match sum.plain(decimals).parse::<f64>() {
        Ok(number) if sum.0.unsigned_abs() <= EXACT_MAX => {
            let format = plain().set_num_format(format);
            worksheet.write_number_with_format(row, column, number, &format)?;
        }
        _ => {
            let format = plain().set_align(FormatAlign::Right);
            worksheet.write_string_with_format(row, column, sum.grouped(decimals), &format)?;
        }
    }
    Ok(())
}
