//! A small real town: a chain produced in process by the ledger's own code, and a server that shows it
//! over HTTP and misbehaves on demand.
#![allow(clippy::unwrap_used, dead_code, missing_docs, unreachable_pub)]

pub mod command;
pub mod http;
pub mod routes;
pub mod town;
