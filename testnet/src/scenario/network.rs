//! The stage on a network of real validators.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use musubi_ledger::{
    code::Code,
    genesis::Genesis,
    id::TxId,
    state::{ReadState, Row, RowKey},
    time::Time,
    transaction::Transaction,
};
use musubi_node::{clock, driven_time::Anchors};
use musubi_sdk::Client;
use tokio::runtime::Runtime;

use super::{
    drive,
    follower::{Follower, Seen},
    hand_in,
};
use crate::{
    city::institutions::Institutions,
    network::{Network, PARAMETERS, Settings},
};

/// How long the network may take to follow a jump, and again when it was told twice: a leader who is distrusted is heard
/// again after four election timeouts.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);
/// Validators, each of its own organisation.
const VALIDATORS: usize = 3;

/// What became of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The transaction.
    pub id: TxId,
    /// Its verdict's code; that with which the door refused it, or of its voidness.
    pub code: Code,
    /// The block that judged it, as it was executed again here; none where it has no verdict.
    pub height: Option<u64>,
}

/// A scenario's stage: three real validators with driven time.
///
/// Synchronous, on a runtime of its own: not to be called from asynchronous code. Its nodes end with it.
#[derive(Debug)]
pub struct OnNetwork {
    network: Network,
    client: Client,
    follower: Follower,
    /// Executed, and not given out yet.
    seen: Vec<Seen>,
    /// When the last clock was set, and to what: no validator's is behind this one.
    set: Anchors,
    runtime: Runtime,
}

impl OnNetwork {
    /// Starts a fresh network in `dir`, which may not hold one, whose chain begins at `begins`.
    ///
    /// # Errors
    /// If it cannot be made, or is not ready in time.
    pub fn start(dir: &Path, seed: u64, begins: Time) -> anyhow::Result<Self> {
        let settings =
            Settings { dir: dir.into(), validators: VALIDATORS, seed, parameters: PARAMETERS };
        Self::on(Network::start_driven(&settings, begins)?, begins)
    }

    /// The same for a scheme: no instrument is there, and waits are as long as a town would have them.
    ///
    /// # Errors
    /// As [`OnNetwork::start`].
    pub fn bare(dir: &Path, seed: u64, begins: Time) -> anyhow::Result<Self> {
        let parameters = musubi_schemes::stage::PARAMETERS;
        let settings = Settings { dir: dir.into(), validators: VALIDATORS, seed, parameters };
        Self::on(Network::start_bare(&settings, Some(begins))?, begins)
    }

