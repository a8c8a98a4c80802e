//! `musubi group children`: what lies under a body.

use clap::Args;
use musubi_sdk::{
    api::{BalanceView, ChildView},
    ledger::{group::GroupLife, party::PartyStatus},
};
use serde_json::json;

use super::{
    error::CliError,
    session::Session,
    table::{self, Align, Report},
};

#[derive(Debug, Args)]
pub(crate) struct Children {
    /// The body: a group, or an office
    #[arg(value_name = "NAME|ADDRESS")]
    body: String,
    /// With what each of them can spend
    #[arg(long)]
    balances: bool,
}

pub(super) async fn list(args: Children, session: &mut Session) -> Result<Report, CliError> {
    let body = session.party(&args.body).await?;
    let children = session.client()?.children(body).await?;
    let mut rows = Vec::with_capacity(children.len());
    let mut wallets = Vec::new();
    for child in &children {
        let mut row = vec![
            session.name(&child.group),
            standing(child).into(),
            session.name(&child.representative),
        ];
        if args.balances {
            let wallet = session.client()?.wallet(child.group).await?;
            let sum = |held: &BalanceView| {
                format!("{} {}", table::amount(held.spendable, held.decimals), held.instrument)
            };
            row.push(wallet.balances.iter().map(sum).collect::<Vec<_>>().join("\n"));
            wallets.push(wallet);
        }
        rows.push(row);
    }
    let mut columns =
        vec![("Group", Align::Left), ("Standing", Align::Left), ("Representative", Align::Left)];
    if args.balances {
        columns.push(("Spendable", Align::Right));
    }
    let text = table::table(&columns, rows, "No group lies under it.");
    let mut json = json!({ "body": body, "children": children });
    if args.balances {
        json["wallets"] = json!(wallets);
    }
    Report::new(&json, text)
}

fn standing(child: &ChildView) -> &'static str {
    match (child.status, child.life) {
        (PartyStatus::Closed, _) => "closed",
        (PartyStatus::Frozen, _) => "frozen",
        (PartyStatus::Active, GroupLife::Forming) => "forming",
        (PartyStatus::Active, GroupLife::Active) => "active",
        (PartyStatus::Active, GroupLife::Closing) => "closing",
    }
}
