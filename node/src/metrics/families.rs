//! Names, labels, buckets and help texts of every metric.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, core::Collector,
};

/// From 50 µs to 10 s: everything between one signature check and a stuck disk.
const SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 10.0,
];
/// Items of a batch.
const ITEMS: &[f64] = &[0.0, 1.0, 4.0, 16.0, 64.0, 256.0, 512.0, 1_024.0, 2_048.0, 4_096.0];
/// Bytes of a batch.
const BYTES: &[f64] =
    &[512.0, 2_048.0, 8_192.0, 32_768.0, 65_536.0, 131_072.0, 262_144.0, 491_520.0];

macro_rules! families {
    ($( $field:ident: $kind:ident $name:literal $labels:tt $help:literal )+) => {
        /// Every metric, by the field that holds it.
        #[derive(Debug)]
        pub(super) struct Families {
            $( pub(super) $field: $kind, )+
        }

        impl Families {
            /// Makes and registers all of them.
            pub(super) fn register(registry: &Registry) -> Self {
                Self { $( $field: register(registry, families!(@$kind $name $labels $help)), )+ }
            }
        }
    };
    (@IntGauge $name:literal [] $help:literal) => { IntGauge::new($name, $help) };
    (@IntCounter $name:literal [] $help:literal) => { IntCounter::new($name, $help) };
    (@IntGaugeVec $name:literal [$($label:literal)+] $help:literal) => {
        IntGaugeVec::new(Opts::new($name, $help), &[$($label),+])
    };
    (@IntCounterVec $name:literal [$($label:literal)+] $help:literal) => {
        IntCounterVec::new(Opts::new($name, $help), &[$($label),+])
    };
    (@Histogram $name:literal [$buckets:ident] $help:literal) => {
        Histogram::with_opts(HistogramOpts::new($name, $help).buckets($buckets.to_vec()))
    };
    (@HistogramVec $name:literal [$buckets:ident $($label:literal)+] $help:literal) => {
        HistogramVec::new(HistogramOpts::new($name, $help).buckets($buckets.to_vec()), &[$($label),+])
    };
}

