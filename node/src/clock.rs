//! The only place where the node asks what time it is.
//!
//! Whatever a node says of time comes from its one [`Clock`]: the stamps of batches, how far ahead a leader's may be, how
//! long a batch waits, what the door takes as too far ahead, cosignatures, how old the newest block is. On every real
//! chain that is this machine's clock. On a chain whose genesis document says `driven_time` it is a clock that a test
//! sets ([`crate::driven_time`]); Raft's ticks are counted by the machine's steady clock and do not notice.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use musubi_ledger::time::Time;

use crate::{config::Loaded, driven_time::DrivenTime};

/// This machine's clock, in milliseconds since 1970. A clock before 1970 reads as 0.
#[must_use]
pub fn machine() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A node's clock. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// None on a real chain.
    driven: Option<Arc<DrivenTime>>,
}

impl Clock {
    /// This machine's clock.
    #[must_use]
    pub fn of_machine() -> Self {
        Self::default()
    }

    /// The clock of a node of this chain.
    ///
    /// # Errors
    /// If the chain has driven time and the file with its anchors is not there, or damaged; says what to do.
    pub fn of(loaded: &Loaded) -> anyhow::Result<Self> {
        if !loaded.genesis.parameters.driven_time {
            return Ok(Self::of_machine());
        }
        Ok(DrivenTime::open(&loaded.config.data)?.into())
    }

    /// What time it is, in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> Time {
        match &self.driven {
            None => machine(),
            Some(driven) => driven.at(machine()),
        }
    }

    /// What sets this clock; none on a real chain.
    #[must_use]
    pub fn driven(&self) -> Option<&DrivenTime> {
        self.driven.as_deref()
    }
}

impl From<DrivenTime> for Clock {
    fn from(driven: DrivenTime) -> Self {
        Self { driven: Some(Arc::new(driven)) }
    }
}
