//! Sets the clocks of a network's validators.
//!
//! Followers first, the leader last: a follower refuses what is stamped more than five seconds ahead of its own clock, and
//! does not hear that leader for some seconds then (docs/adr/0010). Who is ahead of its leader has nothing to refuse.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use musubi_ledger::time::Time;
use musubi_sdk::{Client, ClientError};

use crate::network::Network;

/// How long a node may take to answer: one that was just started opens its directory first.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Sets every validator that runs to `to`; one that is later already stays where it is.
pub(super) async fn jump(network: &mut Network, to: Time) -> anyhow::Result<()> {
    let leader = network.leader().await?.map(|leader| leader.node);
    let mut places = running(network);
    places.sort_by_key(|at| leader == Some(network.validators()[*at].node));
    for at in places {
        set(network, at, to).await?;
    }
    Ok(())
}

/// Sets one validator, by its place.
pub(super) async fn set(network: &mut Network, at: usize, to: Time) -> anyhow::Result<()> {
    let client = network.operator_of(at)?;
    let begun = Instant::now();
    loop {
        match client.set_time(0, to).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == "time_past" => return Ok(()),
            // It starts, or the answer was lost: the same again does no harm.
            Err(ClientError::Unreachable { .. }) if begun.elapsed() < ANSWER_WITHIN => {
                network.check_alive()?;
            }
            Err(error) => {
                let node = network.validators()[at].node;
                return Err(error).with_context(|| format!("the clock of node {node} is not set"));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits until all validators that run have executed a block of `to` or later.
pub(super) async fn reached(
    network: &mut Network,
    to: Time,
    patience: Duration,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    for at in running(network) {
        let client = network.client_of(at)?;
        while !is_at(&client, to).await {
            network.check_alive()?;
            if begun.elapsed() > patience {
                let validator = &network.validators()[at];
                bail!(
                    "node {} has no block of {to} or later; see {}",
                    validator.node,
                    validator.log.display()
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

async fn is_at(client: &Client, to: Time) -> bool {
    client.info().await.is_ok_and(|info| info.time >= to)
}

/// Waits until all validators that run have executed block `height`.
pub(super) async fn at_height(
    network: &mut Network,
    height: u64,
    patience: Duration,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    for at in running(network) {
        let client = network.client_of(at)?;
        while !client.info().await.is_ok_and(|info| info.height >= height) {
            network.check_alive()?;
            let node = network.validators()[at].node;
            anyhow::ensure!(begun.elapsed() < patience, "node {node} stays behind block {height}");
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// The places of the validators that run.
fn running(network: &Network) -> Vec<usize> {
    let validators = network.validators().iter().enumerate();
    validators.filter(|(_, v)| v.pid().is_some()).map(|(at, _)| at).collect()
}
