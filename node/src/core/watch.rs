//! Feeds the gauges that nobody else raises: queue depths, members, disk.

use std::{sync::Arc, time::Duration};

use musubi_consensus::Status;

use crate::{metrics::Queue, node::Node};

const EVERY: Duration = Duration::from_secs(1);
/// Seconds between two complaints of one kind.
const SAY_EVERY: u64 = 10;

/// Runs until it is aborted.
pub async fn run(node: Arc<Node>) {
    let mut every = tokio::time::interval(EVERY);
    let mut asleep = 0;
    loop {
        every.tick().await;
        asleep = say_asleep(&node.status.borrow(), asleep);
        let at = Arc::clone(&node);
        // Asking the disk and the database may block.
        let _ = tokio::task::spawn_blocking(move || look(&at)).await;
    }
}

/// Says that this validator waits for others to vouch for it, for how many seconds it did before.
fn say_asleep(status: &Status, seconds: u64) -> u64 {
    let Status { awake, vouching, doubting, .. } = *status;
    match (awake, seconds) {
        (true, 0) => 0,
        (true, _) => {
            tracing::info!(vouching, "others have recorded this start: it takes part now");
            0
        }
        (false, _) => {
            if seconds % SAY_EVERY == 2 {
                tracing::warn!(
                    vouching,
                    doubting,
                    "waits until enough other validators have recorded this start, and promises nothing before; one \
                     that doubts holds acknowledgements of this node that its directory does not know"
                );
            }
            seconds + 1
        }
    }
}

fn look(node: &Node) {
    let metrics = &node.metrics;
    let status = *node.status.borrow();
    metrics.raft(status.last_index, status.commit, status.executed);
    metrics.queue(Queue::Pool, status.pool_items);
    let behind = status.commit.saturating_sub(status.executed);
    metrics.queue(Queue::Executor, usize::try_from(behind).unwrap_or(usize::MAX));
    metrics.queue(Queue::OnTheWay, node.pending.len());
    metrics.queue(Queue::Driver, node.inputs_waiting());
    if let Some(network) = &node.network {
        metrics.peers(&network.peers());
    }
    if let Some(following) = &node.following {
        let head = *node.head.borrow();
        let info = following.borrow().info(head, None);
        metrics.following(info.upstream_height, info.behind_blocks, info.behind_ms);
    }
    metrics.snapshots(node.snapshots.tidy());
    metrics.disk(node.disk_free(), node.store.bytes());
}
