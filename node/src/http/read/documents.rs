//! Documents by their issuer and number, and by the payment that they are about; lists of dues.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::{DocumentView, DocumentsView, DuesView, IssuedDocument, RequestLine},
    document::Document,
    id::{PartyId, Reference, TxId},
    limits::DUES_LINES_MAX,
    state::{ReadState, Row, RowKey, Shared, derived_id},
};

use crate::http::{
    Api, Who,
    extract::{PathOf, party_of},
    problem::{ApiError, DoorCode},
};

/// A receipt, invoice or credit note
#[utoipa::path(get, path = "/v1/parties/{party}/documents/{number}", operation_id = "document", tag = "reader",
    params(("party" = String, Path, description = "Its issuer: `party1…`, or an address of the scheme"),
           ("number" = String, Path, description = "Its number, percent-encoded")),
    responses((status = 200, description = "The document, replaced or not", body = ref("#/components/schemas/DocumentView"))))]
pub(in crate::http) async fn document(
    State(api): State<Api>,
    PathOf((party, number)): PathOf<(String, Reference)>,
) -> Result<Json<DocumentView>, ApiError> {
    let issuer = party_of(&api, &party)?;
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        let number = number.clone();
        Ok(match ledger.state().row(&RowKey::Document(issuer, number.clone())) {
            Some(Row::Document(document)) => {
                let document = Shared::into_value(document);
                Some(DocumentView { issuer, number, document, height: head.height })
            }
            _ => None,
        })
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// Most documents in one answer: a payee replaces and credits as often as it likes.
const DOCUMENTS_MAX: usize = 200;

/// Documents about a payment
///
/// Receipts, invoices with their credit notes, and what they replaced, of everybody who was paid by it.
#[utoipa::path(get, path = "/v1/transactions/{id}/documents", operation_id = "documents", tag = "reader",
    params(("id" = String, Path, description = "The payment, or the request that was paid in cash", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "What is said about it; nothing, if nobody has said anything", body = ref("#/components/schemas/DocumentsView"))))]
pub(in crate::http) async fn documents(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
) -> Result<Json<DocumentsView>, ApiError> {
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        let state = ledger.state();
        let Some(payees) = payees_of(state, id) else { return Ok(None) };
        let mut found = payees.into_iter().flat_map(|issuer| said_by(state, id, issuer));
        let documents = found.by_ref().take(DOCUMENTS_MAX).collect();
        let more = found.next().is_some();
        Ok(Some(DocumentsView { id, documents, more, height: head.height }))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// Who can have said something about a payment: who received it, and who got a part of it. `None` if it is not known here.
fn payees_of(state: &dyn ReadState, id: TxId) -> Option<Vec<PartyId>> {
    let judged = match state.row(&RowKey::Judged(id)) {
        Some(Row::Judged(judged)) => Some(judged),
        _ => None,
    };
    let asked = match state.row(&RowKey::Request(id)) {
        Some(Row::Request(request)) => Some(request.payee),
        _ => None,
    };
    if judged.is_none() && asked.is_none() {
        return None;
    }
    let mut payees: Vec<PartyId> = asked.into_iter().collect();
    if let Some(settled) = judged.as_ref().and_then(|judged| judged.settled.as_ref()) {
        let parts = settled.derived.iter().flat_map(|derived| &derived.parts);
        let received = if settled.issued { settled.from } else { settled.to };
        for party in std::iter::once(received).chain(parts.map(|part| part.to)) {
            if !payees.contains(&party) {
                payees.push(party);
            }
        }
    }
    Some(payees)
}

/// What one issuer says about a payment.
fn said_by(
    state: &dyn ReadState,
    payment: TxId,
    issuer: PartyId,
) -> impl Iterator<Item = IssuedDocument> + use<'_> {
    let find = move |number: &Reference| match state.row(&RowKey::Document(issuer, number.clone()))
    {
        Some(Row::Document(document)) => {
            let (number, document) = (number.clone(), Shared::into_value(document));
            Some(IssuedDocument { issuer, number, document })
        }
        _ => None,
    };
    let chain = move |first: Option<&Reference>, next: fn(&Document) -> Option<&Reference>| {
        std::iter::successors(first.and_then(find), move |at| next(&at.document).and_then(find))
    };
    let counts = match state.row(&RowKey::Documented(payment, issuer)) {
        Some(Row::Documented(number)) => find(&number),
        _ => None,
    };
    counts.into_iter().flat_map(move |counts| {
        let notes = chain(counts.document.last_note.as_ref(), |note| note.last_note.as_ref());
        let replaced = chain(counts.document.replaces.as_ref(), |old| old.replaces.as_ref());
        std::iter::once(counts).chain(notes).chain(replaced)
    })
}

/// The lines of a list of dues
#[utoipa::path(get, path = "/v1/requests/{id}/lines", operation_id = "dues", tag = "reader",
    params(("id" = String, Path, description = "The transaction that asked", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "Each with whose it is and whether it is paid", body = ref("#/components/schemas/DuesView"))))]
pub(in crate::http) async fn dues(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
) -> Result<Json<DuesView>, ApiError> {
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        let lines = lines_of(ledger.state(), id);
        Ok((!lines.is_empty()).then_some(DuesView { id, lines, height: head.height }))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// The requests of a list, which bear derived ids from 0 on without a gap.
fn lines_of(state: &dyn ReadState, list: TxId) -> Vec<RequestLine> {
    let ids = (0..=u8::MAX).take(DUES_LINES_MAX).map(|at| derived_id(&list, at));
    let line = |request: TxId| match state.row(&RowKey::Request(request)) {
        Some(Row::Request(row)) => Some(RequestLine { request, row: Shared::into_value(row) }),
        _ => None,
    };
    ids.map_while(line).collect()
}
