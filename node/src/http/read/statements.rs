//! Proofs of state: a wallet now, and a period of one wallet.

use std::time::Duration;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use musubi_ledger::{id::PartyId, time::Day};
use musubi_storage::KeptWallet;
use serde::Deserialize;

use crate::http::{
    Api, Unprovable,
    extract::{PartyPath, QueryOf},
    problem::{ApiError, DoorCode},
};

/// How long the executor may take to answer between two blocks.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How long a seal may take to become final before the client is told to ask again.
const FINAL_WAIT: Duration = Duration::from_secs(10);

/// The proof of a wallet's balance
///
/// A wallet proof (docs/FORMAT.md): lots and header under the newest seal. Answered once a final
/// checkpoint covers that seal.
#[utoipa::path(get, path = "/v1/wallets/{party}/proof", operation_id = "wallet_proof", tag = "reader",
    params(("party" = String, Path, description = "`party1…`, or an address of the scheme")),
    responses((status = 200, description = "Canonical bytes", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn wallet_proof(
    State(api): State<Api>,
    PartyPath(party): PartyPath,
) -> Result<Response, ApiError> {
    let present = present(&api, party).await?;
    let proof = api.read(move |ledger| Ok(ledger.wallet_proof(&party, present)?)).await?;
    let proof = proof.ok_or_else(|| ApiError::new(DoorCode::NotFinal).retry_after(1))?;
    Ok(answer(proof.encode()))
}

/// Query of a statement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Days {
    from: String,
    to: String,
}

/// A statement of a wallet without a gap
///
/// A statement (docs/FORMAT.md) of days in Japan: balance before, every leaf that touched the
/// wallet, balance behind, under one final checkpoint. If the last day has not ended yet, it is proved up to the
/// newest final seal.
#[utoipa::path(get, path = "/v1/parties/{party}/statement", operation_id = "statement", tag = "reader",
    params(
        ("party" = String, Path, description = "`party1…`, or an address of the scheme"),
        ("from" = String, Query, description = "The first day, `YYYY-MM-DD`"),
        ("to" = String, Query, description = "The last day, included"),
    ),
    responses((status = 200, description = "Canonical bytes", body = String, content_type = "application/octet-stream")))]
pub(in crate::http) async fn statement(
    State(api): State<Api>,
    PartyPath(party): PartyPath,
    QueryOf(days): QueryOf<Days>,
) -> Result<Response, ApiError> {
    let bad = |why: &str| ApiError::new(DoorCode::BadParameter).because(why);
    let day = |text: &str| text.parse::<Day>().map_err(|error| bad(&error.to_string()));
    let (from, to) = (day(&days.from)?, day(&days.to)?);
    if to < from {
        return Err(bad("to is before from"));
    }
    let period = (from.begin(), to.next().begin());
    let present = present(&api, party).await?;
    let made = api.read(move |ledger| {
        let statement = ledger.statement(&party, period, present)?;
        Ok(statement.map(|statement| statement.encode()))
    });
    let bytes = made.await?.map_err(|why| match why {
        Unprovable::NotFinal => ApiError::new(DoorCode::NotFinal).retry_after(1),
        Unprovable::TooLong => ApiError::new(DoorCode::StatementTooLong),
        Unprovable::NotKept => ApiError::new(DoorCode::StateNotKept),
        Unprovable::NotYet => ApiError::new(DoorCode::NotFound)
            .because("the log has not come so far, or nothing had touched the wallet by then"),
    })?;
    Ok(answer(bytes))
}

/// A wallet's present state, once its seal is final.
async fn present(api: &Api, party: PartyId) -> Result<KeptWallet, ApiError> {
    let asked = api.ledger.ask_wallet(party).ok_or_else(|| ApiError::new(DoorCode::Busy))?;
    let present = tokio::time::timeout(ANSWER_WAIT, asked).await;
    let present = present.map_err(|_| ApiError::new(DoorCode::Busy))?;
    let present = present.map_err(|_| ApiError::new(DoorCode::Stopping))?;
    let present = present.ok_or_else(|| ApiError::new(DoorCode::NotFound))?;
    let height = present.height;
    let size = api.read(move |ledger| Ok(ledger.size_at(height)?)).await?;
    let size = size.ok_or_else(|| ApiError::new(DoorCode::Internal))?;
    let mut finals = api.ledger.finals();
    let covered = tokio::time::timeout(FINAL_WAIT, finals.wait_for(|is_final| *is_final >= size));
    match covered.await {
        Ok(Ok(_)) => Ok(present),
        // Closed: the node stops.
        Ok(Err(_)) => Err(ApiError::new(DoorCode::Stopping)),
        Err(_) => Err(ApiError::new(DoorCode::NotFinal).retry_after(1)),
    }
}

fn answer(bytes: Vec<u8>) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, bytes).into_response()
}
