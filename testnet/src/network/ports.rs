//! Loopback addresses that nobody uses.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::bail;

/// Below the range from which Linux takes ports for outgoing connections, so that no client's
/// connection can occupy a killed node's address before the node is back.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// `count` free addresses, all different. `chance` says where to begin to look.
///
/// # Errors
/// If there are not as many.
pub(super) fn free(count: usize, chance: u16) -> anyhow::Result<Vec<SocketAddr>> {
    let size = PORTS.end - PORTS.start;
    let mut found = Vec::new();
    // All are kept open until all are found: none is found twice.
    let mut open = Vec::new();
    for step in 0..size {
        if found.len() == count {
            return Ok(found);
        }
        let port = PORTS.start + chance.wrapping_add(step) % size;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Ok(listener) = TcpListener::bind(address) {
            open.push(listener);
            found.push(address);
        }
    }
    bail!("there are no {count} free ports between {} and {}", PORTS.start, PORTS.end)
}

/// Whether an address can be listened on.
pub(super) fn is_free(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_ok()
}
