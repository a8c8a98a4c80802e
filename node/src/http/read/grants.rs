//! Rows that a transaction created and others cite: mandates, payment requests, media, allowances,
//! redemptions, settlements, holds. Each is answered as its id, the row under its kind's name, and the height.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::{SettlementLineView, SettlementView},
    id::{MediumId, TxId},
    operation::settlement_line,
    state::{ReadState, Row, RowKey, Shared},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::http::{
    Api, Who,
    extract::PathOf,
    problem::{ApiError, DoorCode},
};

macro_rules! by_id {
    ($name:ident, $id:ty, $row:ident, $path:literal, $operation:literal, $schema:literal, $about:literal, $pattern:literal) => {
        #[doc = $about]
        #[utoipa::path(get, path = $path, operation_id = $operation, tag = "reader",
                    params(("id" = String, Path, description = "Its id", pattern = $pattern)),
                    responses((status = 200, description = $about, body = ref($schema))))]
        pub(in crate::http) async fn $name(
            State(api): State<Api>,
            PathOf(id): PathOf<$id>,
        ) -> Result<Json<Value>, ApiError> {
            let view = api.read_at_head(Who::Reader, move |ledger, head| {
                Ok(match ledger.state().row(&RowKey::$row(id)) {
                    Some(Row::$row(row)) => Some(view(&id, stringify!($name), &row, head.height)),
                    _ => None,
                })
            });
            view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
        }
    };
}

fn view(id: &impl Serialize, kind: &str, row: &impl Serialize, height: u64) -> Value {
    json!({ "id": id, kind: row, "height": height })
}

by_id!(
    mandate,
    TxId,
    Mandate,
    "/v1/mandates/{id}",
    "mandate",
    "#/components/schemas/MandateView",
    "A mandate",
    "^[0-9a-f]{64}$"
);
by_id!(
    request,
    TxId,
    Request,
    "/v1/requests/{id}",
    "payment_request",
    "#/components/schemas/RequestView",
    "A payment request",
    "^[0-9a-f]{64}$"
);
by_id!(
    medium,
    MediumId,
    Medium,
    "/v1/media/{id}",
    "medium",
    "#/components/schemas/MediumView",
    "A medium",
    "^medium1[02-9ac-hj-np-z]+$"
);
by_id!(
    allowance,
    TxId,
    Allowance,
    "/v1/allowances/{id}",
    "allowance",
    "#/components/schemas/AllowanceView",
    "An allowance",
    "^[0-9a-f]{64}$"
);
by_id!(
    redemption,
    TxId,
    Redemption,
    "/v1/redemptions/{id}",
    "redemption",
    "#/components/schemas/RedemptionView",
    "A redemption",
    "^[0-9a-f]{64}$"
);
by_id!(
    entitlement,
    TxId,
    Entitlement,
    "/v1/entitlements/{id}",
    "entitlement",
    "#/components/schemas/EntitlementView",
    "A right to take of an offer",
    "^[0-9a-f]{64}$"
);
by_id!(
    hold,
    TxId,
    Hold,
    "/v1/holds/{id}",
    "hold",
    "#/components/schemas/HoldView",
    "Value that waits",
    "^[0-9a-f]{64}$"
);

/// A settlement
#[utoipa::path(get, path = "/v1/settlements/{id}", operation_id = "settlement", tag = "reader",
    params(("id" = String, Path, description = "The id of its `settle`", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "What was signed, and where each line stands", body = ref("#/components/schemas/SettlementView"))))]
pub(in crate::http) async fn settlement(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
) -> Result<Json<SettlementView>, ApiError> {
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        Ok(settlement_view(ledger.state(), id, head.height))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

fn settlement_view(state: &dyn ReadState, id: TxId, height: u64) -> Option<SettlementView> {
    let Some(Row::Settlement(settlement)) = state.row(&RowKey::Settlement(id)) else {
        return None;
    };
    let settlement = Shared::into_value(settlement);
    let line = |(index, _)| {
        let id = settlement_line(&id, index);
        let redemption = match state.row(&RowKey::Redemption(id)) {
            Some(Row::Redemption(redemption)) => Some(Shared::into_value(redemption)),
            _ => None,
        };
        SettlementLineView { id, redemption }
    };
    let lines = (0..).zip(&settlement.list.lines).map(line).collect();
    Some(SettlementView { id, settlement, lines, height })
}
