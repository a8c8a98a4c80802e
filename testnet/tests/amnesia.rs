#![allow(clippy::unwrap_used)]
//! Validators as processes whose disk has lost its past: they stop with `amnesia` before they promise anything,
//! the others go on, and nothing that anybody was told is missing. One that only restarted is let in.

mod common;

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use common::{PATIENCE, Town, applied_at};
use musubi_ledger::api::Stage;
use musubi_sdk::Wait;

async fn town() -> Town {
    Town::start(11, 3, 2_000, "forgets").await
}

impl Town {
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

    /// Starts a node that must not take part: waits for its end, and gives its last words.
    async fn refused(&mut self, node: u64) -> String {
        let log = self.log(node);
        let before = std::fs::read_to_string(&log).unwrap().len();
        self.network.restart(node).unwrap();
        let status = self.end_of(node).await;
        assert_eq!(status.code(), Some(1), "{status}");
        let text = std::fs::read_to_string(&log).unwrap().split_off(before);
        assert!(!text.contains("panicked"), "{text}");
        assert!(!text.contains("it takes part now"), "{text}");
        assert!(!text.contains("standing changed"), "neither led, followed nor voted: {text}");
        text.lines().last().unwrap().to_owned()
    }
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
    let mut town = town().await;
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
    let mut town = town().await;
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
