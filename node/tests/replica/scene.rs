//! One validator, and replicas of it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use musubi_ledger::{
    api::Status,
    batch::NodeId,
    code::Code,
    genesis::{FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION},
    hash::Hash,
    id::{PartyId, PersonTag, Salt},
    keys::SecretKey,
    operation::{AddKey, Operation},
    party::PartyKind,
    policy::cosigner_name,
    time::Time,
    tlog::{Algorithm, Checkpoint, NoteSignature, SignedNote, VerifierKey},
    transaction::{Body, Purpose, Role, Side, Transaction},
};
use musubi_node::{
    api::{self, Api},
    config::{self, Config, Start},
    directory,
    init::{self, ReplicaSetup, Setup},
    node::{self, Running},
};

const ALICE: PartyId = PartyId([2; 16]);
pub(crate) const TOKEN: &str = "a-reader-token-for-tests";

/// A running node.
pub(crate) struct Member {
    pub(crate) running: Running,
    api: Api,
    folder: PathBuf,
}

/// A validator with its folder, in which replicas have theirs.
pub(crate) struct Scene {
    root: tempfile::TempDir,
    genesis: Genesis,
    validator: Option<Member>,
    opened: Time,
    pub(crate) client: reqwest::Client,
}

fn alice(n: u8) -> SecretKey {
    SecretKey::from_seed(&[100 + n; 32])
}

fn genesis(keys: &init::NodeKeys) -> Genesis {
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
        name: "replica.example/test".into(),
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
        nodes: vec![Node {
            id: NodeId(1),
            organisation: city,
            transport: keys.transport,
            node: keys.node,
            cosigner: keys.cosigner,
        }],
        parties: vec![
            party(city, PartyKind::Operator, vec![], None),
            party(ALICE, PartyKind::Person, vec![alice(0).public()], Some(PersonTag([2; 32]))),
        ],
        instruments: vec![],
    }
}

async fn start(folder: &Path) -> Member {
    try_start(folder).await.unwrap()
}

async fn try_start(folder: &Path) -> anyhow::Result<Member> {
    let loaded = Config::load(&folder.join("node.toml")).unwrap();
    let is_new = loaded.config.role == config::Role::Validator && !loaded.config.data.exists();
    if is_new {
        directory::format(&loaded).unwrap();
    }
    let http = loaded.config.http.clone();
    let running = node::start(loaded).await?;
    let api = api::serve(running.node(), &http).await.unwrap();
    Ok(Member { running, api, folder: folder.into() })
}

impl Member {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.api.address())
    }

    /// Stops it; returns its folder.
    pub(crate) async fn stop(self) -> PathBuf {
        self.api.stop().await;
        self.running.stop().await;
        self.folder
    }

    /// The value of a metric, summed over its labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.running.node().metrics.render();
        let values = text.lines().filter_map(|line| {
            let (left, value) = line.rsplit_once(' ')?;
            (left.split('{').next() == Some(name)).then(|| value.parse::<f64>().unwrap())
        });
        values.sum()
    }
}

/// Waits for what must come, however slow the machine is.
pub(crate) async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("within 30 s: {what}");
}

