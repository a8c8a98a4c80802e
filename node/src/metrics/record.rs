//! What can be told to [`Metrics`], in the node's own words.

use std::{collections::BTreeMap, time::Duration};

use musubi_ledger::{
    code::Code,
    execute::{Block, Head},
};
use prometheus::{IntCounter, IntGauge};

use super::Metrics;
use crate::network::PeerStatus;

/// A queue whose depth is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Submissions before their checks.
    Door,
    /// Verified transactions at the leader.
    Pool,
    /// Inputs for the replica.
    Driver,
    /// Committed batches for the executor.
    Executor,
    /// Transactions admitted here that have no result yet.
    OnTheWay,
}

/// A stage whose duration is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Decoding and cheap checks of submissions.
    Door,
    /// Signatures of submissions.
    Verify,
    /// A batch from its order to its commit.
    Commit,
    /// Signatures of a committed batch, as far as they are not known.
    ExecuteVerify,
    /// Rules over a batch.
    Execute,
    /// Writing an executed block.
    Record,
    /// A followed submission from its arrival to its result.
    Follow,
}

/// What this node is in Raft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Follows.
    Follower,
    /// Stands for election, or asks whether it could.
    Candidate,
    /// Leads.
    Leader,
}

impl Queue {
    const fn label(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Pool => "pool",
            Self::Driver => "driver",
            Self::Executor => "executor",
            Self::OnTheWay => "on_the_way",
        }
    }
}

impl Stage {
    const fn label(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Verify => "verify",
            Self::Commit => "commit",
            Self::ExecuteVerify => "execute_verify",
            Self::Execute => "execute",
            Self::Record => "record",
            Self::Follow => "follow",
        }
    }
}

