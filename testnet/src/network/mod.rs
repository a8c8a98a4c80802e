//! A network of real `musubi-node` processes on loopback, each of its own organisation.
//!
//! This file owns the life of the processes; [`files`] makes what they start from; [`ports`] finds
//! them addresses; [`replicas`] are nodes that follow; `stop` ends them in order; `summary` is what `up` prints; [`officers`] writes the institutions' keys for the `musubi` command.
//!
//! No child outlives its [`Network`]: dropping it kills them. Where no drop runs, as after a SIGKILL of this
//! process, they stop by themselves: `process` says how.

mod files;
mod leader;
mod officers;
mod ports;
mod process;
mod replicas;
mod stop;
mod summary;

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use musubi_ledger::{
    genesis::{Genesis, Parameters},
    time::Time,
};
use musubi_sdk::{Client, ClientConfig};

use crate::city::institutions::Institutions;
use process::Process;

pub use files::now;
pub use leader::Leader;
pub use officers::PASSPHRASE;
pub use process::FileLimit;
pub use replicas::Replica;
pub use summary::Summary;

/// How long a network may take until all of its nodes are ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What a network is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where everything is kept. A folder that holds a network is started again as it is.
    pub dir: PathBuf,
    /// How many validators.
    pub validators: usize,
    /// The seed of the institutions' keys.
    pub seed: u64,
    /// Constants of the chain.
    pub parameters: Parameters,
}

/// What a network is besides, if it is new.
#[derive(Clone, Copy, Debug)]
struct New {
    /// When its chain begins, if its clocks are driven.
    driven: Option<Time>,
    /// Whether its genesis document has no instruments.
    bare: bool,
}

/// Constants for trying things out: waits are short enough to sit through.
pub const PARAMETERS: Parameters =
    Parameters { recovery_delay_ms: 1_500, successor_notice_ms: 1_500, driven_time: false };

/// A validator's process and addresses.
#[derive(Debug)]
pub struct Validator {
    /// Raft id.
    pub node: u64,
    /// Its organisation's name.
    pub organisation: String,
    /// Where the others reach it.
    pub listen: SocketAddr,
    /// Where its API is.
    pub http: SocketAddr,
    /// Its log.
    pub log: PathBuf,
    config: PathBuf,
    process: Option<Process>,
}

impl Validator {
    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }
}

/// A running network.
#[derive(Debug)]
pub struct Network {
    dir: PathBuf,
    genesis: Genesis,
    institutions: Institutions,
    reader_token: String,
    operator_token: String,
    validators: Vec<Validator>,
    replicas: Vec<Replica>,
    /// Held for as long as this network runs: one process at a time owns a folder.
    _lock: File,
}

impl Network {
    /// Makes (or finds) a network's files and starts its processes. They are not ready yet.
    ///
    /// # Errors
    /// If files or processes cannot be made, or the folder holds a network of another size.
    pub fn start(settings: &Settings) -> anyhow::Result<Self> {
        Self::begin(settings, New { driven: None, bare: false })
    }

    /// As [`Network::start`], for a new network whose clocks are driven: it begins at `begins`, in the past perhaps, and
    /// whoever has its operators' token sets its time forward.
    ///
    /// # Errors
    /// As [`Network::start`]; also if the folder holds a network.
    pub fn start_driven(settings: &Settings, begins: Time) -> anyhow::Result<Self> {
        Self::begin(settings, New { driven: Some(begins), bare: false })
    }

    /// As [`Network::start`], or with a beginning [`Network::start_driven`]; a new one has no instruments: whoever plays on it
    /// defines its own.
    ///
    /// # Errors
    /// As those.
    pub fn start_bare(settings: &Settings, driven: Option<Time>) -> anyhow::Result<Self> {
        Self::begin(settings, New { driven, bare: true })
    }

