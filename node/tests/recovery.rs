//! A quorum of disks is lost, and the ledger goes on from the one that survives: three whole nodes in one process, of
//! which two are destroyed, and two new ones in their place.
#![allow(clippy::unwrap_used)]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use musubi_ledger::{
    api::{Durability, Info, Status},
    batch::NodeId,
    genesis::{FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION},
    id::{PartyId, PersonTag, Salt},
    keys::SecretKey,
    operation::{AddKey, Operation},
    party::PartyKind,
    policy::{PolicyBundle, PolicyChain},
    proof::TransactionProof,
    time::Time,
    transaction::{Body, Purpose, Role, Side, Transaction},
};
use musubi_node::{
    api::{self, Api},
    config::{Config, MemberSection, Start},
    directory,
    init::{self, ReplicaSetup, Setup},
    node::{self, Running},
    recover::{
        RecoveryFile,
        apply::{Applied, apply},
        draft::{describe, draft},
        inspect::inspect,
        sign::sign,
    },
};

const ALICE: PartyId = PartyId([9; 16]);
const TOKEN: &str = "a-reader-token-for-tests";
const NAMES: [&str; 3] = ["city", "operator", "partner"];

fn alice(n: u8) -> SecretKey {
    SecretKey::from_seed(&[100 + n; 32])
}

fn governance(n: usize) -> SecretKey {
    SecretKey::from_seed(&[90 + n as u8; 32])
}

fn organisation(n: usize) -> PartyId {
    PartyId([1 + n as u8; 16])
}

/// Validator `id` of organisation `n`.
fn validator(id: u64, n: usize, keys: &init::NodeKeys) -> Node {
    let init::NodeKeys { transport, node, cosigner } = *keys;
    Node { id: NodeId(id), organisation: organisation(n), transport, node, cosigner }
}

fn genesis(keys: &[init::NodeKeys]) -> Genesis {
    let party = |party, kind, keys, tag| FirstParty {
        party,
        kind,
        keys,
        tag,
        organisation: None,
        officers: vec![],
        attributes: vec![],
    };
    let operators = (0..3).map(|n| party(organisation(n), PartyKind::Operator, vec![], None));
    let alice = party(ALICE, PartyKind::Person, vec![alice(0).public()], Some(PersonTag([2; 32])));
    let organisations = NAMES.iter().enumerate().map(|(n, name)| Organisation {
        party: organisation(n),
        name: (*name).into(),
        governance: governance(n).public(),
    });
    Genesis {
        name: "recovery.example/test".into(),
        scheme: "test".into(),
        time: Time(1_700_000_000_000),
        rules_version: RULES_VERSION,
        salt: Salt([7; 16]),
        parameters: Parameters { recovery_delay_ms: 1_000, successor_notice_ms: 1_000 },
        organisations: organisations.collect(),
        nodes: (0..3).map(|n| validator(n as u64 + 1, n, &keys[n])).collect(),
        parties: operators.chain([alice]).collect(),
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
    let loaded = load(folder);
    let http = loaded.config.http.clone();
    let running = node::start(loaded).await.unwrap();
    let api = api::serve(running.node(), &http).await.unwrap();
    Member { running, api }
}

async fn stop(members: Vec<Member>) {
    for member in members {
        member.api.stop().await;
        member.running.stop().await;
    }
}

fn load(folder: &Path) -> musubi_node::config::Loaded {
    Config::load(&folder.join("node.toml")).unwrap()
}

fn folder(root: &Path, node: u64) -> PathBuf {
    root.join(format!("node{node}"))
}

/// Writes a node's files, and makes its directory.
fn set_up(root: &Path, node: u64, listen: &[(u64, SocketAddr)], recovery: Option<PathBuf>) {
    let own = listen.iter().find(|(id, _)| *id == node).unwrap().1;
    init::make_config(&Setup {
        folder: folder(root, node),
        genesis: root.join("genesis.bin"),
        node,
        listen: own,
        http: "127.0.0.1:0".parse().unwrap(),
        members: listen.iter().filter(|(id, _)| *id != node).copied().collect(),
        recovery,
        readers: vec![("test".into(), TOKEN.into())],
        json_log: false,
    })
    .unwrap();
    directory::format(&load(&folder(root, node))).unwrap();
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
        expires: now.plus(600_000),
        purpose: Purpose::NONE,
        memo: None,
        answers: None,
        on_behalf_of: None,
        operation: Operation::AddKey(AddKey { party: ALICE, key: alice(n).public() }),
    };
    let signatures = [0, n].map(|k| body.sign(Side::Authority, Role::Holder, ALICE, &alice(k)));
    Transaction::new(body, signatures.to_vec())
}