/// Gauges hold `i64`; nothing real reaches beyond.
fn signed(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// Brings a counter up to a total that somebody else counts.
fn raise(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

/// How many items bear each code, so that each label is looked up once per block.
fn tally(codes: impl Iterator<Item = Code>) -> BTreeMap<Code, u64> {
    let mut counts = BTreeMap::new();
    for code in codes {
        *counts.entry(code).or_default() += 1;
    }
    counts
}

impl Metrics {
    /// Where the chain stands at the start.
    pub fn head(&self, head: Head, rules_version: u16) {
        self.families.height.set(signed(head.height));
        self.families.block_time.set(signed(head.time.0));
        self.families.log_size.set(signed(head.size));
        self.families.rules_version.set(rules_version.into());
    }

    /// A checkpoint of that size is final.
    pub fn finalised(&self, size: u64) {
        self.families.final_size.set(signed(size));
    }

    /// A block was executed and recorded, from a batch of so many bytes.
    pub fn block(&self, block: &Block, bytes: usize) {
        self.head(block.head, block.seal.rules_version);
        self.families.batch_items.observe(f64::from(block.seal.items));
        self.families.batch_bytes.observe(f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)));
        for (code, count) in tally(block.items.iter().filter(|i| i.leaf.is_some()).map(|i| i.code))
        {
            self.families.verdicts.with_label_values(&[code.name()]).inc_by(count);
        }
        for (code, count) in tally(block.items.iter().filter(|i| i.leaf.is_none()).map(|i| i.code))
        {
            self.families.void.with_label_values(&[code.name()]).inc_by(count);
        }
        let system = block.entries.iter().filter(|entry| entry.item.is_none()).count();
        self.families.system.inc_by(system as u64);
    }

    /// Role, term or leader changed.
    pub fn standing(&self, term: u64, leader: Option<u64>, role: Role) {
        self.families.term.set(signed(term));
        let leader = signed(leader.unwrap_or(0));
        if self.families.leader.get() != leader {
            self.families.leader.set(leader);
            self.families.leader_changes.inc();
        }
        for (name, is) in
            [("follower", Role::Follower), ("candidate", Role::Candidate), ("leader", Role::Leader)]
        {
            self.families.role.with_label_values(&[name]).set(i64::from(role == is));
        }
    }

    /// The Raft log: last index, commit index, applied index.
    pub fn raft(&self, last: u64, commit: u64, applied: u64) {
        self.families.raft_last.set(signed(last));
        self.families.raft_commit.set(signed(commit));
        self.families.raft_applied.set(signed(applied));
    }

    /// How many items wait.
    pub fn queue(&self, queue: Queue, depth: usize) {
        self.families.queue.with_label_values(&[queue.label()]).set(signed(depth));
    }

    /// How long a stage took, once.
    pub fn stage(&self, stage: Stage, took: Duration) {
        self.families.stage.with_label_values(&[stage.label()]).observe(took.as_secs_f64());
    }

    /// How long a sync of the Raft log took.
    pub fn fsync(&self, took: Duration) {
        self.families.fsync.observe(took.as_secs_f64());
    }

    /// Signatures of a committed batch: verified now, and known since the door.
    pub fn signatures(&self, verified: usize, known: usize) {
        self.families.signatures.with_label_values(&["verified"]).inc_by(verified as u64);
        self.families.signatures.with_label_values(&["known"]).inc_by(known as u64);
    }

    /// Transactions that passed the door.
    pub fn admitted(&self, count: usize) {
        self.families.admitted.inc_by(count as u64);
    }

    /// A request, or an item of a bulk submission, was refused. `code` is a ledger or door code.
    pub fn refused(&self, code: &'static str) {
        self.families.refused.with_label_values(&[code]).inc();
    }

    /// The members as the network sees them.
    pub fn peers(&self, peers: &[PeerStatus]) {
        for peer in peers {
            let node = peer.node.to_string();
            let families = &self.families;
            families.peer_connected.with_label_values(&[&node]).set(peer.connected.into());
            if let Some(round_trip) = peer.round_trip {
                let micros = signed(round_trip.as_micros());
                families.peer_round_trip.with_label_values(&[&node]).set(micros);
            }
            for class in &peer.classes {
                let name = class.class.name();
                let queued = families.peer_queued.with_label_values(&[node.as_str(), name]);
                queued.set(signed(class.queued_bytes));
                for (family, direction, total) in [
                    (&families.peer_frames, "out", class.frames_out),
                    (&families.peer_frames, "in", class.frames_in),
                    (&families.peer_bytes, "out", class.bytes_out),
                    (&families.peer_bytes, "in", class.bytes_in),
                    (&families.peer_dropped, "full", class.dropped_full),
                    (&families.peer_dropped, "away", class.dropped_away),
                ] {
                    raise(&family.with_label_values(&[node.as_str(), name, direction]), total);
                }
            }
        }
    }

    /// Bytes free on the data directory's disk, and bytes of the database.
    pub fn disk(&self, free: u64, database: u64) {
        self.families.disk_free.set(signed(free));
        self.families.database.set(signed(database));
    }

    /// Stamp of the newest batch minus this node's clock when it arrived, in milliseconds.
    pub fn clock_skew(&self, ms: i64) {
        self.families.clock_skew.set(ms);
    }

    /// Evidence against a member, or a message that no correct member sends. `kind` is a stable code.
    pub fn evidence(&self, kind: &'static str) {
        self.families.evidence.with_label_values(&[kind]).inc();
    }

    /// A replica: its upstream's height, and how far behind it is.
    pub fn following(&self, upstream: u64, blocks: u64, ms: u64) {
        self.families.upstream_height.set(signed(upstream));
        self.families.behind_blocks.set(signed(blocks));
        self.families.behind_ms.set(signed(ms));
    }

    /// A replica: the block with whose snapshot it began.
    pub fn base(&self, height: u64) {
        self.families.base.set(signed(height));
    }

    /// States held for replicas that begin.
    pub fn snapshots(&self, held: usize) {
        self.families.snapshots.set(i64::try_from(held).unwrap_or(i64::MAX));
    }

    /// An independent witness did not cosign a checkpoint.
    pub fn witness_failed(&self, witness: &str, code: &'static str) {
        self.families.witness_failures.with_label_values(&[witness, code]).inc();
    }

    /// An upstream gave no answer, or none that helps.
    pub fn upstream_failed(&self, upstream: &str, code: &'static str) {
        self.families.upstream_failures.with_label_values(&[upstream, code]).inc();
    }

    /// What an upstream served does not add up.
    pub fn upstream_refused(&self, upstream: &str, code: &'static str) {
        self.families.upstream_refused.with_label_values(&[upstream, code]).inc();
    }

    /// The node halted.
    pub fn halted(&self) {
        self.families.halted.set(1);
    }

    /// An HTTP request was answered. `route` is the route's pattern, not the path.
    pub(crate) fn http(&self, route: &str, method: &str, status: u16, took: Duration) {
        let requests = &self.families.http_requests;
        requests.with_label_values(&[route, method, &status.to_string()]).inc();
        self.families.http_seconds.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// An HTTP connection was closed at once.
    pub(crate) fn connection_refused(&self, reason: &'static str) {
        self.families.http_turned_away.with_label_values(&[reason]).inc();
    }

    /// Counts an open HTTP connection until the guard is dropped.
    pub(crate) fn connection(&self) -> Counted {
        Counted::new(&self.families.http_connections)
    }

    /// Counts an open event feed until the guard is dropped.
    pub(crate) fn feed(&self) -> Counted {
        Counted::new(&self.families.feeds)
    }
}

/// One more in a gauge, as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(IntGauge);

impl Counted {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_renders_with_its_help() {
        let metrics = Metrics::new();
        metrics.standing(3, Some(2), Role::Follower);
        metrics.standing(3, Some(2), Role::Follower);
        metrics.stage(Stage::Execute, Duration::from_millis(2));
        metrics.refused("busy");
        metrics.queue(Queue::Pool, 7);
        let feed = metrics.feed();
        let text = metrics.render();
        for line in [
            "# HELP musubi_height Height of the newest executed block.",
            "musubi_raft_leader 2",
            "musubi_raft_leader_changes_total 1",
            "musubi_raft_role{role=\"follower\"} 1",
            "musubi_raft_role{role=\"leader\"} 0",
            "musubi_queue_depth{queue=\"pool\"} 7",
            "musubi_refused_total{code=\"busy\"} 1",
            "musubi_stage_seconds_bucket{stage=\"execute\",le=\"0.0025\"} 1",
            "musubi_feeds 1",
        ] {
            assert!(text.lines().any(|found| found == line), "missing: {line}");
        }
        assert!(text.contains("process_resident_memory_bytes"));
        drop(feed);
        assert!(metrics.render().contains("musubi_feeds 0"));
    }
}
