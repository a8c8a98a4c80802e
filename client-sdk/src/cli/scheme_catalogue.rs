//! `musubi scheme catalogue`: the page of all scheme files of a folder.

use std::path::PathBuf;

use clap::Args;
use musubi_schemes::{Otherwise, catalogue::page};
use serde_json::json;

use super::{
    error::{CliError, file_error},
    scheme,
    table::Report,
};

/// The page's name in the folder of the files.
const PAGE: &str = "README.md";

#[derive(Debug, Args)]
pub(crate) struct Catalogue {
    /// The folder
    dir: PathBuf,
    /// Write the page into the folder, as README.md, in place of printing it
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(args: &Catalogue) -> Result<Report, CliError> {
    let failed = |cause: std::io::Error| file_error(&args.dir, cause);
    let mut paths = Vec::new();
    for entry in args.dir.read_dir().map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort_by_key(|path| path.file_stem().map(ToOwned::to_owned));
    if paths.is_empty() {
        let what = format!("{} has no scheme files", args.dir.display());
        return Err(CliError::usage("no_schemes", what));
    }
    let mut all = Vec::with_capacity(paths.len());
    for path in &paths {
        let scheme = scheme::read(path, Otherwise::default())?;
        let report = scheme::play(&scheme)?;
        all.push((scheme, report));
    }
    let text = page(&all);
    if !args.write {
        return Report::new(&json!({ "page": text }), text.trim_end());
    }
    let path = args.dir.join(PAGE);
    let written = format!("{}: {} schemes", path.display(), all.len());
    // A document for everybody: none of a home's private files.
    std::fs::write(&path, text).map_err(|cause| file_error(&path, cause))?;
    Report::new(&json!({ "file": path, "schemes": all.len() }), written)
}
