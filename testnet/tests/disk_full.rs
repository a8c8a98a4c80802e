#![allow(clippy::unwrap_used)]
//! A full disk stops a node, cleanly and with the reason; once there is room again, nothing is missing
//! that anybody was told.
//!
//! Two ways to a full disk: a limit on the size of files, which everybody may set and which fails writes in
//! the same way; and a small file system of its own, where this process may mount one.

mod common;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use common::{PATIENCE, Town, applied_at};
use musubi_ledger::{api::Stage, transaction::Transaction};
use musubi_sdk::{BulkResult, Wait};
use musubi_testnet::network::FileLimit;

/// Transactions of one submission.
const BULK: usize = 16;
/// 1 MiB: the first minutes of a small log.
const LIMIT: FileLimit = FileLimit { blocks: 2_048 };

async fn town(validators: usize) -> Town {
    Town::start(5, validators, 16_000, "full").await
}

impl Town {
    fn note(&mut self, results: Vec<BulkResult>) {
        for result in results {
            match result {
                BulkResult::Status(status) if status.stage == Stage::Judged => {
                    self.acknowledged.push((status.id, applied_at(&status)));
                }
                // No answer: it may come to be applied or not.
                BulkResult::Status(_) | BulkResult::Problem(_) => {}
            }
        }
    }

    /// Submits at `node` until it has ended by itself; what it left unanswered comes back.
    async fn fill(&mut self, node: u64) -> (ExitStatus, Vec<Transaction>) {
        let client = self.client(node);
        loop {
            let bulk: Vec<_> = self.traffic.by_ref().take(BULK).collect();
            assert!(!bulk.is_empty(), "node {node} took the whole city in: the limit is too high");
            let answer = client.submit_bulk(&bulk, Wait::Committed).await;
            let all = matches!(&answer, Ok(results) if results.iter().all(judged));
            self.note(answer.unwrap_or_default());
            if !all {
                return (self.end_of(node).await, bulk);
            }
        }
    }

    /// Submits each of `transactions` until it is applied, at any node that runs.
    async fn apply(&mut self, nodes: &[u64], transactions: &[Transaction]) {
        for (turn, transaction) in transactions.iter().enumerate() {
            let client = self.client(nodes[turn % nodes.len()]);
            let status = client.submit(transaction, Wait::Committed).await.unwrap();
            self.acknowledged.push((status.id, applied_at(&status)));
        }
    }
}

fn judged(result: &BulkResult) -> bool {
    matches!(result, BulkResult::Status(status) if status.stage == Stage::Judged)
}

/// The last words of a log, after making sure that nothing panicked.
fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap();
    assert!(!text.contains("panicked") && !text.contains("RUST_BACKTRACE"), "{text}");
    text.lines().last().unwrap().to_owned()
}

