//! A network of processes with its traffic, and the memory of what it acknowledged: none of that may be missing later.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

use std::{
    num::NonZero,
    path::PathBuf,
    process::ExitStatus,
    time::{Duration, Instant},
};

use musubi_ledger::{
    api::{Stage, Status},
    code::Code,
    id::TxId,
    transaction::Transaction,
};
use musubi_node::clock;
use musubi_sdk::Client;
use musubi_testnet::{
    city::{City, plan::Plan, setup},
    item::{Scribe, sign_all},
    network::{Network, PARAMETERS, Settings},
    random::Dice,
};
use tempfile::TempDir;

pub const PATIENCE: Duration = Duration::from_secs(90);

/// A network with its traffic: registrations, each of which must be applied.
pub struct Town {
    pub network: Network,
    pub traffic: std::vec::IntoIter<Transaction>,
    /// What a node said is applied, and at which leaf.
    pub acknowledged: Vec<(TxId, u64)>,
    root: TempDir,
}

impl Town {
    /// So many validators, and a city that is large enough for so many payments.
    pub async fn start(seed: u64, validators: usize, payments: u64, name: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("network");
        let settings = Settings { dir, validators, seed, parameters: PARAMETERS };
        let mut network = Network::start(&settings).unwrap();
        network.ready().await.unwrap();
        let mut city = City::new(seed, Plan::for_payments(payments), validators);
        let chain = network.genesis().chain();
        let mut scribe = Scribe::new(chain, clock::machine(), Dice::new(seed), name);
        let first = setup::compose(&mut city, &mut scribe).waves.swap_remove(0);
        let signed = sign_all(vec![first], NonZero::new(2).unwrap()).swap_remove(0);
        let decoded: Vec<_> =
            signed.iter().map(|item| Transaction::decode(&item.bytes).unwrap()).collect();
        Self { network, traffic: decoded.into_iter(), acknowledged: Vec::new(), root }
    }

    pub fn client(&self, node: u64) -> Client {
        self.network.client_of(node as usize - 1).unwrap()
    }

    pub fn folder(&self, node: u64) -> PathBuf {
        self.network.dir().join(format!("node-{node}"))
    }

    pub fn data(&self, node: u64) -> PathBuf {
        self.folder(node).join("data")
    }

    pub fn log(&self, node: u64) -> PathBuf {
        self.network.validators()[node as usize - 1].log.clone()
    }

    /// A place outside the network's folder.
    pub fn aside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Waits until a node has ended by itself.
    pub async fn end_of(&mut self, node: u64) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.network.ended(node).unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "node {node} does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that anybody acknowledged is on `node`, at the leaf that was told.
    pub async fn check(&self, node: u64) {
        let client = self.client(node);
        let begun = Instant::now();
        let last = self.acknowledged.last().unwrap().0;
        while client.status(last).await.is_err() {
            assert!(begun.elapsed() < PATIENCE, "node {node} did not catch up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for (id, leaf) in &self.acknowledged {
            let status = client.status(*id).await.unwrap();
            assert_eq!(applied_at(&status), *leaf, "{id} on node {node}");
        }
    }
}

/// The leaf of what must have been applied.
pub fn applied_at(status: &Status) -> u64 {
    assert_eq!((status.stage, status.code), (Stage::Judged, Some(Code::Applied)), "{status:?}");
    status.leaf.unwrap()
}
