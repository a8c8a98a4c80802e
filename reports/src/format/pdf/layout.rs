//! Where everything goes. Lengths are hundredths of a point, whole; the font's letters are half as wide as its
//! size, its Japanese characters as wide.

use crate::sheet::{Cell, Column, Sheet, Table};

use super::Extras;

/// The short and the long side of A4.
const A4: (i32, i32) = (59_528, 84_189);
const MARGIN: i32 = 4_200;
/// Sizes of type.
const TITLE: i32 = 1_600;
const HEADING: i32 = 1_050;
const TEXT: i32 = 850;
const SMALL: i32 = 750;
/// What a line takes of its size, in hundredths.
const LEADING: i32 = 145;
/// Between two columns.
const GAP: i32 = 500;
/// A table whose columns together are wider lies on its side.
const UPRIGHT_WIDTH: u32 = 105;
/// The side of a QR code, and the least that one of its modules takes: 0.6 mm, which phones can read.
const CODE: i32 = 8_500;
const MODULE: i32 = 170;

/// A page and what is drawn on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) marks: Vec<Mark>,
}

/// Something drawn, in hundredths of a point from the page's upper left corner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A line of text by its left end and base line.
    Text { x: i32, y: i32, size: i32, bold: bool, text: String },
    /// A thin line.
    Rule { x: i32, y: i32, width: i32 },
    /// A dark square.
    Square { x: i32, y: i32, side: i32 },
}

/// The pages of a sheet.
pub(super) fn pages(sheet: &Sheet, extras: &Extras) -> Vec<Page> {
    let widest = sheet.tables.iter().map(|table| width_of(&table.columns)).max().unwrap_or(0);
    let (width, height) = if widest > UPRIGHT_WIDTH { (A4.1, A4.0) } else { A4 };
    let mut pen = Pen { pages: Vec::new(), width, height, y: 0 };
    pen.turn();
    pen.line(TITLE, true, 0, &sheet.title);
    pen.y += 500;
    for (label, value) in &sheet.facts {
        pen.fact(label, value);
    }
    for table in &sheet.tables {
        pen.table(table);
    }
    for note in &sheet.notes {
        pen.y += 200;
        let room = pen.room();
        for (at, line) in (0..).zip(wrapped(note, SMALL, room - 2 * SMALL)) {
            pen.reserve(SMALL);
            if at == 0 {
                pen.put(0, SMALL, false, "※");
            }
            pen.put(2 * SMALL, SMALL, false, &line);
            pen.advance(SMALL);
        }
    }
    pen.code(extras);
    pen.numbered(&sheet.title)
}

fn width_of(columns: &[Column]) -> u32 {
    columns.iter().map(|column| u32::from(column.width)).sum()
}

/// How wide a text is at a size.
fn width(text: &str, size: i32) -> i32 {
    let halves: i32 = text.chars().map(halves).sum();
    halves * size / 2
}

/// In halves of the size: one for Latin letters and narrow katakana, two for the others.
fn halves(character: char) -> i32 {
    if character.is_ascii() || ('\u{ff61}'..='\u{ff9f}').contains(&character) { 1 } else { 2 }
}

/// A text in lines that fit.
fn wrapped(text: &str, size: i32, room: i32) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for character in text.chars() {
        let wide = halves(character) * size / 2;
        if character == '\n' || used + wide > room && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        if let (false, Some(line)) = (character.is_control(), lines.last_mut()) {
            line.push(character);
            used += wide;
        }
    }
    lines
}

/// Draws from the top down, page after page.
struct Pen {
    pages: Vec<Page>,
    width: i32,
    height: i32,
    y: i32,
}

impl Pen {
    fn room(&self) -> i32 {
        self.width - 2 * MARGIN
    }

    /// A new page.
    fn turn(&mut self) {
        self.pages.push(Page { width: self.width, height: self.height, marks: Vec::new() });
        self.y = MARGIN;
    }

    fn left(&self) -> i32 {
        self.height - MARGIN - SMALL * 3 - self.y
    }

    /// A new page, unless a line of this size still fits.
    fn reserve(&mut self, size: i32) {
        if self.left() < size * LEADING / 100 {
            self.turn();
        }
    }

    fn mark(&mut self, mark: Mark) {
        self.pages.last_mut().expect("the first page was turned").marks.push(mark);
    }

    /// Text at `x` from the margin, on the line that begins at the pen.
    fn put(&mut self, x: i32, size: i32, bold: bool, text: &str) {
        let (x, y, text) = (MARGIN + x, self.y + size, text.to_owned());
        self.mark(Mark::Text { x, y, size, bold, text });
    }

    fn advance(&mut self, size: i32) {
        self.y += size * LEADING / 100;
    }

    fn line(&mut self, size: i32, bold: bool, x: i32, text: &str) {
        self.reserve(size);
        self.put(x, size, bold, text);
        self.advance(size);
    }

    fn rule(&mut self) {
        let (y, width) = (self.y, self.room());
        self.mark(Mark::Rule { x: MARGIN, y, width });
    }

    fn fact(&mut self, label: &str, value: &str) {
        let indent = 9_000;
        let lines = wrapped(value, TEXT, self.room() - indent);
        for (at, line) in (0..).zip(lines) {
            self.reserve(TEXT);
            if at == 0 {
                self.put(0, TEXT, true, label);
            }
            self.put(indent, TEXT, false, &line);
            self.advance(TEXT);
        }
    }

    fn table(&mut self, table: &Table) {
        self.y += 900;
        // A title alone at the foot of a page helps nobody.
        if self.left() < 5 * HEADING {
            self.turn();
        }
        self.line(HEADING, true, 0, &table.title);
        let places = self.places(&table.columns);
        self.head(table, &places);
        for row in &table.rows {
            self.row(row, table, &places);
        }
        if table.rows.is_empty() {
            self.line(TEXT, false, 0, "該当なし");
        }
        self.y += 150;
        self.rule();
    }