    fn on(mut network: Network, begins: Time) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        runtime.block_on(network.ready())?;
        let set = Anchors { driven: begins, machine: clock::machine() };
        let client = network.client()?;
        let follower = Follower::new(network.genesis());
        Ok(Self { network, client, follower, seen: Vec::new(), set, runtime })
    }

    /// The genesis document.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        self.network.genesis()
    }

    /// The institutions with their keys.
    #[must_use]
    pub fn institutions(&self) -> &Institutions {
        self.network.institutions()
    }

    /// Time of the newest block that was executed here: what a body is dated by.
    #[must_use]
    pub fn now(&self) -> Time {
        self.follower.head().time
    }

    /// The latest time to which it was driven; its beginning at first.
    #[must_use]
    pub fn driven_to(&self) -> Time {
        self.set.driven
    }

    /// Leaves of the log that are under a final checkpoint whose root is ours.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.follower.confirmed()
    }

    /// Height of that block.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.follower.head().height
    }

    /// The state as it was executed here.
    #[must_use]
    pub fn state(&self) -> &dyn ReadState {
        self.follower.state()
    }

    /// Hands transactions in and waits until each has come to its end, and every verdict is executed here, too. They are
    /// ordered as they stand, but for those that a node turned away at first: what must come behind another's verdict
    /// belongs into a later call.
    ///
    /// # Errors
    /// If something is no transaction, comes to no end, or a verdict is another one here than the network's.
    pub fn submit(&mut self, items: Vec<Vec<u8>>) -> anyhow::Result<Vec<Verdict>> {
        let decoded = items.iter().map(|item| Transaction::decode(item));
        let transactions: Vec<Transaction> = decoded.collect::<Result<_, _>>()?;
        let Self { network, client, follower, seen, runtime, .. } = self;
        runtime.block_on(async {
            // A door that is a block behind does not know the key that the last block brought.
            drive::at_height(network, follower.head().height, PATIENCE).await?;
            let ends = hand_in::all(client, &transactions).await?;
            let begun = Instant::now();
            let mut verdicts = Vec::with_capacity(ends.len());
            for (transaction, (code, judged)) in transactions.iter().zip(ends) {
                let id = transaction.body.id();
                let height = if judged {
                    Some(judged_as(follower, client, seen, (id, code), begun).await?)
                } else {
                    None
                };
                verdicts.push(Verdict { id, code, height });
            }
            Ok(verdicts)
        })
    }

    /// Sets all clocks forward, in one jump, and waits until every validator that runs has a block of `to` or later, and
    /// nothing that is due is left. Block time that is there already is waited for by nobody.
    ///
    /// # Errors
    /// If the network does not follow, told twice.
    pub fn advance(&mut self, to: Time) -> anyhow::Result<()> {
        let Self { network, client, follower, seen, set, runtime } = self;
        runtime.block_on(async {
            drive::jump(network, to).await?;
            if set.at(clock::machine()) < to {
                *set = Anchors { driven: to, machine: clock::machine() };
            }
            if drive::reached(network, to, PATIENCE).await.is_err() {
                // Who led meanwhile was ahead of some: they have not heard it, and hear it again now.
                drive::jump(network, to).await?;
                drive::reached(network, to, PATIENCE).await?;
            }
            let begun = Instant::now();
            loop {
                seen.extend(follower.pull(client).await?);
                if follower.head().time >= to && !follower.is_overdue() {
                    return Ok(());
                }
                ensure!(begun.elapsed() < PATIENCE, "what is due at {to} does not come to an end");
                tokio::time::sleep(PAUSE).await;
            }
        })
    }

    /// Every block since the last call, executed again, whether it is final already or not.
    ///
    /// # Errors
    /// If they cannot be read, or do not add up.
    pub fn executed(&mut self) -> anyhow::Result<Vec<Seen>> {
        let Self { client, follower, seen, runtime, .. } = self;
        seen.extend(runtime.block_on(follower.pull(client))?);
        Ok(std::mem::take(seen))
    }

    /// What an item would come to in the next block, by execution here: nothing is handed in.
    #[must_use]
    pub fn judge(&self, item: &[u8]) -> Option<Code> {
        self.follower.judge(item)
    }

    /// Every block since the last call, executed again; all of them under a final checkpoint that has our root.
    ///
    /// # Errors
    /// If they cannot be read, do not add up, or do not become final.
    pub fn blocks(&mut self) -> anyhow::Result<Vec<Seen>> {
        let Self { client, follower, seen, runtime, .. } = self;
        runtime.block_on(async {
            let begun = Instant::now();
            loop {
                seen.extend(follower.pull(client).await?);
                // Before the first one is final there is none.
                if let Ok(note) = client.log_checkpoint().await
                    && follower.confirm(&note)?
                {
                    return Ok(std::mem::take(seen));
                }
                let size = follower.head().size;
                ensure!(begun.elapsed() < PATIENCE, "{size} leaves do not become final");
                tokio::time::sleep(PAUSE).await;
            }
        })
    }

    /// Ends a validator as a power cut would.
    ///
    /// # Errors
    /// As [`Network::kill`].
    pub fn kill(&mut self, node: u64) -> anyhow::Result<()> {
        self.network.kill(node)
    }

    /// Starts a validator again. Its clock goes on by itself; what it missed of jumps it is told.
    ///
    /// # Errors
    /// If it cannot be started, or does not catch up.
    pub fn restart(&mut self, node: u64) -> anyhow::Result<()> {
        let Self { network, follower, set, runtime, .. } = self;
        network.restart(node)?;
        let at = network.validators().iter().position(|v| v.node == node);
        let at = at.context("it was just started")?;
        runtime.block_on(async {
            drive::set(network, at, set.at(clock::machine())).await?;
            drive::at_height(network, follower.head().height, PATIENCE).await
        })
    }

    /// The network below, for whoever wants to disturb it.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// The node that leads, if one does.
    ///
    /// # Errors
    /// As [`Network::leader`].
    pub fn leader(&self) -> anyhow::Result<Option<u64>> {
        Ok(self.runtime.block_on(self.network.leader())?.map(|leader| leader.node))
    }

    /// Stops all validators in order.
    ///
    /// # Errors
    /// As [`Network::stop`].
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.runtime.block_on(self.network.stop())
    }
}

/// The block in which a verdict stands, by execution here, which comes to the same code.
async fn judged_as(
    follower: &mut Follower,
    client: &Client,
    seen: &mut Vec<Seen>,
    (id, code): (TxId, Code),
    begun: Instant,
) -> anyhow::Result<u64> {
    loop {
        if let Some(Row::Judged(judged)) = follower.state().row(&RowKey::Judged(id)) {
            ensure!(judged.code == code, "{id} is told to be {code}, and is {}", judged.code);
            return Ok(judged.height);
        }
        ensure!(begun.elapsed() < PATIENCE, "{id} is told to be {code}, and is in no block");
        seen.extend(follower.pull(client).await?);
        tokio::time::sleep(PAUSE).await;
    }
}
