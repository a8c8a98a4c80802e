//! Putting a replica together: the same node as a validator's, with a task that pulls in place of Raft.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use anyhow::Context;
use musubi_consensus::{Role, Standing as RaftStanding, Status};
use musubi_ledger::genesis::RULES_VERSION;
use musubi_storage::{Opened, Store};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch as tokio_watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{
    ask::Asking,
    check::Checker,
    finality::{Finality, begin_epoch},
    judge::Judge,
    pull::Pull,
    recorder::Recorder,
    snapshot::{Begun, asking},
    standing::Standing,
    upstreams::Upstreams,
};
use crate::{
    clock::Clock,
    config::{Loaded, Replica, Start},
    core::{
        Fault,
        checkpoints::Notes,
        evidence,
        keeper::{Questions, Wake},
        pending::Pending,
        verified::Verified,
        watch,
    },
    directory::{self, ReplicaDirectory},
    memos::{Memos, pull},
    metrics::Metrics,
    node::{Node, Running},
    outgoing::Outgoing,
    proposals::OpenProposals,
    snapshots::Snapshots,
};

/// Opens the directory, which may mean taking a snapshot first, and starts everything but the HTTP API.
///
/// # Errors
/// If the directory is refused, or is a validator's; if no upstream's snapshot adds up.
///
/// # Panics
/// If the configuration is not a replica's.
pub async fn start(loaded: Loaded) -> anyhow::Result<Running> {
    let loaded = Arc::new(loaded);
    let clock = Clock::of(&loaded)?;
    let metrics = Arc::new(Metrics::new());
    let Begun { opened, refused } = begin(&loaded, &metrics).await?;
    let Opened { store, chain, seal, .. } = opened;
    tracing::info!(
        chain = %loaded.genesis.chain(),
        height = seal.height,
        "a replica's directory opened and verified"
    );
    let store = Arc::new(store);
    let proposals = Arc::new(OpenProposals::find(&store).context("the state cannot be read")?);
    metrics.head(store.head().0, RULES_VERSION);
    metrics.base(store.base().map_or(0, |base| base.head.height));
    let (inputs, alive) = mpsc::channel(1);
    let (head, head_out) = tokio_watch::channel(store.head().0);
    let (memos, memos_heard) =
        Memos::open(Arc::clone(&store)).context("the memos cannot be read")?;
    let memos = Arc::new(memos);
    let judge = Judge::new(chain, Arc::clone(&store), Arc::clone(&memos));
    let mut upstreams = Upstreams::new(loaded.replica().upstream.len());
    refused.iter().for_each(|(at, _)| upstreams.exclude(*at));
    let named = |(at, what): (usize, String)| (loaded.replica().upstream[at].clone(), what);
    let refused = refused.into_iter().map(named).collect();
    let (standing, standing_out) =
        tokio_watch::channel(Standing { refused, ..Standing::default() });
    let recorder = Recorder {
        judge: judge.context("the archive cannot be read")?,
        store: Arc::clone(&store),
        proposals: Arc::clone(&proposals),
        head,
        metrics: Arc::clone(&metrics),
        synced: Instant::now(),
    };
    let (finals, finals_out) = tokio_watch::channel(store.final_size()?);
    // Of no validator: every note is another's.
    let notes = Notes::new(&loaded.genesis, 0, Arc::clone(&store), Arc::clone(&metrics));
    begin_epoch(&notes, &store)?;
    let notes = Arc::new(notes);
    let told = (standing, finals);
    let questions = Arc::new(Questions::default());
    let readers = (Arc::clone(&questions), Arc::clone(&notes));
    let (pull, finality) =
        tasks_of(&loaded, (recorder, upstreams), readers, told, alive, clock.clone());
    let room = evidence::Room::open(&loaded.config.data, Arc::clone(&store), Arc::clone(&metrics));
    // What it lacks for finding any is the talk of validators: what is there already is served.
    let (room, _) = room.context("the evidence cannot be read")?;
    let evidence = Arc::new(room);
    let rooms = Rooms { metrics, notes, evidence, memos: Arc::clone(&memos), questions };
    let receivers = (head_out, finals_out, standing_out);
    let node = node((loaded, clock), store, proposals, rooms, receivers, inputs);
    let mut tasks = JoinSet::new();
    let (ended_in, ended) = oneshot::channel();
    tasks.spawn(async move {
        let ended = tokio::spawn(pull.run(finality));
        // Dropped with this task, the pulling one is aborted.
        let ended = tokio_util::task::AbortOnDropHandle::new(ended).await;
        let _ = ended_in.send(ended.unwrap_or(Err(Fault::Thread("follow"))));
    });
    let Replica { upstream, token, .. } = node.loaded.replica();
    let upstreams = pull::Others::Upstreams {
        client: Outgoing::new(),
        urls: upstream.clone(),
        token: Arc::clone(token),
    };
    tasks.spawn(pull::run(memos, memos_heard, upstreams, node.head.clone()));
    tasks.spawn(watch::run(Arc::clone(&node)));
    Ok(Running { node, tasks, threads: Vec::new(), ended })
}

