//! The only place where the node asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use musubi_ledger::time::Time;

/// This machine's clock, in milliseconds since 1970. A clock before 1970 reads as 0.
#[must_use]
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
