//! Three whole nodes in one process: real sockets, real RocksDB, real HTTP.
#![allow(clippy::unwrap_used)]

#[path = "common/mod.rs"]
mod common;
#[path = "cluster/memos.rs"]
mod memos;
#[path = "cluster/witness.rs"]
mod witness;

use std::{collections::BTreeSet, net::SocketAddr, path::Path, sync::Arc};

use common::{Member, TOKEN, eventually, metric, start};
use musubi_ledger::{
    api::{Checkpoints, Durability, Info, Stage, Status},
    code::Code,
    genesis::Genesis,
    policy::{PolicyBundle, PolicyChain},
    transaction::Transaction,
};
use musubi_node::{config::Config, init};

async fn start_with(folder: &Path, change: impl FnOnce(&mut Config)) -> Member {
    common::try_start(folder, change).await.unwrap()
}

async fn stop(member: Member) {
    member.stop().await;
}

/// Writes three nodes' files; returns the genesis document and their folders.
fn set_up(root: &Path) -> (Genesis, Vec<std::path::PathBuf>) {
    let folders: Vec<_> = (1..=3).map(|n| root.join(format!("node{n}"))).collect();
    let keys = folders.iter().map(|f| init::make_keys(&f.join("keys")).unwrap());
    let nodes = keys.zip(1..).map(|(keys, id)| common::validator(id, 0, &keys)).collect();
    let genesis = common::genesis("cluster.example/test", 1, nodes);
    let document = root.join("genesis.bin");
    init::write_genesis(&genesis, &document).unwrap();
    let listen: Vec<_> = (1..=3).map(|node| (node, common::free_port())).collect();
    for (folder, node) in folders.iter().zip(1..) {
        common::make_validator(folder, &document, node, &listen, None);
    }
    (genesis, folders)
}

/// Alice adds her `n`th key.
fn transaction(genesis: &Genesis, n: u8) -> Transaction {
    common::transaction(genesis, n, musubi_node::clock::machine().plus(60_000))
}

async fn submit(client: &reqwest::Client, at: SocketAddr, tx: &Transaction) -> Status {
    let url = format!("http://{at}/v1/transactions?wait=committed&timeout_ms=20000");
    let sent = client
        .post(url)
        .header("content-type", "application/octet-stream")
        .body(tx.encode())
        .send()
        .await
        .unwrap();
    let status = sent.status();
    let text = sent.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"))
}

