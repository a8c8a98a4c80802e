//! One validator, and replicas of it.

use std::path::{Path, PathBuf};

use musubi_ledger::{
    api::Status,
    batch::NodeId,
    code::Code,
    genesis::Genesis,
    hash::Hash,
    policy::cosigner_name,
    time::Time,
    tlog::{Algorithm, Checkpoint, NoteSignature, SignedNote, VerifierKey},
    transaction::Transaction,
};
use musubi_node::{
    config::{self, Start},
    init, node,
};

use crate::common::{self, ALICE, start};
pub(crate) use crate::common::{Member, TOKEN, eventually};

/// A validator with its folder, in which replicas have theirs.
pub(crate) struct Scene {
    root: tempfile::TempDir,
    genesis: Genesis,
    validator: Option<Member>,
    opened: Time,
    pub(crate) client: reqwest::Client,
}

impl Member {
    /// The value of a metric, summed over its labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        common::metric(&self.running.node().metrics.render(), name)
    }
}

impl Scene {
    pub(crate) async fn open() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("validator");
        let keys = init::make_keys(&folder.join("keys")).unwrap();
        let node = common::validator(1, 0, &keys);
        let genesis = common::genesis("replica.example/test", 1, vec![node]);
        let document = root.path().join("genesis.bin");
        init::write_genesis(&genesis, &document).unwrap();
        let listen = [(1, "127.0.0.1:0".parse().unwrap())];
        common::make_validator(&folder, &document, 1, &listen, None);
        let validator = Some(start(&folder).await);
        let opened = musubi_node::clock::machine();
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
        common::transaction(&self.genesis, n, self.opened.plus(7_200_000))
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
        common::try_start(&self.configure_late(name, upstream), |_| {}).await
    }

    fn configure_from(
        &self,
        name: &str,
        upstream: &[String],
        token: &str,
        start: Start,
    ) -> PathBuf {
        let (folder, genesis) = (self.configured(name), self.root.path().join("genesis.bin"));
        common::make_replica(&folder, &genesis, upstream, token, start);
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
        let error =
            node::start(common::load(&folder)).await.err().expect("it is a replica's").to_string();
        assert!(error.contains("replica's directory"), "{error}");
        std::fs::rename(&own, replica.join("data")).unwrap();
        std::fs::rename(&aside, &own).unwrap();
        self.validator = Some(start(&folder).await);
    }
}
