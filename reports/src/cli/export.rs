//! `musubi report export`: tables for analysis into a new folder.

use std::path::PathBuf;

use clap::Args;
use musubi_sdk::{Day, durable_file, entropy};

use super::{input::Input, output::Output};
use crate::{
    error::ReportError,
    format::parquet,
    period::Period,
    report::{
        Materials,
        export::{self, SMALL, Wanted},
    },
    source::Scope,
};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The first day, in Japan: 2026-04-01
    #[arg(long, value_name = "DATE")]
    from: Day,
    /// The last day, included
    #[arg(long, value_name = "DATE")]
    to: Day,
    /// Fewer parties than this are never shown together
    #[arg(long, value_name = "NUMBER", default_value_t = SMALL)]
    small: u64,
    /// An attribute that is shown of parties; repeat for several
    #[arg(long, value_name = "NAME")]
    attribute: Vec<String>,
    /// Daily sums alone: for publication
    #[arg(long)]
    sums_only: bool,
    /// A file with 64 hexadecimal digits, by which pseudonyms are made: exports of the same key can be linked [default: a
    /// fresh one, so that they cannot]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

pub(super) async fn run(
    args: &ExportArgs,
    input: &Input,
    output: &Output,
) -> Result<(), ReportError> {
    let Some(folder) = output.folder() else {
        let what = "an export is several files";
        return Err(ReportError::asked("no_folder", what, "name a new folder with --out DIR"));
    };
    let period = Period::new(args.from, args.to)?;
    let wanted = Wanted {
        period,
        key: key(args)?,
        small: args.small,
        attributes: args.attribute.clone(),
        sums_only: args.sums_only,
    };
    let (source, names) = input.read(Scope::span(period.from(), period.until())).await?;
    let export = export::make(Materials { source: &source, names: &names }, &wanted)?;
    durable_file::create_folder(folder).map_err(|cause| ReportError::file(folder, cause))?;
    for (table, columns) in &export.tables {
        let file = folder.join(format!("{table}.parquet"));
        let bytes = parquet::write(table, columns)?;
        durable_file::create(&file, &bytes).map_err(|cause| ReportError::file(&file, cause))?;
    }
    Ok(())
}

fn key(args: &ExportArgs) -> Result<[u8; 32], ReportError> {
    let Some(file) = &args.key else { return Ok(entropy::bytes()) };
    let text = std::fs::read_to_string(file).map_err(|cause| ReportError::file(file, cause))?;
    let digits = text.trim();
    let mut key = [0; 32];
    let hexadecimal = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = (0..32).map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok());
    for (byte, read) in key.iter_mut().zip(bytes.collect::<Vec<_>>()) {
        *byte = read.filter(|_| hexadecimal).ok_or_else(|| {
            let next = "make one with `openssl rand -hex 32`";
            ReportError::asked("bad_key", "the key is not 64 hexadecimal digits", next)
        })?;
    }
    Ok(key)
}
