//! The leader's end in the middle of the day, and its return.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::sync::{Mutex, watch};

use crate::{
    item::Item,
    load::Courier,
    network::{Leader, Network},
};

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long the kill waits for traffic.
const TRAFFIC_WITHIN: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(5);
/// Between looks for traffic: shorter than the shortest submission.
const GLANCE: Duration = Duration::from_millis(1);

/// What the outage was like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    /// Who led, by the word of most nodes and its own, right before it was killed.
    pub(super) leader: Leader,
    /// Who led the survivors once writes worked again.
    pub(super) successor: Leader,
    /// When the leader was killed.
    pub(super) killed: Instant,
    /// Items that waited for their answer at that moment.
    pub(super) in_flight: u64,
    /// From the kill to the first verdict on something that was submitted after it.
    pub(super) leaderless: Duration,
    /// From its restart until it had caught up with the others.
    pub(super) caught_up: Duration,
}

/// The wave behind which no more than half of the items are left. By items, not by waves: a small day's last
/// waves hold little.
pub(super) fn middle(waves: &[Vec<Item>]) -> usize {
    let all: usize = waves.iter().map(Vec::len).sum();
    let mut behind = all;
    let middle = waves.iter().position(|wave| {
        behind -= wave.len();
        behind <= all / 2
    });
    middle.unwrap_or(0)
}

/// Waits until the nodes have a leader.
///
/// # Errors
/// If they find none in time.
pub(super) async fn await_leader(network: &Mutex<Network>) -> anyhow::Result<Leader> {
    let begun = Instant::now();
    loop {
        if let Some(leader) = network.lock().await.leader().await? {
            return Ok(leader);
        }
        if begun.elapsed() > PATIENCE {
            bail!("the nodes agreed on no leader within {PATIENCE:?}; see their logs");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Holds the day back until the leader was struck, so that the rest of it is left behind the kill.
pub(super) async fn hold(struck: &mut watch::Receiver<bool>) {
    // A sender that is gone has failed, and says so itself.
    let _ = struck.wait_for(|struck| *struck).await;
}

/// Kills the leader in the middle of the traffic and says so through `struck`, waits until
/// writes work again under another leader, starts the node again and waits until it has caught up.
///
/// # Errors
/// If there is no leader, or any of it takes too long.
pub(super) async fn strike(
    network: &Mutex<Network>,
    courier: &Courier,
    struck: watch::Sender<bool>,
) -> anyhow::Result<Outage> {
    let (leader, in_flight) = kill_leader(network, courier).await?;
    let killed = Instant::now();
    struck.send_replace(true);
    let restored = restored(courier, killed).await?;
    let successor = await_leader(network).await?;
    let begun = Instant::now();
    network.lock().await.restart(leader.node)?;
    caught_up(network, leader.node).await?;
    Ok(Outage {
        leader,
        successor,
        killed,
        in_flight,
        leaderless: restored - killed,
        caught_up: begun.elapsed(),
    })
}

/// Kills the leader, at a moment when something is in flight if there is one soon (a small day's waves are
/// answered in no time); returns who it was, and how much was in flight.
async fn kill_leader(network: &Mutex<Network>, courier: &Courier) -> anyhow::Result<(Leader, u64)> {
    let begun = Instant::now();
    loop {
        {
            let mut network = network.lock().await;
            let leader = network.leader().await?;
            // Counted behind the nodes' word: from here to the kill nothing is waited for.
            let in_flight = courier.in_flight();
            let now = in_flight > 0 || begun.elapsed() > TRAFFIC_WITHIN;
            if let (Some(leader), true) = (leader, now) {
                network.kill(leader.node)?;
                return Ok((leader, in_flight));
            }
        }
        if begun.elapsed() > PATIENCE {
            bail!("no leader within {PATIENCE:?}; see the nodes' logs");
        }
        tokio::time::sleep(GLANCE).await;
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
