//! The leader's end in the middle of the day, and its return.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::sync::Mutex;

use super::courier::Courier;
use crate::network::Network;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(45);
const LOOK: Duration = Duration::from_millis(5);

/// What the outage was like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    /// The leader that was killed.
    pub(super) node: u64,
    /// When.
    pub(super) killed: Instant,
    /// Items that waited for their answer at that moment.
    pub(super) in_flight: u64,
    /// From the kill to the first verdict on something that was submitted after it.
    pub(super) leaderless: Duration,
    /// From its restart until it had caught up with the others.
    pub(super) caught_up: Duration,
}

/// Kills the leader while submissions wait for their answer, waits until writes work again, starts the
/// node again and waits until it has caught up.
///
/// # Errors
/// If there is no leader, or any of it takes too long.
pub(super) async fn strike(
    network: &Mutex<Network>,
    courier: &Arc<Courier>,
) -> anyhow::Result<Outage> {
    let node = leader(network).await?;
    let wait_for_traffic = Instant::now();
    while courier.in_flight() == 0 && wait_for_traffic.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let in_flight = courier.in_flight();
    network.lock().await.kill(node)?;
    let killed = Instant::now();
    let restored = restored(courier, killed).await?;
    let begun = Instant::now();
    network.lock().await.restart(node)?;
    caught_up(network, node).await?;
    Ok(Outage {
        node,
        killed,
        in_flight,
        leaderless: restored - killed,
        caught_up: begun.elapsed(),
    })
}

async fn leader(network: &Mutex<Network>) -> anyhow::Result<u64> {
    let begun = Instant::now();
    loop {
        if let Some(leader) = network.lock().await.leader().await? {
            return Ok(leader);
        }
        if begun.elapsed() > PATIENCE {
            bail!("the nodes know no leader; see their logs");
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn restored(courier: &Courier, killed: Instant) -> anyhow::Result<Instant> {
    loop {
        let acks = courier.acks();
        if let Some(first) = acks.iter().filter(|a| a.posted > killed).map(|a| a.acked).min() {
            return Ok(first);
        }
        if killed.elapsed() > PATIENCE {
            bail!("nothing was acknowledged for {PATIENCE:?} after the kill; see the nodes' logs");
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn caught_up(network: &Mutex<Network>, node: u64) -> anyhow::Result<()> {
    let (own, others) = {
        let network = network.lock().await;
        let at = network.validators().iter().position(|v| v.node == node);
        let at = at.context("the killed node is one of the network's")?;
        let other = (at + 1) % network.validators().len();
        (network.client_of(at)?, network.client_of(other)?)
    };
    let begun = Instant::now();
    let target = others.info().await?.height;
    loop {
        network.lock().await.check_alive()?;
        let ready = own.ready(0).await.unwrap_or(false);
        if ready && own.info().await.is_ok_and(|info| info.height >= target) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            bail!("node {node} did not catch up within {PATIENCE:?}; see its log");
        }
        tokio::time::sleep(LOOK * 4).await;
    }
}
