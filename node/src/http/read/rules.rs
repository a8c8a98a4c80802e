//! Rules of an instrument: one by its number, for ever, and those that may still give.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::RuleView,
    id::{InstrumentId, RuleId},
    rule::Trigger,
    state::{ReadState, Row, RowKey, Shared},
};

use crate::http::{
    Api, Who,
    extract::PathOf,
    problem::{ApiError, DoorCode},
};

/// The rules of an instrument that may still give
#[utoipa::path(get, path = "/v1/instruments/{code}/rules", operation_id = "rules", tag = "reader",
    params(("code" = String, Path, description = "The instrument's code", pattern = "^[A-Z0-9-]{1,16}$")),
    responses((status = 200, description = "By trigger and number", body = ref("#/components/schemas/RuleList"))))]
pub(in crate::http) async fn rules(
    State(api): State<Api>,
    PathOf(code): PathOf<InstrumentId>,
) -> Result<Json<Vec<RuleView>>, ApiError> {
    let list = api.read_at_head(Who::Reader, move |ledger, head| {
        let state = ledger.state();
        let known = state.row(&RowKey::Instrument(code)).is_some();
        Ok(known.then(|| Trigger::ALL.map(|on| book(state, code, on, head.height)).concat()))
    });
    list.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

fn book(
    state: &dyn ReadState,
    instrument: InstrumentId,
    on: Trigger,
    height: u64,
) -> Vec<RuleView> {
    let Some(Row::RuleBook(book)) = state.row(&RowKey::RuleBook(instrument, on)) else {
        return Vec::new();
    };
    let view = |(number, rule)| RuleView { id: RuleId { instrument, number }, rule, height };
    Shared::into_value(book).rules.into_iter().map(view).collect()
}

/// A rule of an instrument, in force or not
#[utoipa::path(get, path = "/v1/instruments/{code}/rules/{number}", operation_id = "rule", tag = "reader",
    params(("code" = String, Path, description = "The instrument's code", pattern = "^[A-Z0-9-]{1,16}$"),
           ("number" = u16, Path, description = "The rule's number")),
    responses((status = 200, description = "The rule", body = ref("#/components/schemas/RuleView"))))]
pub(in crate::http) async fn rule(
    State(api): State<Api>,
    PathOf((instrument, number)): PathOf<(InstrumentId, u16)>,
) -> Result<Json<RuleView>, ApiError> {
    let id = RuleId { instrument, number };
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        Ok(match ledger.state().row(&RowKey::Rule(id)) {
            Some(Row::Rule(rule)) => {
                Some(RuleView { id, rule: Shared::into_value(rule), height: head.height })
            }
            _ => None,
        })
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}
