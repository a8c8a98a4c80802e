//! Reports: what people and offices need on paper and in files, made from a ledger that was executed again.
//!
//! A reader's way in:
//! - [`source`]: a record (a node's or a downloaded one) goes through the SDK's audit; on its way a collector keeps
//!   events and the state at the dates that are asked for, and [`source::check`] holds every sum of postings against
//!   the ledger's own wallets and totals. No report is made of a record that does not hold;
//! - [`report`]: one file per report, pure: from a [`source::Source`] to a document that serialises;
//! - [`sheet`]: what every document looks like as titles, facts and tables; [`words`]: its Japanese;
//! - [`format`]: one file per output format, from sheets alone;
//! - [`names`]: what parties are called, from a file beside the ledger; [`period`]: Japanese days.
//!
//! The heavy libraries of files that people open are linked here alone: neither a node nor `musubi` has them.

pub mod cli;
pub mod error;
pub mod format;
pub mod names;
pub mod period;
pub mod report;
pub mod sheet;
pub mod source;
pub mod sum;
pub mod words;

pub use error::ReportError;
