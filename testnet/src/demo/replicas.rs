//! Whether the replicas came to what the validators have: every leaf, and at the end root and state digest.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use musubi_ledger::{
    hash::Hash,
    tlog::{Bundle, Frontier},
};
use musubi_sdk::Client;

use crate::network::Network;

/// How long a replica may take to execute everything.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bundles fetched side by side.
const SIDE_BY_SIDE: usize = 8;

/// What the replicas came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Replicas {
    /// How many there are.
    pub(super) count: usize,
    /// Leaves compared.
    pub(super) leaves: u64,
    /// The block up to which everything was compared.
    pub(super) height: u64,
    /// The first thing in which one differs.
    pub(super) apart: Option<String>,
}

/// Where a log stands: its root over all leaves that were downloaded, and the last block's seal.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Stand {
    root: Hash,
    seal: Vec<u8>,
}

/// Waits for every replica and compares it with a validator, as it stands now.
///
/// # Errors
/// If a validator cannot be asked. What a replica does wrong is found, not an error.
pub(super) async fn look(network: &Network) -> anyhow::Result<Replicas> {
    let count = network.replicas().len();
    if count == 0 {
        return Ok(Replicas::default());
    }
    let validator = network.client_of(0)?;
    let info = validator.info().await?;
    let (height, size) = (info.height, info.size);
    let expected = stand(&validator, height, size).await?;
    let mut apart = None;
    for at in 0..count {
        let client = network.client_of_replica(at)?;
        let number = at + 1;
        let found = match caught_up(&client, height).await {
            Ok(()) => stand(&client, height, size).await,
            Err(late) => Err(late),
        };
        let wrong = match found {
            Ok(found) if found == expected => continue,
            Ok(found) if found.root != expected.root => "another root".into(),
            Ok(_) => format!("another seal of block {height}"),
            Err(error) => format!("{error:#}"),
        };
        apart.get_or_insert(format!("replica {number}: {wrong}"));
    }
    Ok(Replicas { count, leaves: size, height, apart })
}

/// Waits until a replica has a block.
async fn caught_up(client: &Client, height: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        // It may not listen yet.
        let info = client.info().await.ok();
        match info {
            Some(info) if info.height >= height => return Ok(()),
            _ if begun.elapsed() < PATIENCE => {}
            Some(info) => anyhow::bail!("at block {} of {height} in time", info.height),
            None => anyhow::bail!("it does not answer"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Downloads all leaves and hashes them, and takes the seal of the last block.
async fn stand(client: &Client, height: u64, size: u64) -> anyhow::Result<Stand> {
    let bundles = (0..).map_while(|index| Bundle::in_log(index, size));
    let mut pages =
        stream::iter(bundles).map(|bundle| client.leaves(bundle)).buffered(SIDE_BY_SIDE);
    let (mut log, mut nodes) = (Frontier::new(), Vec::new());
    while let Some(leaves) = pages.try_next().await? {
        for leaf in leaves {
            log.append_entry(&leaf, &mut nodes);
            nodes.clear();
        }
    }
    let seal = client.seals(height, 1).await?.pop().context("it has no seal of its last block")?;
    Ok(Stand { root: log.root(), seal })
}
