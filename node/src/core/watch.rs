//! Feeds the gauges that nobody else raises: queue depths, members, disk.

use std::{sync::Arc, time::Duration};

use crate::{metrics::Queue, node::Node};

const EVERY: Duration = Duration::from_secs(1);

/// Runs until it is aborted.
pub async fn run(node: Arc<Node>) {
    let mut every = tokio::time::interval(EVERY);
    loop {
        every.tick().await;
        let at = Arc::clone(&node);
        // Asking the disk and the database may block.
        let _ = tokio::task::spawn_blocking(move || look(&at)).await;
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
    metrics.peers(&node.network.peers());
    metrics.disk(node.disk_free(), node.store.bytes());
}
