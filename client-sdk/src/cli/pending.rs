//! `musubi pending`: open proposals, and who is still missing.

use clap::Args;
use musubi_sdk::{api::ProposalView, ledger::judge::Missing};

use super::{
    args::role_name,
    error::CliError,
    session::Session,
    table::{self, Align, Report},
};

#[derive(Debug, Args)]
pub(crate) struct Pending {
    /// Whose proposals [default: the acting identity's]
    #[arg(value_name = "NAME|ADDRESS")]
    party: Option<String>,
}

/// Who is still missing, a line each.
pub(crate) fn missing(session: &Session, view: &ProposalView) -> Vec<String> {
    let line =
        |m: &Missing| format!("{} × {} for {}", m.count, role_name(m.role), session.name(&m.party));
    view.missing.iter().map(line).collect()
}

pub(crate) async fn run(args: Pending, session: &mut Session) -> Result<Report, CliError> {
    let party = session.party_or_own(args.party.as_deref()).await?;
    session.scheme().await?;
    let views = session.client()?.proposals(party).await?;
    let decimals = session.decimals().await;
    let mut rows = Vec::new();
    for view in &views {
        let movement = &view.proposal.movement;
        let legs = table::legs(&movement.legs, &decimals);
        rows.push(vec![
            name(session, view),
            session.name(&movement.from),
            session.name(&movement.to),
            legs.join("\n"),
            missing(session, view).join("\n"),
            table::time(view.proposal.deadline),
        ]);
    }
    let columns = [
        ("Proposal", Align::Left),
        ("From", Align::Left),
        ("To", Align::Left),
        ("Amount", Align::Right),
        ("Missing", Align::Left),
        ("Until", Align::Left),
    ];
    Report::new(&views, table::table(&columns, rows, "No proposal waits."))
}

/// The name under which a proposal was saved here, or its id, which `approve` takes.
fn name(session: &Session, view: &ProposalView) -> String {
    let saved = session.book().saved.iter().find(|(_, id)| **id == view.id);
    saved.map_or_else(|| view.id.to_string(), |(name, _)| name.clone())
}
