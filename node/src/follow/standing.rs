//! Where a replica stands, for probes, metrics and whoever asks.

use musubi_ledger::{api::ReplicaInfo, execute::Head, time::Time};

use crate::http::NotReady;

/// Blocks behind its upstream above which a replica should get no traffic.
const BEHIND_MAX: u64 = 1_000;
/// Age of the newest block above which it shows yesterday's balances.
const STALE_MS: u64 = 3 * musubi_ledger::limits::IDLE_BATCH_MS;
/// How long no upstream may have answered.
const SILENT_MS: u64 = 30_000;

/// What the pulling task last knew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whom it follows now.
    pub upstream: Option<String>,
    /// The upstream's height.
    pub height: u64,
    /// The upstream's block time.
    pub time: Time,
    /// When an upstream last answered, by this node's clock.
    pub answered: Option<Time>,
    /// Upstreams whose blocks were refused, each with what was wrong.
    pub refused: Vec<(String, String)>,
    /// Why it halted, if it did.
    pub halted: Option<String>,
}

impl Standing {
    /// As `/v1/info` shows it, of a replica whose knowledge begins at `base`.
    #[must_use]
    pub fn info(&self, head: Head, base: Option<Head>) -> ReplicaInfo {
        ReplicaInfo {
            upstream: self.upstream.clone(),
            upstream_height: self.height,
            behind_blocks: self.behind(head),
            behind_ms: self.time.0.saturating_sub(head.time.0),
            refused: self.refused.clone(),
            base_height: base.map_or(0, |base| base.height),
            base_size: base.map_or(0, |base| base.size),
        }
    }

    /// Blocks that the upstream has and this replica does not.
    #[must_use]
    pub fn behind(&self, head: Head) -> u64 {
        self.height.saturating_sub(head.height)
    }

    /// Why this replica should get no traffic at `now`.
    #[must_use]
    pub fn not_ready(&self, head: Head, now: Time) -> Vec<NotReady> {
        let mut reasons = Vec::new();
        let mut add = |code, detail: String| reasons.push(NotReady { code, detail });
        if let Some(why) = &self.halted {
            add("halted", format!("this replica has stopped: {why}"));
        }
        let silent = self.answered.is_none_or(|at| now.0.saturating_sub(at.0) > SILENT_MS);
        if silent {
            add("no_upstream", "no upstream answers: are they up, and is the token theirs?".into());
        }
        let behind = self.behind(head);
        if behind > BEHIND_MAX {
            add("behind", format!("{behind} blocks of the upstream are not executed yet"));
        }
        let age = now.0.saturating_sub(head.time.0);
        if age > STALE_MS {
            add(
                "behind",
                format!("the newest block is {age} ms old; an idle leader makes one every 10 s"),
            );
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(standing: &Standing, height: u64, time: u64, now: u64) -> Vec<&'static str> {
        let head = Head { height, time: Time(time), size: 1 };
        standing.not_ready(head, Time(now)).iter().map(|reason| reason.code).collect()
    }

    #[test]
    fn it_is_ready_only_while_it_keeps_up() {
        let fresh = Standing::default();
        assert_eq!(codes(&fresh, 0, 100_000, 100_000), ["no_upstream"]);
        let following = Standing {
            upstream: Some("http://a".into()),
            height: 50,
            time: Time(100_000),
            answered: Some(Time(100_000)),
            ..fresh
        };
        assert!(codes(&following, 50, 100_000, 100_500).is_empty());
        assert_eq!(codes(&following, 50, 100_000, 140_000), ["no_upstream", "behind"]);
        let ahead = Standing { height: 5_000, ..following.clone() };
        assert_eq!(codes(&ahead, 50, 100_000, 100_500), ["behind"]);
        let info = ahead.info(Head { height: 50, time: Time(99_000), size: 1 }, None);
        assert_eq!((info.behind_blocks, info.behind_ms), (4_950, 1_000));
        let halted = Standing { halted: Some("block 51, leaf 7".into()), ..following };
        assert_eq!(codes(&halted, 50, 100_000, 100_500), ["halted"]);
    }
}
