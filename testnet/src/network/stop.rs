//! How processes end in order: SIGTERM, and SIGKILL for what takes too long.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use super::{Network, process::Process};

/// How long a node may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);

impl Network {
    /// Stops every node: SIGTERM to all, SIGKILL to those that take too long.
    ///
    /// # Errors
    /// Names a node that did not stop cleanly.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let replicas = self.replicas.iter_mut().map(|replica| {
            (format!("replica {}", replica.number), &*replica.log, replica.process.take())
        });
        let validators = self.validators.iter_mut().map(|validator| {
            (format!("node {}", validator.node), &*validator.log, validator.process.take())
        });
        let all = replicas.chain(validators);
        end(all.filter_map(|(name, log, process)| Some((name, log, process?))).collect()).await
    }

    /// Stops one validator in the same way. [`Network::restart`] starts it again.
    ///
    /// # Errors
    /// If there is no such node, it does not run, or it did not stop cleanly.
    pub async fn stop_node(&mut self, node: u64) -> anyhow::Result<()> {
        let validator = self.validator_mut(node)?;
        let process = validator.process.take();
        let process = process.with_context(|| format!("node {node} does not run"))?;
        end(vec![(format!("node {node}"), &validator.log, process)]).await
    }
}

async fn end(all: Vec<(String, &Path, Process)>) -> anyhow::Result<()> {
    let until = Instant::now() + STOP_WITHIN;
    all.iter().for_each(|(_, _, process)| process.terminate());
    let mut unclean = Vec::new();
    for (name, log, mut process) in all {
        let status = loop {
            match process.ended() {
                Some(status) => break Some(status),
                None if Instant::now() > until => break None,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        if !status.is_some_and(|status| status.success()) {
            process.kill();
            unclean.push(format!("{name} (see {})", log.display()));
        }
    }
    if unclean.is_empty() { Ok(()) } else { bail!("did not stop cleanly: {}", unclean.join(", ")) }
}
