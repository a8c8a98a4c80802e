//! `musubi scheme`: local currencies as files: checked and played in this process, put on a network, and listed.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use musubi_schemes::{self as schemes, Mistakes, Otherwise, Scheme, stage::InProcess};
use serde_json::json;

use super::{
    error::CliError,
    files,
    scheme_apply::{self, Apply},
    scheme_catalogue::{self, Catalogue},
    session::Session,
    table::Report,
};

/// Largest scheme file, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum SchemeCommand {
    /// Check a scheme file, and play its scenario: its mistakes with line and column, its figures
    Check(Check),
    /// Put a scheme's instruments, offers, rules and allowances on the ledger; what is there already is left alone
    Apply(Apply),
    /// Make the page of all scheme files of a folder
    Catalogue(Catalogue),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The scheme file, `-` for standard input
    file: PathBuf,
    /// Another value for one of its choices; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = choice)]
    set: Vec<(String, String)>,
    /// Check it alone, without playing it
    #[arg(long)]
    no_run: bool,
}

pub(super) fn choice(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// What needs no network; none for what does.
pub(crate) fn run_alone(command: &SchemeCommand) -> Option<Result<Report, CliError>> {
    match command {
        SchemeCommand::Check(args) => Some(check(args)),
        SchemeCommand::Catalogue(args) => Some(scheme_catalogue::run(args)),
        SchemeCommand::Apply(_) => None,
    }
}

pub(crate) async fn run(
    command: &SchemeCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        SchemeCommand::Check(args) => check(args),
        SchemeCommand::Catalogue(args) => scheme_catalogue::run(args),
        SchemeCommand::Apply(args) => scheme_apply::run(args, session).await,
    }
}

/// Reads and checks a file.
pub(super) fn read(file: &Path, otherwise: Otherwise<'_>) -> Result<Scheme, CliError> {
    let name = file.display().to_string();
    let bytes = files::read_input(file, FILE_BYTES_MAX)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| CliError::new("scheme_wrong", format!("{name} is no UTF-8 text")))?;
    schemes::read_with(&name, &text, otherwise).map_err(|mistakes| wrong(&name, &mistakes))
}

/// Plays a scheme on a chain of this process.
pub(super) fn play(scheme: &Scheme) -> Result<schemes::Report, CliError> {
    let mut stage = InProcess::open(&scheme.head.name, scheme.head.begins);
    schemes::run(scheme, &mut stage)
        .map_err(|fault| CliError::new("scheme_failed", fault.to_string()))
}

fn check(args: &Check) -> Result<Report, CliError> {
    let otherwise = Otherwise { set: &args.set, ..Otherwise::default() };
    let scheme = read(&args.file, otherwise)?;
    if args.no_run {
        return Report::new(&json!({ "name": scheme.head.name, "ok": true }), described(&scheme));
    }
    let report = play(&scheme)?;
    if report.ok() {
        return Report::new(&report.to_json(), format!("{}\n{report}", described(&scheme)));
    }
    Err(CliError::new("scheme_failed", report.to_string()).with("report", report.to_json()))
}

fn wrong(name: &str, mistakes: &Mistakes) -> CliError {
    let list = mistakes.list().iter().map(|mistake| {
        json!({ "from": mistake.at.start, "to": mistake.at.end, "what": mistake.what, "hint": mistake.hint })
    });
    let list = list.collect::<Vec<_>>();
    let count = match list.len() {
        1 => "a mistake".to_owned(),
        more => format!("{more} mistakes"),
    };
    CliError::new("scheme_wrong", format!("{name} has {count}\n\n{mistakes}\n"))
        .with("mistakes", json!(list))
}

/// What a file is, and what it chose where its source left it open.
fn described(scheme: &Scheme) -> String {
    let head = &scheme.head;
    let mut text =
        format!("{} ({}, row {}): {}", head.title, head.municipality, head.row, head.summary);
    for choice in &scheme.choices {
        let (name, value, kind) = (&choice.name, &choice.value, choice.kind.name());
        text.push_str(&format!("\n  {name} = {value} ({kind}): {}", choice.why));
    }
    text
}
