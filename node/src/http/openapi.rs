//! Routes and their description, from one list; so neither can have what the other lacks.

use axum::{Router, http::StatusCode, middleware::from_fn_with_state};
use musubi_ledger::code::Code;
use serde_json::Value;
use utoipa::openapi::{
    Content, Info, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
    path::{Operation, PathItem},
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, auth, feed, health, memos,
    problem::{ApiError, DoorCode, PROBLEM_JSON},
    read::{
        blocks, bodies, documents, download, evidence, grants, log, offers, parties, proofs,
        public, rules, runs, snapshot, statements, transactions,
    },
    schemas, submit, test_time,
};

/// Refusals that any route may answer with.
const EVERYWHERE: &[DoorCode] = &[
    DoorCode::BadParameter,
    DoorCode::NotFound,
    DoorCode::NotAcceptable,
    DoorCode::Internal,
    DoorCode::Busy,
];
/// And those of routes that need a reader token.
const READER: &[DoorCode] = &[DoorCode::Unauthorised, DoorCode::NotBelow];
/// And those of operators' routes.
const OPERATOR: &[DoorCode] = &[DoorCode::Unauthorised, DoorCode::OperatorOnly];
/// And those of the clock's.
const TIME: &[DoorCode] = &[
    DoorCode::TimePast,
    DoorCode::RequestTimeout,
    DoorCode::BodyTooLarge,
    DoorCode::UnsupportedMediaType,
];
/// And those of memos, read or submitted.
const MEMO: &[DoorCode] = &[DoorCode::MemoErased, DoorCode::MalformedMemo, DoorCode::OtherMemo];
/// And that of the feed.
const FEED: &[DoorCode] = &[DoorCode::WrongEpoch, DoorCode::BeforeSnapshot];
/// And that of what a replica may not know.
const PAST: &[DoorCode] = &[DoorCode::BeforeSnapshot];
/// And that of a snapshot's rows.
const ROWS: &[DoorCode] = &[DoorCode::SnapshotGone];
/// And those of statements.
const STATEMENT: &[DoorCode] =
    &[DoorCode::StatementTooLong, DoorCode::StateNotKept, DoorCode::NotFinal];
/// And that of proofs.
const PROOFS: &[DoorCode] = &[DoorCode::NotFinal, DoorCode::BeforeSnapshot];
/// And that of wallets and snapshots.
const FINAL: &[DoorCode] = &[DoorCode::NotFinal];
/// And those of submissions, beside `reference_taken`, which is the ledger's.
const SUBMISSION: &[DoorCode] = &[
    DoorCode::RequestTimeout,
    DoorCode::BodyTooLarge,
    DoorCode::UnsupportedMediaType,
    DoorCode::RateLimited,
    DoorCode::ReadOnly,
];

fn public_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(health::openapi))
        .routes(routes!(public::info))
        .routes(routes!(public::genesis))
        .routes(routes!(public::checkpoints))
        .routes(routes!(public::policies))
        .routes(routes!(evidence::list))
        .routes(routes!(evidence::file))
        .routes(routes!(public::instruments))
        .routes(routes!(public::instrument))
        .routes(routes!(log::seals))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::tile))
}

fn reader_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(transactions::status))
        .routes(routes!(transactions::full))
        .routes(routes!(parties::wallet))
        .routes(routes!(parties::party))
        .routes(routes!(parties::history))
        .routes(routes!(parties::proposal))
        .routes(routes!(parties::open_proposals))
        .routes(routes!(grants::mandate))
        .routes(routes!(grants::request))
        .routes(routes!(grants::medium))
        .routes(routes!(parties::spendable))
        .routes(routes!(grants::allowance))
        .routes(routes!(grants::redemption))
        .routes(routes!(grants::settlement))
        .routes(routes!(grants::hold))
        .routes(routes!(documents::document))
        .routes(routes!(documents::documents))
        .routes(routes!(bodies::children))
        .routes(routes!(bodies::place))
        .routes(routes!(grants::entitlement))
        .routes(routes!(offers::offers))
        .routes(routes!(offers::offer))
        .routes(routes!(documents::dues))
        .routes(routes!(offers::draw))
        .routes(routes!(offers::quote))
        .routes(routes!(rules::rules))
        .routes(routes!(rules::rule))
        .routes(routes!(runs::run))
        .routes(routes!(runs::waiting))
        .routes(routes!(statements::wallet_proof))
        .routes(routes!(statements::statement))
        .routes(routes!(proofs::proof))
        .routes(routes!(proofs::leaf_proof))
        .routes(routes!(download::entries))
        .routes(routes!(blocks::blocks))
        .routes(routes!(memos::blob))
        .routes(routes!(snapshot::manifest))
        .routes(routes!(snapshot::rows))
        .routes(routes!(feed::feed))
}

fn submission_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(submit::submit))
        .routes(routes!(submit::submit_bulk))
        .routes(routes!(memos::submit))
}

