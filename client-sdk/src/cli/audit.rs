//! `musubi audit`: re-verifies and re-executes the whole log, and names the first bad entry.

use std::{
    io::IsTerminal,
    num::NonZero,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use musubi_sdk::{
    ChainId, Client, Time,
    audit::{self, AuditError, Demands, Finding, Options, Progress, Source},
};

use super::{audit_words::words, error::CliError, session::Session, table::Report, when::Span};

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Audit a record that was downloaded before, without any node
    #[arg(long, value_name = "DIR", conflicts_with = "download")]
    from: Option<PathBuf>,
    /// Only download the record into a new folder, to be audited later or elsewhere
    #[arg(long, value_name = "DIR")]
    download: Option<PathBuf>,
    /// The chain that it must be [default: the profile's; without one, the report says so]
    #[arg(long, value_name = "HEX", conflicts_with = "download")]
    chain: Option<ChainId>,
    /// The block up to which validators must have signed at least
    #[arg(long, value_name = "HEIGHT", conflicts_with = "download")]
    min_height: Option<u64>,
    /// How old the newest block that they signed may be: 10m, 12h, 30d
    #[arg(long, value_name = "SPAN", conflicts_with = "download")]
    max_age: Option<Span>,
    /// Demand signatures of all validators, not of a majority alone
    #[arg(long, conflicts_with = "download")]
    all_validators: bool,
    /// Threads that check signatures [default: all]
    #[arg(long)]
    threads: Option<NonZero<usize>>,
}

pub(crate) async fn run(args: Audit, session: &mut Session) -> Result<Report, CliError> {
    let bar = bar(session.json());
    let result = work(&args, session, &bar).await;
    bar.finish_and_clear();
    result
}

async fn work(args: &Audit, session: &mut Session, bar: &ProgressBar) -> Result<Report, CliError> {
    if let Some(folder) = &args.download {
        let client = one_node(session)?;
        let end = audit::download(&client, folder, |p| show(bar, p)).await?;
        let text = format!(
            "Downloaded {} blocks and {} leaves; audit them with `musubi audit --from {}`.",
            end.height,
            end.leaves,
            folder.display()
        );
        return Ok(Report::done(text));
    }
    let source = match &args.from {
        Some(folder) => Source::directory(folder)?,
        None => Source::node(one_node(session)?),
    };
    let all = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let threads = args.threads.unwrap_or(all);
    let now = now();
    let demands = Demands {
        min_height: args.min_height,
        not_before: args.max_age.map(|span| Time(now.0.saturating_sub(span.0))),
        all_validators: args.all_validators,
    };
    let expected = args.chain.or(session.profile().chain);
    let options = Options { threads, expected, demands };
    let report = audit::run(source, options, |p| show(bar, p)).await?;
    // Without a node there is nobody to ask for the places: the genesis document's decide nothing.
    let decimals = match args.from {
        Some(_) => std::collections::BTreeMap::new(),
        None => session.decimals().await,
    };
    let mut report = Report::new(&report, words(&report, &decimals, now))?;
    for quorum in ["covered_by_majority", "covered_by_all"] {
        if let Some(time) = report.json[quorum]["time"].as_u64() {
            report.json[quorum]["age_ms"] = now.0.saturating_sub(time).into();
        }
    }
    Ok(report)
}

/// This machine's clock: ages are as good as it is.
fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// One node alone: another one might be behind it in the middle of the download.
fn one_node(session: &Session) -> Result<Client, CliError> {
    Ok(Client::new(session.config(session.nodes().iter().take(1)))?)
}

fn bar(quiet: bool) -> ProgressBar {
    let target = match std::io::stderr().is_terminal() && !quiet {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(1), target);
    let template = "{bar:40} {pos}/{len} blocks, {msg} ({eta})";
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.target.max(1));
    bar.set_position(progress.height);
    bar.set_message(format!("{} signatures", progress.signatures));
}

impl From<AuditError> for CliError {
    fn from(error: AuditError) -> Self {
        let code = error.code().to_owned();
        match error {
            AuditError::Finding(finding) => Self::new(&code, place(&finding))
                .next("keep this record as evidence; compare with another organisation's node"),
            AuditError::Client(error) => error.into(),
            AuditError::File(error) => Self::new(&code, error.to_string()),
        }
    }
}

/// Where the first fault is, and what.
fn place(finding: &Finding) -> String {
    format!("the record does not hold: {finding}")
}
