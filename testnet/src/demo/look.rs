//! The look from outside when all is over: at every node's log, at wallets, through an audit.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::Context;
use musubi_ledger::{
    id::{ChainId, TxId},
    policy::PolicyBundle,
};
use musubi_sdk::{
    Client,
    audit::{self, Demands, Report},
};

use super::{
    DemoArgs, Run, bar,
    drill::{self, Drill},
    finality::{self, Finality, Watch},
    proofs::{self, Proofs},
    replicas::{self, Replicas},
    standing::{Standing, standing},
    statements::{self, Statements},
    story, supply,
    told::Told,
    verify::{self, NodeLog},
};
use crate::{load::Courier, network::Network};

/// Statuses asked of each node.
const STATUSES: usize = 200;

/// What was seen from outside.
pub(super) struct Seen {
    pub(super) standing: Standing,
    pub(super) nodes: Vec<Node>,
    /// Verdicts in the client's journal.
    pub(super) acknowledged: u64,
    /// Ids that were acknowledged with two verdicts.
    pub(super) contradicted: BTreeSet<TxId>,
    /// Whether all nodes' logs tell the same verdicts.
    pub(super) logs_equal: bool,
    /// The first wallet that is not as it must be.
    pub(super) wallets: Option<String>,
    /// What the client was told, to be compared with the audit.
    pub(super) told: Told,
    /// The audit's report, or why there is none: what it found, or that a node could not be read.
    pub(super) audit: Result<Report, String>,
    pub(super) audit_took: Duration,
    /// What the replicas came to.
    pub(super) replicas: Replicas,
    /// Whether money was neither made nor lost; if not, where.
    pub(super) supply: Result<(), String>,
    pub(super) finality: Finality,
    pub(super) proofs: Proofs,
    pub(super) statements: Statements,
    pub(super) drill: Drill,
}

/// What one node's log and statuses showed.
pub(super) struct Node {
    /// Acknowledged verdicts that its log lacks or tells otherwise.
    pub(super) lost: u64,
    /// Ids that stand in its log twice.
    pub(super) twice: u64,
    /// Ids in its log of which nobody was told.
    pub(super) unexplained: BTreeSet<TxId>,
    /// Statuses that are not as acknowledged.
    pub(super) statuses: u64,
}

impl Seen {
    /// Whether the root that the nodes signed is the one that the audit computed. An idle block may have
    /// come in between; then the audit has compared later checkpoints of all nodes with its own roots.
    pub(super) fn root_recomputed(&self) -> bool {
        let Ok(audit) = &self.audit else { return false };
        let same = audit.root == hex::encode(self.standing.root);
        self.all_signed() && (same || audit.size > self.standing.size)
    }

    /// Whether every validator's checkpoint, agreed with by the audit, covers the whole run.
    pub(super) fn all_signed(&self) -> bool {
        let Ok(audit) = &self.audit else { return false };
        let covers = audit.validators.iter().filter(|v| v.size >= self.standing.size);
        covers.count() == self.nodes.len()
    }
}

/// Looks at everything, and lets node 3 be lied for at the end. What is found wrong is a figure, not an error.
///
/// # Errors
/// If a node does not answer, or the journal cannot be read.
pub(super) async fn look(
    network: &mut Network,
    courier: &Courier,
    run: &Run,
    watch: Watch,
    args: &DemoArgs,
) -> anyhow::Result<Seen> {
    let journal = courier.journal().context("the demo keeps a journal")?.read()?;
    let clients: Vec<Client> = (0..network.validators().len())
        .map(|at| network.client_of(at))
        .collect::<Result<_, _>>()?;
    let standing = standing(network).await?;
    // Whatever the nodes stand at is final by now.
    let sightings = watch.end();
    let mut books = run.day.books.clone().settled();
    books.extend(story::purses(&run.city));
    let held = verify::wallets(&clients, &books).await?;
    let mut nodes = Vec::new();
    let mut logs: Vec<NodeLog> = Vec::new();
    for client in &clients {
        let log = verify::node_log(client, standing.size).await?;
        nodes.push(Node {
            lost: log.lost(&journal),
            twice: log.twice,
            unexplained: log.unexplained(&journal),
            statuses: verify::statuses(client, &journal, journal.len() / STATUSES).await?,
        });
        logs.push(log);
    }
    let replicas = replicas::look(network).await?;
    let chain = network.genesis().chain();
    let killed = usize::try_from(run.outage.leader.node - 1)?;
    let (audit, audit_took) = audit(clients[killed].clone(), chain).await;
    let supply = audit.as_ref().map_err(|_| "there is no audit".into());
    let supply = supply.and_then(|audit| supply::conserved(audit, &held.lots, &books));
    // Everything below needs no node's word: what is known beforehand is the chain.
    let policies = PolicyBundle::decode(&clients[0].policies().await?)?.verify(&chain)?;
    let end = finality::at_the_end(&clients, &policies).await?;
    let leaves = logs.first().map(|log| log.leaves.clone()).unwrap_or_default();
    let finality = finality::sum_up(&run.delivered, &leaves, &sightings, &run.outage, end);
    let proofs = proofs::look(&clients, &policies, &run.delivered, args.seed).await?;
    let known = (network.genesis(), args.seed);
    let statements = statements::look(&clients, &policies, (&run.city, &books), known).await?;
    // Last of all: from here on, node 3 is not what it was.
    let drill = drill::play(network, standing.size, args.keep).await?;
    Ok(Seen {
        standing,
        nodes,
        acknowledged: journal.len() as u64,
        contradicted: verify::contradicted(&journal),
        logs_equal: logs.windows(2).all(|pair| pair[0].verdicts == pair[1].verdicts),
        wallets: held.differing,
        told: run.told(),
        audit,
        audit_took,
        replicas,
        supply,
        finality,
        proofs,
        statements,
        drill,
    })
}

/// The library's audit of one node, all signatures and rules; or the first thing that is wrong.
async fn audit(client: Client, chain: ChainId) -> (Result<Report, String>, Duration) {
    let begun = Instant::now();
    let progress = bar(0, "auditing");
    let source = audit::Source::node(client);
    let demands = Demands { all_validators: true, ..Demands::default() };
    let options = audit::Options { expected: Some(chain), demands, ..audit::Options::default() };
    let report = audit::run(source, options, |at| {
        progress.set_length(at.target);
        progress.set_position(at.height);
    });
    let report = report.await.map_err(|error| format!("{}: {error}", error.code()));
    progress.finish();
    (report, begun.elapsed())
}
