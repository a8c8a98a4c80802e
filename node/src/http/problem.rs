//! Problem documents (RFC 9457): the one form in which the API refuses.
//!
//! A problem's code is a ledger [`Code`] or one of the door's own, [`DoorCode`]. Names are stable;
//! sentences may get better.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use musubi_ledger::{api::Problem, code::Code, id::TxId};

use super::access::{NotReady, ReadFault, Refusal};

/// Media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// Longest detail: what clients sent may be quoted in it.
const DETAIL_CHARS_MAX: usize = 300;

macro_rules! door_codes {
    ($( $variant:ident $name:literal $status:ident $sentence:literal )+) => {
        /// A code of the door: about the request, not about a transaction.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum DoorCode {
            $( #[doc = $sentence] $variant, )+
        }

        impl DoorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }

            /// The HTTP status that it comes with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $( Self::$variant => StatusCode::$status, )+ }
            }

            /// What happened and what to do.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $( Self::$variant => $sentence, )+ }
            }
        }
    };
}

door_codes! {
    BadParameter "bad_parameter" BAD_REQUEST "A part of the path, query or body is not what this route takes."
    MalformedJson "malformed_json" BAD_REQUEST "The body is not the JSON of a transaction; amounts are strings, keys come once, unknown fields are refused."
    MalformedBulk "malformed_bulk" BAD_REQUEST "The body is no bulk submission: 1 to 4096 times a big-endian u32 length and as many bytes of one transaction."
    MalformedMemo "malformed_memo" BAD_REQUEST "The body is no transaction with its memo: each behind its length, a big-endian u32, and the memo a blob of canonical form."
    OtherMemo "other_memo" BAD_REQUEST "The transaction does not cite this memo: its body has another hash, or none."
    Unauthorised "unauthorised" UNAUTHORIZED "This route needs a reader token: send `Authorization: Bearer <token>`."
    OperatorOnly "operator_only" FORBIDDEN "This route needs an operator's token; this one lets its bearer read."
    NotBelow "not_below" FORBIDDEN "This token reads about one body and the groups that lie under it now; this is about somebody else, or about more."
    MemoNotHere "memo_not_here" NOT_FOUND "The memo has not come to this node; ask again, or ask another node."
    NotFound "not_found" NOT_FOUND "There is nothing under this address."
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "This route does not take this method; the Allow header names those it takes."
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE "This route does not answer in a media type that the Accept header names."
    ReadOnly "read_only" MISDIRECTED_REQUEST "This node is a replica, which takes no submissions; send the same bytes to a validator."
    RequestTimeout "request_timeout" REQUEST_TIMEOUT "The body did not arrive in time; send it again on a new connection."
    WrongEpoch "wrong_epoch" CONFLICT "The event id is of another epoch of the log; read the history anew and follow the feed from there."
    NotFinal "not_final" CONFLICT "No final checkpoint covers this yet; ask again after Retry-After, or wait for it with `?wait=final`."
    TimePast "time_past" CONFLICT "The time to set is before the node's own, which goes forward only; the detail says what it is."
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "The body is larger than this route takes."
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "This route takes no body of this media type or encoding; compressed bodies are never taken."
    RateLimited "rate_limited" TOO_MANY_REQUESTS "Too many submissions from this address or sender; wait as long as Retry-After says."
    StatementTooLong "statement_too_long" UNPROCESSABLE_ENTITY "The period has more lines than one statement may have; ask for a shorter one."
    MemoErased "memo_erased" GONE "The memo was erased on this node, for good."
    StateNotKept "state_not_kept" GONE "This node does not have the states of those days; ask another organisation's node."
    BeforeSnapshot "before_snapshot" GONE "This replica began with a snapshot and does not know what came before it; ask a validator, or a replica from genesis."
    SnapshotGone "snapshot_gone" GONE "This node does not hold that snapshot any more; begin again with a new manifest."
    Internal "internal" INTERNAL_SERVER_ERROR "The node failed at this request; its operator finds the cause in the log."
    Busy "busy" SERVICE_UNAVAILABLE "A queue is full; the same bytes can be sent again after Retry-After, here or to another node."
    NoLeader "no_leader" SERVICE_UNAVAILABLE "The validators have no leader at the moment; send the same bytes again after Retry-After."
    Stopping "stopping" SERVICE_UNAVAILABLE "This node is stopping; send the same bytes to another node."
    NotReady "not_ready" SERVICE_UNAVAILABLE "This node should get no traffic now; `reasons` says why."
}

