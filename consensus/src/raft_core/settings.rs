//! raft-rs's configuration from ours.

use raft::ReadOnlyOption;

use crate::{Config, Recovered};

/// Every setting of raft-rs, none left to its default.
pub(super) fn settings(config: &Config, recovered: &Recovered) -> raft::Config {
    let limits = &config.raft;
    // Own bounds (in flight, unexecuted) bite first; this one is raft-rs's last resort.
    let batches = limits.unexecuted_max + config.cut.max_in_flight as u64 + 2;
    let applied = recovered.applied_index;
    #[cfg(feature = "planted-bugs")]
    let applied = match config.planted {
        Some(crate::Planted::ExecuteTwice) => applied.saturating_sub(1),
        Some(crate::Planted::SkipAfterRestart) if applied > 0 => {
            (applied + 1).min(recovered.hard_state.commit)
        }
        _ => applied,
    };
    raft::Config {
        id: config.me.0,
        election_tick: limits.election_ticks,
        heartbeat_tick: limits.heartbeat_ticks,
        applied,
        max_size_per_msg: limits.append_bytes,
        max_inflight_msgs: limits.append_window,
        check_quorum: true,
        pre_vote: true,
        min_election_tick: limits.election_ticks,
        max_election_tick: 2 * limits.election_ticks,
        read_only_option: ReadOnlyOption::Safe,
        skip_bcast_commit: false,
        batch_append: false,
        priority: 0,
        max_uncommitted_size: limits.append_bytes.saturating_mul(batches),
        max_committed_size_per_ready: limits.feed_bytes,
    }
}
