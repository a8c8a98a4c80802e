//! When payments became final, seen from outside: whoever waits for finality asks for the newest final checkpoint
//! and checks it, and so does this.
//!
//! [`Watch`] asks every node every few milliseconds while the day is lived; what counts is when a checkpoint was first
//! *found* final by the witness policy here, not when a node said so. It disturbs no submission. A payment's time is
//! from its first posting to the first such checkpoint that covers its leaf: too long by at most the pause between
//! two questions, and never too short.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use musubi_ledger::{
    id::TxId,
    policy::PolicyChain,
    tlog::{Checkpoint, SignedNote},
};
use musubi_sdk::Client;
use tokio::task::JoinSet;

use super::{bad, outage::Outage};
use crate::{
    load::{Delivered, Place},
    network::Network,
};

/// Between two questions to one node.
const PAUSE: Duration = Duration::from_millis(15);

/// Final checkpoints, as they were found.
#[derive(Clone, Debug, Default)]
pub(super) struct Sightings {
    /// Ascending: each larger than the one before, and when it was found.
    found: Vec<(u64, Instant)>,
    /// What a node gave out as final and is not.
    fault: Option<String>,
}

impl Sightings {
    /// Looks at what a node serves as final. What is not newer than what was found before tells no time.
    fn take(&mut self, node: usize, note: &str, at: Instant, policies: &PolicyChain) {
        let newest = self.found.last().map_or(0, |(size, _)| *size);
        let size = match size_of(note) {
            Ok(size) if size <= newest => return,
            Ok(size) => size,
            Err(what) => {
                self.fault.get_or_insert(format!("node {node} serves no checkpoint: {what}"));
                return;
            }
        };
        match policies.check(note.as_bytes()) {
            Ok(_) => self.found.push((size, at)),
            Err(error) => {
                let fault = format!("node {node} serves {size} leaves as final: {error}");
                self.fault.get_or_insert(fault);
            }
        }
    }

    /// When a leaf was first found to be final.
    fn covered(&self, leaf: u64) -> Option<Instant> {
        let later = self.found.partition_point(|(size, _)| *size <= leaf);
        self.found.get(later).map(|(_, at)| *at)
    }
}

fn size_of(note: &str) -> Result<u64, String> {
    let note: SignedNote = note.parse().map_err(|error| format!("{error}"))?;
    let checkpoint: Checkpoint = note.text().parse().map_err(|error| format!("{error}"))?;
    Ok(checkpoint.size())
}

/// Looks at all nodes until it is dropped or ended.
pub(super) struct Watch {
    sightings: Arc<Mutex<Sightings>>,
    /// A task per node; they end with this.
    _tasks: JoinSet<()>,
}

impl Watch {
    /// Begins to look, with the policies that the genesis document implies.
    ///
    /// # Errors
    /// If the system gives no HTTP client.
    pub(super) fn start(network: &Network) -> anyhow::Result<Self> {
        let policies = PolicyChain::of_genesis(network.genesis());
        let sightings = Arc::<Mutex<Sightings>>::default();
        let mut tasks = JoinSet::new();
        for at in 0..network.validators().len() {
            let (node, client) = (at + 1, network.client_of(at)?);
            tasks.spawn(look(node, client, policies.clone(), Arc::clone(&sightings)));
        }
        Ok(Self { sightings, _tasks: tasks })
    }

    /// What was seen.
    pub(super) fn end(self) -> Sightings {
        self.sightings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn look(
    node: usize,
    client: Client,
    policies: PolicyChain,
    sightings: Arc<Mutex<Sightings>>,
) {
    loop {
        // A node that was killed, or knows of nothing final yet, is asked again.
        if let Ok(note) = client.log_checkpoint().await {
            let mut sightings = sightings.lock().unwrap_or_else(PoisonError::into_inner);
            sightings.take(node, &note, Instant::now(), &policies);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How the day's payments became final.
#[derive(Clone, Debug, Default)]
pub(super) struct Finality {
    /// Applied payments of the day.
    pub(super) payments: u64,
    /// Those that a final checkpoint covers at the end, on every node.
    pub(super) covered: u64,
    /// From submission to final, each of them.
    pub(super) all: Vec<Duration>,
    /// The same without those that waited while nobody led.
    pub(super) apart: Vec<Duration>,
    /// What does not add up.
    pub(super) wrong: Option<String>,
}

/// Every node's newest final checkpoint, checked here: how many leaves all of them cover.
///
/// # Errors
/// If a node cannot be asked. What one serves wrongly is found, not an error.
pub(super) async fn at_the_end(
    clients: &[Client],
    policies: &PolicyChain,
) -> anyhow::Result<Result<u64, String>> {
    let mut least = u64::MAX;
    for (node, client) in (1..).zip(clients) {
        // In this order: what is asked for second may have grown.
        let claimed = client.info().await?.final_size;
        let note = client.log_checkpoint().await?;
        let size = match policies.check(note.as_bytes()) {
            Ok(last) => last.checkpoint.size(),
            Err(error) => {
                return Ok(Err(format!("node {node}'s checkpoint is not final: {error}")));
            }
        };
        if size < claimed {
            return Ok(Err(format!("node {node} calls {claimed} leaves final and shows {size}")));
        }
        least = least.min(size);
    }
    Ok(Ok(least))
}

/// Sums up: `leaves` says where each transaction stands, `end` how much is final on every node.
pub(super) fn sum_up(
    delivered: &[Delivered],
    leaves: &BTreeMap<TxId, u64>,
    sightings: &Sightings,
    outage: &Outage,
    end: Result<u64, String>,
) -> Finality {
    let mut finality = Finality { wrong: sightings.fault.clone(), ..Finality::default() };
    let end = end.unwrap_or_else(|wrong| {
        finality.wrong.get_or_insert(wrong);
        0
    });
    let good = |d: &&Delivered| d.answer.place == Place::Applied && bad::kind(&d.item).is_none();
    for Delivered { item, answer } in delivered.iter().filter(good) {
        finality.payments += 1;
        let Some(leaf) = leaves.get(&item.id) else {
            finality.wrong.get_or_insert(format!("{} is in no leaf", item.id));
            continue;
        };
        finality.covered += u64::from(*leaf < end);
        // From the first posting on: an item that was posted again waited all the while.
        let submitted = answer.acked.checked_sub(answer.latency).unwrap_or(answer.acked);
        let found = sightings.covered(*leaf);
        let Some(took) = found.and_then(|found| found.checked_duration_since(submitted)) else {
            let what = if found.is_some() { "before it was submitted" } else { "at no time" };
            finality.wrong.get_or_insert(format!("{} was found final {what}", item.id));
            continue;
        };
        finality.all.push(took);
        let restored = outage.killed + outage.leaderless;
        if submitted > restored || submitted + took < outage.killed {
            finality.apart.push(took);
        }
    }
    finality
}

#[cfg(test)]
mod tests;
