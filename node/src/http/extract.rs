//! Path and query parameters whose rejections are problem documents.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use musubi_ledger::id::PartyId;
use serde::de::DeserializeOwned;

use super::{
    Api,
    problem::{ApiError, DoorCode},
};

/// Path parameters.
pub(super) struct PathOf<T>(pub(super) T);

/// Query parameters; unknown ones are refused by the types themselves.
pub(super) struct QueryOf<T>(pub(super) T);

/// A party in a path: its machine form, or the scheme's address form.
pub(super) struct PartyPath(pub(super) PartyId);

fn bad(why: impl core::fmt::Display) -> ApiError {
    ApiError::new(DoorCode::BadParameter).because(why)
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value)).map_err(|e| bad(e.body_text()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(value)| Self(value)).map_err(|e| bad(e.body_text()))
    }
}

impl FromRequestParts<Api> for PartyPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let PathOf(text) = PathOf::<String>::from_request_parts(parts, api).await?;
        party_of(api, &text).map(Self)
    }
}

/// A party as a client writes it: its machine form, or the scheme's address form.
pub(super) fn party_of(api: &Api, text: &str) -> Result<PartyId, ApiError> {
    api.scheme.party(text).map_err(bad)
}
