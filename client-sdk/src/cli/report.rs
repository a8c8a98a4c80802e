//! `musubi report`: becomes `musubi-report`, a program of its own beside this one, so that its libraries for files that
//! people open (spreadsheets, PDF, Parquet) are linked into nothing else.

use std::{env, ffi::OsString, io, os::unix::process::CommandExt, path::PathBuf, process::Command};

use clap::Args;

use super::{contacts, error::CliError, session::Session, table};

/// The program's name.
const PROGRAM: &str = "musubi-report";

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct ReportArgs {
    /// Which report, and its options: `musubi report help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "REPORT")]
    arguments: Vec<OsString>,
}

/// Returns only if the program cannot be started.
pub(crate) fn run(args: &ReportArgs, session: &Session) -> Result<table::Report, CliError> {
    let error = command(args, session).exec();
    let missing = error.kind() == io::ErrorKind::NotFound;
    let what = format!("cannot start {PROGRAM}: {error}");
    let next = if missing {
        "`cargo xtask build` makes it; it belongs beside `musubi`, or into a folder of PATH"
    } else {
        "check that the file may be executed"
    };
    Err(CliError::new("no_report_program", what).next(next))
}

/// What this home knows goes along in the environment, where other users of the machine do not see it.
fn command(args: &ReportArgs, session: &Session) -> Command {
    let beside = env::current_exe().ok().and_then(|own| Some(own.parent()?.join(PROGRAM)));
    let program = beside.filter(|path| path.exists()).unwrap_or_else(|| PathBuf::from(PROGRAM));
    let mut command = Command::new(program);
    if session.json() {
        command.arg("--json");
    }
    command.args(&args.arguments);
    let nodes = session.nodes();
    if !nodes.is_empty() {
        command.env("MUSUBI_NODE", nodes.join(","));
    }
    // The profile's token is for the profile's nodes: whoever names another one here gives its token too.
    let names_node = |argument: &OsString| argument.to_string_lossy().starts_with("--node");
    if let Some(token) = session.token().filter(|_| !args.arguments.iter().any(names_node)) {
        command.env("MUSUBI_TOKEN", token);
    }
    if let Some(chain) = session.profile().chain {
        command.env("MUSUBI_CHAIN", chain.to_string());
    }
    let book = session.home().join(contacts::FILE);
    if env::var_os("MUSUBI_NAMES").is_none() && book.exists() {
        command.env("MUSUBI_NAMES", book);
    }
    command
}
