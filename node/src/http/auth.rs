//! Reader tokens: who may read about parties.
//!
//! Tokens are kept and compared as SHA-256 hashes, every configured one each time and without an
//! early end, so that timing tells nothing about them.

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use musubi_ledger::hash::{Hash, sha256};

use super::{
    Api,
    problem::{ApiError, DoorCode},
};

/// A token that lets its bearer read about parties.
#[derive(Clone)]
pub struct ReaderToken {
    name: String,
    hash: Hash,
}

impl ReaderToken {
    /// A token under a name for the access log. Only its hash is kept.
    #[must_use]
    pub fn new(name: impl Into<String>, secret: &str) -> Self {
        Self { name: name.into(), hash: sha256(secret.as_bytes()) }
    }

    /// A token of which only the SHA-256 is known, as a careful configuration has it.
    #[must_use]
    pub fn from_sha256(name: impl Into<String>, hash: Hash) -> Self {
        Self { name: name.into(), hash }
    }
}

impl core::fmt::Debug for ReaderToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ReaderToken({})", self.name)
    }
}

/// The name under which `secret` is known.
fn reader_of<'a>(tokens: &'a [ReaderToken], secret: &str) -> Option<&'a str> {
    let hash = sha256(secret.as_bytes());
    let mut found = None;
    for token in tokens {
        let differs = hash.iter().zip(&token.hash).fold(0, |all, (a, b)| all | (a ^ b));
        if core::hint::black_box(differs) == 0 {
            found = Some(token.name.as_str());
        }
    }
    found
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Lets readers pass and writes the access log; everyone else gets 401.
pub(super) async fn readers_only(State(api): State<Api>, request: Request, next: Next) -> Response {
    let reader = bearer(&request).and_then(|secret| reader_of(&api.tokens, secret));
    let Some(reader) = reader.map(str::to_owned) else {
        return ApiError::new(DoorCode::Unauthorised).into_response();
    };
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    tracing::info!(target: "musubi::access", reader, %method, path, status, "read");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_configured_tokens_are_known() {
        let tokens =
            [ReaderToken::new("city", "one"), ReaderToken::from_sha256("audit", sha256(b"two"))];
        assert_eq!(reader_of(&tokens, "one"), Some("city"));
        assert_eq!(reader_of(&tokens, "two"), Some("audit"));
        for wrong in ["", "on", "onee", "three"] {
            assert_eq!(reader_of(&tokens, wrong), None);
        }
        assert_eq!(reader_of(&[], ""), None);
        assert!(!format!("{tokens:?}").contains("one"));
    }
}
