//! A validator that lies, as a process's peer: this test takes node 3's place with node 3's keys, speaks the
//! validators' protocol to the real nodes 1 and 2, and lies in every way. Both must keep files that `musubi
//! evidence verify` accepts with the genesis document alone, and that name node 3.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use musubi_consensus::{LogEntry, Position};
use musubi_ledger::{
    evidence::Kind,
    tlog::{checkpoint::Checkpoint, note::SignedNote},
    transaction::Transaction,
};
use musubi_node::clock;
use musubi_testnet::{
    city::{City, plan::Plan, setup},
    item::Scribe,
    liar::Liar,
    network::{Network, PARAMETERS, Settings},
    random::Dice,
};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(90);
const LIAR: u64 = 3;

/// Three processes, of which the third was ended.
async fn two_of_three() -> (TempDir, Network) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        dir: folder.path().join("network"),
        validators: 3,
        seed: 6,
        parameters: PARAMETERS,
    };
    let mut network = Network::start(&settings).unwrap();
    network.ready().await.unwrap();
    network.kill(LIAR).unwrap();
    (folder, network)
}

/// A registration that one signature spoils.
fn forged(network: &Network) -> Vec<u8> {
    let mut city = City::new(6, Plan::for_payments(1_000), 3);
    let chain = network.genesis().chain();
    let mut scribe = Scribe::new(chain, clock::machine(), Dice::new(6), "evidence");
    let first = setup::compose(&mut city, &mut scribe).waves.swap_remove(0);
    let one = std::num::NonZero::new(1).unwrap();
    let signed = musubi_testnet::item::sign_all(vec![first], one).swap_remove(0);
    let mut transaction = Transaction::decode(&signed[0].bytes).unwrap();
    transaction.signatures[0].bytes.0[3] ^= 1;
    transaction.encode()
}

/// Term and last index of the node's log, as far as it says.
async fn standing(network: &Network, node: u64) -> Position {
    let client = network.client_of(node as usize - 1).unwrap();
    let term = client.info().await.unwrap().term;
    let metrics = client.metrics().await.unwrap();
    let line = metrics.lines().find(|line| line.starts_with("musubi_raft_last_index ")).unwrap();
    let index = line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap() as u64;
    Position { index, term }
}

/// The kinds of evidence that a node lists against the liar; it must list none against others.
async fn listed(network: &Network, node: u64) -> BTreeSet<Kind> {
    let files = network.client_of(node as usize - 1).unwrap().evidence().await.unwrap();
    for file in &files {
        assert_eq!(file.node, Some(LIAR), "{}", file.sentence);
    }
    files.iter().map(|file| file.kind).collect()
}

async fn both_list(network: &Network, kinds: &[Kind]) -> bool {
    let (one, two) = (listed(network, 1).await, listed(network, 2).await);
    kinds.iter().all(|kind| one.contains(kind) && two.contains(kind))
}

fn musubi(home: &Path, arguments: &[&str]) -> Output {
    let folder = Path::new(env!("CARGO_BIN_EXE_musubi-testnet")).parent().unwrap();
    let program = folder.join("musubi");
    assert!(program.exists(), "cargo build -p musubi-sdk first");
    Command::new(program).args(arguments).env("MUSUBI_HOME", home).output().unwrap()
}

/// Node 3 leads two terms that nobody gave it, with two batches for a place, and an item nobody signed.
async fn lie_as_leader(liar: &Liar, network: &Network, forged: &[u8]) {
    // What it shows of the directory that it took over: otherwise nobody would listen.
    let own = liar.opened().unwrap();
    let begun = Instant::now();
    while !both_list(network, &[Kind::DoubleBatch, Kind::BadItem]).await {
        assert!(begun.elapsed() < PATIENCE, "nodes 1 and 2 keep nothing about a lying leader");
        // Where their logs end may have moved on meanwhile: then the append does not fit, and is tried again.
        let last = standing(network, 1).await;
        let term = last.term.max(standing(network, 2).await.term) + 1;
        let place = (term, last.index + 2);
        let now = clock::machine();
        let empty = LogEntry { index: last.index + 1, term, data: vec![] };
        let bad = liar.batch(place, now, vec![forged.to_vec()]);
        let twin = liar.batch(place, now.plus(1), vec![]);
        for node in [1, 2] {
            liar.pledge(node, own).await.unwrap();
        }
        // They listen once they have made that durable.
        tokio::time::sleep(Duration::from_millis(500)).await;
        for node in [1, 2] {
            let entries = vec![empty.clone(), bad.clone()];
            liar.append(node, own, term, (last, entries)).await.unwrap();
            let entries = vec![empty.clone(), twin.clone()];
            liar.append(node, own, term, (last, entries)).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(2_500)).await;
    }
}

