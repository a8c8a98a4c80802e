//! Output formats, one file each. All but JSON are made from sheets.

pub mod csv;
pub mod json;
pub mod parquet;
pub mod pdf;
pub mod xlsx;
pub mod zengin;
