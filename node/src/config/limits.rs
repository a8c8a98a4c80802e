//! Bounds of the API's limits.

use musubi_ledger::limits::{BATCH_ITEMS_MAX, HTTP_BULK_BYTES_MAX};

use super::{ConfigError, in_range};
use crate::http::HttpLimits;

/// Every one of these, set too low, would let the API stand still or refuse what it promises to take.
pub(super) fn check_limits(limits: &HttpLimits) -> Result<(), ConfigError> {
    let key = |name: &str| format!("http.limits.{name}");
    let hour = 3_600_000;
    for (name, ms) in [
        ("header_timeout_ms", limits.header_timeout_ms),
        ("body_timeout_ms", limits.body_timeout_ms),
        ("write_stall_ms", limits.write_stall_ms),
        ("drain_ms", limits.drain_ms),
        ("read_wait_ms", limits.read_wait_ms),
    ] {
        in_range(&key(name), ms, 1, hour)?;
    }
    for (name, count) in [
        ("connections", limits.connections),
        ("connections_per_ip", limits.connections_per_ip),
        ("feeds", limits.feeds),
        ("reads", limits.reads),
        ("public_reads", limits.public_reads),
    ] {
        in_range(&key(name), count as u64, 1, 65_536)?;
    }
    let bulk = (HTTP_BULK_BYTES_MAX + 4 * BATCH_ITEMS_MAX) as u64;
    for (name, bytes) in [("door_bytes", limits.door_bytes), ("body_bytes", limits.body_bytes)] {
        in_range(&key(name), bytes as u64, bulk, u64::from(u32::MAX))?;
    }
    for (name, rate) in [("per_ip", limits.per_ip), ("per_key", limits.per_key)] {
        let Some(rate) = rate else { continue };
        let most = u64::from(u32::MAX);
        in_range(&key(&format!("{name}.per_second")), rate.per_second.into(), 1, most)?;
        // Otherwise a whole bulk submission would be refused for ever.
        in_range(&key(&format!("{name}.burst")), rate.burst.into(), BATCH_ITEMS_MAX as u64, most)?;
    }
    Ok(())
}
