//! What tests of whole nodes share: a ledger on which one person, Alice, adds keys; nodes of it in this process;
//! waiting for what must come.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its part"
)]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use musubi_ledger::{
    batch::NodeId,
    genesis::{FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION},
    id::{PartyId, PersonTag, Salt},
    keys::{PublicKey, SecretKey},
    memo::{MemoBlob, Wrap},
    operation::{AddKey, Operation},
    party::PartyKind,
    time::Time,
    transaction::{Body, Purpose, Role, Side, Transaction},
};
use musubi_node::{
    api::{self, Api},
    config::{Config, Loaded, Start},
    directory,
    init::{self, NodeKeys, ReplicaSetup, Setup},
    node::{self, Running},
};

pub const ALICE: PartyId = PartyId([8; 16]);
pub const TOKEN: &str = "a-reader-token-for-tests";
const NAMES: [&str; 3] = ["city", "operator", "partner"];

/// Alice's `n`th key; from 0 on, with which the ledger begins.
pub fn alice(n: u8) -> SecretKey {
    SecretKey::from_seed(&[100 + n; 32])
}

/// Organisations by number: city, operator, partner.
pub fn organisation(n: usize) -> PartyId {
    PartyId([1 + n as u8; 16])
}

pub fn governance(n: usize) -> SecretKey {
    SecretKey::from_seed(&[90 + n as u8; 32])
}

/// Validator `id` of organisation `n`.
pub fn validator(id: u64, n: usize, keys: &NodeKeys) -> Node {
    let NodeKeys { transport, node, cosigner } = *keys;
    Node { id: NodeId(id), organisation: organisation(n), transport, node, cosigner }
}

/// A ledger of so many organisations, these validators, and Alice.
pub fn genesis(name: &str, organisations: usize, nodes: Vec<Node>) -> Genesis {
    let party = |party, kind, keys, tag| FirstParty {
        party,
        kind,
        keys,
        tag,
        organisation: None,
        officers: vec![],
        attributes: vec![],
    };
    let numbers = 0..organisations;
    let operators = numbers.clone().map(|n| {
        let operator = organisation(n);
        party(operator, PartyKind::Operator, vec![], None)
    });
    let alice = party(ALICE, PartyKind::Person, vec![alice(0).public()], Some(PersonTag([2; 32])));
    let organisations = numbers.map(|n| Organisation {
        party: organisation(n),
        name: NAMES[n].into(),
        governance: governance(n).public(),
    });
    Genesis {
        name: name.into(),
        scheme: "test".into(),
        time: Time(1_700_000_000_000),
        rules_version: RULES_VERSION,
        salt: Salt([7; 16]),
        parameters: Parameters {
            recovery_delay_ms: 1_000,
            successor_notice_ms: 1_000,
            driven_time: false,
        },
        organisations: organisations.collect(),
        nodes,
        parties: operators.chain([alice]).collect(),
        instruments: vec![],
    }
}

/// Alice adds her `n`th key.
pub fn transaction(genesis: &Genesis, n: u8, expires: Time) -> Transaction {
    let body = Body {
        chain: genesis.chain(),
        rules_version: RULES_VERSION,
        sender: ALICE,
        reference: format!("key-{n}").parse().unwrap(),
        salt: Salt([n; 16]),
        expires,
        purpose: Purpose::NONE,
        memo: None,
        answers: None,
        on_behalf_of: None,
        operation: Operation::AddKey(AddKey { party: ALICE, key: alice(n).public() }),
    };
    signed(body, n)
}

fn signed(body: Body, n: u8) -> Transaction {
    let signatures = [0, n].map(|k| body.sign(Side::Authority, Role::Holder, ALICE, &alice(k)));
    Transaction::new(body, signatures.to_vec())
}

/// A blob of the right form; what it says is for its readers.
pub fn blob(n: u8) -> MemoBlob {
    let wrap = Wrap { reader: PublicKey([n; 32]), encapsulated: [2; 32], sealed: [3; 48] };
    MemoBlob { commitment: [n; 32], wraps: vec![wrap], sealed: vec![4; 274] }
}

/// Alice adds her `n`th key, with a word about it.
pub fn with_memo(transaction: Transaction, n: u8) -> (Transaction, MemoBlob) {
    let mut body = transaction.body;
    body.memo = Some(blob(n).hash());
    (signed(body, n), blob(n))
}

pub fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub fn load(folder: &Path) -> Loaded {
    Config::load(&folder.join("node.toml")).unwrap()
}

/// Writes the files of validator `node`, whose keys are there, and makes its directory.
pub fn make_validator(
    folder: &Path,
    genesis: &Path,
    node: u64,
    listen: &[(u64, SocketAddr)],
    recovery: Option<PathBuf>,
) {
    let own = listen.iter().find(|(id, _)| *id == node).unwrap().1;
    init::make_config(&Setup {
        folder: folder.into(),
        genesis: genesis.into(),
        node,
        listen: own,
        http: "127.0.0.1:0".parse().unwrap(),
        members: listen.iter().filter(|(id, _)| *id != node).copied().collect(),
        recovery,
        readers: vec![("test".into(), TOKEN.into())],
        operators: Vec::new(),
        json_log: false,
    })
    .unwrap();
    directory::format(&load(folder)).unwrap();
}

/// Writes the files of a replica that shows its upstreams `token`.
pub fn make_replica(folder: &Path, genesis: &Path, upstream: &[String], token: &str, start: Start) {
    let token_file = folder.with_extension("token");
    std::fs::write(&token_file, token).unwrap();
    init::make_replica(&ReplicaSetup {
        folder: folder.into(),
        genesis: genesis.into(),
        http: "127.0.0.1:0".parse().unwrap(),
        upstream: upstream.to_vec(),
        token_file,
        start,
        readers: vec![("test".into(), TOKEN.into())],
        json_log: false,
    })
    .unwrap();
}

/// A running node.
pub struct Member {
    pub running: Running,
    pub api: Api,
    pub folder: PathBuf,
}

pub async fn start(folder: &Path) -> Member {
    try_start(folder, |_| {}).await.unwrap()
}

/// Starts a node with a changed configuration, or says why it does not start.
pub async fn try_start(folder: &Path, change: impl FnOnce(&mut Config)) -> anyhow::Result<Member> {
    let mut loaded = load(folder);
    change(&mut loaded.config);
    let http = loaded.config.http.clone();
    let running = node::start(loaded).await?;
    let api = api::serve(running.node(), &http).await.unwrap();
    Ok(Member { running, api, folder: folder.into() })
}

impl Member {
    pub fn url(&self) -> String {
        format!("http://{}", self.api.address())
    }

    /// Stops it; returns its folder.
    pub async fn stop(self) -> PathBuf {
        self.api.stop().await;
        self.running.stop().await;
        self.folder
    }
}

/// The value of a metric, summed over its labels.
pub fn metric(text: &str, name: &str) -> f64 {
    let values = text.lines().filter_map(|line| {
        let (left, value) = line.rsplit_once(' ')?;
        let of_it = left.split('{').next() == Some(name);
        of_it.then(|| value.parse::<f64>().unwrap())
    });
    values.sum()
}

/// Waits for what must come, however slow the machine is.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..1_200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("within 60 s: {what}");
}
