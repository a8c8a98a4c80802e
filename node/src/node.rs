//! Putting a node together, running it, stopping it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Context;
use musubi_consensus::{
    Config as ReplicaConfig, Input, MemberKey, Replica, Status, Submission, Via,
    cosigner::{CosignerKeys, Event},
};
use musubi_ledger::{
    batch::NodeId,
    execute::Head,
    genesis::RULES_VERSION,
    tlog::{checkpoint::Checkpoint, note::SignedNote},
};
use musubi_storage::{Directory, LogView, OpenSettings, Opened, Store, rocks::RocksOptions};
use tokio::{
    sync::{mpsc, watch as tokio_watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Loaded,
    core::{
        Fault, FirstFault, INPUTS_MAX, Report, Reports, WORK_MAX,
        checkpoints::Notes,
        cosigning::{self, Cosigning, EVENTS_MAX, Events},
        disk,
        executor::{self, Executor},
        peers::Peers,
        pending::Pending,
        replica::Loop,
        spawn,
        verified::Verified,
        watch,
    },
    metrics::Metrics,
    network::{Member, Network, NetworkConfig, PeerKey, TransportKey},
    proposals::OpenProposals,
};

/// An election takes one to two seconds; what is submitted meanwhile waits for its end.
const LEADERLESS_AFTER: Duration = Duration::from_secs(5);

/// How long the last readers of the store may take when the node stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Signed transactions remembered as verified.
const VERIFIED_MAX: usize = 65_536;

/// A running node, as its API and its operator see it.
pub struct Node {
    /// Configuration, genesis, keys.
    pub loaded: Arc<Loaded>,
    /// Log, chain, state.
    pub store: Arc<Store>,
    /// Clients who wait.
    pub pending: Arc<Pending>,
    /// Proposals that are open.
    pub proposals: Arc<OpenProposals>,
    /// Verified bytes.
    pub verified: Arc<Verified>,
    /// Validators' checkpoints.
    pub notes: Arc<Notes>,
    /// Where the chain stands.
    pub head: tokio_watch::Receiver<Head>,
    /// Leaves that the newest final checkpoint covers.
    pub finals: tokio_watch::Receiver<u64>,
    /// The replica's figures.
    pub status: tokio_watch::Receiver<Status>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// The other validators.
    pub network: Arc<Network>,
    inputs: mpsc::Sender<Input>,
    stop: CancellationToken,
    /// No leader has been known for [`LEADERLESS_AFTER`].
    leaderless: AtomicBool,
}

/// What keeps a node alive, for whoever waits for its end.
pub struct Running {
    node: Arc<Node>,
    tasks: JoinSet<()>,
    threads: Vec<JoinHandle<()>>,
    ended: tokio::sync::oneshot::Receiver<Result<(), Fault>>,
}

/// Opens the directory and starts everything but the HTTP API.
///
/// # Errors
/// If the directory is refused, an address cannot be bound, or a thread cannot start.
pub async fn start(loaded: Loaded) -> anyhow::Result<Running> {
    let loaded = Arc::new(loaded);
    let metrics = Arc::new(Metrics::new());
    let opened = open_store(&loaded)?;
    tracing::info!(
        chain = %loaded.genesis.chain(),
        height = opened.seal.height,
        applied = opened.recovered.applied_index,
        boot = opened.boot,
        "directory opened and verified"
    );
    let (network, inbox) = start_network(&loaded).await?;
    let network = Arc::new(network);
    let store = Arc::new(opened.store);
    let replica = start_replica(&loaded, &store, opened.recovered, opened.boot)?;
    let pending = Arc::new(Pending::new(loaded.config.tuning.pending));
    let proposals = Arc::new(OpenProposals::find(&store).context("the state cannot be read")?);
    let verified = Arc::new(Verified::new(VERIFIED_MAX));
    let notes =
        Notes::new(&loaded.genesis, loaded.config.node, Arc::clone(&store), Arc::clone(&metrics));
    metrics.head(store.head().0, RULES_VERSION);
    let (cosigner, cosigner_in) = sync_channel(EVENTS_MAX);
    let (finals, finals_out) = tokio_watch::channel(final_size(&store)?);
    let (inputs, inputs_in) = mpsc::channel(INPUTS_MAX);
    let (head, head_out) = tokio_watch::channel(store.head().0);
    let (status, status_out) = tokio_watch::channel(replica.status());
    let node = Arc::new(Node {
        loaded,
        store,
        pending,
        proposals,
        verified,
        notes: Arc::new(notes),
        head: head_out,
        finals: finals_out,
        status: status_out,
        metrics,
        network,
        inputs,
        stop: CancellationToken::new(),
        leaderless: AtomicBool::new(false),
    });
    let wiring = Wiring {
        replica,
        chain: opened.chain,
        head,
        finals,
        status,
        inputs: inputs_in,
        cosigner: cosigner.clone(),
        cosigner_in,
    };
    let (threads, ended) = start_threads(&node, wiring)?;
    let peers = Peers {
        inputs: node.inputs.clone(),
        notes: Arc::clone(&node.notes),
        cosigner,
        verified: Arc::clone(&node.verified),
        chain: node.loaded.genesis.chain(),
        rules_version: RULES_VERSION,
        metrics: Arc::clone(&node.metrics),
    };
    let mut tasks = peers.start(inbox, &node.network);
    tasks.spawn(resend(Arc::clone(&node)));
    tasks.spawn(watch::run(Arc::clone(&node)));
    Ok(Running { node, tasks, threads, ended })
}

fn open_store(loaded: &Loaded) -> anyhow::Result<Opened> {
    let config = &loaded.config;
    std::fs::create_dir_all(&config.data)
        .with_context(|| format!("cannot create {}", config.data.display()))?;
    let settings = OpenSettings {
        chain: Some(loaded.genesis.chain()),
        cached_rows: config.tuning.cached_rows,
        ..OpenSettings::default()
    };
    let fresh = std::fs::read_dir(&config.data)?.next().is_none();
    let directory = Directory::on_disk(&config.data, &RocksOptions::default())?;
    let opened = if fresh {
        let mut id = [0; 16];
        getrandom::fill(&mut id).context("the system gave no randomness")?;
        Store::create(directory, &loaded.genesis, id, &settings)
    } else {
        Store::open(directory, &settings)
    };
    opened.with_context(|| format!("the data directory {} is refused", config.data.display()))
}

async fn start_network(loaded: &Loaded) -> anyhow::Result<(Network, crate::network::Inbox)> {
    let mut seed = loaded.transport.seed();
    let key = TransportKey::from_secret(&mut seed);
    let address_of = |node: NodeId| {
        let found = loaded.config.network.member.iter().find(|m| m.node == node.0);
        found.map(|m| m.address)
    };
    let members = loaded.genesis.nodes.iter().filter_map(|listed| {
        let address = address_of(listed.id)?;
        Some(Member { node: listed.id.0, peer: PeerKey(listed.transport.0), address })
    });
    let config = NetworkConfig::new(key, loaded.config.network.listen, members.collect());
    Network::start(config).await.context("cannot start the validators' network")
}

fn start_replica(
    loaded: &Loaded,
    store: &Arc<Store>,
    recovered: musubi_consensus::Recovered,
    boot: u64,
) -> anyhow::Result<Replica> {
    let genesis = &loaded.genesis;
    let members = genesis.nodes.iter().map(|n| MemberKey { node: n.id, batch_key: n.node });
    let me = NodeId(loaded.config.node);
    let config = ReplicaConfig::new(genesis.chain(), me, members.collect(), loaded.node.clone());
    // Only election timeouts depend on the seed: distinct per node and boot is all it takes.
    let seed = me.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ boot;
    let reader = Box::new(LogView(Arc::clone(store)));
    Replica::new(config, recovered, reader, seed).context("the replica refuses to start")
}

struct Wiring {
    replica: Replica,
    chain: musubi_ledger::execute::Chain,
    head: tokio_watch::Sender<Head>,
    finals: tokio_watch::Sender<u64>,
    status: tokio_watch::Sender<Status>,
    inputs: mpsc::Receiver<Input>,
    cosigner: Events,
    cosigner_in: Receiver<Event>,
}

type Ended = tokio::sync::oneshot::Receiver<Result<(), Fault>>;

fn start_threads(node: &Arc<Node>, wiring: Wiring) -> anyhow::Result<(Vec<JoinHandle<()>>, Ended)> {
    let (reports, reports_in) = mpsc::unbounded_channel::<Report>();
    let (disk_jobs, disk_in) = sync_channel(WORK_MAX);
    let (execute, execute_in) = sync_channel(WORK_MAX);
    let (ready, ready_in) = sync_channel(2);
    let first = FirstFault::default();
    let mut threads = Vec::new();

    let at = Arc::clone(node);
    let to = reports.clone();
    let cosigner = wiring.cosigner.clone();
    threads.push(spawn("disk", reports.clone(), &first, disk_in, move |jobs| {
        // If the cosigner's thread is gone the node is stopping.
        let durable = |size| drop(cosigner.send(Event::Durable { size }));
        disk::run(jobs, &at.store, &to, &at.metrics, durable)
    })?);
    threads.push(start_cosigner(
        node,
        wiring.cosigner_in,
        wiring.finals,
        (&reports, &first),
        &disk_jobs,
    )?);

    let at = Arc::clone(node);
    let chain = node.loaded.genesis.chain();
    threads.push(spawn("verify", reports.clone(), &first, execute_in, move |work| {
        executor::verify(work, &ready, chain, RULES_VERSION, &at.verified, &at.metrics);
        Ok(())
    })?);

    let executor = Executor {
        chain: wiring.chain,
        store: Arc::clone(&node.store),
        pending: Arc::clone(&node.pending),
        proposals: Arc::clone(&node.proposals),
        head: wiring.head,
        reports: reports.clone(),
        metrics: Arc::clone(&node.metrics),
        cosigner: wiring.cosigner.clone(),
    };
    threads.push(spawn("execute", reports, &first, ready_in, |ready| executor.run(ready))?);

    let (ended_in, ended) = tokio::sync::oneshot::channel();
    let replica = Loop {
        replica: wiring.replica,
        inputs: wiring.inputs,
        reports: reports_in,
        disk: disk_jobs,
        execute,
        cosigner: wiring.cosigner,
        network: Arc::clone(&node.network),
        pending: Arc::clone(&node.pending),
        status: wiring.status,
        metrics: Arc::clone(&node.metrics),
        tick: Duration::from_millis(node.loaded.config.tuning.tick_ms),
        stop: node.stop.clone(),
        under_way: VecDeque::new(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let at = Arc::clone(node);
    threads.push(std::thread::Builder::new().name("replica".into()).spawn(move || {
        let run = std::panic::AssertUnwindSafe(|| runtime.block_on(replica.run()));
        let result = std::panic::catch_unwind(run).unwrap_or(Err(Fault::Thread("replica")));
        let result = result.map_err(|noticed| first.behind(noticed));
        if result.is_err() {
            at.metrics.halted();
        }
        let _ = ended_in.send(result);
    })?);
    Ok((threads, ended))
}

/// The cosigner's thread.
fn start_cosigner(
    node: &Arc<Node>,
    cosigner_in: Receiver<Event>,
    finals: tokio_watch::Sender<u64>,
    (reports, first): (&Reports, &FirstFault),
    disk: &SyncSender<disk::Job>,
) -> anyhow::Result<JoinHandle<()>> {
    let loaded = &node.loaded;
    let me = loaded.config.node;
    let keys = CosignerKeys { log: loaded.node.clone(), cosigners: loaded.cosigners.clone() };
    let cosigning = Cosigning {
        cosigner: cosigning::resume(&node.store, me, keys)?,
        me,
        members: loaded.config.network.member.iter().map(|member| member.node).collect(),
        store: Arc::clone(&node.store),
        disk: disk.clone(),
        network: Arc::clone(&node.network),
        notes: Arc::clone(&node.notes),
        finals,
        metrics: Arc::clone(&node.metrics),
        stop: node.stop.clone(),
    };
    let run = |events: &Receiver<Event>| cosigning.run(events);
    Ok(spawn("cosign", reports.clone(), first, cosigner_in, run)?)
}

/// Leaves that the final checkpoint on disk covers.
fn final_size(store: &Store) -> anyhow::Result<u64> {
    let note = store.final_checkpoint().context("the final checkpoint cannot be read")?;
    let Some(note) = note else { return Ok(0) };
    let note = SignedNote::parse(note.as_bytes()).context("the final checkpoint on disk")?;
    Ok(note.text().parse::<Checkpoint>().context("the final checkpoint on disk")?.size())
}

/// Sends again what has waited too long: with a lost leader or connection a submission can be lost. And
/// notices when there has been no leader for long.
async fn resend(node: Arc<Node>) {
    let mut every = tokio::time::interval(Duration::from_millis(200));
    let mut led = Instant::now();
    loop {
        every.tick().await;
        if node.status.borrow().standing.leader.is_some() {
            led = Instant::now();
        }
        node.leaderless.store(led.elapsed() >= LEADERLESS_AFTER, Ordering::Relaxed);
        let block_time = node.head.borrow().time;
        let items = node.pending.resend(block_time, 2_048);
        if !items.is_empty() {
            let input = Input::Submit { via: Via::Door, items };
            if node.inputs.send(input).await.is_err() {
                return;
            }
        }
    }
}

impl Node {
    /// Inputs that wait for the replica.
    #[must_use]
    pub fn inputs_waiting(&self) -> usize {
        INPUTS_MAX - self.inputs.capacity()
    }

    /// Whether the replica has ended, by itself or because the node stops.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.inputs.is_closed() || self.stop.is_cancelled()
    }

    /// Whether no leader has been known for so long that it is no mere election.
    #[must_use]
    pub fn is_leaderless(&self) -> bool {
        self.leaderless.load(Ordering::Relaxed)
    }

    /// Hands verified transactions to the replica; gives them back if its queue is full.
    ///
    /// # Errors
    /// The submissions, when there is no room now.
    pub fn submit(&self, items: Vec<Submission>) -> Result<(), Vec<Submission>> {
        self.inputs.try_send(Input::Submit { via: Via::Door, items }).map_err(|error| {
            match error.into_inner() {
                Input::Submit { items, .. } => items,
                other => unreachable!("sent a submission, got back {other:?}"),
            }
        })
    }
}

impl Running {
    /// The node, for its API.
    #[must_use]
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Waits until the node must stop by itself.
    ///
    /// # Errors
    /// Why.
    pub async fn ended(&mut self) -> Result<(), Fault> {
        (&mut self.ended).await.unwrap_or(Err(Fault::Thread("replica")))
    }

    /// Stops it in order: no new input, work under way is finished, then the store is closed.
    pub async fn stop(mut self) {
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        self.node.network.shutdown().await;
        // The replica's loop ends, with it its queues, and then thread after thread.
        self.node.stop.cancel();
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = joined.await;
        let store = Arc::downgrade(&self.node.store);
        drop(self.node);
        closed(&store).await;
    }
}

/// Waits until the last reader (the door's thread, a read under way) has let go of the store, so that it is
/// closed before the process ends: RocksDB aborts when it is closed while its statics go.
async fn closed(store: &Weak<Store>) {
    let begun = Instant::now();
    while store.strong_count() > 0 {
        if begun.elapsed() > CLOSE_WITHIN {
            tracing::warn!("the store is still being read; a restart recovers it");
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
