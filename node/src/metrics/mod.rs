//! What an operator watches, as Prometheus text.
//!
//! Callers say what happened ([`Metrics::block`], [`Metrics::stage`], …); only this folder knows
//! names, labels and buckets. Every label has a bounded set of values: codes, stages, routes, members.
//! All methods are cheap (atomic adds) and may be called from any thread.

mod families;
mod record;

use families::Families;
use prometheus::{Registry, TextEncoder};

pub(crate) use record::Counted;
pub use record::{Queue, Role, Stage};

/// All metrics of one node.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Families,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All zero, with the process's own (memory, CPU, open files) beside them.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let families = Families::register(&registry);
        let process = prometheus::process_collector::ProcessCollector::for_self();
        registry.register(Box::new(process)).expect("registered once, under names of its own");
        Self { registry, families }
    }

    /// The text exposition (`text/plain; version=0.0.4`).
    #[must_use]
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("gathered families always encode")
    }
}
