//! `musubi audit`: re-verifies and re-executes the whole log, and names the first bad entry.

use std::{io::IsTerminal, num::NonZero, path::PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use musubi_sdk::{
    Client, ClientConfig,
    audit::{self, AuditError, Finding, Options, Progress, Report as AuditReport, Source},
};

use super::{
    error::CliError,
    session::Session,
    table::{self, Align, Report},
};

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Audit a record that was downloaded before, without any node
    #[arg(long, value_name = "DIR", conflicts_with = "download")]
    from: Option<PathBuf>,
    /// Only download the record into a new folder, to be audited later or elsewhere
    #[arg(long, value_name = "DIR")]
    download: Option<PathBuf>,
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
    let report = audit::run(source, Options { threads }, |p| show(bar, p)).await?;
    // Without a node there is nobody to ask for the places: the genesis document's decide nothing.
    let decimals = match args.from {
        Some(_) => std::collections::BTreeMap::new(),
        None => session.decimals().await,
    };
    Report::new(&report, words(&report, &decimals))
}

/// One node alone: another one might be behind it in the middle of the download.
fn one_node(session: &Session) -> Result<Client, CliError> {
    let mut config = ClientConfig::new(session.nodes().iter().take(1));
    config.token = session.token().cloned();
    Ok(Client::new(config)?)
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

type Places = std::collections::BTreeMap<musubi_sdk::InstrumentId, u8>;

fn words(report: &AuditReport, decimals: &Places) -> String {
    let facts = table::fields(&[
        ("Chain", report.chain.to_string()),
        ("Up to", format!("block {} of {}", report.height, table::time(report.time))),
        ("Root", report.root.clone()),
    ]);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut count = |what: &str, number: u64| {
        rows.push(vec![what.to_owned(), describe(number)]);
    };
    count("blocks", report.blocks);
    count("transactions judged", report.transactions);
    count("system actions", report.system);
    count("signatures verified", report.signatures);
    for (kind, number) in &report.kinds {
        count(&format!("  applied: {}", kind.replace('_', " ")), *number);
    }
    for (code, number) in &report.rejected {
        count(&format!("  rejected: {code}"), *number);
    }
    for (code, number) in &report.void {
        count(&format!("  void: {code}"), *number);
    }
    for (form, number) in &report.consent_forms {
        count(&format!("  consent: {form}"), *number);
    }
    let counted = table::table(&[("Counted", Align::Left), ("", Align::Right)], rows, "");
    format!(
        "{facts}\n{counted}\n{}\n{}\nEverything agrees.",
        supply(report, decimals),
        signers(report)
    )
}

fn describe(number: u64) -> String {
    table::amount(musubi_sdk::Amount(number), 0)
}

fn supply(report: &AuditReport, decimals: &Places) -> String {
    let row = |line: &audit::SupplyLine| {
        let places = decimals.get(&line.instrument).copied().unwrap_or(0);
        let shown = |amount| table::amount(amount, places);
        vec![
            line.instrument.to_string(),
            shown(line.issued),
            shown(line.burnt),
            shown(line.outstanding),
            line.lots.len().to_string(),
        ]
    };
    let columns = [
        ("Supply", Align::Left),
        ("Issued", Align::Right),
        ("Burnt", Align::Right),
        ("In wallets", Align::Right),
        ("Lots", Align::Right),
    ];
    table::table(&columns, report.supply.iter().map(row).collect(), "Nothing was issued.")
}

fn signers(report: &AuditReport) -> String {
    let row = |agreement: &audit::Agreement| {
        vec![
            agreement.node.to_string(),
            agreement.organisation.clone(),
            describe(agreement.size),
            describe(agreement.height),
        ]
    };
    let columns = [
        ("Validator", Align::Left),
        ("Organisation", Align::Left),
        ("Signed leaves", Align::Right),
        ("Block", Align::Right),
    ];
    table::table(&columns, report.validators.iter().map(row).collect(), "Nobody signed.")
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
