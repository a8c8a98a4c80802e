//! Where a report goes, and in which format.

use std::{io::Write, path::PathBuf};

use clap::{Args, ValueEnum};
use musubi_sdk::durable_file;

use crate::{error::ReportError, format, report::Document};

/// A file format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    /// For programs: the whole report.
    Json,
    /// One table, for spreadsheet programs.
    Csv,
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// In which format [default: what the file's name ends with, else json]
    #[arg(long, global = true, value_enum)]
    format: Option<Format>,
    /// Into which new file [default: standard output]
    #[arg(long, short, global = true, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Of a CSV file: which table [default: the first]
    #[arg(long, global = true, value_name = "TABLE")]
    table: Option<String>,
}

impl Output {
    fn format(&self) -> Format {
        let end = self.out.as_ref().and_then(|path| path.extension()?.to_str());
        let by_end = end.and_then(|end| Format::from_str(end, true).ok());
        self.format.or(by_end).unwrap_or(Format::Json)
    }

    /// Whether it can be written at all: asked before the record is read.
    pub(super) fn check(&self) -> Result<(), ReportError> {
        let next = "name another file, or remove this one";
        match &self.out {
            Some(file) if file.exists() => {
                let what = format!("{} is there already", file.display());
                Err(ReportError::asked("file_exists", what, next))
            }
            _ => Ok(()),
        }
    }

    /// Writes a report.
    pub(super) fn write(&self, report: &impl Document) -> Result<(), ReportError> {
        let bytes = match self.format() {
            Format::Json => format::json::write(report),
            Format::Csv => self.csv(report)?,
        };
        self.put(&bytes)
    }

    fn csv(&self, report: &impl Document) -> Result<Vec<u8>, ReportError> {
        let tables = report.sheet().tables;
        let wanted = |key: &str| self.table.as_ref().is_none_or(|table| table == key);
        match tables.iter().find(|table| wanted(table.key)) {
            Some(table) => Ok(format::csv::write(table)),
            None => {
                let keys: Vec<&str> = tables.iter().map(|table| table.key).collect();
                let what = format!("this report's tables are {}", keys.join(", "));
                Err(ReportError::asked("no_table", what, "name one of them with --table"))
            }
        }
    }

    /// Writes bytes: to a new file, readable by its owner alone, or to standard output.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<(), ReportError> {
        match &self.out {
            Some(file) => {
                durable_file::create(file, bytes).map_err(|cause| ReportError::file(file, cause))
            }
            None => {
                // Who reads only the beginning of it is no failure.
                let _ = std::io::stdout().lock().write_all(bytes);
                Ok(())
            }
        }
    }
}
