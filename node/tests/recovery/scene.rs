//! Three validators' files, what is asked of them over HTTP, and how the organisations agree on a recovery.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use musubi_ledger::{
    api::{Durability, Info, Status},
    genesis::{Genesis, Node},
    keys::SecretKey,
    policy::{PolicyBundle, PolicyChain},
    proof::TransactionProof,
    transaction::Transaction,
};
use musubi_node::{
    config::{Config, MemberSection},
    recover::{
        RecoveryFile,
        draft::{describe, draft},
        inspect::inspect,
        sign::sign,
    },
};

use crate::common::{self, Member, TOKEN, governance, load};

pub(crate) fn folder(root: &Path, node: u64) -> PathBuf {
    root.join(format!("node{node}"))
}

/// Writes a node's files, and makes its directory.
pub(crate) fn set_up(
    root: &Path,
    node: u64,
    listen: &[(u64, SocketAddr)],
    recovery: Option<PathBuf>,
) {
    let genesis = root.join("genesis.bin");
    common::make_validator(&folder(root, node), &genesis, node, listen, recovery);
}

/// Alice adds her `n`th key.
pub(crate) fn transaction(genesis: &Genesis, n: u8) -> Transaction {
    common::transaction(genesis, n, musubi_node::clock::machine().plus(600_000))
}

/// Submits, and waits until it is final.
pub(crate) async fn finalise(at: &Member, tx: &Transaction) -> Status {
    let path = "/v1/transactions?wait=final&timeout_ms=30000";
    let url = format!("http://{}{path}", at.api.address());
    let sent = reqwest::Client::new().post(url).header("content-type", "application/octet-stream");
    let text = sent.body(tx.encode()).send().await.unwrap().text().await.unwrap();
    let status: Status = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(status.durability, Some(Durability::Final), "{text}");
    status
}

pub(crate) async fn get(at: &Member, path: &str) -> Vec<u8> {
    let url = format!("http://{}{path}", at.api.address());
    let sent = reqwest::Client::new().get(url).bearer_auth(TOKEN).send().await.unwrap();
    assert!(sent.status().is_success(), "{path}: {}", sent.status());
    sent.bytes().await.unwrap().to_vec()
}

pub(crate) async fn proof(at: &Member, tx: &Transaction) -> TransactionProof {
    let bytes = get(at, &format!("/v1/proofs/{}", tx.body.id())).await;
    TransactionProof::parse(&bytes).unwrap()
}

pub(crate) async fn policies(at: &Member, genesis: &Genesis) -> PolicyChain {
    let bundle = PolicyBundle::decode(&get(at, "/v1/policies").await).unwrap();
    bundle.verify(&genesis.chain()).unwrap()
}

pub(crate) async fn info(at: &Member) -> Info {
    serde_json::from_slice(&get(at, "/v1/info").await).unwrap()
}

/// The survivor's configuration names the recovery and the new members.
pub(crate) fn configure_survivor(root: &Path, listen: &[(u64, SocketAddr)], file: &Path) {
    let path = folder(root, 1).join("node.toml");
    let mut config: Config = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    config.recovery = Some(file.into());
    let others = listen.iter().filter(|(node, _)| *node != 1);
    config.network.as_mut().unwrap().member =
        others.map(|&(node, address)| MemberSection { node, address }).collect();
    std::fs::write(path, toml::to_string_pretty(&config).unwrap()).unwrap();
}

/// Drafts the recovery on node 1, collects two organisations' signatures, and writes it.
pub(crate) fn agree(root: &Path, genesis: &Genesis, new: &[Node]) -> PathBuf {
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
