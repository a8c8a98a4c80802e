//! The HTTP API over real sockets, in front of the real rules: a single node that executes what it is
//! given, in memory. Nothing here is a mock; what differs from production is only that one node orders
//! alone and forgets.
#![allow(clippy::unwrap_used)]

#[path = "../../ledger/tests/common/mod.rs"]
mod city;

#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/client.rs"]
mod client;
#[path = "http/description.rs"]
mod description;
#[path = "http/feed.rs"]
mod feed;
#[path = "http/hostile.rs"]
mod hostile;
#[path = "http/limits.rs"]
mod limits;
#[path = "http/memos.rs"]
mod memos;
#[path = "http/papers.rs"]
mod papers;
#[path = "http/proofs.rs"]
mod proofs;
#[path = "http/reading.rs"]
mod reading;
#[path = "http/runs.rs"]
mod runs;
#[path = "http/schema.rs"]
mod schema;
#[path = "http/submission.rs"]
mod submission;
#[path = "http/time.rs"]
mod time;
#[path = "http/town.rs"]
mod town;