    fn begin(settings: &Settings, new: New) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&settings.dir)
            .with_context(|| format!("cannot create {}", settings.dir.display()))?;
        let dir = settings.dir.canonicalize()?;
        let lock = lock(&dir)?;
        let prepared = files::prepare(&dir, settings, new)?;
        let mut network = Self {
            genesis: prepared.genesis,
            institutions: prepared.institutions,
            reader_token: prepared.reader_token,
            operator_token: prepared.operator_token,
            validators: prepared.validators,
            replicas: Vec::new(),
            dir,
            _lock: lock,
        };
        officers::write(&network)?;
        for at in 0..network.validators.len() {
            network.spawn(at, None)?;
        }
        Ok(network)
    }

    fn spawn(&mut self, at: usize, file_limit: Option<FileLimit>) -> anyhow::Result<()> {
        let validator = &mut self.validators[at];
        let process = Process::node(&validator.config, &validator.log, file_limit)?;
        validator.process = Some(process);
        Ok(())
    }

    /// Waits until every running node says that it is ready.
    ///
    /// # Errors
    /// If a node ends, or time runs out; both name the log to look at.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + READY_WITHIN;
        let client = self.client()?;
        for at in 0..self.validators.len() {
            while !client.ready(at).await.unwrap_or(false) {
                self.check_alive()?;
                if Instant::now() > until {
                    let log = self.validators[at].log.display();
                    bail!("node {} was not ready in time; see {log}", at + 1);
                }
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        }
        Ok(())
    }

    /// Fails if a node that should run does not.
    ///
    /// # Errors
    /// Names the node, how it ended, and its log.
    pub fn check_alive(&mut self) -> anyhow::Result<()> {
        for validator in &mut self.validators {
            if let Some(status) = validator.process.as_mut().and_then(Process::ended) {
                validator.process = None;
                let (node, log) = (validator.node, validator.log.display());
                bail!("node {node} ended by itself ({status}); see {log}");
            }
        }
        for replica in &mut self.replicas {
            if let Some(status) = replica.process.as_mut().and_then(Process::ended) {
                replica.process = None;
                let (number, log) = (replica.number, replica.log.display());
                bail!("replica {number} ended by itself ({status}); see {log}");
            }
        }
        Ok(())
    }

    /// Ends a node as a power cut would (SIGKILL).
    ///
    /// # Errors
    /// If there is no such node, or it does not run.
    pub fn kill(&mut self, node: u64) -> anyhow::Result<()> {
        let validator = self.validator_mut(node)?;
        let process = validator.process.take();
        process.with_context(|| format!("node {node} does not run"))?.kill();
        Ok(())
    }

    /// Starts a node that does not run again, on its old folder and addresses.
    ///
    /// # Errors
    /// If there is no such node, it runs, or it cannot be started.
    pub fn restart(&mut self, node: u64) -> anyhow::Result<()> {
        self.restart_limited(node, None)
    }

    /// As [`Network::restart`], but none of its files can grow beyond a limit: writes fail there.
    ///
    /// # Errors
    /// As [`Network::restart`].
    pub fn restart_limited(
        &mut self,
        node: u64,
        file_limit: Option<FileLimit>,
    ) -> anyhow::Result<()> {
        let running = self.validator_mut(node)?.process.is_some();
        if running {
            bail!("node {node} runs already");
        }
        let at = self.validators.iter().position(|v| v.node == node);
        self.spawn(at.context("just found")?, file_limit)
    }

    /// How a node ended by itself, once it has; from then on it does not run.
    ///
    /// # Errors
    /// If there is no such node, or it does not run.
    pub fn ended(&mut self, node: u64) -> anyhow::Result<Option<ExitStatus>> {
        let validator = self.validator_mut(node)?;
        let process = validator.process.as_mut();
        let status = process.with_context(|| format!("node {node} does not run"))?.ended();
        if status.is_some() {
            validator.process = None;
        }
        Ok(status)
    }

    /// Base URLs of all nodes, in the order of their ids.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.validators.iter().map(|v| format!("http://{}", v.http)).collect()
    }

    /// A client that may ask every node and read everything.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn client(&self) -> anyhow::Result<Client> {
        let config = ClientConfig::new(self.urls()).with_token(&self.reader_token);
        Ok(Client::new(config)?)
    }

    /// A client that asks one node alone, by its place.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn client_of(&self, at: usize) -> anyhow::Result<Client> {
        let url = format!("http://{}", self.validators[at].http);
        Ok(Client::new(ClientConfig::new([url]).with_token(&self.reader_token))?)
    }

    /// The same with the operators' token, which says also what only operators may.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn operator_of(&self, at: usize) -> anyhow::Result<Client> {
        let url = format!("http://{}", self.validators[at].http);
        Ok(Client::new(ClientConfig::new([url]).with_token(&self.operator_token))?)
    }

    /// The validators.
    #[must_use]
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// The genesis document.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The institutions with their keys.
    #[must_use]
    pub fn institutions(&self) -> &Institutions {
        &self.institutions
    }

    /// The token with which everything can be read.
    #[must_use]
    pub fn reader_token(&self) -> &str {
        &self.reader_token
    }

    /// Where everything is kept.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn validator_mut(&mut self, node: u64) -> anyhow::Result<&mut Validator> {
        let found = self.validators.iter_mut().find(|v| v.node == node);
        found.with_context(|| format!("there is no node {node}"))
    }
}

fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    if file.try_lock().is_err() {
        bail!("another musubi-testnet runs the network in {}", dir.display());
    }
    Ok(file)
}
