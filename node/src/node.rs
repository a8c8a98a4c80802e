//! Putting a node together, running it, stopping it.

use std::{
    collections::{BTreeSet, VecDeque},
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
    Config as ReplicaConfig, Identity, Input, Replica, Status, Submission, Via,
    cosigner::{CosignerKeys, Event},
};
use musubi_ledger::{batch::NodeId, execute::Head, genesis::RULES_VERSION};
use musubi_storage::{LogView, Store};
use tokio::{
    sync::{mpsc, watch as tokio_watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config::{Loaded, Role},
    core::{
        Fault, FirstFault, INPUTS_MAX, Report, Reports, WORK_MAX,
        checkpoints::Notes,
        cosigning::{self, Cosigning, EVENTS_MAX, Events},
        disk, evidence,
        executor::{self, Executor},
        keeper::{Keeper, Questions, Wake},
        peers::Peers,
        pending::Pending,
        replica::Loop,
        spawn,
        verified::Verified,
        watch,
        witnesses::{Named, Witnesses},
    },
    directory, follow,
    memos::{Memos, pull},
    metrics::Metrics,
    network::{Member, Network, NetworkConfig, PeerKey, TransportKey},
    outgoing::Outgoing,
    proposals::OpenProposals,
    recover,
    snapshots::Snapshots,
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
    /// What time it is.
    pub clock: Clock,
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
    /// Evidence against members.
    pub evidence: Arc<evidence::Room>,
    /// Encrypted texts beside the log.
    pub memos: Arc<Memos>,
    /// Snapshots for replicas that begin.
    pub snapshots: Arc<Snapshots>,
    /// Where the chain stands.
    pub head: tokio_watch::Receiver<Head>,
    /// Leaves that the newest final checkpoint covers.
    pub finals: tokio_watch::Receiver<u64>,
    /// The replica's figures.
    pub status: tokio_watch::Receiver<Status>,
    /// What readers ask of the executor.
    pub questions: Arc<Questions>,
    /// Validators that have forgotten what they told before: nothing that they sign is to be relied on.
    pub refused: tokio_watch::Receiver<BTreeSet<NodeId>>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// The other validators; a replica has none.
    pub network: Option<Arc<Network>>,
    /// Where a replica stands; none for a validator.
    pub following: Option<tokio_watch::Receiver<follow::standing::Standing>>,
    pub(crate) inputs: mpsc::Sender<Input>,
    pub(crate) stop: CancellationToken,
    /// No leader has been known for [`LEADERLESS_AFTER`].
    pub(crate) leaderless: AtomicBool,
}

/// What keeps a node alive, for whoever waits for its end.
pub struct Running {
    pub(crate) node: Arc<Node>,
    pub(crate) tasks: JoinSet<()>,
    pub(crate) threads: Vec<JoinHandle<()>>,
    pub(crate) ended: tokio::sync::oneshot::Receiver<Result<(), Fault>>,
}

/// Opens the directory and starts everything but the HTTP API.
///
/// # Errors
/// If the directory is refused, an address cannot be bound, or a thread cannot start.
pub async fn start(loaded: Loaded) -> anyhow::Result<Running> {
    if loaded.config.role == Role::Replica {
        return follow::start::start(loaded).await;
    }
    let loaded = Arc::new(loaded);
    let metrics = Arc::new(Metrics::new());
    let opened = directory::open(&loaded)?;
    let clock = Clock::of(&loaded)?;
    recover::apply::check_applied(&loaded, &opened)?;
    let identity = directory::identity(&opened)?;
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
    let snapshots = Arc::new(Snapshots::new(Arc::clone(&store)));
    let replica = start_replica(&loaded, &store, opened.recovered, identity)?;
    let pending = Arc::new(Pending::new(loaded.config.tuning.pending));
    let proposals = Arc::new(OpenProposals::find(&store).context("the state cannot be read")?);
    let verified = Arc::new(Verified::new(VERIFIED_MAX));
    let notes =
        Notes::new(&loaded.genesis, loaded.config.node, Arc::clone(&store), Arc::clone(&metrics));
    notes.begin(&loaded.genesis.origin_of(loaded.epoch()), loaded.validators());
    let data = &loaded.config.data;
    let (room, work) = evidence::Room::open(data, Arc::clone(&store), Arc::clone(&metrics))
        .with_context(|| format!("cannot read {}", data.join("evidence").display()))?;
    let (memos, memos_heard) =
        Memos::open(Arc::clone(&store)).context("the memos cannot be read")?;
    metrics.head(store.head().0, RULES_VERSION);
    let (cosigner, cosigner_in) = sync_channel(EVENTS_MAX);
    let final_size = recover::final_size(&store, &loaded.recoveries)
        .context("the final checkpoint cannot be read")?;
    let (finals, finals_out) = tokio_watch::channel(final_size);
    let (named, named_out) = tokio_watch::channel(Named::default());
    let (inputs, inputs_in) = mpsc::channel(INPUTS_MAX);
    let (head, head_out) = tokio_watch::channel(store.head().0);
    let (status, status_out) = tokio_watch::channel(replica.status());
    let (refused, refused_out) = tokio_watch::channel(BTreeSet::new());
    let node = Arc::new(Node {
        loaded,
        clock,
        store,
        pending,
        proposals,
        verified,
        notes: Arc::new(notes),
        evidence: Arc::new(room),
        memos: Arc::new(memos),
        snapshots,
        head: head_out,
        finals: finals_out,
        status: status_out,
        questions: Arc::default(),
        refused: refused_out,
        metrics,
        network: Some(Arc::clone(&network)),
        following: None,
        inputs,
        stop: CancellationToken::new(),
        leaderless: AtomicBool::new(false),
    });
    let peers_network = Arc::clone(&network);
    let wiring = Wiring {
        replica,
        chain: opened.chain,
        head,
        told: (finals, named),
        status,
        refused,
        inputs: inputs_in,
        cosigner: cosigner.clone(),
        cosigner_in,
        network,
    };
    let (threads, ended) = start_threads(&node, wiring)?;
    let peers = Peers {
        inputs: node.inputs.clone(),
        notes: Arc::clone(&node.notes),
        cosigner,
        evidence: Arc::clone(&node.evidence),
        memos: Arc::clone(&node.memos),
        refused: node.refused.clone(),
        verified: Arc::clone(&node.verified),
        chain: node.loaded.genesis.chain(),
        rules_version: RULES_VERSION,
        metrics: Arc::clone(&node.metrics),
    };
    let witnesses = Witnesses {
        client: Outgoing::new(),
        store: Arc::clone(&node.store),
        cosigner: peers.cosigner.clone(),
        metrics: Arc::clone(&node.metrics),
    };
    let mut tasks = peers.start(inbox, &peers_network);
    witnesses.start(&node.loaded.config.witness, &named_out, &mut tasks);
    tasks.spawn(resend(Arc::clone(&node)));
    tasks.spawn(watch::run(Arc::clone(&node)));
    let others: Vec<u64> = node.loaded.config.members().iter().map(|member| member.node).collect();
    let fellows =
        pull::Others::Members { network: Arc::clone(&peers_network), nodes: others.clone() };
    tasks.spawn(pull::run(Arc::clone(&node.memos), memos_heard, fellows, node.head.clone()));
    tasks.spawn(evidence::run(Arc::clone(&node.evidence), work, peers_network, others));
    Ok(Running { node, tasks, threads, ended })
}

async fn start_network(loaded: &Loaded) -> anyhow::Result<(Network, crate::network::Inbox)> {
    let mut seed = loaded.keys().transport.seed();
    let key = TransportKey::from_secret(&mut seed);
    let address_of = |node: NodeId| {
        let found = loaded.config.members().iter().find(|m| m.node == node.0);
        found.map(|m| m.address)
    };
    let members = loaded.validators().iter().filter_map(|listed| {
        let address = address_of(listed.id)?;
        Some(Member { node: listed.id.0, peer: PeerKey(listed.transport.0), address })
    });
    let config = NetworkConfig::new(key, loaded.config.listen(), members.collect());
    Network::start(config).await.context("cannot start the validators' network")
}

fn start_replica(
    loaded: &Loaded,
    store: &Arc<Store>,
    recovered: musubi_consensus::Recovered,
    identity: Identity,
) -> anyhow::Result<Replica> {
    let genesis = &loaded.genesis;
    let members = recover::file::members(loaded.validators());
    let me = NodeId(loaded.config.node);
    let mut config = ReplicaConfig::new(genesis.chain(), me, members, loaded.keys().node.clone());
    config.earlier = loaded.recoveries.ended(genesis);
    // Only election timeouts depend on the seed: distinct per node and boot is all it takes.
    let seed = me.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ identity.boot;
    let reader = Box::new(LogView(Arc::clone(store)));
    let replica = Replica::new(config, recovered, reader, seed);
    Ok(replica.context("the replica refuses to start")?.with_identity(identity))
}

struct Wiring {
    replica: Replica,
    chain: musubi_ledger::execute::Chain,
    head: tokio_watch::Sender<Head>,
    /// Where the cosigner tells what is final, and what it named.
    told: (tokio_watch::Sender<u64>, tokio_watch::Sender<Named>),
    status: tokio_watch::Sender<Status>,
    refused: tokio_watch::Sender<BTreeSet<NodeId>>,
    inputs: mpsc::Receiver<Input>,
    network: Arc<Network>,
    cosigner: Events,
    cosigner_in: Receiver<Event>,
}

type Ended = tokio::sync::oneshot::Receiver<Result<(), Fault>>;

fn start_threads(node: &Arc<Node>, wiring: Wiring) -> anyhow::Result<(Vec<JoinHandle<()>>, Ended)> {
    let (reports, reports_in) = mpsc::unbounded_channel::<Report>();
    let (disk_jobs, disk_in) = sync_channel(WORK_MAX);
    let (execute, execute_in) = sync_channel(WORK_MAX);
    let (ready, ready_in) = sync_channel(2);
    let ready = Arc::new(ready);
    node.questions.connect(Wake::Thread(Arc::downgrade(&ready)));
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
        wiring.told,
        (&reports, &first),
        &disk_jobs,
    )?);

    let at = Arc::clone(node);
    let chain = node.loaded.genesis.chain();
    threads.push(spawn("verify", reports.clone(), &first, execute_in, move |work| {
        executor::verify(work, &ready, chain, RULES_VERSION, &at.verified, &at.metrics);
        Ok(())
    })?);

    let keeper = Keeper::resume(&node.store).context("the day's entries cannot be read")?;
    let executor = Executor {
        keeper,
        questions: Arc::clone(&node.questions),
        chain: wiring.chain,
        store: Arc::clone(&node.store),
        pending: Arc::clone(&node.pending),
        proposals: Arc::clone(&node.proposals),
        head: wiring.head,
        reports: reports.clone(),
        evidence: Arc::clone(&node.evidence),
        memos: Arc::clone(&node.memos),
        metrics: Arc::clone(&node.metrics),
        clock: node.clock.clone(),
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
        network: wiring.network,
        pending: Arc::clone(&node.pending),
        status: wiring.status,
        evidence: Arc::clone(&node.evidence),
        refused: wiring.refused,
        metrics: Arc::clone(&node.metrics),
        clock: node.clock.clone(),
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
    (finals, named): (tokio_watch::Sender<u64>, tokio_watch::Sender<Named>),
    (reports, first): (&Reports, &FirstFault),
    disk: &SyncSender<disk::Job>,
) -> anyhow::Result<JoinHandle<()>> {
    let loaded = &node.loaded;
    let me = loaded.config.node;
    let keys = CosignerKeys {
        log: loaded.keys().node.clone(),
        cosigners: loaded.keys().cosigners.clone(),
    };
    let cosigning = Cosigning {
        cosigner: cosigning::resume(&node.store, me, keys, &loaded.recoveries)?,
        me,
        members: loaded.config.members().iter().map(|member| member.node).collect(),
        store: Arc::clone(&node.store),
        disk: disk.clone(),
        network: node.network.clone().expect("a validator has a network"),
        status: node.status.clone(),
        notes: Arc::clone(&node.notes),
        named,
        leads: false,
        finals,
        metrics: Arc::clone(&node.metrics),
        clock: node.clock.clone(),
        stop: node.stop.clone(),
    };
    let run = |events: &Receiver<Event>| cosigning.run(events);
    Ok(spawn("cosign", reports.clone(), first, cosigner_in, run)?)
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
        if let Some(network) = &self.node.network {
            network.shutdown().await;
        }
        // The replica's loop ends, with it its queues, and then thread after thread.
        self.node.stop.cancel();
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = joined.await;
        let store = self.node.store.alive();
        drop(self.node);
        closed(&store).await;
    }
}

/// Waits until the last reader (the door's thread, a read under way) has let go of the store and it is closed, so
/// that this happens before the process ends: RocksDB aborts when it is closed while its statics go. Whoever opens
/// the directory next finds it unlocked.
async fn closed(store: &Weak<()>) {
    let begun = Instant::now();
    while store.strong_count() > 0 {
        if begun.elapsed() > CLOSE_WITHIN {
            tracing::warn!("the store is still being read; a restart recovers it");
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