/// Node 3 signs two roots at a size, and goes on from a root that never was.
async fn lie_about_the_log(liar: &Liar, network: &Network) {
    let begun = Instant::now();
    while !both_list(network, &[Kind::TwoRoots, Kind::Rewritten]).await {
        assert!(begun.elapsed() < PATIENCE, "nodes 1 and 2 keep nothing about false roots");
        let client = network.client_of(0).unwrap();
        let note: SignedNote = client.log_checkpoint().await.unwrap().parse().unwrap();
        let honest: Checkpoint = note.text().parse().unwrap();
        // To one node each: they tell each other.
        liar.note(1, 1, [1; 32]).await.unwrap();
        liar.note(1, 1, [2; 32]).await.unwrap();
        liar.note(2, 1, [3; 32]).await.unwrap();
        liar.note(2, honest.size(), *honest.root()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_keep_evidence_of_a_lying_validator_that_anyone_can_check() {
    let (folder, mut network) = two_of_three().await;
    let forged = forged(&network);
    let liar = Liar::start(&network.dir().join("node-3"), LIAR).await.unwrap();
    assert!(listed(&network, 1).await.is_empty(), "nobody lied yet");
    lie_as_leader(&liar, &network, &forged).await;
    lie_about_the_log(&liar, &network).await;

    // Fetched by the command, checked by the command, offline.
    let home = folder.path().join("home");
    let genesis = network.dir().join("genesis.bin").display().to_string();
    for (at, url) in network.urls().iter().take(2).enumerate() {
        let node = at as u64 + 1;
        let listing = musubi(&home, &["evidence", "list", "--node", url]);
        assert!(listing.status.success(), "{listing:?}");
        for file in network.client_of(at).unwrap().evidence().await.unwrap() {
            assert!(String::from_utf8_lossy(&listing.stdout).contains(&file.name));
            let path = folder.path().join(format!("{node}-{}", file.name)).display().to_string();
            let got =
                musubi(&home, &["evidence", "get", &file.name, "--out", &path, "--node", url]);
            assert!(got.status.success(), "{got:?}");
            let checked = musubi(&home, &["evidence", "verify", &path, "--genesis", &genesis]);
            let sentence = String::from_utf8(checked.stdout).unwrap();
            println!("node {node}: {}", sentence.trim_end());
            assert!(checked.status.success() && sentence.starts_with("Node 3 of "), "{sentence}");
            assert!(sentence.contains(&file.sentence));
            assert_eq!(std::fs::read(&path).unwrap(), on_disk(&network, node, &file.name));
            altered_shows_nothing(&home, &path, &genesis);
        }
    }

    // A restart keeps the files.
    network.kill(1).unwrap();
    network.restart(1).unwrap();
    let begun = Instant::now();
    while network.client_of(0).unwrap().info().await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "node 1 does not start again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(listed(&network, 1).await, Kind::ALL.into_iter().collect());
    liar.leave().await;
    network.stop().await.unwrap();
}

fn on_disk(network: &Network, node: u64, name: &str) -> Vec<u8> {
    let data: PathBuf = network.dir().join(format!("node-{node}")).join("data");
    std::fs::read(data.join("evidence").join(name)).unwrap()
}

fn altered_shows_nothing(home: &Path, path: &str, genesis: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let altered = format!("{path}.altered");
    std::fs::write(&altered, bytes).unwrap();
    let refused = musubi(home, &["evidence", "verify", &altered, "--genesis", genesis]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("accuses nobody"), "{refused:?}");
}
