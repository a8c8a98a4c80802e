//! Runs: what was signed, how far it is, which lines are open.

use axum::{Json, extract::State};
use musubi_ledger::{
    api::{OpenLines, RunView},
    id::TxId,
    limits,
    run::{RunLines, is_set},
    state::{ReadState, Row, RowKey, Shared},
};
use serde::Deserialize;

use crate::http::{
    Api, Who,
    extract::{PathOf, QueryOf},
    problem::{ApiError, DoorCode},
};

/// Stretches of open lines in one answer.
const STRETCHES_MAX: usize = 1_000;

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
