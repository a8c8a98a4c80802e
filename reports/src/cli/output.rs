//! Where a report goes, and in which format.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use musubi_sdk::durable_file;

use crate::{
    error::ReportError,
    format::{
        self,
        pdf::{Extras, Fonts},
    },
    report::Document,
};

/// A file format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    /// For programs: the whole report.
    Json,
    /// One table, for spreadsheet programs.
    Csv,
    /// All tables, for spreadsheet programs.
    Xlsx,
    /// For paper, and for archives.
    Pdf,
    /// A bank's file of transfers: 120 bytes a record. Of settlements alone.
    Zengin,
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
    /// Of a PDF file: a font for Japanese text [default: BIZ UDGothic of Debian's fonts-morisawa-bizud-gothic]
    #[arg(long, global = true, value_name = "FILE")]
    font: Option<PathBuf>,
}

impl Output {
    pub(super) fn format(&self) -> Format {
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

    /// Where several files go.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.out.as_deref()
    }

    /// Writes a report.
    pub(super) fn write(&self, report: &impl Document) -> Result<(), ReportError> {
        self.write_with(report, &Extras::default())
    }

    /// Writes a report; a PDF file with these extras.
    pub(super) fn write_with(
        &self,
        report: &impl Document,
        extras: &Extras,
    ) -> Result<(), ReportError> {
        let bytes = match self.format() {
            Format::Json => format::json::write(report),
            Format::Csv => self.csv(report)?,
            Format::Xlsx => format::xlsx::write(&report.sheet())?,
            Format::Pdf => {
                let fonts = Fonts::find(self.font.as_deref())?;
                format::pdf::write(&report.sheet(), extras, &fonts)?
            }
            Format::Zengin => {
                let what = "a bank's file is made of settlements alone";
                return Err(ReportError::asked("no_zengin", what, "ask for `settlement`"));
            }
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