/// A refusal on its way to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: String,
    id: Option<TxId>,
    retry_after_s: Option<u64>,
    reasons: Vec<NotReady>,
}

/// Seconds after which a refused submission is worth another try.
const RETRY_AFTER_S: u64 = 1;

impl ApiError {
    /// A refusal with the code's own sentence.
    #[must_use]
    pub fn new(code: DoorCode) -> Self {
        let retryable = code.status() == StatusCode::SERVICE_UNAVAILABLE;
        Self {
            status: code.status(),
            code: code.name(),
            detail: code.sentence().into(),
            id: None,
            retry_after_s: retryable.then_some(RETRY_AFTER_S),
            reasons: Vec::new(),
        }
    }

    /// A refusal for what a transaction is: 409 for a reference that is taken, 400 otherwise.
    #[must_use]
    pub fn of_transaction(code: Code, id: Option<TxId>) -> Self {
        let status = match code {
            Code::ReferenceTaken => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            code: code.name(),
            detail: code.sentence().into(),
            id,
            retry_after_s: None,
            reasons: Vec::new(),
        }
    }

    /// Why the node is not ready.
    #[must_use]
    pub fn not_ready(reasons: Vec<NotReady>) -> Self {
        Self { reasons, ..Self::new(DoorCode::NotReady) }
    }

    /// Adds what was wrong in this case; what clients sent is quoted at limited length.
    #[must_use]
    pub fn because(mut self, what: impl core::fmt::Display) -> Self {
        let what = what.to_string();
        let shown: String = what.chars().take(DETAIL_CHARS_MAX).collect();
        let cut = if shown.len() < what.len() { "…" } else { "" };
        self.detail = format!("{} ({shown}{cut})", self.detail);
        self
    }

    /// Names the transaction that it is about.
    #[must_use]
    pub fn about(mut self, id: TxId) -> Self {
        self.id = Some(id);
        self
    }

    /// Says when to try again, in whole seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The document.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem {
            kind: format!("urn:musubi:problem:{}", self.code),
            title: self.code.replace('_', " "),
            status: self.status.as_u16(),
            code: self.code.into(),
            detail: self.detail.clone(),
            id: self.id,
        }
    }

    fn document(&self) -> Vec<u8> {
        let mut document = serde_json::json!(self.problem());
        if !self.reasons.is_empty() {
            document["reasons"] = serde_json::json!(self.reasons);
        }
        document.to_string().into_bytes()
    }
}

impl From<DoorCode> for ApiError {
    fn from(code: DoorCode) -> Self {
        Self::new(code)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Busy => Self::new(DoorCode::Busy),
            Refusal::OverShare => Self::new(DoorCode::RateLimited).retry_after(RETRY_AFTER_S),
            Refusal::NoLeader => Self::new(DoorCode::NoLeader),
            Refusal::Stopping => Self::new(DoorCode::Stopping),
            Refusal::ReadOnly => Self::new(DoorCode::ReadOnly),
        }
    }
}

impl From<ReadFault> for ApiError {
    fn from(fault: ReadFault) -> Self {
        tracing::error!(%fault, "an API read failed");
        Self::new(DoorCode::Internal)
    }
}

/// Marks a response as refused, for the metrics.
#[derive(Clone, Copy, Debug)]
pub(super) struct RefusedCode(pub(super) &'static str);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.document()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"musubi\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.status == StatusCode::PAYLOAD_TOO_LARGE {
            // The rest of the body may never be read, so the connection ends here: a client that kept it would see its next
            // request break off (RFC 9110, section 15.5.14).
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(RefusedCode(self.code));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doors_codes_are_unique_and_none_is_a_verdicts() {
        let mut names: Vec<_> = DoorCode::ALL.iter().map(|code| code.name()).collect();
        names.extend(Code::ALL.iter().map(|code| code.name()));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn what_clients_sent_is_quoted_at_limited_length() {
        let error = ApiError::new(DoorCode::BadParameter).because("人".repeat(10_000));
        assert!(error.problem().detail.chars().count() < 2 * DETAIL_CHARS_MAX);
    }
}
