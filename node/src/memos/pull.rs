//! Asking others for missing blobs: a validator asks the other validators, a replica its upstreams. Answers are
//! believed for their hash alone.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use musubi_ledger::{
    hash::sha256, id::DocumentHash, limits::MEMO_BLOB_BYTES_MAX, memo::MemoBlob, time::Time,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use zeroize::Zeroizing;

use super::Memos;
use crate::{
    core::forward::Frame,
    network::{Class, Network},
    outgoing::{Limits, Outgoing},
};

/// Between two looks at what is due.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two looks for blobs whose transactions have expired.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// Memos asked for in one frame.
pub const ASKED_MAX: usize = 64;
/// Memos that a validator asks for at one look.
const ASK_AT_ONCE: usize = 8 * ASKED_MAX;
/// Questions that a replica has under way.
const IN_FLIGHT: usize = 8;
/// What an upstream's answer may cost.
const LIMITS: Limits = Limits { within: Duration::from_secs(5), bytes: MEMO_BLOB_BYTES_MAX };

/// What another validator said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It looks for these.
    Asked {
        /// Who.
        from: u64,
        /// Which.
        memos: Vec<DocumentHash>,
    },
    /// It sends a blob.
    Brought(Vec<u8>),
}

/// Whom to ask.
pub enum Others {
    /// A validator: its fellows.
    Members {
        /// The way to them.
        network: Arc<Network>,
        /// Who they are.
        nodes: Vec<u64>,
    },
    /// A replica: whom it follows.
    Upstreams {
        /// The HTTP client.
        client: Outgoing,
        /// Where they are, as configured.
        urls: Vec<String>,
        /// The token that they want.
        token: Arc<Zeroizing<String>>,
    },
}

/// Asks, answers and sweeps until it is aborted or `heard` is closed. Failures are logged: the next look tries again.
pub async fn run(
    memos: Arc<Memos>,
    mut heard: mpsc::Receiver<Heard>,
    others: Others,
    head: watch::Receiver<musubi_ledger::execute::Head>,
) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut swept = Instant::now();
    let mut flights = JoinSet::new();
    loop {
        tokio::select! {
            _ = look.tick() => {
                if swept.elapsed() >= SWEEP_EVERY {
                    swept = Instant::now();
                    let now = head.borrow().time;
                    sweep(&memos, now).await;
                }
                ask(&memos, &others, &mut flights).await;
            }
            said = heard.recv() => match said {
                Some(Heard::Brought(blob)) => take(&memos, blob).await,
                Some(Heard::Asked { from, memos: asked }) => answer(&memos, &others, from, asked).await,
                None => return,
            },
            Some(blob) = flights.join_next(), if !flights.is_empty() => {
                if let Ok(Some(blob)) = blob {
                    take(&memos, blob).await;
                }
            }
        }
    }
}

/// Runs what may wait for the disk on a thread that may.
async fn on_disk<T: Send + 'static>(
    memos: &Arc<Memos>,
    what: impl FnOnce(&Memos) -> Result<T, musubi_storage::StoreError> + Send + 'static,
) -> Option<T> {
    let at = Arc::clone(memos);
    match tokio::task::spawn_blocking(move || what(&at)).await {
        Ok(Ok(done)) => Some(done),
        Ok(Err(error)) => {
            tracing::warn!(code = error.code(), %error, "memos: the store failed");
            None
        }
        Err(_) => None,
    }
}

async fn sweep(memos: &Arc<Memos>, now: Time) {
    on_disk(memos, move |memos| memos.sweep(now)).await;
}

async fn ask(memos: &Arc<Memos>, others: &Others, flights: &mut JoinSet<Option<Vec<u8>>>) {
    let limit = match others {
        Others::Members { .. } => ASK_AT_ONCE,
        Others::Upstreams { .. } => IN_FLIGHT.saturating_sub(flights.len()),
    };
    let due = memos.wants().due(Instant::now(), limit);
    for memo in due.rest {
        tracing::warn!(%memo, "no other node has this memo; it is looked for again when somebody reads it");
        on_disk(memos, move |memos| memos.store.rest_memo(&memo)).await;
    }
    match others {
        Others::Members { network, nodes } => {
            for asked in due.ask.chunks(ASKED_MAX) {
                let frame = Frame::AskMemos(asked.to_vec()).encode();
                for node in nodes {
                    // What is lost is asked for again.
                    let _ = network.send(*node, Class::Submission, frame.clone());
                }
            }
        }
        Others::Upstreams { client, urls, token } => {
            for memo in due.ask {
                flights.spawn(fetch(client.clone(), urls.clone(), Arc::clone(token), memo));
            }
        }
    }
}

/// Asks one upstream after the other, until one gives the bytes that were asked for: whoever gives others keeps nobody
/// from being asked.
async fn fetch(
    client: Outgoing,
    urls: Vec<String>,
    token: Arc<Zeroizing<String>>,
    memo: DocumentHash,
) -> Option<Vec<u8>> {
    for url in urls {
        let url = format!("{url}/v1/memos/{memo}?wait_ms=0");
        match client.get(&url, Some(&token), LIMITS).await {
            Ok(answer) if answer.status != 200 => {}
            Ok(answer) if sha256(&answer.body) == memo.0 => return Some(answer.body.to_vec()),
            Ok(_) => tracing::warn!(url, "this upstream gives other bytes for a memo"),
            Err(error) => {
                tracing::debug!(url, code = error.code(), %error, "no memo from here");
            }
        }
    }
    None
}

/// Takes a blob that is wanted and has the form of one.
async fn take(memos: &Arc<Memos>, blob: Vec<u8>) {
    if MemoBlob::decode(&blob).is_ok() {
        on_disk(memos, move |memos| memos.brought(&blob)).await;
    }
}

/// Sends what is here of what a fellow validator looks for. It has executed a transaction that cites it: what waits
/// here for the same verdict is sent too.
async fn answer(memos: &Arc<Memos>, others: &Others, from: u64, asked: Vec<DocumentHash>) {
    let Others::Members { network, .. } = others else { return };
    let read = move |memos: &Memos| {
        let blobs = asked.iter().map(|memo| memos.store.memo_blob(memo));
        blobs.collect::<Result<Vec<_>, _>>()
    };
    let blobs = on_disk(memos, read).await.unwrap_or_default();
    for blob in blobs.into_iter().flatten() {
        let _ = network.send(from, Class::Submission, Frame::Memo(blob).encode());
    }
}
