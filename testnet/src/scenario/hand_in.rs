//! A list of transactions, handed in through the SDK, each followed to its end.

use anyhow::{Context, bail};
use musubi_ledger::{
    api::{Problem, Stage, Status},
    code::Code,
    limits,
    transaction::Transaction,
};
use musubi_sdk::{BulkResult, Client, ClientError, Wait};

use crate::load::{code_named, ended};

/// Transactions in one submission: a leader cuts them into few batches.
const BULK: usize = 1_000;

/// Hands them in, in this order, and waits for every end: the code, and whether the ledger judged it. What a door refuses
/// with one of the ledger's codes, and what was ordered and void, has no verdict.
pub(super) async fn all(
    client: &Client,
    transactions: &[Transaction],
) -> anyhow::Result<Vec<(Code, bool)>> {
    let mut ends = Vec::with_capacity(transactions.len());
    let mut rest = transactions;
    while !rest.is_empty() {
        let (bulk, behind) = rest.split_at(fitting(rest));
        // What comes of the whole of it may be unknown: then each is asked after alone, which never applies one twice.
        let results = client.submit_bulk(bulk, Wait::Committed).await.unwrap_or_default();
        let mut results = results.into_iter();
        for transaction in bulk {
            let known = results.next().and_then(|result| end_of(&result));
            ends.push(match known {
                Some(end) => end,
                None => alone(client, transaction).await?,
            });
        }
        rest = behind;
    }
    Ok(ends)
}

/// How many of them fit one submission; at least one.
fn fitting(transactions: &[Transaction]) -> usize {
    let mut bytes = 0;
    let fits = |transaction: &&Transaction| {
        bytes += transaction.encode().len() + 4;
        bytes <= limits::HTTP_BULK_BYTES_MAX
    };
    transactions.iter().take(BULK).take_while(fits).count().max(1)
}

fn end_of(result: &BulkResult) -> Option<(Code, bool)> {
    match result {
        BulkResult::Status(status) => end(status),
        BulkResult::Problem(problem) => refusal(problem),
    }
}

fn end(status: &Status) -> Option<(Code, bool)> {
    ended(status).map(|(code, _)| (code, status.stage == Stage::Judged))
}

/// The ledger's code, if the door refused with one. Its own (busy, no leader) are no end.
fn refusal(problem: &Problem) -> Option<(Code, bool)> {
    code_named(&problem.code).map(|code| (code, false))
}

async fn alone(client: &Client, transaction: &Transaction) -> anyhow::Result<(Code, bool)> {
    let id = transaction.body.id();
    match client.submit(transaction, Wait::Committed).await {
        Ok(status) => end(&status).with_context(|| format!("{id} has no verdict")),
        Err(ClientError::Problem(problem)) => match refusal(&problem) {
            Some(end) => Ok(end),
            None => bail!("{id} was refused: {}", problem.detail),
        },
        Err(error) => Err(error).with_context(|| format!("{id} came to no end")),
    }
}
