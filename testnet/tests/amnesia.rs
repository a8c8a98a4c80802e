#![allow(clippy::unwrap_used)]
//! Validators as processes whose disk has lost its past: they stop with `amnesia` before they promise anything,
//! the others go on, and nothing that anybody was told is missing. One that only restarted is let in.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use musubi_ledger::{
    api::{Stage, Status},
    code::Code,
    id::TxId,
    transaction::Transaction,
};
use musubi_node::clock;
use musubi_sdk::{Client, Wait};
use musubi_testnet::{
    city::{City, plan::Plan, setup},
    item::{Scribe, sign_all},
    network::{Network, PARAMETERS, Settings},
    random::Dice,
};
use tempfile::TempDir;

const SEED: u64 = 11;
const PATIENCE: Duration = Duration::from_secs(90);

/// A network with its traffic: registrations, each of which must be applied.
struct Town {
    network: Network,
    traffic: std::vec::IntoIter<Transaction>,
    /// What a node said is applied, and at which leaf.
    acknowledged: Vec<(TxId, u64)>,
    folder: TempDir,
}

impl Town {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            dir: folder.path().join("network"),
            validators: 3,
            seed: SEED,
            parameters: PARAMETERS,
        };
        let mut network = Network::start(&settings).unwrap();
        network.ready().await.unwrap();
        let mut city = City::new(SEED, Plan::for_payments(2_000), 3);
        let chain = network.genesis().chain();
        let mut scribe = Scribe::new(chain, clock::now(), Dice::new(SEED), "forgets");
        let first = setup::compose(&mut city, &mut scribe).waves.swap_remove(0);
        let signed = sign_all(vec![first], NonZero::new(2).unwrap()).swap_remove(0);
        let decoded: Vec<_> =
            signed.iter().map(|item| Transaction::decode(&item.bytes).unwrap()).collect();
        Self { network, traffic: decoded.into_iter(), acknowledged: Vec::new(), folder }
    }

    fn client(&self, node: u64) -> Client {
        self.network.client_of(node as usize - 1).unwrap()
    }

    fn folder(&self, node: u64) -> PathBuf {
        self.network.dir().join(format!("node-{node}"))
    }

    fn data(&self, node: u64) -> PathBuf {
        self.folder(node).join("data")
    }

    /// A place outside the network's folder.
    fn aside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Submits `count` transactions in turn at `nodes`, until each is applied.
    async fn apply(&mut self, nodes: &[u64], count: usize) {
        let transactions: Vec<_> = self.traffic.by_ref().take(count).collect();
        assert_eq!(transactions.len(), count, "the city is large enough");
        for (turn, transaction) in transactions.iter().enumerate() {
            let client = self.client(nodes[turn % nodes.len()]);
            let begun = Instant::now();
            let status = loop {
                match client.submit(transaction, Wait::Committed).await {
                    Ok(status) if status.stage == Stage::Judged => break status,
                    other => assert!(begun.elapsed() < PATIENCE, "{other:?}"),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            self.acknowledged.push((status.id, applied_at(&status)));
        }
    }

    /// Everything that anybody acknowledged is on `node`, at the leaf that was told.
    async fn check(&self, node: u64) {
        let client = self.client(node);
        let begun = Instant::now();
        let last = self.acknowledged.last().unwrap().0;
        while client.status(last).await.is_err() {
            assert!(begun.elapsed() < PATIENCE, "node {node} did not catch up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for (id, leaf) in &self.acknowledged {
            assert_eq!(applied_at(&client.status(*id).await.unwrap()), *leaf, "{id} on {node}");
        }
    }

    /// Starts a node that must not take part: waits for its end, and gives its last words.
    async fn refused(&mut self, node: u64) -> String {
        let log = self.network.validators()[node as usize - 1].log.clone();
        let before = std::fs::read_to_string(&log).unwrap().len();
        self.network.restart(node).unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.network.ended(node).unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "node {node} does not stop");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(status.code(), Some(1), "{status}");
        let text = std::fs::read_to_string(&log).unwrap().split_off(before);
        assert!(!text.contains("panicked"), "{text}");
        assert!(!text.contains("it takes part now"), "{text}");
        assert!(!text.contains("standing changed"), "neither led, followed nor voted: {text}");
        text.lines().last().unwrap().to_owned()
    }
}

fn applied_at(status: &Status) -> u64 {
    assert_eq!((status.stage, status.code), (Stage::Judged, Some(Code::Applied)), "{status:?}");
    status.leaf.unwrap()
}

/// Copies a stopped node's directory.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "{copied}");
}

fn forgot(words: &str) {
    for part in ["musubi-node: stopped by itself (amnesia): node ", "remembers", "Do not format it"]
    {
        assert!(words.contains(part), "{part:?} is not in {words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_backup_stays_out_and_the_newest_directory_comes_back() {
    let mut town = Town::start().await;
    town.apply(&[1, 2, 3], 6).await;
    town.network.kill(2).unwrap();
    copy(&town.data(2), &town.aside("backup"));

    // It goes on, and restarts a few times: nobody minds.
    for _ in 0..3 {
        town.network.restart(2).unwrap();
        town.network.ready().await.unwrap();
        town.apply(&[2], 3).await;
        town.network.kill(2).unwrap();
    }
    town.apply(&[1, 3], 3).await;

    std::fs::rename(town.data(2), town.aside("newest")).unwrap();
    for _ in 0..2 {
        let _ = std::fs::remove_dir_all(town.data(2));
        copy(&town.aside("backup"), &town.data(2));
        forgot(&town.refused(2).await);
        town.apply(&[1, 3], 3).await;
    }
    // Nor when it is tried again as it is.
    forgot(&town.refused(2).await);

    std::fs::remove_dir_all(town.data(2)).unwrap();
    std::fs::rename(town.aside("newest"), town.data(2)).unwrap();
    town.network.restart(2).unwrap();
    town.network.ready().await.unwrap();
    town.apply(&[2], 3).await;
    for node in 1..=3 {
        town.check(node).await;
    }
    town.network.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_disk_and_another_nodes_disk_stay_out() {
    let mut town = Town::start().await;
    town.apply(&[1, 2, 3], 6).await;
    town.network.kill(2).unwrap();
    std::fs::remove_dir_all(town.data(2)).unwrap();
    let words = town.refused(2).await;
    assert!(words.contains("is empty (directory_empty)"), "{words}");
    assert!(!town.data(2).exists(), "nothing was made there");

    // Its operator formats it against all advice, while the others restart, too.
    let program = Path::new(env!("CARGO_BIN_EXE_musubi-testnet")).with_file_name("musubi-node");
    let format = || {
        let config = town.folder(2).join("node.toml");
        Command::new(&program).args(["format", "--config"]).arg(config).output().unwrap()
    };
    let first = format();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let again = format();
    assert!(!again.status.success(), "never a second time");
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"));
    for node in [1, 3] {
        town.network.kill(node).unwrap();
        town.network.restart(node).unwrap();
    }
    let words = town.refused(2).await;
    forgot(&words);
    assert!(words.contains("another directory under its id"), "{words}");
    town.apply(&[1, 3], 6).await;

    // With a copy of another node's directory it does not even begin.
    town.network.kill(3).unwrap();
    std::fs::remove_dir_all(town.data(2)).unwrap();
    copy(&town.data(3), &town.data(2));
    town.network.restart(3).unwrap();
    let words = town.refused(2).await;
    assert!(words.contains("the directory is node 3's, not node 2's"), "{words}");
    town.apply(&[1, 3], 3).await;
    for node in [1, 3] {
        town.check(node).await;
    }
    town.network.stop().await.unwrap();
}