/// What an operator must be able to read: what failed, on which file, why, and what to do.
fn tells(words: &str, data: &Path, why: &str) {
    assert!(words.starts_with("musubi-node: stopped by itself (storage_failed)"), "{words}");
    for part in [data.to_str().unwrap(), why, "See to the disk", "start this node again"] {
        assert!(words.contains(part), "{part:?} is not in {words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_three_stops_with_the_reason_and_comes_back_with_everything() {
    let mut town = town(3).await;
    let full = 2;
    town.network.kill(full).unwrap();
    town.network.restart_limited(full, Some(LIMIT)).unwrap();
    town.network.ready().await.unwrap();

    let (status, open) = town.fill(full).await;
    assert_eq!(status.code(), Some(1), "{status}");
    tells(&last_words(&town.log(full)), &town.data(full), "File too large");
    let by_itself = town.acknowledged.len();
    assert!(by_itself >= 2 * BULK, "it acknowledged {by_itself} before");

    // The others go on, also with what it had not answered.
    town.apply(&[1, 3], &open).await;
    let more: Vec<_> = town.traffic.by_ref().take(3 * BULK).collect();
    town.apply(&[1, 3], &more).await;
    town.network.check_alive().unwrap();

    town.network.restart(full).unwrap();
    town.network.ready().await.unwrap();
    let after: Vec<_> = town.traffic.by_ref().take(BULK).collect();
    town.apply(&[full], &after).await;
    for node in 1..=3 {
        town.check(node).await;
    }
    town.network.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_alone_keeps_all_that_it_acknowledged() {
    let mut town = town(1).await;
    // Three times full, each time at another place in the log.
    for blocks in [700, 1_100, 1_700] {
        town.network.kill(1).unwrap();
        town.network.restart_limited(1, Some(FileLimit { blocks })).unwrap();
        town.network.ready().await.unwrap();
        let before = town.acknowledged.len();
        let (status, open) = town.fill(1).await;
        assert_eq!(status.code(), Some(1), "{status}");
        tells(&last_words(&town.log(1)), &town.data(1), "File too large");
        assert!(town.acknowledged.len() > before, "it took something in");
        town.network.restart(1).unwrap();
        town.network.ready().await.unwrap();
        town.check(1).await;
        town.apply(&[1], &open).await;
    }
    town.check(1).await;
    town.network.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_on_the_full_disk_changes_nothing() {
    let mut town = town(1).await;
    town.network.kill(1).unwrap();
    // Every line fails to be written: what complains about that must not fail in turn.
    let log = town.log(1);
    let kept = log.with_extension("kept");
    std::fs::rename(&log, &kept).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    town.network.restart_limited(1, Some(LIMIT)).unwrap();
    town.network.ready().await.unwrap();
    let (status, _) = town.fill(1).await;
    assert_eq!(status.code(), Some(1), "neither a panic (101) nor a signal: {status}");
    std::fs::remove_file(&log).unwrap();
    std::fs::rename(&kept, &log).unwrap();
    town.network.restart(1).unwrap();
    town.network.ready().await.unwrap();
    town.check(1).await;
    town.network.stop().await.unwrap();
}

/// A file system in memory, unmounted at the end.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path, options: &str) -> Result<Self, String> {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at);
        match command.output() {
            Ok(output) if output.status.success() => Ok(Self(at.to_owned())),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: the node may be ending only now.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Writes until nothing more fits.
fn fill_up(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).unwrap();
    while file.write_all(&[0; 4_096]).is_ok() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_system_runs_full_and_gets_room() {
    let mut town = town(1).await;
    town.network.kill(1).unwrap();
    let data = town.data(1);
    let moved = data.with_extension("moved");
    std::fs::rename(&data, &moved).unwrap();
    std::fs::create_dir(&data).unwrap();
    let _small = match Small::mount(&data, "size=6m") {
        Ok(small) => small,
        Err(why) => return eprintln!("skipped: no file system can be mounted here: {why}"),
    };
    let copied = Command::new("cp").arg("-a").arg(moved.join(".")).arg(&data).status().unwrap();
    assert!(copied.success(), "{copied}");

    town.network.restart(1).unwrap();
    // Not ready: it says that there is little room. It works all the same.
    let begun = Instant::now();
    while town.client(1).info().await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "{}", last_words(&town.log(1)));
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    let (status, open) = town.fill(1).await;
    assert_eq!(status.code(), Some(1), "{status}");
    tells(&last_words(&town.log(1)), &data, "No space left on device");
    assert!(!town.acknowledged.is_empty(), "it took something in");

    // Started again while there is no byte left, it gives up again, as often as somebody tries.
    let filler = data.join("filler");
    fill_up(&filler);
    for _ in 0..3 {
        town.network.restart(1).unwrap();
        let status = town.end_of(1).await;
        assert_eq!(status.code(), Some(1), "{status}");
        let words = last_words(&town.log(1));
        assert!(words.contains("No space left on device"), "{words}");
    }

    std::fs::remove_file(&filler).unwrap();
    let room = Command::new("mount").args(["-o", "remount,size=4g"]).arg(&data).status().unwrap();
    assert!(room.success(), "{room}");
    town.network.restart(1).unwrap();
    town.network.ready().await.unwrap();
    town.check(1).await;
    town.apply(&[1], &open).await;
    town.check(1).await;
    town.network.stop().await.unwrap();
}