/// `driven`: whether this is a test's chain, whose clocks can be set.
fn operator_routes(driven: bool) -> OpenApiRouter<Api> {
    let routes = OpenApiRouter::new().routes(routes!(memos::erase));
    if driven { routes.routes(routes!(test_time::set)) } else { routes }
}

/// The routes, still to be given their state, and the description; with that of the clock if it is `driven`.
pub(super) fn routes(driven: bool) -> (impl FnOnce(&Api) -> Router<Api>, Value) {
    let (public, mut public_api) = public_routes().split_for_parts();
    let (reader, mut reader_api) = reader_routes().split_for_parts();
    let (operator, mut operator_api) = operator_routes(driven).split_for_parts();
    let (submission, mut submission_api) = submission_routes().split_for_parts();
    for operation in operations(&mut reader_api) {
        operation.security = Some(vec![SecurityRequirement::new("reader", Vec::<String>::new())]);
        refuses(operation, READER);
        match operation.operation_id.as_deref() {
            Some("memo") => refuses(operation, &[DoorCode::MemoErased]),
            Some("feed") => refuses(operation, FEED),
            Some("proof" | "leaf_proof") => refuses(operation, PROOFS),
            Some("wallet_proof" | "snapshot") => refuses(operation, FINAL),
            Some("snapshot_rows") => refuses(operation, ROWS),
            Some("blocks" | "entries" | "transaction_full" | "history") => refuses(operation, PAST),
            Some("statement") => refuses(operation, STATEMENT),
            _ => {}
        }
    }
    for operation in operations(&mut operator_api) {
        operation.security = Some(vec![SecurityRequirement::new("reader", Vec::<String>::new())]);
        refuses(operation, OPERATOR);
        if operation.operation_id.as_deref() == Some("set_time") {
            refuses(operation, TIME);
        }
    }
    for operation in operations(&mut public_api) {
        if operation.operation_id.as_deref() == Some("seals") {
            refuses(operation, PAST);
        }
    }
    for operation in operations(&mut submission_api) {
        if operation.operation_id.as_deref() == Some("submit_with_memo") {
            refuses(operation, MEMO);
        }
        refuses(operation, SUBMISSION);
        refuses_with(operation, ApiError::of_transaction(Code::ReferenceTaken, None).status());
    }
    let mut api = OpenApiBuilder::new().info(info()).build();
    for part in [public_api, reader_api, operator_api, submission_api] {
        api.merge(part);
    }
    for operation in operations(&mut api) {
        refuses(operation, EVERYWHERE);
    }
    let description = describe(&api);
    // The submission routes share no path with a reader's route of the same method: merging is exact.
    let build = move |state: &Api| {
        let reader = reader.route_layer(from_fn_with_state(state.clone(), auth::readers_only));
        let operator =
            operator.route_layer(from_fn_with_state(state.clone(), auth::operators_only));
        public.merge(submission).merge(reader).merge(operator)
    };
    (build, description)
}

fn info() -> Info {
    let mut info = Info::new("Musubi node", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "A ledger for local currencies. Amounts are strings of the instrument's smallest unit, times are \
         milliseconds of block time. Refusals are problem documents with a stable `code`."
            .into(),
    );
    info
}

fn operations(api: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    api.paths.paths.values_mut().flat_map(methods).flatten()
}

fn methods(item: &mut PathItem) -> [Option<&mut Operation>; 3] {
    let PathItem { get, post, delete, .. } = item;
    [get.as_mut(), post.as_mut(), delete.as_mut()]
}

/// Documents refusals, one response per status; what a route says itself stays.
fn refuses(operation: &mut Operation, codes: &[DoorCode]) {
    codes.iter().for_each(|code| refuses_with(operation, code.status()));
}

fn refuses_with(operation: &mut Operation, status: StatusCode) {
    let content = Content::new(Some(RefOr::Ref(Ref::new("#/components/schemas/Problem"))));
    let mut response = Response::new(status.canonical_reason().unwrap_or("Refused"));
    response.content.insert(PROBLEM_JSON.into(), RefOr::T(content));
    let responses = &mut operation.responses.responses;
    responses.entry(status.as_str().into()).or_insert(RefOr::T(response));
}

/// The description as JSON, with the ledger's schemas and the security scheme.
fn describe(api: &OpenApi) -> Value {
    let mut value = serde_json::to_value(api).expect("a description always serialises");
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    value["components"]["schemas"] = schemas::all();
    value["components"]["securitySchemes"]["reader"] =
        serde_json::to_value(SecurityScheme::Http(bearer)).expect("a scheme always serialises");
    // OpenAPI has no wildcard; the parameter's description says that it may hold slashes.
    if let Some(paths) = value["paths"].as_object_mut()
        && let Some(tile) = paths.remove("/log/tile/{*path}")
    {
        paths.insert("/log/tile/{path}".into(), tile);
    }
    value
}