async fn info(client: &reqwest::Client, at: SocketAddr) -> Info {
    client.get(format!("http://{at}/v1/info")).send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_order_survive_their_leader_and_restart() {
    let root = tempfile::tempdir().unwrap();
    let (genesis, folders) = set_up(root.path());
    let mut members: Vec<Option<Member>> = Vec::new();
    for folder in &folders {
        members.push(Some(start(folder).await));
    }
    let client = reqwest::Client::new();
    let at = |members: &[Option<Member>], n: usize| members[n].as_ref().unwrap().api.address();

    verdicts_become_final_everywhere(&client, &members, &genesis).await;

    // Submitted at every node, whoever leads: applied once, by the same block.
    for n in 1..=3 {
        let tx = transaction(&genesis, n);
        let status = submit(&client, at(&members, usize::from(n) - 1), &tx).await;
        assert_eq!((status.stage, status.code), (Stage::Judged, Some(Code::Applied)));
        let again = submit(&client, at(&members, usize::from(n) % 3), &tx).await;
        assert_eq!(again.leaf, status.leaf, "a retry elsewhere gets the one verdict");
    }

    the_same_bytes_a_thousand_times(&client, &members, &transaction(&genesis, 6)).await;
    metrics_tell_of_a_node_at_work(&client, &members).await;

    // The leader goes; the others go on.
    let leader = info(&client, at(&members, 0)).await.leader.unwrap() as usize - 1;
    stop(members[leader].take().unwrap()).await;
    let other = (leader + 1) % 3;
    let status = submit(&client, at(&members, other), &transaction(&genesis, 4)).await;
    assert_eq!(status.code, Some(Code::Applied));

    // It comes back and catches up; all checkpoints agree on one log.
    members[leader] = Some(start(&folders[leader]).await);
    let height = status.height.unwrap();
    eventually("the restarted node catches up", async || {
        info(&client, at(&members, leader)).await.height >= height
    })
    .await;
    let status = submit(&client, at(&members, leader), &transaction(&genesis, 5)).await;
    assert_eq!(status.code, Some(Code::Applied));
    // Nodes sign as they come to it, and hand their notes on: three notes about one log, in the end.
    let url = format!("http://{}/v1/checkpoints", at(&members, leader));
    eventually("all validators' checkpoints agree", async || {
        let notes: Checkpoints = client.get(&url).send().await.unwrap().json().await.unwrap();
        let texts = notes.notes.iter().map(|(_, note)| note.split("\n\n").next().unwrap());
        notes.notes.len() == 3 && texts.collect::<BTreeSet<_>>().len() == 1
    })
    .await;
    eventually("all nodes stand at one block", async || {
        let heads = members.iter().flatten().map(|m| Arc::clone(&m.running.node().store).head());
        let heads: Vec<_> = heads.collect();
        heads.windows(2).all(|pair| pair[0] == pair[1])
    })
    .await;
    for member in members.into_iter().flatten() {
        stop(member).await;
    }
}

fn address(member: &Option<Member>) -> SocketAddr {
    member.as_ref().unwrap().api.address()
}

/// Whoever waits for it at any node is told when a quorum has cosigned; every node serves the checkpoint.
async fn verdicts_become_final_everywhere(
    client: &reqwest::Client,
    members: &[Option<Member>],
    genesis: &Genesis,
) {
    let policies = PolicyChain::of_genesis(genesis);
    for (n, member) in (7..).zip(members) {
        let at = address(member);
        let url = format!("http://{at}/v1/transactions?wait=final&timeout_ms=20000");
        let sent = client.post(url).header("content-type", "application/octet-stream");
        let sent = sent.body(transaction(genesis, n).encode()).send().await.unwrap();
        let status: Status = sent.json().await.unwrap();
        assert_eq!(status.durability, Some(Durability::Final), "{status:?}");
        let note = client.get(format!("http://{at}/log/checkpoint")).send().await.unwrap();
        let last = policies.check(&note.bytes().await.unwrap()).unwrap();
        assert!(last.checkpoint.size() > status.leaf.unwrap());
        let bundle = client.get(format!("http://{at}/v1/policies")).send().await.unwrap();
        let bundle = PolicyBundle::decode(&bundle.bytes().await.unwrap()).unwrap();
        assert_eq!(bundle.verify(&genesis.chain()).unwrap().newest().policy().number, 1);
    }
}

/// A thousand copies, spread over all nodes and sent at once, have one leaf and one effect.
async fn the_same_bytes_a_thousand_times(
    client: &reqwest::Client,
    members: &[Option<Member>],
    tx: &Transaction,
) {
    let before = members[0].as_ref().unwrap().running.node().store.head().0.size;
    let bytes = tx.encode();
    let item = [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes.as_slice()].concat();
    let requests = (0..100).map(|n| {
        let at = address(&members[n % members.len()]);
        let url = format!("http://{at}/v1/transactions/bulk?wait=committed&timeout_ms=20000");
        let request = client.post(url).header("content-type", "application/octet-stream");
        tokio::spawn(request.body(item.repeat(10)).send())
    });
    let mut leaves = BTreeSet::new();
    for request in requests.collect::<Vec<_>>() {
        let answer = request.await.unwrap().unwrap().text().await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        for result in answer["results"].as_array().unwrap() {
            // Only so many may wait for one copy at once; the others are told to come back.
            if result["problem"]["code"] == "busy" {
                continue;
            }
            assert_eq!(result["status"]["code"], "applied", "{result}");
            leaves.insert(result["status"]["leaf"].as_u64().unwrap());
        }
    }
    assert_eq!(leaves.len(), 1, "all are told of one leaf: {leaves:?}");
    for member in members.iter().flatten() {
        let node = member.running.node();
        eventually("every node has it", async || {
            node.store.judged(tx.body.id()).unwrap().is_some()
        })
        .await;
        let leaves = node.store.entries(before..node.store.head().0.size).unwrap();
        let of_it = leaves.iter().filter(|entry| entry.leaf.id == tx.body.id()).count();
        assert_eq!(of_it, 1, "one leaf");
    }
}

async fn metrics_tell_of_a_node_at_work(client: &reqwest::Client, members: &[Option<Member>]) {
    for member in members {
        let url = format!("http://{}/metrics", address(member));
        for (name, least) in [
            ("musubi_height", 1.0),
            ("musubi_raft_term", 1.0),
            ("musubi_fsync_seconds_count", 1.0),
            ("musubi_disk_free_bytes", 1.0),
            ("musubi_peer_connected", 2.0),
        ] {
            eventually(&format!("{name} is at least {least}"), async || {
                let text = client.get(&url).send().await.unwrap().text().await.unwrap();
                metric(&text, name) >= least
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_says_that_it_has_no_leader_and_that_it_stops() {
    let root = tempfile::tempdir().unwrap();
    let (genesis, folders) = set_up(root.path());
    let member = start(&folders[0]).await;
    let client = reqwest::Client::new();
    let url = format!("http://{}/v1/transactions", member.api.address());
    let tx = transaction(&genesis, 1).encode();
    let refusal = async || {
        let sent = client.post(&url).header("content-type", "application/octet-stream");
        let response = sent.body(tx.clone()).send().await.unwrap();
        let status = response.status().as_u16();
        let retry = response.headers().contains_key("retry-after");
        let text = response.text().await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        (status, retry, answer["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(refusal().await.0, 202, "an election may be under way: it waits");
    eventually("one of three alone has no leader", async || {
        refusal().await == (503, true, "no_leader".into())
    })
    .await;
    // That what waits is tried again and again is nobody's refusal.
    let metrics = format!("http://{}/metrics", member.api.address());
    let text = client.get(metrics).send().await.unwrap().text().await.unwrap();
    let told = "musubi_refused_total{code=\"no_leader\"} 1";
    assert!(text.lines().any(|line| line == told), "one client was told");
    let Member { running, api, .. } = member;
    let node = Arc::clone(running.node());
    running.stop().await;
    assert!(node.has_stopped());
    assert_eq!(refusal().await, (503, true, "stopping".into()));
    api.stop().await;
}
