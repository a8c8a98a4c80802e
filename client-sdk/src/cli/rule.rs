//! `musubi rule`: what the ledger posts by itself, by which rules.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use musubi_sdk::{
    InstrumentId,
    api::RuleView,
    describe::rule_text,
    ledger::{id::RuleId, limits::TRANSACTION_BYTES_MAX, rule::RuleTerms},
};

use super::{
    args::Signing,
    error::CliError,
    files::read_input,
    finish::Plan,
    session::Session,
    table::{self, Align, Report},
    when::When,
};

/// What the ledger posts by itself: rewards, premiums, shares, fees
#[derive(Debug, Subcommand)]
pub(crate) enum RuleCommand {
    /// List an instrument's rules that may still give
    List {
        /// The instrument
        #[arg(value_name = "CODE")]
        instrument: InstrumentId,
    },
    /// Show a rule; with --json in the form that `rule put` reads
    Show {
        /// The instrument
        #[arg(value_name = "CODE")]
        instrument: InstrumentId,
        /// The rule's number
        number: u16,
    },
    /// Put a rule: two officers of the issuer sign, and whoever else funds it
    Put {
        /// The instrument that it watches
        #[arg(value_name = "CODE")]
        instrument: InstrumentId,
        /// Its number: rules act in this order, and none is used again
        number: u16,
        /// The rule as JSON, in the fields of docs/RULES.md; - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        signing: Signing,
    },
    /// End a rule: two officers of the issuer sign, or who funds it
    End {
        /// The instrument
        #[arg(value_name = "CODE")]
        instrument: InstrumentId,
        /// The rule's number
        number: u16,
        /// From when on: 1d, or the day whose end it is [default: at once]
        #[arg(long, value_name = "WHEN")]
        at: Option<When>,
        #[command(flatten)]
        signing: Signing,
    },
}

pub(crate) async fn run(command: RuleCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        RuleCommand::List { instrument } => list(instrument, session).await,
        RuleCommand::Show { instrument, number } => {
            show(RuleId { instrument, number }, session).await
        }
        RuleCommand::Put { instrument, number, file, signing } => {
            let terms = read(&file)?;
            let (actor, contact) = session.actor_contact()?;
            let id = RuleId { instrument, number };
            let draft = session.composer().await?.put_rule(contact.party, id, terms);
            let done = format!("Put rule {number} of {instrument}.");
            Plan::new(draft, Some(&actor), done).run(session, &signing).await
        }
        RuleCommand::End { instrument, number, at, signing } => {
            let (actor, contact) = session.actor_contact()?;
            let composer = session.composer().await?;
            // Ordered a little later, an end that is to hold at once must not lie in the past.
            let soon = composer.now.plus(60_000);
            let at = at.map_or(soon, |when| when.from(composer.now));
            let draft = composer.end_rule(contact.party, RuleId { instrument, number }, at);
            let done = format!("Ended rule {number} of {instrument}.");
            Plan::new(draft, Some(&actor), done).run(session, &signing).await
        }
    }
}

/// Reads a rule, and says where it is none.
fn read(file: &Path) -> Result<RuleTerms, CliError> {
    let bytes = read_input(file, TRANSACTION_BYTES_MAX as u64)?;
    let terms: RuleTerms = serde_json::from_slice(&bytes).map_err(|error| {
        CliError::usage("bad_rule", format!("{} is no rule: {error}", file.display()))
            .next("`musubi rule show --json` prints one; docs/RULES.md says what the fields mean")
    })?;
    if !terms.well_formed() {
        let what = format!("the parts of the rule in {} do not go together", file.display());
        return Err(CliError::usage("bad_rule", what).next("docs/RULES.md says what goes together"));
    }
    Ok(terms)
}

async fn list(instrument: InstrumentId, session: &mut Session) -> Result<Report, CliError> {
    let views = session.client()?.rules(instrument).await?;
    let glossary = session.words().await;
    let row = |view: &RuleView| {
        let text = rule_text(instrument, &view.rule.terms, &glossary).join("; ");
        vec![view.id.number.to_string(), table::word(&view.rule.terms.on), text]
    };
    let columns = [("Rule", Align::Right), ("On", Align::Left), ("What it does", Align::Left)];
    let rows = views.iter().map(row).collect();
    let none = format!("{instrument} has no rule.");
    Report::new(&views, table::table(&columns, rows, &none))
}

async fn show(id: RuleId, session: &mut Session) -> Result<Report, CliError> {
    let view = session.client()?.rule(id).await?;
    let glossary = session.words().await;
    let ended = view.rule.ended.map_or_else(|| "no".into(), table::time);
    let text = table::fields(&[
        ("Rule", format!("{} of {}", view.id.number, view.id.instrument)),
        ("On", table::word(&view.rule.terms.on)),
        ("What it does", rule_text(id.instrument, &view.rule.terms, &glossary).join("; ")),
        ("Ended", ended),
    ]);
    Report::new(&view.rule.terms, text)
}