/// What is in the directory; where that is nothing, the configuration says where to begin.
async fn begin(loaded: &Loaded, metrics: &Metrics) -> anyhow::Result<Begun> {
    let opened = match (directory::open_replica(loaded)?, loaded.replica().start) {
        (ReplicaDirectory::Ledger(opened), _) => *opened,
        (ReplicaDirectory::Blank(blank), Start::Genesis) => {
            directory::replica_from_genesis(loaded, *blank)?
        }
        (ReplicaDirectory::Blank(blank), Start::Snapshot) => {
            return asking::take(loaded, *blank, metrics).await;
        }
    };
    Ok(Begun { opened, refused: Vec::new() })
}

fn tasks_of(
    loaded: &Loaded,
    (recorder, upstreams): (Recorder, Upstreams),
    (questions, notes): (Arc<Questions>, Arc<Notes>),
    (standing, finals): (tokio_watch::Sender<Standing>, tokio_watch::Sender<u64>),
    alive: mpsc::Receiver<musubi_consensus::Input>,
    clock: Clock,
) -> (Pull, Finality) {
    let Replica { upstream, token, .. } = loaded.replica();
    let (client, standing) = (Outgoing::new(), Arc::new(standing));
    let finality = Finality {
        client: client.clone(),
        urls: upstream.clone(),
        store: Arc::clone(&recorder.store),
        notes,
        standing: Arc::clone(&standing),
        finals,
        metrics: Arc::clone(&recorder.metrics),
        evidence: loaded.config.evidence(),
        reported: vec![None; upstream.len()],
    };
    let asked = Arc::new(Notify::new());
    questions.connect(Wake::Task(Arc::downgrade(&asked)));
    let pull = Pull {
        asking: Asking {
            client,
            token: Arc::clone(token),
            checker: Arc::new(Checker::new(&loaded.genesis)),
            metrics: Arc::clone(&recorder.metrics),
        },
        urls: upstream.clone(),
        upstreams,
        standing,
        metrics: Arc::clone(&recorder.metrics),
        recorder: Some(recorder),
        clock,
        evidence: loaded.config.evidence(),
        begun: Instant::now(),
        questions,
        asked,
        alive,
    };
    (pull, finality)
}

/// What readers of a replica ask beside its store.
struct Rooms {
    metrics: Arc<Metrics>,
    notes: Arc<Notes>,
    evidence: Arc<evidence::Room>,
    memos: Arc<Memos>,
    questions: Arc<Questions>,
}

fn node(
    (loaded, clock): (Arc<Loaded>, Clock),
    store: Arc<Store>,
    proposals: Arc<OpenProposals>,
    rooms: Rooms,
    (head, finals, standing): (
        tokio_watch::Receiver<musubi_ledger::execute::Head>,
        tokio_watch::Receiver<u64>,
        tokio_watch::Receiver<Standing>,
    ),
    inputs: mpsc::Sender<musubi_consensus::Input>,
) -> Arc<Node> {
    // Nobody changes it; readers see the last value.
    let (_, status) = tokio_watch::channel(outside_raft());
    let Rooms { metrics, notes, evidence, memos, questions } = rooms;
    Arc::new(Node {
        pending: Arc::new(Pending::new(loaded.config.tuning.pending)),
        verified: Arc::new(Verified::new(1)),
        notes,
        evidence,
        memos,
        questions,
        snapshots: Arc::new(Snapshots::new(Arc::clone(&store))),
        refused: tokio_watch::channel(BTreeSet::new()).1,
        loaded,
        clock,
        store,
        proposals,
        head,
        finals,
        status,
        metrics,
        network: None,
        following: Some(standing),
        inputs,
        stop: CancellationToken::new(),
        leaderless: false.into(),
    })
}

/// What a node that is no member of Raft says of it.
fn outside_raft() -> Status {
    Status {
        standing: RaftStanding { term: 0, leader: None, role: Role::Follower },
        proposing: false,
        last_index: 0,
        commit: 0,
        executed: 0,
        pool_items: 0,
        pool_bytes: 0,
        in_flight: 0,
        persisting: false,
        stalled: false,
        far_terms: 0,
        tail_bytes: 0,
        halted: false,
        awake: true,
        doubting: 0,
        vouching: 0,
    }
}
