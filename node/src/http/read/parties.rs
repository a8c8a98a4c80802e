//! Parties, their wallets, histories and open proposals.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::{Page, PartyView, ProposalView, SpendableView, WalletView},
    id::TxId,
};
use serde::Deserialize;

use crate::http::{
    Api, Who,
    extract::{PartyPath, PathOf, QueryOf, party_of},
    problem::{ApiError, DoorCode},
    views,
};

/// Most lines in one page of history.
const LINES_MAX: usize = 200;

/// A wallet
#[utoipa::path(get, path = "/v1/wallets/{party}", operation_id = "wallet", tag = "reader",
    params(("party" = String, Path, description = "`party1…`, or an address of the scheme")),
    responses((status = 200, description = "Balances by instrument and lot", body = ref("#/components/schemas/WalletView"))))]
pub(in crate::http) async fn wallet(
    State(api): State<Api>,
    PartyPath(id): PartyPath,
) -> Result<Json<WalletView>, ApiError> {
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        Ok(views::wallet(ledger.state(), id, &ledger.instruments()?, head))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// Query of what is spendable.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Towards {
    payee: String,
}

/// What a wallet could pay somebody now
#[utoipa::path(get, path = "/v1/wallets/{party}/spendable", operation_id = "spendable", tag = "reader",
    params(
        ("party" = String, Path, description = "`party1…`, or an address of the scheme"),
        ("payee" = String, Query, description = "Who would be paid: `party1…`, or an address of the scheme"),
    ),
    responses((status = 200, description = "By instrument, within all limits, or why not", body = ref("#/components/schemas/SpendableView"))))]
pub(in crate::http) async fn spendable(
    State(api): State<Api>,
    PartyPath(id): PartyPath,
    QueryOf(towards): QueryOf<Towards>,
) -> Result<Json<SpendableView>, ApiError> {
    let payee = party_of(&api, &towards.payee)?;
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        Ok(views::spendable(ledger.state(), (id, payee), &ledger.instruments()?, head))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// A party
#[utoipa::path(get, path = "/v1/parties/{party}", operation_id = "party", tag = "reader",
    params(("party" = String, Path, description = "`party1…`, or an address of the scheme")),
    responses((status = 200, description = "Kind, keys, attributes; roles and policy of a group", body = ref("#/components/schemas/PartyView"))))]
pub(in crate::http) async fn party(
    State(api): State<Api>,
    PartyPath(id): PartyPath,
) -> Result<Json<PartyView>, ApiError> {
    let view = api
        .read_at_head(Who::Reader, move |ledger, head| Ok(views::party(ledger.state(), id, head)));
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// Query of the history.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Lines {
    before: Option<u64>,
    #[serde(default = "usual")]
    limit: usize,
}

fn usual() -> usize {
    50
}

/// A party's history, newest first
#[utoipa::path(get, path = "/v1/parties/{party}/history", operation_id = "history", tag = "reader",
    params(
        ("party" = String, Path, description = "`party1…`, or an address of the scheme"),
        ("before" = Option<u64>, Query, description = "Only leaves before this one: `next` of the page before"),
        ("limit" = Option<u64>, Query, description = "1 to 200; 50 by default"),
    ),
    responses((status = 200, description = "A page; without `next` it is the last", body = ref("#/components/schemas/Page"))))]
pub(in crate::http) async fn history(
    State(api): State<Api>,
    PartyPath(id): PartyPath,
    QueryOf(lines): QueryOf<Lines>,
) -> Result<Json<Page>, ApiError> {
    if !(1..=LINES_MAX).contains(&lines.limit) {
        return Err(
            ApiError::new(DoorCode::BadParameter).because(format!("limit is 1 to {LINES_MAX}"))
        );
    }
    let at = api.clone();
    let page = api.read(move |ledger| {
        let page = ledger.history(&id, lines.before, lines.limit)?;
        // Behind the last leaf that this node knows may be others: the page behind it says so.
        let last = page.leaves.last().copied();
        let next = last.filter(|_| page.more || ledger.base().is_some());
        if last.is_none() {
            at.knows_all()?;
        }
        let entries = ledger.entries(&page.leaves)?.into_iter().map(views::entry);
        Ok(Page { entries: entries.collect::<Result<_, _>>()?, next })
    });
    page.await.map(Json)
}

/// A proposal and who is still missing
#[utoipa::path(get, path = "/v1/proposals/{id}", operation_id = "proposal", tag = "reader",
    params(("id" = String, Path, description = "The proposing transaction's id", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "The proposal", body = ref("#/components/schemas/ProposalView"))))]
pub(in crate::http) async fn proposal(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
) -> Result<Json<ProposalView>, ApiError> {
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        Ok(views::proposal(ledger.state(), id, head))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// Open proposals that concern a party
#[utoipa::path(get, path = "/v1/parties/{party}/proposals", operation_id = "open_proposals", tag = "reader",
    params(("party" = String, Path, description = "`party1…`, or an address of the scheme")),
    responses((status = 200, description = "Open proposals", body = ref("#/components/schemas/ProposalList"))))]
pub(in crate::http) async fn open_proposals(
    State(api): State<Api>,
    PartyPath(id): PartyPath,
) -> Result<Json<Vec<ProposalView>>, ApiError> {
    let list = api.read_at_head(Who::Reader, move |ledger, head| {
        let ids = ledger.open_proposals(&id)?.into_iter();
        Ok(ids.filter_map(|id| views::proposal(ledger.state(), id, head)).collect())
    });
    list.await.map(Json)
}
