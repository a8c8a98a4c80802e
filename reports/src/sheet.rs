//! What every document looks like, whatever its format: a title, facts, tables, notes.

use musubi_sdk::{Day, Time};

use crate::sum::Sum;

/// A document as people see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Its title.
    pub title: String,
    /// What it is about, line by line: label and value.
    pub facts: Vec<(String, String)>,
    /// Its tables; the first is the one that matters.
    pub tables: Vec<Table>,
    /// What to know about it.
    pub notes: Vec<String>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Under which the command line names it.
    pub key: &'static str,
    /// Its title.
    pub title: String,
    /// Titles of its columns, and how wide each is beside the others.
    pub columns: Vec<Column>,
    /// Its rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
}

/// A column: its title and its share of the width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: &'static str,
    /// Its share of the page's width, beside the others'.
    pub width: u16,
    /// Whether it holds figures.
    pub figures: bool,
}

/// A cell. What it holds decides how a format writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Words. May come from people: a format neutralises what a program would take for a formula.
    Text(String),
    /// A sum with its decimal places.
    Sum(Sum, u8),
    /// A number of things.
    Count(u64),
    /// An instant.
    Time(Time),
    /// A date.
    Day(Day),
}

impl Column {
    /// Of words.
    #[must_use]
    pub fn words(title: &'static str, width: u16) -> Self {
        Self { title, width, figures: false }
    }

    /// Of figures.
    #[must_use]
    pub fn figures(title: &'static str, width: u16) -> Self {
        Self { title, width, figures: true }
    }
}

/// A column, and what stands in it of each row.
pub type Filled<'f, R> = (Column, &'f dyn Fn(&R) -> Cell);

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(key: &'static str, title: impl Into<String>, columns: Vec<Column>) -> Self {
        Self { key, title: title.into(), columns, rows: Vec::new() }
    }

    /// A row for each of `rows`: every column with what stands in it.
    #[must_use]
    pub fn of<R>(
        key: &'static str,
        title: impl Into<String>,
        rows: &[R],
        columns: Vec<Filled<'_, R>>,
    ) -> Self {
        let cells = |row| columns.iter().map(|(_, cell)| cell(row)).collect();
        let rows = rows.iter().map(cells).collect();
        let columns = columns.iter().map(|(column, _)| column.clone()).collect();
        Self { key, title: title.into(), columns, rows }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If it has not a cell for each column.
    pub fn push(&mut self, row: Vec<Cell>) {
        assert_eq!(row.len(), self.columns.len(), "a row of `{}` has all its cells", self.key);
        self.rows.push(row);
    }
}

impl Cell {
    /// Words.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A sum, or nothing where it is zero.
    #[must_use]
    pub fn unless_zero(sum: Sum, decimals: u8) -> Self {
        if sum.is_zero() { Self::Empty } else { Self::Sum(sum, decimals) }
    }

    /// As people read it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Sum(sum, decimals) => sum.grouped(*decimals),
            Self::Count(count) => Sum((*count).into()).grouped(0),
            Self::Time(time) => minute(*time),
            Self::Day(day) => day.to_string(),
        }
    }
}

/// An instant to the second, in Japan: `2026-11-22 10:00:00`.
#[must_use]
pub fn minute(time: Time) -> String {
    let text = time.to_string();
    text.get(..19).unwrap_or(&text).replace('T', " ")
}
