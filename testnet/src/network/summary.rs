//! What `up` prints: all that a program needs to talk to the network.

use std::path::PathBuf;

use serde::Serialize;

use super::{Network, officers};

/// What `up` prints.
#[derive(Debug, Serialize)]
pub struct Summary {
    chain: String,
    scheme: String,
    validators: Vec<ValidatorSummary>,
    replicas: Vec<ReplicaSummary>,
    reader_token: String,
    dir: PathBuf,
    officers_dir: PathBuf,
}

#[derive(Debug, Serialize)]
struct ValidatorSummary {
    node: u64,
    organisation: String,
    http: String,
    listen: String,
    pid: Option<u32>,
    log: PathBuf,
}

#[derive(Debug, Serialize)]
struct ReplicaSummary {
    replica: usize,
    http: String,
    upstream: Vec<String>,
    pid: Option<u32>,
    log: PathBuf,
}

impl Network {
    /// What `up` prints.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let validators = self.validators.iter().map(|v| ValidatorSummary {
            node: v.node,
            organisation: v.organisation.clone(),
            http: format!("http://{}", v.http),
            listen: v.listen.to_string(),
            pid: v.pid(),
            log: v.log.clone(),
        });
        let replicas = self.replicas.iter().map(|r| ReplicaSummary {
            replica: r.number,
            http: r.url(),
            upstream: r.upstream.clone(),
            pid: r.pid(),
            log: r.log.clone(),
        });
        Summary {
            chain: self.genesis.chain().to_string(),
            scheme: self.genesis.scheme.clone(),
            validators: validators.collect(),
            replicas: replicas.collect(),
            reader_token: self.reader_token.clone(),
            dir: self.dir.clone(),
            officers_dir: officers::folder(&self.dir),
        }
    }
}
