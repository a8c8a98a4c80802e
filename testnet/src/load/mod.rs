//! Load on a network: waves of items as bulk submissions to all nodes, each item followed to its answer.
//!
//! `courier` gets an answer for every item, whatever happens to nodes on the way; `outcome` reads
//! answers; `drive` keeps several submissions under way; `journal` remembers on disk what was
//! acknowledged; `latency` sums up how long answers took.

mod courier;
mod drive;
mod journal;
mod latency;
mod outcome;

pub(crate) use courier::PATIENCE;
pub use courier::{Ack, Answer, Courier};
pub use drive::{Delivered, Pace, drive, drive_gated};
pub use journal::{Journal, Verdicts};
pub use latency::{Latency, latency, percentile, percentiles, rank, tenths};
pub use outcome::{Place, code_named, ended};