/// Submits, and waits until it is final.
async fn finalise(at: &Member, tx: &Transaction) -> Status {
    let path = "/v1/transactions?wait=final&timeout_ms=30000";
    let url = format!("http://{}{path}", at.api.address());
    let sent = reqwest::Client::new().post(url).header("content-type", "application/octet-stream");
    let text = sent.body(tx.encode()).send().await.unwrap().text().await.unwrap();
    let status: Status = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(status.durability, Some(Durability::Final), "{text}");
    status
}

async fn get(at: &Member, path: &str) -> Vec<u8> {
    let url = format!("http://{}{path}", at.api.address());
    let sent = reqwest::Client::new().get(url).bearer_auth(TOKEN).send().await.unwrap();
    assert!(sent.status().is_success(), "{path}: {}", sent.status());
    sent.bytes().await.unwrap().to_vec()
}

async fn proof(at: &Member, tx: &Transaction) -> TransactionProof {
    let bytes = get(at, &format!("/v1/proofs/{}", tx.body.id())).await;
    TransactionProof::parse(&bytes).unwrap()
}

async fn policies(at: &Member, genesis: &Genesis) -> PolicyChain {
    let bundle = PolicyBundle::decode(&get(at, "/v1/policies").await).unwrap();
    bundle.verify(&genesis.chain()).unwrap()
}

async fn info(at: &Member) -> Info {
    serde_json::from_slice(&get(at, "/v1/info").await).unwrap()
}

/// Waits for what must come, however slow the machine is.
async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..1_200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("within 60 s: {what}");
}

/// The survivor's configuration names the recovery and the new members.
fn configure_survivor(root: &Path, listen: &[(u64, SocketAddr)], file: &Path) {
    let path = folder(root, 1).join("node.toml");
    let mut config: Config = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    config.recovery = Some(file.into());
    let others = listen.iter().filter(|(node, _)| *node != 1);
    config.network.as_mut().unwrap().member =
        others.map(|&(node, address)| MemberSection { node, address }).collect();
    std::fs::write(path, toml::to_string_pretty(&config).unwrap()).unwrap();
}

