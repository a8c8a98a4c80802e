//! Offers, all of them by pages and one by its id; where a lottery stands; what a coupon takes off.

use axum::{Json, extract::State};
use musubi_ledger::{
    amount::Amount,
    api::{ApplicationView, CouponQuote, DrawView, OfferPage, OfferView},
    id::TxId,
    judge::{Quote, coupon_quote},
    state::{ReadState, Row, RowKey, Shared},
};
use serde::Deserialize;

use crate::http::{
    Api, Who,
    extract::{PathOf, QueryOf, party_of},
    problem::{ApiError, DoorCode},
};

/// Offers in one page.
const PAGE: usize = 100;

/// Applications in one page.
const APPLICATIONS: usize = 1_000;

/// Where a page of offers begins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct After {
    after: Option<TxId>,
}

/// Every offer, open or not
#[utoipa::path(get, path = "/v1/offers", operation_id = "offers", tag = "reader",
    params(("after" = Option<String>, Query, description = "`next` of the page before", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "By id, a hundred at a time", body = ref("#/components/schemas/OfferPage"))))]
pub(in crate::http) async fn offers(
    State(api): State<Api>,
    QueryOf(query): QueryOf<After>,
) -> Result<Json<OfferPage>, ApiError> {
    let page = api.read_at_head(Who::Reader, move |ledger, head| {
        let (ids, more) = ledger.offers(query.after, PAGE)?;
        let next = ids.last().copied().filter(|_| more);
        let views = ids.into_iter().filter_map(|id| view(ledger.state(), id, head.height));
        Ok(OfferPage { offers: views.collect(), next })
    });
    page.await.map(Json)
}

/// An offer, open or not
#[utoipa::path(get, path = "/v1/offers/{id}", operation_id = "offer", tag = "reader",
    params(("id" = String, Path, description = "The id of the transaction that put it", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "Its terms, and how much of it was taken", body = ref("#/components/schemas/OfferView"))))]
pub(in crate::http) async fn offer(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
) -> Result<Json<OfferView>, ApiError> {
    let view = api
        .read_at_head(Who::Reader, move |ledger, head| Ok(view(ledger.state(), id, head.height)));
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// Which applications come next.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Before {
    before: Option<TxId>,
}

/// Where a lottery stands, with its applications
///
/// Whoever has all of them and the seed computes who has won.
#[utoipa::path(get, path = "/v1/offers/{id}/draw", operation_id = "draw", tag = "reader",
    params(("id" = String, Path, description = "The id of the transaction that put it", pattern = "^[0-9a-f]{64}$"),
           ("before" = Option<String>, Query, description = "`next` of the page before", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "The newest applications first, a thousand at a time", body = ref("#/components/schemas/DrawView"))))]
pub(in crate::http) async fn draw(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
    QueryOf(query): QueryOf<Before>,
) -> Result<Json<DrawView>, ApiError> {
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        Ok(stands(ledger.state(), id, query.before, head.height))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// A coupon's payment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Purchase {
    payer: String,
    payee: String,
    gross: Amount,
}

/// What a coupon would take off a price
///
/// Asks neither for the right or code that is shown, nor for the money.
#[utoipa::path(get, path = "/v1/offers/{id}/quote", operation_id = "quote", tag = "reader",
    params(("id" = String, Path, description = "The id of the transaction that put it", pattern = "^[0-9a-f]{64}$"),
           ("payer" = String, Query, description = "Who would use it: `party1…`, or an address of the scheme"),
           ("payee" = String, Query, description = "At which shop: `party1…`, or an address of the scheme"),
           ("gross" = String, Query, description = "The price before it, in the smallest unit of its instrument", pattern = "^(0|[1-9][0-9]{0,19})$")),
    responses((status = 200, description = "What it takes off, or why it cannot be used there", body = ref("#/components/schemas/CouponQuote"))))]
pub(in crate::http) async fn quote(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
    QueryOf(query): QueryOf<Purchase>,
) -> Result<Json<CouponQuote>, ApiError> {
    let sides = (party_of(&api, &query.payer)?, party_of(&api, &query.payee)?);
    let gross = query.gross;
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        let (state, time, height) = (ledger.state(), head.time, head.height);
        let known = matches!(state.row(&RowKey::Offer(id)), Some(Row::Offer(_)));
        let (quote, code) = match coupon_quote(state, id, sides, gross, time) {
            Ok(quote) => (quote, None),
            Err(code) => (Quote { discount: Amount::ZERO, sponsor: None }, Some(code)),
        };
        let Quote { discount, sponsor } = quote;
        let pays = gross.checked_sub(discount).unwrap_or_default();
        Ok(known.then_some(CouponQuote { id, gross, discount, pays, sponsor, code, height, time }))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// None where nobody has applied, or `before` is no application to this offer.
fn stands(state: &dyn ReadState, id: TxId, before: Option<TxId>, height: u64) -> Option<DrawView> {
    let Some(Row::Draw(draw)) = state.row(&RowKey::Draw(id)) else { return None };
    let draw = Shared::into_value(draw);
    let mut next = before.or(draw.newest);
    let mut applications = Vec::new();
    while let (Some(at), true) = (next, applications.len() < APPLICATIONS) {
        let Some(Row::Entitlement(found)) = state.row(&RowKey::Entitlement(at)) else {
            return None;
        };
        let application = found.application.filter(|_| found.offer == id)?;
        applications.push(ApplicationView { id: at, tier: application.tier, units: found.units });
        next = application.before;
    }
    Some(DrawView { id, draw, applications, next, height })
}

fn view(state: &dyn ReadState, id: TxId, height: u64) -> Option<OfferView> {
    match state.row(&RowKey::Offer(id)) {
        Some(Row::Offer(offer)) => Some(OfferView { id, offer: Shared::into_value(offer), height }),
        _ => None,
    }
}