    /// Left end and width of each column.
    fn places(&self, columns: &[Column]) -> Vec<(i32, i32)> {
        let gaps = GAP * i32::try_from(columns.len().saturating_sub(1)).unwrap_or(0);
        let all = i64::from(width_of(columns).max(1));
        let room = i64::from(self.room() - gaps);
        let mut x = 0;
        let mut places = Vec::with_capacity(columns.len());
        for column in columns {
            let wide = i32::try_from(room * i64::from(column.width) / all).unwrap_or(0);
            places.push((x, wide));
            x += wide + GAP;
        }
        places
    }

    fn head(&mut self, table: &Table, places: &[(i32, i32)]) {
        self.rule();
        self.y += 150;
        let titles = table.columns.iter().map(|column| column.title.to_owned());
        let cells = titles.zip(&table.columns).map(|(title, c)| (title, c.figures)).collect();
        self.cells(cells, places, true);
        self.y += 100;
        self.rule();
        self.y += 150;
    }

    fn row(&mut self, row: &[Cell], table: &Table, places: &[(i32, i32)]) {
        let cells: Vec<(String, bool)> =
            row.iter().map(Cell::shown).zip(table.columns.iter().map(|c| c.figures)).collect();
        let lines = |((text, _), (_, wide)): (&(String, bool), &(i32, i32))| {
            wrapped(text, SMALL, *wide).len()
        };
        let tallest = cells.iter().zip(places).map(lines).max().unwrap_or(1);
        let needs = i32::try_from(tallest).unwrap_or(1) * (SMALL * LEADING / 100);
        if self.left() < needs {
            self.turn();
            self.head(table, places);
        }
        self.cells(cells, places, false);
    }

    fn cells(&mut self, cells: Vec<(String, bool)>, places: &[(i32, i32)], bold: bool) {
        let top = self.y;
        let mut bottom = top;
        for ((text, figures), (x, wide)) in cells.into_iter().zip(places) {
            self.y = top;
            for line in wrapped(&text, SMALL, *wide) {
                let indent = if figures { wide - width(&line, SMALL) } else { 0 };
                self.put(x + indent, SMALL, bold, &line);
                self.advance(SMALL);
            }
            bottom = bottom.max(self.y);
        }
        self.y = bottom;
    }

    /// The code with its quiet zone, and the line under it.
    fn code(&mut self, extras: &Extras) {
        let Some((code, caption)) = &extras.code else { return };
        self.y += 1_200;
        let modules = i32::try_from(code.width()).unwrap_or(1).max(1);
        let side = (CODE / modules).max(MODULE);
        if self.left() < side * modules + 4 * SMALL {
            self.turn();
        }
        for row in 0..code.width() {
            for column in (0..code.width()).filter(|column| code.is_dark(*column, row)) {
                let place = |at: usize| i32::try_from(at).unwrap_or(0) * side;
                let (x, y) = (MARGIN + place(column), self.y + place(row));
                self.mark(Mark::Square { x, y, side });
            }
        }
        self.y += side * modules + 300;
        let room = self.room();
        for line in wrapped(caption, SMALL, room) {
            self.line(SMALL, false, 0, &line);
        }
    }

    /// All pages, each with its number.
    fn numbered(mut self, title: &str) -> Vec<Page> {
        let count = self.pages.len();
        for (number, page) in (1..).zip(&mut self.pages) {
            let text = format!("{title}　{number} / {count}");
            let x = page.width - MARGIN - width(&text, SMALL);
            let y = page.height - MARGIN;
            page.marks.push(Mark::Text { x, y, size: SMALL, bold: false, text });
        }
        self.pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_sheet(rows: usize) -> Sheet {
        let columns = vec![Column::words("相手", 20), Column::figures("金額", 10)];
        let mut table = Table::new("lines", "明細", columns);
        for number in 0..rows {
            let name = format!("{number} 本町自治会の大変長い名前の会計担当者と、その代理の方");
            table.push(vec![Cell::text(name), Cell::Count(1_000_000)]);
        }
        Sheet { title: "取引明細書".into(), tables: vec![table], ..Sheet::default() }
    }

    #[test]
    fn nothing_leaves_the_page_and_every_page_has_its_head_and_number() {
        let pages = pages(&a_sheet(200), &Extras::default());
        assert!(pages.len() > 3, "{} pages", pages.len());
        for (number, page) in (1..).zip(&pages) {
            let texts = page.marks.iter().filter_map(|mark| match mark {
                Mark::Text { x, y, size, text, .. } => Some((*x, *y, *size, text.as_str())),
                _ => None,
            });
            let texts: Vec<_> = texts.collect();
            for (x, y, size, text) in &texts {
                let right = x + width(text, *size);
                assert!(*x >= MARGIN && right <= page.width - MARGIN + 1, "{text} ends at {right}");
                assert!((MARGIN..=page.height - MARGIN).contains(y), "{text} is at {y}");
            }
            assert!(texts.iter().any(|(.., text)| *text == "相手"), "page {number} has its head");
            let foot = format!("取引明細書　{number} / {}", pages.len());
            assert!(texts.iter().any(|(.., text)| *text == foot));
        }
    }

    #[test]
    fn every_character_is_on_some_line() {
        for (text, room) in [("本町自治会 abc", 2_000), ("0123456789abcdef", 1_000), ("", 500)]
        {
            let lines = wrapped(text, 850, room);
            assert_eq!(lines.concat(), text);
            assert!(lines.iter().all(|line| width(line, 850) <= room.max(850)));
        }
    }
}