/// Drafts the recovery on node 1, collects two organisations' signatures, and writes it.
fn agree(root: &Path, genesis: &Genesis, new: &[Node]) -> PathBuf {
    let survivor = load(&folder(root, 1));
    let inspected = inspect(std::slice::from_ref(&survivor.config.data)).unwrap();
    assert!(inspected.contains("epoch 1") && inspected.contains("best: "), "{inspected}");
    let list = root.join("validators.json");
    let validators = [&genesis.nodes[..1], new].concat();
    std::fs::write(&list, serde_json::to_string(&validators).unwrap()).unwrap();
    let drafted = draft(&survivor, &list, "two data centres burnt").unwrap();
    assert!(sign(&drafted, genesis, &SecretKey::from_seed(&[1; 32])).is_err(), "nobody's key");
    let one = sign(&drafted, genesis, &governance(0)).unwrap();
    assert!(one.clone().check(genesis).is_err(), "one of three organisations is no quorum");
    let two = sign(&one, genesis, &governance(2)).unwrap();
    let words = describe(&two, genesis).unwrap();
    assert!(words.contains("Signed by city, partner: 2 of 2"), "{words}");
    let path = root.join("recovery.json");
    std::fs::write(&path, serde_json::to_string_pretty(&two).unwrap()).unwrap();
    assert_eq!(RecoveryFile::read(&path).unwrap(), two);
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_goes_on_from_one_surviving_disk_and_what_was_dropped_can_be_shown() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let keys = |node| init::make_keys(&folder(root, node).join("keys")).unwrap();
    let genesis = genesis(&[keys(1), keys(2), keys(3)]);
    init::write_genesis(&genesis, &root.join("genesis.bin")).unwrap();
    let listen: Vec<_> = (1..=3).map(|node| (node, free_port())).collect();
    (1..=3).for_each(|node| set_up(root, node, &listen, None));
    let mut first = Vec::new();
    for node in 1..=3 {
        first.push(start(&folder(root, node)).await);
    }
    let (kept, later, lost) =
        (transaction(&genesis, 1), transaction(&genesis, 2), transaction(&genesis, 3));
    let kept_at = finalise(&first[0], &kept).await;
    finalise(&first[0], &later).await;
    let old_proof = proof(&first[0], &kept).await;
    eventually("node 1 knows that it is final", async || {
        info(&first[0]).await.final_size > kept_at.leaf.unwrap()
    })
    .await;
    // Node 1 lags behind what the others make final; then these two are destroyed.
    let others = first.split_off(1);
    stop(first).await;
    finalise(&others[0], &lost).await;
    let lost_proof = proof(&others[0], &lost).await;
    let before = policies(&others[0], &genesis).await;
    lost_proof.verify(&before).unwrap();
    stop(others).await;
    (2..=3).for_each(|node| std::fs::remove_dir_all(folder(root, node)).unwrap());

    let new = [validator(4, 1, &keys(4)), validator(5, 2, &keys(5))];
    let file = agree(root, &genesis, &new);
    let listen: Vec<_> = [1, 4, 5].map(|node| (node, free_port())).to_vec();
    configure_survivor(root, &listen, &file);
    let early = node::start(load(&folder(root, 1))).await.map(drop).unwrap_err().to_string();
    assert!(early.contains("recover apply"), "{early}");
    assert_eq!(apply(&load(&folder(root, 1))).unwrap(), Applied::Now);
    assert_eq!(apply(&load(&folder(root, 1))).unwrap(), Applied::Before);
    (4..=5).for_each(|node| set_up(root, node, &listen, Some(file.clone())));
    assert_eq!(apply(&load(&folder(root, 4))).unwrap(), Applied::NotHere);
    // The new ones first: alone they order nothing.
    let mut second = vec![start(&folder(root, 4)).await, start(&folder(root, 5)).await];
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(info(&second[0]).await.leader, None, "nobody leads without the log");
    second.push(start(&folder(root, 1)).await);

    let status = finalise(&second[0], &transaction(&genesis, 4)).await;
    let now = info(&second[0]).await;
    assert_eq!(now.origin, "recovery.example/test/2");
    let after = policies(&second[1], &genesis).await;
    let begins = &after.recoveries()[0].begins;
    assert_eq!((after.epoch(), begins.epoch), (2, 2));
    assert!(begins.size < status.leaf.unwrap());
    let entry = second[0].running.node().store.entries(begins.size..begins.size + 1).unwrap();
    assert_eq!(entry[0].leaf.id, after.recoveries()[0].id, "the first leaf is the recovery");
    // What survived, proven before and after; what did not, with the names of those who dropped it.
    assert_eq!(old_proof.verify(&after).unwrap().index, kept_at.leaf.unwrap());
    proof(&second[0], &kept).await.verify(&after).unwrap();
    proof(&second[1], &later).await.verify(&after).unwrap();
    let dropped = lost_proof.verify(&after).unwrap_err();
    assert_eq!(dropped.code(), "dropped_by_recovery");
    let sentence = dropped.to_string();
    assert!(sentence.contains("signed by city, partner"), "{sentence}");
    // It was judged by nobody who is left: sent again it applies, once more.
    assert!(finalise(&second[1], &lost).await.leaf.unwrap() > begins.size);
    follows_across(root, &genesis, &second[0]).await;

    // A restart is one of the new epoch.
    let survivor = second.pop().unwrap();
    stop(vec![survivor]).await;
    second.push(start(&folder(root, 1)).await);
    finalise(&second[2], &transaction(&genesis, 5)).await;
    stop(second).await;
    let opened = directory::open(&load(&folder(root, 5))).unwrap();
    opened.store.verify(&mut |_, _| {}).unwrap();
}

/// A replica that begins at genesis comes to where the validator stands, through the recovery.
async fn follows_across(root: &Path, genesis: &Genesis, upstream: &Member) {
    let token_file = root.join("token");
    std::fs::write(&token_file, TOKEN).unwrap();
    let folder = root.join("replica");
    init::make_replica(&ReplicaSetup {
        folder: folder.clone(),
        genesis: root.join("genesis.bin"),
        http: "127.0.0.1:0".parse().unwrap(),
        upstream: vec![format!("http://{}", upstream.api.address())],
        token_file,
        start: Start::Genesis,
        readers: vec![("test".into(), TOKEN.into())],
        json_log: false,
    })
    .unwrap();
    let replica = start(&folder).await;
    let wanted = info(upstream).await;
    eventually("the replica is where the validator was", async || {
        let info = info(&replica).await;
        info.height >= wanted.height && info.final_size >= wanted.final_size
    })
    .await;
    assert_eq!(info(&replica).await.origin, wanted.origin);
    assert_eq!(policies(&replica, genesis).await.epoch(), 2);
    stop(vec![replica]).await;
}
