//! `musubi scheme apply`: a scheme's configuration onto a network, through the signatures of its officers.
//!
//! Everything is looked at before anything is sent: what is there already is left alone, and where something is there
//! otherwise than the file says, nothing is sent at all. So the same command may be given again at any time.

use std::path::PathBuf;

use clap::Args;
use musubi_schemes::{
    Otherwise, Scheme,
    configuration::{Ground, Setting},
};
use musubi_sdk::{Time, TxId};
use serde::Serialize;
use serde_json::json;

use super::{
    confirm::confirm,
    error::CliError,
    finish::words,
    scheme::{choice, read},
    scheme_casting::{Casting, There},
    session::Session,
    table::{self, Align, Report},
};

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The scheme file, `-` for standard input
    file: PathBuf,
    /// Another value for one of its choices; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = choice)]
    set: Vec<(String, String)>,
    /// The year in which it begins: all dates of the file move along [default: as they are written]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(u32).range(1970..10_000))]
    begins_in: Option<u32>,
    /// Who is meant by a name of the file, where the address book has another [default: issuer, issuer-officer-1, …]
    #[arg(long, value_name = "NAME=CONTACT", value_parser = choice)]
    pub(super) party: Vec<(String, String)>,
    /// The issuer's automated key that may issue: a name of this address book [default: the issuer's name with -auto]
    #[arg(long, value_name = "NAME")]
    pub(super) key: Option<String>,
    /// The code that an offer asks for [default: the one that is kept here, or a new one]
    #[arg(long, value_name = "OFFER=CODE", value_parser = choice)]
    pub(super) code: Vec<(String, String)>,
    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Sign without asking
    #[arg(long, short = 'y')]
    yes: bool,
}

/// What became of one setting.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) what: String,
    /// `there`, `applied`, `waits` for signatures or for its instrument, or `lacking` in a dry run.
    pub(super) came_to: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<TxId>,
    /// What a person should know of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) note: String,
}

impl Line {
    pub(super) fn new(what: String, came_to: &'static str) -> Self {
        Self { what, came_to, id: None, note: String::new() }
    }
}

pub(crate) async fn run(args: &Apply, session: &mut Session) -> Result<Report, CliError> {
    let scheme = read(&args.file, Otherwise { set: &args.set, begins_in: args.begins_in })?;
    let mut casting = Casting::new(&scheme, args);
    casting.check_codes()?;
    let composer = session.composer().await?;
    let there = There::look(session).await?;
    let (mut lines, mut lacking, mut otherwise) = (Vec::new(), Vec::new(), Vec::new());
    for setting in scheme.configuration() {
        match casting.look(&setting, &there, composer, session).await? {
            Some(differences) if differences.is_empty() => {
                let note = casting.note(&setting);
                lines.push(Line { note, ..Line::new(what(&setting), "there") });
            }
            Some(differences) => {
                otherwise
                    .extend(differences.iter().map(|line| format!("{}: {line}", what(&setting))));
            }
            None => lacking.push(setting),
        }
    }
    if !otherwise.is_empty() {
        let told = format!(
            "the ledger has it otherwise, so nothing was sent\n  {}",
            otherwise.join("\n  ")
        );
        let next = "change the file, or the ledger with `musubi instrument change`, `musubi rule end`, `musubi offer end` and `musubi allowance revoke`";
        return Err(CliError::new("scheme_differs", told)
            .next(next)
            .with("differences", json!(otherwise)));
    }
    check_lasts(&lacking, composer.now, args.begins_in)?;
    let mut halves = Vec::with_capacity(lacking.len());
    let mut said = Vec::new();
    for setting in lacking {
        let half = casting.draft(&setting, composer, 1, session).await?.half_signed();
        said.push(format!("{}:", what(&setting)));
        said.extend(words(session, &half).await?.into_iter().map(|line| format!("  {line}")));
        halves.push((setting, half));
    }
    if args.dry_run {
        lines.extend(halves.iter().map(|(setting, _)| Line::new(what(setting), "lacking")));
        return report(&scheme, lines, &said);
    }
    if !halves.is_empty() {
        confirm(&said, "Sign all of this?", args.yes)?;
    }
    let mut absent = Vec::new();
    for (setting, half) in halves {
        let line = match &setting {
            setting if setting.rests_on().iter().any(|on| absent.contains(on)) => {
                let note =
                    "what it rests on waits for signatures: give the command again afterwards";
                Ok(Line { note: note.into(), ..Line::new(what(setting), "waits") })
            }
            setting => casting.put(setting, half, composer, session).await,
        };
        let line = line.map_err(|error| after(error, &lines))?;
        match (&setting, line.came_to) {
            (Setting::Instrument(issued), "waits") => absent.push(Ground::Instrument(issued.id)),
            (Setting::Offer(at, _), "waits") => absent.push(Ground::Offer(*at)),
            _ => {}
        }
        lines.push(line);
    }
    report(&scheme, lines, &[])
}

/// What is over by the ledger's time cannot be put any more.
fn check_lasts(lacking: &[Setting<'_>], now: Time, begins_in: Option<u32>) -> Result<(), CliError> {
    let over = lacking.iter().filter_map(|setting| {
        let end = setting.end().filter(|end| *end <= now)?;
        Some(format!("{} ends {}", what(setting), table::time(end)))
    });
    let over: Vec<String> = over.collect();
    if over.is_empty() {
        return Ok(());
    }
    let told = format!("some of it is over by now, so nothing was sent\n  {}", over.join("\n  "));
    let year = begins_in.map_or_else(|| now.day().civil().0, |year| year.saturating_add(1));
    let next = format!(
        "`--begins-in {year}` moves all dates of the file into other years, `--set` one that is a choice"
    );
    Err(CliError::new("scheme_over", told).next(next).with("over", json!(over)))
}

pub(super) fn what(setting: &Setting<'_>) -> String {
    match setting {
        Setting::Instrument(issued) => format!("instrument {}", issued.id),
        Setting::Offer(_, offer) => format!("offer {}", offer.name),
        Setting::Rule(rule) => {
            format!("rule {} ({} of {})", rule.name, rule.id.number, rule.id.instrument)
        }
        Setting::Allowance(allowed) => format!("allowance of {}", allowed.instrument),
    }
}

/// An error behind what was done already.
fn after(error: CliError, done: &[Line]) -> CliError {
    let applied = done.iter().filter(|line| line.came_to == "applied");
    let applied: Vec<String> = applied.map(|line| line.what.clone()).collect();
    match applied.is_empty() {
        true => error,
        false => {
            let next = error.next.clone().map(|next| format!("{next}; ")).unwrap_or_default();
            let told = format!(
                "{next}applied before it: {}; the same command goes on from there",
                applied.join(", ")
            );
            error.next(told)
        }
    }
}

fn report(scheme: &Scheme, lines: Vec<Line>, said: &[String]) -> Result<Report, CliError> {
    let document = json!({ "name": scheme.head.name, "settings": lines, "drafts": said });
    let row = |line: &Line| {
        let code = line.id.map(|id| table::short(&id)).unwrap_or_default();
        vec![line.what.clone(), line.came_to.to_owned(), code, line.note.replace('\n', " ")]
    };
    let columns = [
        ("Setting", Align::Left),
        ("Came to", Align::Left),
        ("Code", Align::Left),
        ("", Align::Left),
    ];
    let rows = table::table(&columns, lines.iter().map(row).collect(), "It sets nothing.");
    let head = format!("{} ({})", scheme.head.title, scheme.head.name);
    let text = [vec![head, rows], said.to_vec()].concat().join("\n");
    Report::new(&document, text)
}
