//! Runs: what was signed, how far it is, which lines are open, and which wait for a party.

use axum::{Json, extract::State};
use musubi_ledger::{
    amount::Amount,
    api::{OpenLines, RunView, WaitingLine, WaitingPage},
    id::TxId,
    keys::PublicKey,
    limits,
    operation::OpenRun,
    party::KeyStatus,
    run::{Run, RunLines, is_set, line_id},
    state::{ReadState, Row, RowKey, Shared},
    time::Time,
};
use serde::Deserialize;

use crate::http::{
    Api, Who,
    extract::{PartyPath, PathOf, QueryOf},
    problem::{ApiError, DoorCode},
};

/// Stretches of open lines in one answer.
const STRETCHES_MAX: usize = 1_000;

/// Lines that wait, in one page.
const WAITING: usize = 100;

/// Query of a run.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct From {
    #[serde(default)]
    from: u32,
}

/// A run
#[utoipa::path(get, path = "/v1/runs/{id}", operation_id = "run", tag = "reader",
    params(
        ("id" = String, Path, description = "The id of its `open_run`", pattern = "^[0-9a-f]{64}$"),
        ("from" = Option<u32>, Query, description = "The line from which on open ones are told; 0 by default"),
    ),
    responses((status = 200, description = "Its manifest, counts and open lines", body = ref("#/components/schemas/RunView"))))]
pub(in crate::http) async fn run(
    State(api): State<Api>,
    PathOf(id): PathOf<TxId>,
    QueryOf(From { from }): QueryOf<From>,
) -> Result<Json<RunView>, ApiError> {
    let view = api.read_at_head(Who::Reader, move |ledger, head| {
        let state = ledger.state();
        let Some(Row::Run(run)) = state.row(&RowKey::Run(id)) else {
            return Ok(None);
        };
        let (open, next) = open_lines(state, id, from..run.manifest.count);
        Ok(Some(RunView { id, run: Shared::into_value(run), open, next, height: head.height }))
    });
    view.await?.map(Json).ok_or_else(|| DoorCode::NotFound.into())
}

/// Stretches of lines that are not applied and alike, and where to go on.
fn open_lines(
    state: &dyn ReadState,
    id: TxId,
    lines: core::ops::Range<u32>,
) -> (Vec<OpenLines>, Option<u32>) {
    let mut open: Vec<OpenLines> = Vec::new();
    let mut row = (u32::MAX, RunLines::default());
    for index in lines {
        let (part, at) = (index / limits::RUN_LINES_PER_ROW, index % limits::RUN_LINES_PER_ROW);
        if row.0 != part {
            row = (part, row_of(state, id, part));
        }
        if is_set(&row.1.applied, at) {
            continue;
        }
        let tried = is_set(&row.1.tried, at);
        let full = open.len() == STRETCHES_MAX;
        match open.last_mut() {
            Some(last) if last.tried == tried && last.first + last.count == index => {
                last.count += 1;
            }
            _ if full => return (open, Some(index)),
            _ => open.push(OpenLines { first: index, count: 1, tried }),
        }
    }
    (open, None)
}

fn row_of(state: &dyn ReadState, id: TxId, part: u32) -> RunLines {
    match state.row(&RowKey::RunLines(id, part)) {
        Some(Row::RunLines(lines)) => Shared::into_value(lines),
        _ => RunLines::default(),
    }
}

/// Behind which line a page begins.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Behind {
    run: Option<TxId>,
    #[serde(default)]
    line: u32,
}

/// What runs keep for a party
///
/// Lines that were brought before the party was on the ledger; also of a party that is not yet. Whoever has the run's file brings
/// them again once it is.
#[utoipa::path(get, path = "/v1/parties/{party}/waiting", operation_id = "waiting", tag = "reader",
    params(
        ("party" = String, Path, description = "`party1…`, or an address of the scheme"),
        ("run" = Option<String>, Query, description = "Only lines behind this run's `line`: those of the page before's last", pattern = "^[0-9a-f]{64}$"),
        ("line" = Option<u32>, Query, description = "Goes with `run`"),
    ),
    responses((status = 200, description = "By run and line, a hundred at a time", body = ref("#/components/schemas/WaitingPage"))))]
pub(in crate::http) async fn waiting(
    State(api): State<Api>,
    PartyPath(party): PartyPath,
    QueryOf(Behind { run, line }): QueryOf<Behind>,
) -> Result<Json<WaitingPage>, ApiError> {
    let page = api.read_at_head(Who::Reader, move |ledger, head| {
        let (found, more) = ledger.run_waiting(party, run.map(|run| (run, line)), WAITING)?;
        let state = ledger.state();
        let line = |(id, line, amount): (TxId, u32, Amount)| {
            let Some(Row::Run(run)) = state.row(&RowKey::Run(id)) else { return None };
            let entitlement = line_id(&id, line);
            let until = run.ended.unwrap_or(run.manifest.until);
            let open = is_open(state, &run, head.time);
            let OpenRun { instrument, origin, funder, campaign, import, .. } = run.manifest;
            let import = import.is_some();
            Some(WaitingLine {
                run: id,
                line,
                entitlement,
                instrument,
                amount,
                origin,
                funder,
                campaign,
                import,
                until,
                open,
            })
        };
        let lines = found.into_iter().filter_map(line).collect();
        Ok(WaitingPage { lines, more, height: head.height })
    });
    page.await.map(Json)
}

/// Whether a run still applies lines, as judging says it.
fn is_open(state: &dyn ReadState, run: &Run, now: Time) -> bool {
    let compromised = |key: &PublicKey| match state.row(&RowKey::Key(*key)) {
        Some(Row::Key(record)) => record.status == KeyStatus::Compromised,
        _ => false,
    };
    run.open(now) && !run.granted_by.iter().any(compromised)
}
