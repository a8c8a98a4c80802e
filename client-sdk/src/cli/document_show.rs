//! `musubi document show`, `list`: what payees have said.

use musubi_sdk::{
    Reference, TxId,
    api::IssuedDocument,
    describe::{kind_name, kind_text},
    ledger::document::{Document, DocumentKind},
};

use super::{
    error::CliError,
    session::Session,
    table::{self, Align, Report},
};

/// All that is said about a payment.
pub(super) async fn list(of: &str, session: &mut Session) -> Result<Report, CliError> {
    let payment = session.book().transaction(of)?;
    let view = session.client()?.documents(payment).await?;
    let row = |said: &IssuedDocument| {
        vec![
            kind_name(&said.document.kind).into(),
            said.number.to_string(),
            session.name(&said.issuer),
            table::time(said.document.issued),
            standing(&said.document),
        ]
    };
    let titles = ["Document", "Number", "Issuer", "Issued", "Standing"];
    let columns = titles.map(|title| (title, Align::Left));
    let rows = view.documents.iter().map(row).collect();
    let mut text = table::table(&columns, rows, "Nobody has said anything about it.");
    if view.more {
        text += "\nThere are more: `musubi document show` names what each replaced, and the note before it.";
    }
    Report::new(&view, text)
}

/// What counts for a payment, in a line for each payee; nothing if that cannot be read: older nodes do not tell.
pub(super) async fn in_short(payment: TxId, session: &mut Session) -> String {
    let Ok(client) = session.client() else { return String::new() };
    let Ok(view) = client.documents(payment).await else { return String::new() };
    let counts = view.documents.iter().filter(|said| said.document.replaced_by.is_none());
    let line = |said: &IssuedDocument| {
        let kind = kind_name(&said.document.kind);
        format!("{kind} {} of {}", said.number, session.name(&said.issuer))
    };
    counts.map(line).collect::<Vec<_>>().join("\n")
}

fn standing(document: &Document) -> String {
    let credited = document.credited.iter().any(|line| !line.total.is_zero());
    match &document.replaced_by {
        Some(number) => format!("replaced by {number}"),
        None if credited => "stands, partly taken back".into(),
        None => "stands".into(),
    }
}

/// One document.
pub(super) async fn show(
    issuer: &str,
    number: &Reference,
    session: &mut Session,
) -> Result<Report, CliError> {
    let issuer = session.party(issuer).await?;
    let view = session.client()?.document(issuer, number).await?;
    let document = &view.document;
    let none = || "none".to_owned();
    let named = |number: &Option<Reference>| number.as_ref().map_or_else(none, ToString::to_string);
    let (newest, before) = match document.kind {
        DocumentKind::Receipt(_) | DocumentKind::Report(_) => (String::new(), String::new()),
        DocumentKind::Invoice(_) => (named(&document.last_note), String::new()),
        DocumentKind::CreditNote(_) => (String::new(), named(&document.last_note)),
    };
    let mut lines = table::fields(&[
        ("Document", number.to_string()),
        ("Issuer", session.name(&issuer)),
        ("For", document.addressee.map_or_else(none, |party| session.name(&party))),
        ("Issued", table::time(document.issued)),
        ("By transaction", document.issued_by.to_string()),
        ("Paper", document.body.to_string()),
        ("Replaces", named(&document.replaces)),
        ("Replaced by", named(&document.replaced_by)),
        ("Newest credit note", newest),
        ("Credit note before", before),
    ]);
    for line in kind_text(&document.kind) {
        lines += &format!("\n{line}");
    }
    Report::new(&view, lines)
}
