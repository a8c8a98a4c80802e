//! `musubi run waiting`: what somebody gets once they are registered.

use musubi_sdk::{PartyId, ledger::api::WaitingLine};
use serde_json::json;

use crate::cli::{
    error::CliError,
    session::Session,
    table::{self, Align, Report},
};

pub(super) async fn waiting(party: PartyId, session: &mut Session) -> Result<Report, CliError> {
    let lines = session.client()?.waiting(party).await?;
    let decimals = session.decimals().await;
    let row = |line: &WaitingLine| {
        let places = decimals.get(&line.instrument).copied().unwrap_or(0);
        let what = if line.import { "old balance" } else { "grant" };
        let ends = if line.open { table::time(line.until) } else { "over".into() };
        vec![
            format!("{} {}", table::amount(line.amount, places), line.instrument),
            format!("{} ({what})", table::word(&line.origin)),
            session.name(&line.funder),
            format!("{} line {}", line.run, line.line),
            ends,
        ]
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    let name = session.name(&party);
    let columns = ["Amount", "Origin", "Funder", "Run", "Until"].map(|title| (title, Align::Left));
    let none = format!("No run keeps anything for {name}.");
    let mut said = table::table(&columns, rows, &none);
    if !lines.is_empty() {
        said += &format!(
            "\nOnce {name} is registered: `musubi run send RUN FILE --for {name}`, by whoever has the run's file."
        );
    }
    Report::new(&json!({ "party": party, "lines": lines }), said)
}