impl Scene {
    pub(crate) async fn open() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("validator");
        let keys = init::make_keys(&folder.join("keys")).unwrap();
        let genesis = genesis(&keys);
        let document = root.path().join("genesis.bin");
        init::write_genesis(&genesis, &document).unwrap();
        init::make_config(&Setup {
            folder: folder.clone(),
            genesis: document,
            node: 1,
            listen: "127.0.0.1:0".parse().unwrap(),
            http: "127.0.0.1:0".parse().unwrap(),
            recovery: None,
            members: vec![],
            readers: vec![("test".into(), TOKEN.into())],
            json_log: false,
        })
        .unwrap();
        let validator = Some(start(&folder).await);
        let opened = musubi_node::clock::now();
        Self { root, genesis, validator, opened, client: reqwest::Client::new() }
    }

    fn validator(&self) -> &Member {
        self.validator.as_ref().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.validator().url()
    }

    /// Stops the validator; returns its folder.
    pub(crate) async fn stop(&mut self) -> PathBuf {
        self.validator.take().unwrap().stop().await
    }

    pub(crate) fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// A checkpoint that the validator's own keys make final, whatever it says.
    pub(crate) fn signed_by_the_quorum(&self, size: u64, root: Hash) -> String {
        let keys = self.validator().folder.join("keys");
        let secret = |name: &str| config::read_key(&keys.join(name)).unwrap();
        let origin = self.genesis.origin();
        let checkpoint = Checkpoint::new(&origin, size, root).unwrap();
        let mut note = SignedNote::new(checkpoint.to_string()).unwrap();
        let text = note.text().to_owned();
        let (log, cosigner) = (secret("node.key"), secret("cosigner.key"));
        let key = VerifierKey::new(&origin, Algorithm::Ed25519, &log.public().0).unwrap();
        note.add(NoteSignature::sign(&text, &key, |message| log.sign(message).0)).unwrap();
        let name = cosigner_name(&self.genesis, NodeId(1));
        let key = VerifierKey::new(&name, Algorithm::CosignatureV1, &cosigner.public().0).unwrap();
        let sign = |message: &[u8]| cosigner.sign(message).0;
        note.add(NoteSignature::cosign(&text, &key, 1_775_001_700, sign)).unwrap();
        note.to_string()
    }

    /// Alice, as paths name her.
    pub(crate) fn party(&self) -> String {
        ALICE.to_string()
    }

    /// Alice adds her `n`th key.
    pub(crate) fn transaction(&self, n: u8) -> Transaction {
        let body = Body {
            chain: self.genesis.chain(),
            rules_version: RULES_VERSION,
            sender: ALICE,
            reference: format!("key-{n}").parse().unwrap(),
            salt: Salt([n; 16]),
            expires: self.opened.plus(7_200_000),
            purpose: Purpose::NONE,
            memo: None,
            answers: None,
            on_behalf_of: None,
            operation: Operation::AddKey(AddKey { party: ALICE, key: alice(n).public() }),
        };
        let signatures = [0, n].map(|k| body.sign(Side::Authority, Role::Holder, ALICE, &alice(k)));
        Transaction::new(body, signatures.to_vec())
    }

    /// Has the validator judge Alice's `n`th transaction, in a block of its own.
    pub(crate) async fn apply(&self, n: u8) -> Status {
        let (status, answer) = self.submit(&self.url(), &self.transaction(n)).await;
        assert_eq!(status, 200, "{answer}");
        let answer: Status = serde_json::from_value(answer).unwrap();
        assert_eq!(answer.code, Some(Code::Applied));
        answer
    }

    pub(crate) async fn submit(&self, base: &str, tx: &Transaction) -> (u16, serde_json::Value) {
        let url = format!("{base}/v1/transactions?wait=committed&timeout_ms=20000");
        let sent = self.client.post(url).header("content-type", "application/octet-stream");
        let answer = sent.body(tx.encode()).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    pub(crate) async fn get(&self, base: &str, path: &str) -> (u16, Vec<u8>) {
        let url = format!("{base}{path}");
        let answer = self.client.get(url).bearer_auth(TOKEN).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    /// Writes a replica's files; returns its folder.
    pub(crate) fn configure(&self, name: &str, upstream: &[String], token: &str) -> PathBuf {
        self.configure_from(name, upstream, token, Start::Genesis)
    }

    /// Writes the files of a replica that begins with a snapshot; returns its folder.
    pub(crate) fn configure_late(&self, name: &str, upstream: &[String]) -> PathBuf {
        self.configure_from(name, upstream, TOKEN, Start::Snapshot)
    }

    /// The folder of a replica whose files were written.
    pub(crate) fn configured(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A fresh replica that begins with a snapshot, or why it does not.
    pub(crate) async fn late(&self, name: &str, upstream: &[String]) -> anyhow::Result<Member> {
        try_start(&self.configure_late(name, upstream)).await
    }

    fn configure_from(
        &self,
        name: &str,
        upstream: &[String],
        token: &str,
        start: Start,
    ) -> PathBuf {
        let folder = self.root.path().join(name);
        let token_file = self.root.path().join(format!("{name}.token"));
        std::fs::write(&token_file, token).unwrap();
        init::make_replica(&ReplicaSetup {
            folder: folder.clone(),
            genesis: self.root.path().join("genesis.bin"),
            http: "127.0.0.1:0".parse::<SocketAddr>().unwrap(),
            upstream: upstream.to_vec(),
            token_file,
            start,
            readers: vec![("test".into(), TOKEN.into())],
            json_log: false,
        })
        .unwrap();
        folder
    }

    /// A fresh replica.
    pub(crate) async fn replica(&self, name: &str, upstream: &[String]) -> Member {
        self.replica_at(self.configure(name, upstream, TOKEN)).await
    }

    pub(crate) async fn replica_at(&self, folder: PathBuf) -> Member {
        start(&folder).await
    }

    /// Restarts a replica with other upstreams.
    pub(crate) async fn moved(&self, replica: Member, upstream: &[String]) -> Member {
        let folder = replica.stop().await;
        std::fs::remove_file(folder.join("node.toml")).unwrap();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        self.replica(&name, upstream).await
    }

    /// Waits until a replica stands where the validator does, with the same root and state.
    pub(crate) async fn caught_up(&self, replica: &Member) {
        let (validator, replica) =
            (&self.validator().running.node().store, &replica.running.node().store);
        eventually("the replica catches up", async || replica.head() == validator.head()).await;
        let height = replica.head().0.height;
        let seals = [validator, replica].map(|store| store.block(height).unwrap().unwrap().seal);
        assert_eq!(seals[0], seals[1]);
    }

    /// A validator does not start on a replica's directory.
    pub(crate) async fn a_validator_refuses(&mut self, replica: &Path) {
        let folder = self.stop().await;
        let own = folder.join("data");
        let aside = folder.join("data-aside");
        std::fs::rename(&own, &aside).unwrap();
        std::fs::rename(replica.join("data"), &own).unwrap();
        let loaded = Config::load(&folder.join("node.toml")).unwrap();
        let error = node::start(loaded).await.err().expect("it is a replica's").to_string();
        assert!(error.contains("replica's directory"), "{error}");
        std::fs::rename(&own, replica.join("data")).unwrap();
        std::fs::rename(&aside, &own).unwrap();
        self.validator = Some(start(&folder).await);
    }
}
