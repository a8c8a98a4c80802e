//! `musubi party show` and `musubi group show`: one party as the ledger has it.

use musubi_sdk::{api::PartyView, ledger::group::Group};

use super::{
    args::role_name,
    error::CliError,
    lookup::roles_of,
    session::Session,
    table::{self, Align, Report},
};

/// The party named, or the acting identity's.
pub(crate) async fn run(named: Option<&str>, session: &mut Session) -> Result<Report, CliError> {
    let party = session.party_or_own(named).await?;
    session.scheme().await?;
    let view = session.party_view(party).await?;
    let mut text = table::fields(&facts(session, &view));
    if !view.keys.is_empty() {
        text = format!("{text}\n{}", keys(&view));
    }
    if let Some(group) = &view.group {
        text = format!("{text}\n{}", members(session, group));
    }
    Report::new(&view, text)
}

fn facts(session: &Session, view: &PartyView) -> Vec<(&'static str, String)> {
    let party = &view.party;
    let address = match session.scheme_if_known() {
        Some(scheme) => scheme.address(view.id),
        None => view.id.to_string(),
    };
    let names = |parties: &[musubi_sdk::PartyId]| {
        let names: Vec<String> = parties.iter().map(|p| session.name(p)).collect();
        names.join(", ")
    };
    let attributes: Vec<String> = party
        .attributes
        .iter()
        .map(|a| match a.until {
            Some(_) => format!("{} = {} (until {})", a.name, a.value, table::last_day(a.until)),
            None => format!("{} = {}", a.name, a.value),
        })
        .collect();
    let recovery = party.recovery.map(|r| format!("takes effect {}", table::time(r.effective)));
    let mut facts = vec![
        ("Name", session.book().name_of(&view.id).unwrap_or_default().to_owned()),
        ("Address", address),
        ("Kind", table::word(&party.kind)),
        ("Status", table::word(&party.status)),
        ("Since", table::time(party.opened)),
        ("Registrar", session.name(&party.registrar)),
        ("Organisation", party.organisation.map(|o| session.name(&o)).unwrap_or_default()),
        ("Officers", names(&party.officers)),
        ("Attributes", attributes.join("\n")),
        ("Recovery", recovery.unwrap_or_default()),
    ];
    if let Some(group) = &view.group {
        facts.extend(policy(session, group));
    }
    facts
}

fn policy(session: &Session, group: &Group) -> Vec<(&'static str, String)> {
    let bands: Vec<String> = std::iter::once("1 approver".to_owned())
        .chain(group.policy.bands.iter().map(|band| {
            format!("from {}: {} approvers", table::amount(band.from, 0), band.approvers)
        }))
        .collect();
    vec![
        ("Life", table::word(&group.life)),
        ("Representative", session.name(&group.representative)),
        ("Lies under", group.parent.map(|body| session.name(&body)).unwrap_or_default()),
        ("Payouts need", format!("a drafter and {}", bands.join(", "))),
        (
            "Roles",
            if group.policy.exclusive_roles { "exclusive" } else { "may be combined" }.into(),
        ),
        ("Proposals", format!("stay open up to {} h", group.policy.proposal_hours)),
    ]
}

fn keys(view: &PartyView) -> String {
    let row = |key: &musubi_sdk::api::KeyView| {
        let record = &key.record;
        vec![key.key.to_string(), table::word(&record.status), table::time(record.since)]
    };
    let columns = [("Key", Align::Left), ("Status", Align::Left), ("Since", Align::Left)];
    table::table(&columns, view.keys.iter().map(row).collect(), "")
}

fn members(session: &Session, group: &Group) -> String {
    let row = |grant: &musubi_sdk::ledger::group::RoleGrant| {
        let roles = roles_of(grant.person, group.representative, &group.roles);
        let roles: Vec<&str> = roles.into_iter().map(role_name).collect();
        vec![session.name(&grant.person), roles.join(", ")]
    };
    let columns = [("Person", Align::Left), ("Roles", Align::Left)];
    table::table(&columns, group.roles.iter().map(row).collect(), "Nobody has a role yet.")
}
