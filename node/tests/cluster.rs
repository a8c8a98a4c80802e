//! Three whole nodes in one process: real sockets, real RocksDB, real HTTP.
#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use musubi_ledger::{
    api::{Checkpoints, Info, Stage, Status},
    batch::NodeId,
    code::Code,
    genesis::{FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION},
    id::{PartyId, PersonTag, Salt},
    keys::SecretKey,
    operation::{AddKey, Operation},
    party::PartyKind,
    time::Time,
    transaction::{Body, Purpose, Role, Side, Transaction},
};
use musubi_node::{
    api::{self, Api},
    config::Config,
    init::{self, Setup},
    node::{self, Running},
};

const ALICE: PartyId = PartyId([2; 16]);
const TOKEN: &str = "a-reader-token-for-tests";

fn alice(n: u8) -> SecretKey {
    SecretKey::from_seed(&[100 + n; 32])
}

fn genesis(keys: &[init::NodeKeys]) -> Genesis {
    let city = PartyId([1; 16]);
    let party = |party, kind, keys, tag| FirstParty {
        party,
        kind,
        keys,
        tag,
        organisation: None,
        officers: vec![],
        attributes: vec![],
    };
    Genesis {
        name: "cluster.example/test".into(),
        scheme: "test".into(),
        time: Time(1_700_000_000_000),
        rules_version: RULES_VERSION,
        salt: Salt([7; 16]),
        parameters: Parameters { recovery_delay_ms: 1_000, successor_notice_ms: 1_000 },
        organisations: vec![Organisation {
            party: city,
            name: "city".into(),
            governance: SecretKey::from_seed(&[99; 32]).public(),
        }],
        nodes: keys
            .iter()
            .zip(1..)
            .map(|(keys, id)| Node {
                id: NodeId(id),
                organisation: city,
                transport: keys.transport,
                node: keys.node,
                cosigner: keys.cosigner,
            })
            .collect(),
        parties: vec![
            party(city, PartyKind::Operator, vec![], None),
            party(ALICE, PartyKind::Person, vec![alice(0).public()], Some(PersonTag([2; 32]))),
        ],
        instruments: vec![],
    }
}

fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

struct Member {
    running: Running,
    api: Api,
}

async fn start(folder: &Path) -> Member {
    let loaded = Config::load(&folder.join("node.toml")).unwrap();
    let http = loaded.config.http.clone();
    let running = node::start(loaded).await.unwrap();
    let api = api::serve(running.node(), &http).await.unwrap();
    Member { running, api }
}

async fn stop(member: Member) {
    member.api.stop().await;
    member.running.stop().await;
}

/// Writes three nodes' files; returns the genesis document and their folders.
fn set_up(root: &Path) -> (Genesis, Vec<std::path::PathBuf>) {
    let folders: Vec<_> = (1..=3).map(|n| root.join(format!("node{n}"))).collect();
    let keys: Vec<_> = folders.iter().map(|f| init::make_keys(&f.join("keys")).unwrap()).collect();
    let genesis = genesis(&keys);
    let document = root.join("genesis.bin");
    init::write_genesis(&genesis, &document).unwrap();
    let listen: Vec<_> = (0..3).map(|_| free_port()).collect();
    for (n, folder) in folders.iter().enumerate() {
        let others = (0..3).filter(|other| *other != n);
        init::make_config(&Setup {
            folder: folder.clone(),
            genesis: document.clone(),
            node: n as u64 + 1,
            listen: listen[n],
            http: "127.0.0.1:0".parse().unwrap(),
            members: others.map(|other| (other as u64 + 1, listen[other])).collect(),
            readers: vec![("test".into(), TOKEN.into())],
            json_log: false,
        })
        .unwrap();
    }
    (genesis, folders)
}

/// Alice adds her `n`th key.
fn transaction(genesis: &Genesis, n: u8) -> Transaction {
    let now = musubi_node::clock::now();
    let body = Body {
        chain: genesis.chain(),
        rules_version: RULES_VERSION,
        sender: ALICE,
        reference: format!("key-{n}").parse().unwrap(),
        salt: Salt([n; 16]),
        expires: now.plus(60_000),
        purpose: Purpose::NONE,
        memo: None,
        answers: None,
        on_behalf_of: None,
        operation: Operation::AddKey(AddKey { party: ALICE, key: alice(n).public() }),
    };
    let signatures = [0, n].map(|k| body.sign(Side::Authority, Role::Holder, ALICE, &alice(k)));
    Transaction::new(body, signatures.to_vec())
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

    // Submitted at every node, whoever leads: applied once, by the same block.
    for n in 1..=3 {
        let tx = transaction(&genesis, n);
        let status = submit(&client, at(&members, usize::from(n) - 1), &tx).await;
        assert_eq!((status.stage, status.code), (Stage::Judged, Some(Code::Applied)));
        let again = submit(&client, at(&members, usize::from(n) % 3), &tx).await;
        assert_eq!(again.leaf, status.leaf, "a retry elsewhere gets the one verdict");
    }

    // The leader goes; the others go on.
    let leader = info(&client, at(&members, 0)).await.leader.unwrap() as usize - 1;
    stop(members[leader].take().unwrap()).await;
    let other = (leader + 1) % 3;
    let status = submit(&client, at(&members, other), &transaction(&genesis, 4)).await;
    assert_eq!(status.code, Some(Code::Applied));

    // It comes back and catches up; all checkpoints agree on one log.
    members[leader] = Some(start(&folders[leader]).await);
    let height = status.height.unwrap();
    for _ in 0..200 {
        if info(&client, at(&members, leader)).await.height >= height {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let status = submit(&client, at(&members, leader), &transaction(&genesis, 5)).await;
    assert_eq!(status.code, Some(Code::Applied));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let url = format!("http://{}/v1/checkpoints", at(&members, leader));
    let notes: Checkpoints = client.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(notes.notes.len(), 3, "every validator's checkpoint is known");
    let bodies: std::collections::BTreeSet<&str> =
        notes.notes.iter().map(|(_, note)| note.split("\n\n").next().unwrap()).collect();
    assert_eq!(bodies.len(), 1, "all sign one log: {bodies:?}");
    let stores: Vec<_> =
        members.iter().flatten().map(|m| Arc::clone(&m.running.node().store).head()).collect();
    assert!(stores.windows(2).all(|pair| pair[0] == pair[1]), "{stores:?}");
    for member in members.into_iter().flatten() {
        stop(member).await;
    }
}