families! {
    height: IntGauge "musubi_height" [] "Height of the newest executed block."
    block_time: IntGauge "musubi_block_time_milliseconds" [] "Time of the newest executed block, in milliseconds since 1970."
    log_size: IntGauge "musubi_log_leaves" [] "Leaves in the Merkle log."
    final_size: IntGauge "musubi_final_leaves" [] "Leaves that the newest final checkpoint covers."
    rules_version: IntGauge "musubi_rules_version" [] "The rules in force."
    term: IntGauge "musubi_raft_term" [] "Raft term."
    leader: IntGauge "musubi_raft_leader" [] "Node id of the leader; 0 if none is known."
    role: IntGaugeVec "musubi_raft_role" ["role"] "1 for the role that this node has in Raft."
    leader_changes: IntCounter "musubi_raft_leader_changes_total" [] "Times that another leader, or none, was seen."
    raft_last: IntGauge "musubi_raft_last_index" [] "Index of the last Raft entry in the log."
    raft_commit: IntGauge "musubi_raft_commit_index" [] "Highest committed Raft index known."
    raft_applied: IntGauge "musubi_raft_applied_index" [] "Highest executed Raft index."
    queue: IntGaugeVec "musubi_queue_depth" ["queue"] "Items waiting: door (submissions before their checks), pool (transactions at the leader), driver (inputs), executor (committed batches), on_the_way (admitted here, without result)."
    stage: HistogramVec "musubi_stage_seconds" [SECONDS "stage"] "Seconds per stage: door (decode and cheap checks), verify (signatures at the door), commit (ordered to committed), execute_verify (signatures before execution), execute, record, follow (submitted to answered, where a client waits)."
    fsync: Histogram "musubi_fsync_seconds" [SECONDS] "Seconds per sync of the Raft log."
    batch_items: Histogram "musubi_batch_items" [ITEMS] "Items per executed batch."
    batch_bytes: Histogram "musubi_batch_bytes" [BYTES] "Bytes per executed batch."
    verdicts: IntCounterVec "musubi_verdicts_total" ["code"] "Verdicts by code."
    void: IntCounterVec "musubi_void_items_total" ["code"] "Ordered items that were void, by code."
    system: IntCounter "musubi_system_leaves_total" [] "System leaves: what became due."
    signatures: IntCounterVec "musubi_signatures_total" ["result"] "Signatures before execution: verified here, or known from the door."
    admitted: IntCounter "musubi_admitted_total" [] "Transactions that passed the door."
    refused: IntCounterVec "musubi_refused_total" ["code"] "HTTP requests and items of bulk submissions that were refused, by code."
    peer_connected: IntGaugeVec "musubi_peer_connected" ["peer"] "1 while a connection to this member stands."
    peer_round_trip: IntGaugeVec "musubi_peer_round_trip_microseconds" ["peer"] "The last ping's round trip."
    peer_frames: IntCounterVec "musubi_peer_frames_total" ["peer" "class" "direction"] "Frames by member, class and direction."
    peer_bytes: IntCounterVec "musubi_peer_bytes_total" ["peer" "class" "direction"] "Bytes of frames by member, class and direction."
    peer_dropped: IntCounterVec "musubi_peer_dropped_frames_total" ["peer" "class" "reason"] "Frames not sent: the queue was full, or the member away."
    peer_queued: IntGaugeVec "musubi_peer_queued_bytes" ["peer" "class"] "Bytes waiting to be sent to a member."
    disk_free: IntGauge "musubi_disk_free_bytes" [] "Bytes free on the data directory's disk."
    database: IntGauge "musubi_database_bytes" [] "Bytes of the database, roughly."
    clock_skew: IntGauge "musubi_clock_skew_milliseconds" [] "Stamp of the newest batch minus this node's clock when it arrived: beyond ±5000 something is wrong with a clock."
    evidence: IntCounterVec "musubi_evidence_total" ["kind"] "Messages that no honest member sends, by kind."
    halted: IntGauge "musubi_halted" [] "1 once the node has halted and needs its operator."
    upstream_height: IntGauge "musubi_upstream_height" [] "Replica: height of the upstream that it follows."
    behind_blocks: IntGauge "musubi_behind_blocks" [] "Replica: blocks that its upstream has and it does not."
    behind_ms: IntGauge "musubi_behind_milliseconds" [] "Replica: block time of its upstream minus its own."
    base: IntGauge "musubi_base_height" [] "Replica: the block with whose snapshot it began; 0 from genesis."
    snapshots: IntGauge "musubi_snapshots_held" [] "States held as they were, for replicas that begin."
    witness_failures: IntCounterVec "musubi_witness_failures_total" ["witness" "code"] "Checkpoints that an independent witness did not cosign."
    upstream_failures: IntCounterVec "musubi_upstream_failures_total" ["upstream" "code"] "Replica: upstreams that gave no answer, or none that helps."
    upstream_refused: IntCounterVec "musubi_upstream_refused_total" ["upstream" "code"] "Replica: blocks, checkpoints and snapshots of upstreams that do not add up. Any is somebody's lie."
    http_requests: IntCounterVec "musubi_http_requests_total" ["route" "method" "status"] "HTTP requests by route, method and status."
    http_seconds: HistogramVec "musubi_http_seconds" [SECONDS "route"] "Seconds until an answer began, by route."
    http_connections: IntGauge "musubi_http_connections" [] "Open HTTP connections."
    http_turned_away: IntCounterVec "musubi_http_connections_refused_total" ["reason"] "HTTP connections closed at once: too many in all, or from one address."
    feeds: IntGauge "musubi_feeds" [] "Open event feeds."
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let metric = made.expect("names and labels are literals of the right form");
    registry.register(Box::new(metric.clone())).expect("every name is used once");
    metric
}
