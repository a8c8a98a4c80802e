//! Bodies and the groups under them.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::{ChildView, ChildrenView, PlaceView},
    id::PartyId,
    state::{ReadState, Row, RowKey},
};
use serde::Deserialize;

use crate::http::{
    Api, Who,
    auth::layers_below,
    extract::{PartyPath, PathOf, QueryOf, party_of},
    problem::{ApiError, DoorCode},
};

/// Groups in one page.
const PAGE: usize = 100;

/// Where a page of groups begins.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct After {
    after: Option<String>,
}

/// The groups that belong to a body
///
/// Those directly under it, by id, a hundred at a time.
#[utoipa::path(get, path = "/v1/parties/{party}/children", operation_id = "children", tag = "reader",
    params(
        ("party" = String, Path, description = "The body: `party1…`, or an address of the scheme"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
    ),
    responses((status = 200, description = "Its groups; none, if nothing lies under it", body = ref("#/components/schemas/ChildrenView"))))]
pub(in crate::http) async fn children(
    State(api): State<Api>,
    PartyPath(body): PartyPath,
    QueryOf(query): QueryOf<After>,
) -> Result<Json<ChildrenView>, ApiError> {
    let after = query.after.as_deref().map(|text| party_of(&api, text)).transpose()?;
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        let state = ledger.state();
        if state.row(&RowKey::Party(body)).is_none() {
            return Ok(None);
        }
        let (groups, more) = ledger.children(&body, after.as_ref(), PAGE)?;
        let next = groups.last().copied().filter(|_| more);
        let children = groups.into_iter().filter_map(|group| child(state, group)).collect();
        Ok(Some(ChildrenView { body, children, next, height: head.height }))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

fn child(state: &dyn ReadState, id: PartyId) -> Option<ChildView> {
    match (state.row(&RowKey::Party(id)), state.row(&RowKey::Group(id))) {
        (Some(Row::Party(party)), Some(Row::Group(group))) => Some(ChildView {
            group: id,
            representative: group.representative,
            life: group.life,
            status: party.status,
        }),
        _ => None,
    }
}

/// Whether a group lies under a body
///
/// In whatever layer, as of now: what a backend asks before it shows a body what a group does. 404 if it does not.
#[utoipa::path(get, path = "/v1/parties/{party}/children/{group}", operation_id = "child", tag = "reader",
    params(
        ("party" = String, Path, description = "The body: `party1…`, or an address of the scheme"),
        ("group" = String, Path, description = "The group: `party1…`, or an address of the scheme"),
    ),
    responses((status = 200, description = "How many layers below it lies", body = ref("#/components/schemas/PlaceView"))))]
pub(in crate::http) async fn place(
    State(api): State<Api>,
    PathOf((body, group)): PathOf<(String, String)>,
) -> Result<Json<PlaceView>, ApiError> {
    let (body, group) = (party_of(&api, &body)?, party_of(&api, &group)?);
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        let layers = layers_below(ledger.state(), body, group).filter(|layers| *layers > 0);
        Ok(layers.map(|layers| PlaceView { body, group, layers, height: head.height }))
    });
    let missing = || ApiError::new(DoorCode::NotFound).because("this group does not lie under it");
    view.await?.map(Json).ok_or_else(missing)
}
